"""How far two correct implementations may lie apart.

Each is a first-order bound of one implementation's distance from the exact value, in units u of the unit roundoff,
with room for the second order. Two implementations that keep theirs are at most twice as far apart: `Case.bound`.
A trailing argument `error` is the distance that an input has already: it travels through the formula.
"""

from __future__ import annotations

import numpy as np

from fastbackprop import reference
from fastbackprop.activations import ACTIVATIONS
from fastbackprop.testing.trees import map_arrays

PRODUCT_U = 2  # a sum of k products: |C - exact| <= 2 k u |A||B|, elementwise
TRAINING_RTOL = 1e-9  # a whole training in float64, of the largest entry of each array


def unit_roundoff(*arrays) -> float:
    """u of the dtype of an operation on ``arrays`` in NumPy."""
    return float(np.finfo(np.result_type(*arrays)).eps) / 2


def product_bound(A, B, error_A=0.0, error_B=0.0, extra_terms=0):
    """Bound on ``A @ B``: ``2 k u |A||B|`` of k terms (and ``extra_terms`` roundings more), and the inputs' errors."""
    k, u = A.shape[1] + extra_terms, unit_roundoff(A, B)
    A, B = np.abs(A, dtype=float), np.abs(B, dtype=float)
    return PRODUCT_U * k * u * (A @ B) + (error_A + 0 * A) @ B + A @ (error_B + 0 * B)


def activated(g, Z, error=0.0):
    # `tiny`: 1 / (1 + exp(-Z)) is 0 where exp overflows, the exact value a subnormal. A row without ulp is exact.
    A, _ = g.forward(Z)
    rounding = g.ulp * np.spacing(np.abs(A)).astype(float) + np.finfo(A.dtype).tiny if g.ulp else 0.0
    return rounding + error * g.steepest


def activated_backward(g, dA, Z, error=0.0):
    # backward_u u |dA|, and the error of dA times a bound of the slope.
    rounding = g.backward_u * unit_roundoff(dA, Z) * np.abs(dA, dtype=float) if g.backward_u else 0.0
    return rounding + error * g.slope_bound(Z)


def linear_forward(A, W, b, error=0.0):
    # Z = [W b] [A; 1]: the bias is one more term.
    one = np.ones((1, A.shape[1]), A.dtype)
    error_A = np.concatenate([error + np.zeros(A.shape), np.zeros(one.shape)])
    return product_bound(np.concatenate([W, b], axis=1), np.concatenate([A, one]), error_B=error_A)


def linear_activation_forward(A_prev, W, b, activation, error=0.0):
    error_Z = linear_forward(A_prev, W, b, error)
    Z, _ = reference.linear_forward(A_prev, W, b)
    error_A = activated(ACTIVATIONS[activation], Z, error_Z)
    return error_A, ((error, 0.0, 0.0), error_Z)


def linear_backward(dZ, cache, error=0.0):
    # The sums over m, and one more rounding for the 1/m; dA_prev sums over n.
    A_prev, W, _ = cache
    m = A_prev.shape[1]
    dA_prev = product_bound(W.T, dZ, error_B=error)
    dW = product_bound(dZ, A_prev.T, error_A=error, extra_terms=1) / m
    db = product_bound(dZ, np.ones((m, 1), dZ.dtype), error_A=error, extra_terms=1) / m
    return dA_prev, dW, db


def linear_activation_backward(dA, cache, activation, error=0.0):
    linear_cache, Z = cache
    g = ACTIVATIONS[activation]
    return linear_backward(g.backward(dA, Z), linear_cache, activated_backward(g, dA, Z, error))


def model_forward(X, parameters):
    A, error, caches = X, 0.0, []
    L = len(parameters) // 2
    for l in range(1, L + 1):
        layer = A, parameters[f"W{l}"], parameters[f"b{l}"], "relu" if l < L else "sigmoid"
        error, cache = linear_activation_forward(*layer, error)
        A, _ = reference.linear_activation_forward(*layer)
        caches.append(cache)
    return error, caches


def cost(AL, Y):
    # -(Y log AL + (1 - Y) log(1 - AL)) / m: m terms, logs within 4 ulp; 1 - AL is off by u, its log by u / (1 - AL).
    m, u = AL.shape[1], unit_roundoff(AL, Y)
    AL, Y = np.asarray(AL, dtype=float), np.asarray(Y, dtype=float)
    terms = np.abs(Y * np.log(AL)) + np.abs((1 - Y) * np.log1p(-AL))
    return np.sum(PRODUCT_U * (m + 8) * u * terms + u * np.abs(1 - Y) / (1 - AL)) / m


def model_backward(AL, Y, caches):
    # dAL: at most 4 roundings of each of its two parts. The masks of relu are inputs (in the caches): none can flip.
    Y = np.reshape(Y, AL.shape)
    grads = reference.L_model_backward(AL, Y, caches)
    dA = -(Y / AL - (1 - Y) / (1 - AL))
    error = 4 * unit_roundoff(AL, Y) * (np.abs(Y / AL) + np.abs((1 - Y) / (1 - AL)))
    bounds = {}
    for l in range(len(caches), 0, -1):
        activation = "sigmoid" if l == len(caches) else "relu"
        error, dW, db = linear_activation_backward(dA, caches[l - 1], activation, error)
        dA = grads[f"dA{l - 1}"]
        bounds[f"dA{l - 1}"], bounds[f"dW{l}"], bounds[f"db{l}"] = error, dW, db
    return bounds


def update(parameters, grads, learning_rate):
    # W - learning_rate * dW: a sum of two terms.
    def bound(W, dW):
        return 2 * PRODUCT_U * unit_roundoff(W, dW) * (np.abs(W) + np.abs(learning_rate * dW))

    return {key: bound(value, grads[f"d{key}"]) for key, value in parameters.items()}


def training(X, Y, layers_dims, learning_rate, num_iterations):
    # Descent is no fixed sum: the bound is what every well-posed float64 training has to keep, in units of the start
    # (0.01 * randn), which a few iterations at a small rate leave as large as it was.
    L = len(layers_dims) - 1
    return {f"{letter}{l}": 0.01 * TRAINING_RTOL / 2 for l in range(1, L + 1) for letter in "Wb"}


def training_bound(parameters, costs):
    """TRAINING_RTOL of the largest entry of each array, and of each cost, that a training returned."""
    return map_arrays(lambda x: TRAINING_RTOL * np.max(np.abs(x)), parameters), [TRAINING_RTOL * cost for cost in costs]
