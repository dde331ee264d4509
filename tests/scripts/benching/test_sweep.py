"""``scripts/bench sweep``: the sides train the same nets, and the lines show them."""

from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from scripts.benching import sweep
from scripts.measuring.goals import SWEEPS

pytest.importorskip("joblib")


def test_the_sweeps_are_those_of_the_goals():
    assert [len(sweep.configurations(name)) for name in SWEEPS] == [24, 100]
    assert {configuration["num_iterations"] for configuration in sweep.configurations("pictures")} == {2500}


def test_the_sides_train_the_same_nets(monkeypatch):
    X, Y = np.random.default_rng(0).standard_normal((2, 40)), np.ones((1, 40))
    few = [configuration | {"num_iterations": 3} for configuration in sweep.configurations("planar")[:3]]
    called: list[Any] = []
    monkeypatch.setattr(
        bp,
        "L_layer_model",
        lambda X, Y, **arguments: called.append((arguments, np.random.get_state(legacy=False)["state"]["key"][0])),
    )
    sweep.in_turn(X, Y, few, 1)
    assert [arguments | {"seed": seed} for arguments, seed in called] == few


def test_a_row_and_its_lines():
    few = [configuration | {"num_iterations": 20} for configuration in sweep.configurations("planar")[:3]]
    row = sweep.measure("planar", 2, 2, few)
    assert (row["trainings"], row["iterations"], row["measured iterations of the reference"]) == (3, 20, 20)
    assert list(row["seconds"]) == ["sweep", "1 thread", "2 threads", "reference"]
    assert min(estimate.median for estimate in row["seconds"].values()) > 0
    first, *others = sweep.lines(row)
    assert first == "[2, 4, 1], 400: 3 trainings of 20 iterations"
    assert len(others) == 4
    assert "x the sweep (wanted 1.5)" in others[2]
