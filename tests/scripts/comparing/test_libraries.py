"""The trainings of other libraries do the work of the reference."""

import numpy as np
import pytest

pytest.importorskip("threadpoolctl")
from fastbackprop import reference
from scripts.comparing.libraries import SIDES, Problem
from scripts.comparing.one_net import tolerance
from scripts.measuring.nets import Net, examples, largest_difference, start

SMALL = Net((5, 4, 3, 1), 40, 208, 100)


@pytest.mark.parametrize("side", [side for side in SIDES if side != "PyTorch compiled"])  # which takes a minute to compile
def test_a_side_trains_as_the_reference_does(side):
    X, Y = examples(SMALL)
    begin = start(SMALL.layers_dims)
    try:
        training = SIDES[side](Problem(X, Y, SMALL.layers_dims, begin, 1))
    except ImportError as error:
        pytest.skip(str(error))
    # The pieces cross a hundredth iteration: each continues from where the last one ended.
    for iterations in (3, 205):
        training(iterations)
    expected = reference.L_layer_model(X, Y, SMALL.layers_dims, num_iterations=208, parameters=start(SMALL.layers_dims))
    assert largest_difference(training.parameters(), expected) <= tolerance(SMALL, 208)
    for key, value in start(SMALL.layers_dims).items():
        assert np.array_equal(begin[key], value), f"{side} has changed the start that others begin with"
