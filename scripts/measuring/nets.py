"""Nets of the kinds that people train, with examples, a start, and the least that one training takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from fastbackprop.testing import SIZES

LEARNING_RATE = 0.0075
ITEMSIZE = 8  # they train in float64


class Net(NamedTuple):
    """Layer sizes ``n_0 .. n_L``, the number of examples, and the iterations of a whole training.

    ``slice`` is the number of iterations to measure the cost of one, where a whole training takes too long.
    """

    layers_dims: tuple[int, ...]
    m: int
    iterations: int
    slice: int

    @property
    def long_slice(self) -> int:
        """The same for a fast side, of whose time a call's fixed costs would be a larger part."""
        return min(4 * self.slice, self.iterations)

    def __str__(self) -> str:
        return f"{list(self.layers_dims)}, {self.m:,}"


# Iterations, and those of a slice, by the names of the sizes.
_ITERATIONS = {
    "pictures": (2_500, 100),
    "planar": (10_000, 2_000),
    "table": (10_000, 2_000),
    "million": (20, 2),
    "digits": (1_000, 100),
    "wide": (10, 2),
    "many": (500, 5),
}
NETS = {name: Net(*SIZES[name], *iterations) for name, iterations in _ITERATIONS.items()}


def examples(net: Net) -> tuple[np.ndarray, np.ndarray]:
    """``X (n_0, m)`` and ``Y (1, m)``: standardized features, labels that a plane divides."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((net.layers_dims[0], net.m))
    return X, (rng.standard_normal((1, len(X))) @ X > 0).astype(np.float64)


def start(layers_dims: Sequence[int]) -> dict[str, np.ndarray]:
    """``W ~ randn / sqrt(n_prev)`` and ``b = 0``, the same ones every time."""
    rng = np.random.RandomState(1)
    parameters = {}
    for l, (n_prev, n) in enumerate(pairwise(layers_dims), start=1):
        parameters[f"W{l}"] = rng.randn(n, n_prev) / np.sqrt(n_prev)
        parameters[f"b{l}"] = np.zeros((n, 1))
    return parameters


class Least(NamedTuple):
    """Floating-point operations, and bytes between memory and caches, that a training cannot do without."""

    operations: float
    bytes: float

    def seconds(self, operations_a_second: float, bytes_a_second: float) -> float:
        """The larger of the two times: arithmetic and memory work side by side."""
        return max(self.operations / operations_a_second, self.bytes / bytes_a_second)


def least(net: Net, algorithm: str, cache_bytes: int) -> Least:
    """The least that a whole training takes, by the algorithm; ``cache_bytes`` are those of the last cache.

    An iteration of direct descent: three products of ``n_l n_{l-1} m`` multiply-adds a layer (``W A_prev``, ``dZ A_prev^T``,
    ``W^T dZ``), the first layer only the first two. It reads X, Y and the weights, and writes the weights.

    Gram descent: ``X^T X`` (half of it, being symmetric), ``W1 X`` and ``S X^T`` once; an iteration has ``dZ1 G`` (m by m)
    for the first layer. X is read twice in all; an iteration reads G and reads and writes ``V = W1 X`` and ``S``.

    Elementwise work and additions are not counted. The data of an iteration cross memory once in all if they fit into the
    last cache as a whole, else each time.
    """
    layers = list(pairwise(net.layers_dims))
    (n_0, n_1), m = layers[0], net.m
    upper = sum(3 * n_prev * n * m for n_prev, n in layers[1:])
    weights = sum(n_prev * n for n_prev, n in layers)
    if algorithm == "direct":
        once, products = 0, upper + 2 * n_0 * n_1 * m
        streamed, touched, once_moved = n_0 * m + m + 2 * weights, n_0 * m + m + weights, 0
    else:
        once, products = n_0 * m * m // 2 + 2 * n_0 * n_1 * m, upper + n_1 * m * m
        weights -= n_0 * n_1
        streamed, touched = m * m + 4 * n_1 * m + m + 2 * weights, m * m + 2 * n_1 * m + m + weights
        once_moved = 2 * n_0 * m
    moved = streamed * net.iterations if touched * ITEMSIZE > cache_bytes else touched
    return Least(2.0 * (once + products * net.iterations), float(ITEMSIZE * (once_moved + moved)))


def largest_difference(parameters: Mapping[str, Any], others: Mapping[str, Any]) -> float:
    """The largest one between two sides' parameters, each array's in units of its largest entry."""
    return max(float(np.abs(np.asarray(parameters[key]) - x).max() / np.abs(x).max()) for key, x in others.items())
