"""The second course's formulas in plain NumPy, for a net of three layers, and a problem for them."""

import numpy as np

RTOL = 1e-12  # sums of at most 40 terms of one magnitude: 40 u and what three layers make of it
ATOL = 1e-14


def problem(n_0=6, m=40, sizes=(5, 4, 1), seed=0):
    """Examples, labels and parameters, with biases that are not 0."""
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(size=(n_0, m)), rng.integers(0, 2, (1, m))
    parameters, n_prev = {}, n_0
    for l, n in enumerate(sizes, start=1):
        parameters[f"W{l}"], parameters[f"b{l}"] = rng.normal(size=(n, n_prev)), rng.normal(size=(n, 1))
        n_prev = n
    return X, Y, parameters


def forward(X, parameters, masks=(1, 1), keep_prob=1):
    """``a3`` and all that a cache may hold, by name."""
    seen: dict = {}
    a = X
    for l in (1, 2, 3):
        W, b = parameters[f"W{l}"], parameters[f"b{l}"]
        z = np.dot(W, a) + b
        a = np.maximum(z, 0) * masks[l - 1] / keep_prob if l < 3 else 1 / (1 + np.exp(-z))
        seen |= {f"z{l}": z, f"a{l}": a, f"W{l}": W, f"b{l}": b}
    return a, seen


def backward(X, Y, seen, lambd=0, masks=(1, 1), keep_prob=1):
    """Gradients of the cost's sum with respect to z and a, and of its mean, with L2, with respect to W and b."""
    m, grads, below = X.shape[1], {}, {1: X, 2: seen["a1"], 3: seen["a2"]}
    dZ = seen["a3"] - Y
    for l in (3, 2, 1):
        W = seen[f"W{l}"]
        grads[f"dZ{l}"] = dZ
        grads[f"dW{l}"] = (np.dot(dZ, below[l].T) + lambd * W) / m
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = np.dot(W.T, dZ) * masks[l - 2] / keep_prob
            grads[f"dA{l - 1}"], dZ = dA, dA * (seen[f"a{l - 1}"] > 0)
    return grads


def cost(a3, Y, parameters=None, lambd=0):
    """The mean cross-entropy, with L2."""
    m = Y.shape[1]
    squares = sum(np.sum(parameters[f"W{l}"] ** 2) for l in (1, 2, 3)) if lambd else 0
    return -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m + lambd / (2 * m) * squares


def assert_close(actual, expected, rtol=RTOL, atol=ATOL):
    """Check a dict of arrays: the same keys, and values within the bound."""
    assert set(actual) == set(expected)
    for key, value in expected.items():
        assert (actual[key].shape, actual[key].dtype) == (np.shape(value), np.asarray(value).dtype), key
        np.testing.assert_allclose(actual[key], value, rtol=rtol, atol=atol, err_msg=key)
