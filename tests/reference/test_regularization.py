"""The L2 penalty of the reference and its gradient."""

from fractions import Fraction

import numpy as np

from fastbackprop.reference.regularization import l2_gradient, l2_penalty

U = np.finfo(float).eps / 2


def parameters():
    rng = np.random.default_rng(2)
    return {"W1": rng.normal(size=(3, 2)), "b1": np.ones((3, 1)), "W2": rng.normal(size=(1, 3)), "b2": np.ones((1, 1))}


def test_the_penalty_is_the_sum_of_the_squares_of_all_weights():
    """Nine squares of one rounding each, added: at most 16 roundings."""
    squares = sum(Fraction(w) ** 2 for key in ("W1", "W2") for w in parameters()[key].flat)
    exact = Fraction(0.7) / (2 * 5) * squares
    assert abs(l2_penalty(parameters(), 0.7, 5) - exact) <= 16 * U * exact


def test_the_gradient_is_the_slope_of_the_penalty():
    """A square's central difference is exact but for rounding: with h = 0.5, at most 32 roundings of the penalty."""
    h = 0.5
    for key in ("W1", "W2"):
        for i in np.ndindex(*parameters()[key].shape):
            above, below = parameters(), parameters()
            above[key][i] += h
            below[key][i] -= h
            slope = (l2_penalty(above, 0.7, 5) - l2_penalty(below, 0.7, 5)) / (2 * h)
            assert abs(l2_gradient(parameters()[key], 0.7, 5)[i] - slope) <= 32 * U * l2_penalty(above, 0.7, 5)


def test_none_costs_nothing():
    assert l2_penalty(parameters(), 0.0, 5) == 0
    assert not np.any(l2_gradient(parameters()["W1"], 0.0, 5))
