"""Shares of a batch add up to the batch, and a step by their sum is the batch's."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.activations import HIDDEN, OUTPUTS
from fastbackprop.batches import Batches
from fastbackprop.shares import Share

SIZES, M = [5, 7, 3], 40
# Sums of M terms in other orders: M u of their sum of magnitudes, which is below 10 here.
BOUND = {"float64": 10 * M * 2.0**-53, "float32": 10 * M * 2.0**-24}
RULES = [bp.GradientDescent(0.1), bp.Momentum(0.1), bp.Nesterov(0.1), bp.Adam(0.1)]


@pytest.fixture(params=["float64", "float32"])
def problem(request, rng):
    X = rng.standard_normal((SIZES[0], M)).astype(request.param)
    Y = np.eye(SIZES[-1])[rng.integers(0, SIZES[-1], M)].T.astype(request.param)
    shapes = {"W1": (7, 5), "b1": (7, 1), "W2": (3, 7), "b2": (3, 1)}
    return X, Y, {key: rng.standard_normal(shape) for key, shape in shapes.items()}, BOUND[request.param]


def options(rule, l2=0.3):
    return {"hidden": HIDDEN["tanh"], "output": OUTPUTS["softmax"], "optimizer": rule, "l2": l2}


@pytest.mark.plain
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_step_by_the_sum_of_shares_is_the_batchs(problem, rule):
    X, Y, start, bound = problem
    whole = Batches(X, Y, SIZES, start, **options(rule))
    shares = [Share(X[:, part], Y[:, part], SIZES, start, **options(rule)) for part in (slice(0, 13), slice(13, M))]
    for _ in range(2):  # moments too
        cost, penalty, _ = whole.loss_and_gradients()
        totals = [np.empty(whole.P.size) for _ in shares]
        costs = [share.add(None, M, True, total) for share, total in zip(shares, totals, strict=True)]
        penalties = [share.step(totals[0] + totals[1], M, True) for share in shares]
        whole.advance(None, np.array([rule.learning_rate]))
        assert abs(sum(costs) / M - cost) <= bound
        assert np.allclose(penalties, penalty, rtol=1e-6, atol=0)
        if type(rule) is bp.Adam:  # which divides by the gradient's size: a small one's error is magnified
            assert np.allclose(shares[0].P, whole.P, rtol=0, atol=1e4 * bound)
        else:
            assert np.allclose(shares[0].P, whole.P, rtol=0, atol=bound)
        assert (shares[0].P == shares[1].P).all()


@pytest.mark.plain
def test_chosen_examples_are_gathered_and_none_add_nothing(problem):
    X, Y, start, _ = problem
    order = np.array([3, 1, 12, 39])
    share = Share(X, Y, SIZES, start, **options(bp.Adam()))
    alone = Share(X[:, order], Y[:, order], SIZES, start, **options(bp.Adam()))
    total, other = np.empty(share.P.size), np.empty(share.P.size)
    assert share.add(order, M, True, total) == alone.add(None, M, True, other)
    assert (total == other).all()
    assert alone.add(order[:0], M, True, other) == 0.0
    assert not other.any()


@pytest.mark.plain
def test_what_was_kept_is_taken_back(problem):
    X, Y, start, _ = problem
    share = Share(X, Y, SIZES, start, **options(bp.Adam()))
    share.keep()
    before = share.P.copy()
    share.step(np.ones(share.P.size), M, False)
    assert (before != share.P).any() and share.M.any()
    share.undo()
    assert (before == share.P).all() and not share.M.any()
