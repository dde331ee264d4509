"""One net by all sides: who takes part, and how far apart they may end."""

import pytest

pytest.importorskip("threadpoolctl")
from scripts.comparing.libraries import SIDES, Problem
from scripts.comparing.one_net import library_versions, tolerance, trainings
from scripts.measuring.nets import Net, examples, start

SMALL = Net((5, 4, 3, 1), 40, 208, 100)


def test_a_library_that_is_missing_is_skipped_by_name(monkeypatch):
    def missing(problem):
        raise ImportError("No module named 'torch'")

    monkeypatch.setitem(SIDES, "PyTorch eager", missing)
    X, Y = examples(SMALL)
    there, skipped = trainings(
        Problem(X, Y, SMALL.layers_dims, start(SMALL.layers_dims), 1), SIDES, ["reference", "PyTorch eager"]
    )
    assert list(there) == ["reference"]
    assert skipped == {"PyTorch eager": "No module named 'torch'"}


def test_the_tolerance_grows_with_the_sums_and_the_iterations():
    assert tolerance(SMALL, 10) == 2 * 40 * 2.0**-53 * 10
    assert tolerance(SMALL._replace(layers_dims=(50, 1)), 20) == 2 * 50 * 2.0**-53 * 20


def test_versions_are_those_of_the_sides(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda distribution: f"{distribution} 1.0")
    assert library_versions(["JAX jit", "reference", "scikit-learn"]) == {"JAX": "jax 1.0", "scikit-learn": "scikit-learn 1.0"}
