"""The curve."""

from typing import Any

import numpy as np
import pytest

import fastbackprop as bp

from ..support.trainings import LAYERS, START, X, Y


@pytest.fixture
def shown(monkeypatch):
    """The curves shown: what `plt.show` finds."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    axes: list[Any] = []
    monkeypatch.setattr(plt, "show", lambda: axes.append(plt.gca()))
    yield axes
    plt.close("all")


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
def test_the_curve_is_that_of_the_costs(dtype, shown):
    _, costs = bp.L_layer_model(X.astype(dtype), Y, LAYERS, 0.05, 250, parameters=START, plot_cost=True, return_costs=True)
    (axes,) = shown
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), costs)
    np.testing.assert_array_equal(line.get_xdata(), range(3))
    assert axes.get_ylabel() == "cost"
    assert axes.get_xlabel() == "iterations (per hundreds)"
    assert axes.get_title() == "Learning rate = 0.05"
