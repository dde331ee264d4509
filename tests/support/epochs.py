"""A small problem for each output of ``train``."""

import numpy as np

SIZES = [3, 4, 1]
X = np.random.default_rng(11).standard_normal((3, 40))
LABELS = (X[0] > 0).astype(int) + (X[1] + X[2] ** 2 > 0.5)  # of three classes
_UNITS = {"sigmoid": 2, "softmax": 3, "identity": 2}


def problem(output: str, dtype: str):
    """X, labels and layer sizes; labels of softmax are whole numbers, of the others two rows."""
    noise = np.random.default_rng(12).standard_normal((2, X.shape[1]))
    rows = {
        "sigmoid": np.array([LABELS > 0, LABELS > 1]).astype(dtype),
        "softmax": LABELS,
        "identity": (X[:2] * X[2] + 0.3 * noise).astype(dtype),
    }
    return X.astype(dtype), rows[output], [*SIZES[:-1], _UNITS[output]]


def start(sizes, dtype):
    """Parameters to begin with, biases other than 0 among them."""
    rng = np.random.default_rng(13)
    result = {}
    for l in range(1, len(sizes)):
        result[f"W{l}"] = (rng.standard_normal((sizes[l], sizes[l - 1])) * 0.7).astype(dtype)
        result[f"b{l}"] = (rng.standard_normal((sizes[l], 1)) * 0.2).astype(dtype)
    return result


def drawn_orders(seed, epochs):
    """The orders of a training with parameters that were passed."""
    generator = np.random.default_rng(seed)
    return [generator.permutation(X.shape[1]) for _ in range(epochs)]
