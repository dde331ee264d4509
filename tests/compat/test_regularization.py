"""L2 and dropout: the notebooks' formulas, with the generator's masks."""

import numpy as np
import pytest

from fastbackprop.compat import reg_utils

from ..support.three_layers import RTOL, assert_close, backward, cost, forward, problem


def drawn_masks(parameters, m, keep_prob):
    np.random.seed(1)
    return [np.random.rand(len(parameters[W]), m) < keep_prob for W in ("W1", "W2")]


def test_the_cost_with_l2():
    X, Y, parameters = problem()
    a3, _ = forward(X, parameters)
    actual = reg_utils.compute_cost_with_regularization(a3, Y, parameters, 0.7)
    assert type(actual) is np.float64
    np.testing.assert_allclose(actual, cost(a3, Y, parameters, 0.7), rtol=RTOL)


def test_gradients_with_l2():
    X, Y, parameters = problem()
    _, cache = reg_utils.forward_propagation(X, parameters)
    actual = reg_utils.backward_propagation_with_regularization(X, Y, cache, 0.7)
    assert_close(actual, backward(X, Y, forward(X, parameters)[1], 0.7))
    plain = reg_utils.backward_propagation_with_regularization(X, Y, cache, 0)
    assert_close(plain, reg_utils.backward_propagation(X, Y, cache), rtol=0, atol=0)


@pytest.mark.parametrize("keep_prob", [0.5, 0.86, 1])
def test_dropout(keep_prob):
    X, Y, parameters = problem()
    masks = drawn_masks(parameters, X.shape[1], keep_prob)
    after = np.random.rand()
    np.random.seed(7)
    A3, cache = reg_utils.forward_propagation_with_dropout(X, parameters, keep_prob)
    assert np.random.rand() == after
    expected, seen = forward(X, parameters, masks, keep_prob)
    names = ("z1", "D1", "a1", "W1", "b1", "z2", "D2", "a2", "W2", "b2", "z3", "a3", "W3", "b3")
    actual = dict(zip(names, cache, strict=True))
    assert_close(actual, seen | {"D1": masks[0], "D2": masks[1]})
    assert cache[11] is A3
    np.testing.assert_allclose(A3, expected, rtol=RTOL)
    grads = reg_utils.backward_propagation_with_dropout(X, Y, cache, keep_prob)
    assert_close(grads, backward(X, Y, seen, masks=masks, keep_prob=keep_prob))


def test_dropout_draws_the_same_masks_in_all_calls():
    X, _, parameters = problem()
    first, second = (reg_utils.forward_propagation_with_dropout(X, parameters)[1] for _ in range(2))
    np.testing.assert_array_equal(first[1], second[1])
    np.testing.assert_array_equal(first[6], second[6])
    assert 0 < first[1].mean() < 1


@pytest.mark.parametrize("keep_prob", [0, -0.5, 1.1, np.nan])
def test_a_part_that_cannot_be_kept_is_refused_before_anything_is_drawn(keep_prob):
    X, Y, parameters = problem()
    _, cache = reg_utils.forward_propagation_with_dropout(X, parameters)
    state = np.random.get_state(legacy=False)["state"]["pos"]
    with pytest.raises(ValueError, match=r"keep_prob is .*; expected"):
        reg_utils.forward_propagation_with_dropout(X, parameters, keep_prob)
    with pytest.raises(ValueError, match=r"keep_prob is .*; expected"):
        reg_utils.backward_propagation_with_dropout(X, Y, cache, keep_prob)
    with pytest.raises(ValueError, match="W1 has shape"):
        reg_utils.forward_propagation_with_dropout(X[1:], parameters)
    assert np.random.get_state(legacy=False)["state"]["pos"] == state


def test_a_lambd_that_is_no_number_is_refused():
    X, Y, parameters = problem()
    a3, cache = reg_utils.forward_propagation(X, parameters)
    given: list = [(np.inf, ValueError), ("1", TypeError)]
    for lambd, error in given:
        with pytest.raises(error, match="lambd is"):
            reg_utils.compute_cost_with_regularization(a3, Y, parameters, lambd)
        with pytest.raises(error, match="lambd is"):
            reg_utils.backward_propagation_with_regularization(X, Y, cache, lambd)
