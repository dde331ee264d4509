"""The probes."""

from collections.abc import Callable

import numpy as np
import pytest

from fastbackprop.examination.runs import arguments, probes

ZEROS: dict[str, Callable[..., list[np.ndarray]]] = {
    "relu_backward": lambda dA, cache: [cache],
    "linear_activation_backward": lambda dA, cache, activation: [cache[1]],
    "L_model_backward": lambda AL, Y, caches: [Z for _, Z in caches[:-1]],
}


@pytest.mark.parametrize("name", ZEROS)
def test_the_probes_contain_pre_activations_that_are_zero(name):
    for activation, number in probes(name):
        Zs = ZEROS[name](*arguments(name, activation, number))
        assert Zs
        assert all(np.any(Z == 0) for Z in Zs)
