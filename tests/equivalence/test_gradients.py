"""Gradients against central differences of the forward functions, with no second formula to agree with."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.testing import assert_within_bound

STEP = 1e-5
# Central differences of a function f of about 1: f''' STEP^2 / 6 for the step and u |f| / STEP for the rounding.
TOLERANCE = 1e-8


def central_differences(function, x):
    """d function / d x, entry by entry; x is moved in place and put back."""
    gradient = np.empty_like(x)
    for i in np.ndindex(*x.shape):
        at = x[i]
        x[i] = at + STEP
        above = function()
        x[i] = at - STEP
        below = function()
        x[i] = at
        gradient[i] = (above - below) / (2 * STEP)
    return gradient


def away_from_the_kink(Z):
    return np.min(np.abs(Z)) > 100 * STEP


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("size", [(1, 1, 1), (3, 2, 4), (2, 5, 3)])
def test_one_layer(size, activation):
    n, n_prev, m = size
    rng = np.random.default_rng(3)
    A_prev, W, b = rng.standard_normal((n_prev, m)), rng.standard_normal((n, n_prev)), rng.standard_normal((n, 1))
    dA = rng.standard_normal((n, m))

    def objective():  # its gradient with respect to A is dA
        return np.sum(dA * bp.linear_activation_forward(A_prev, W, b, activation)[0])

    _, cache = bp.linear_activation_forward(A_prev, W, b, activation)
    assert away_from_the_kink(cache[1])
    dA_prev, dW, db = bp.linear_activation_backward(dA, cache, activation)
    assert_within_bound(dA_prev, central_differences(objective, A_prev), TOLERANCE)
    assert_within_bound(dW * m, central_differences(objective, W), TOLERANCE)
    assert_within_bound(db * m, central_differences(objective, b), TOLERANCE)


@pytest.mark.parametrize("name", ["relu", "sigmoid"])
def test_activation(name):
    rng = np.random.default_rng(4)
    Z, dA = rng.standard_normal((3, 5)), rng.standard_normal((3, 5))
    assert away_from_the_kink(Z)
    gradient = central_differences(lambda: np.sum(dA * getattr(bp, name)(Z)[0]), Z)
    assert_within_bound(getattr(bp, name + "_backward")(dA, Z), gradient, TOLERANCE)


@pytest.mark.parametrize("layers", [(3, 1), (4, 3, 1), (4, 5, 3, 1)])
def test_the_network(layers):
    rng = np.random.default_rng(5)
    m = 6
    X, Y = rng.standard_normal((layers[0], m)), (rng.random((1, m)) < 0.5).astype(float)
    parameters = {}
    for l in range(1, len(layers)):
        parameters[f"W{l}"] = rng.standard_normal((layers[l], layers[l - 1]))
        parameters[f"b{l}"] = rng.standard_normal((layers[l], 1))

    def cost():
        return float(bp.compute_cost(bp.L_model_forward(X, parameters)[0], Y))

    AL, caches = bp.L_model_forward(X, parameters)
    assert all(away_from_the_kink(Z) for _, Z in caches)
    grads = bp.L_model_backward(AL, Y, caches)
    for key, value in parameters.items():
        assert_within_bound(grads[f"d{key}"], central_differences(cost, value), TOLERANCE)
    # dA0 is the gradient of m times the cost: the 1/m comes in with dW and db.
    assert_within_bound(grads["dA0"] / m, central_differences(cost, X), TOLERANCE)
