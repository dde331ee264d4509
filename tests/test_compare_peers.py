"""The comparison with other libraries: they do the same work, and what is concluded from it."""

import numpy as np
import pytest

pytest.importorskip("threadpoolctl")
from compare_peers import WANTED, apart, better, lines
from measure_peers import tolerance, trainings
from nets import NETS, Net, examples, largest_difference, start
from peers import SIDES, Problem

from fastbackprop import reference

SMALL = Net((5, 4, 3, 1), 40, 208, 100)


@pytest.mark.parametrize("side", [side for side in SIDES if side != "PyTorch compiled"])  # which takes a minute to compile
def test_a_side_trains_as_the_reference_does(side):
    X, Y = examples(SMALL)
    begin = start(SMALL.layers_dims)
    try:
        training = SIDES[side](Problem(X, Y, SMALL.layers_dims, begin, 1))
    except ImportError as error:
        pytest.skip(str(error))
    # In pieces, across a hundredth iteration: each goes on from where the last one ended.
    for iterations in (3, 205):
        training(iterations)
    expected = reference.L_layer_model(X, Y, SMALL.layers_dims, num_iterations=208, parameters=start(SMALL.layers_dims))
    assert largest_difference(training.parameters(), expected) <= tolerance(SMALL, 208)
    for key, value in start(SMALL.layers_dims).items():
        assert np.array_equal(begin[key], value), f"{side} has changed the start that others begin with"


def test_a_library_that_is_missing_is_skipped_by_name(monkeypatch):
    def missing(problem):
        raise ImportError("No module named 'torch'")

    monkeypatch.setitem(SIDES, "PyTorch eager", missing)
    X, Y = examples(SMALL)
    there, skipped = trainings(Problem(X, Y, SMALL.layers_dims, start(SMALL.layers_dims), 1), ["reference", "PyTorch eager"])
    assert list(there) == ["reference"]
    assert skipped == {"PyTorch eager": "No module named 'torch'"}


def test_the_tolerance_grows_with_the_sums_and_the_iterations():
    assert tolerance(SMALL, 10) == 2 * 40 * 2.0**-53 * 10
    assert tolerance(SMALL._replace(layers_dims=(50, 1)), 20) == 2 * 50 * 2.0**-53 * 20


def run(threads, seconds, difference=1e-15):
    """A run of one process in which the sides take so many seconds."""
    return {
        "net": "table",
        "threads": threads,
        "algorithm": "direct",
        "sides": {
            side: {"seconds": time, "measured iterations": 100, "ratio": [time, 0.9 * time, 1.1 * time]}
            for side, time in seconds.items()
        },
        "skipped": {"JAX jit": "No module named 'jax'"},
        "differences": {side: difference for side in seconds if side != "fastbackprop"},
        "after iterations": 300,
        "tolerance": 1e-12,
    }


RUNS = [
    run(1, {"fastbackprop": 1.0, "reference": 5.0, "PyTorch eager": 2.0, "scikit-learn": 4.0}),
    run(2, {"fastbackprop": 1.1, "reference": 6.0, "PyTorch eager": 3.0, "scikit-learn": 3.5}),
]


def test_each_side_but_ours_counts_by_its_better_number_of_threads():
    chosen = {side: (figures["threads"], figures["seconds"]) for side, figures in better(RUNS).items()}
    assert chosen == {
        "fastbackprop": (2, 1.1),
        "reference": (1, 5.0),
        "PyTorch eager": (1, 2.0),
        "scikit-learn": (2, 3.5),
    }


def test_the_best_peer_and_what_is_skipped_are_named():
    text = "\n".join(lines(RUNS))
    assert "the best peer, PyTorch eager, takes 2.00 x as long (wanted 2)" in text
    assert "skipped: No module named 'jax'" in text


def test_parameters_that_differ_are_told():
    assert apart(RUNS) == []
    assert apart([RUNS[0], run(2, {"fastbackprop": 1.0, "scikit-learn": 2.0}, difference=1e-3)]) == [
        "table: scikit-learn, 2 threads: 1.0e-03"
    ]
    assert len(apart([run(1, {"fastbackprop": 1.0, "reference": 2.0}, difference=float("nan"))])) == 1


def test_every_net_has_a_goal():
    assert set(WANTED) == set(NETS)
