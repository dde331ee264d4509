"""The algorithms of a training: which one suits, and the state that each one's compiled loop works on."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastbackprop.kernels.descent import direct_descent
from fastbackprop.kernels.gram_descent import DEPTH, gram_add, gram_descent, gram_finish, gram_mirror
from fastbackprop.kernels.network import DIVERGED

COST_EVERY = 100
ALGORITHMS = ("auto", "direct", "gram")


def operations(algorithm: str, n_0: int, n_1: int, m: int, iterations: int) -> int:
    """Multiply-adds of a training in which the algorithms differ: those of the first layer's products.

    Direct: ``W1 X`` and ``dZ1 X^T`` an iteration. Gram: ``X^T X`` (half of it), ``W1 X`` and ``S X^T`` once, ``dZ1 G`` an
    iteration.
    """
    if algorithm == "direct":
        return 2 * iterations * n_1 * n_0 * m
    return n_0 * m * m // 2 + 2 * n_1 * n_0 * m + iterations * n_1 * m * m


def choose_algorithm(n_0: int, n_1: int, m: int, iterations: int, itemsize: int, free_bytes: int | None) -> str:
    """ "gram" where it takes less time and G is at most 2 X and a quarter of the free memory, else "direct".

    Gram computes in 8-byte numbers whatever the data's `itemsize`: an operation of 4-byte ones takes half the time.
    """
    gram_bytes = m * m * 8
    fits = gram_bytes <= 2 * n_0 * m * itemsize and (free_bytes is None or 4 * gram_bytes <= free_bytes)
    gram_time = operations("gram", n_0, n_1, m, iterations) * 8
    return "gram" if fits and gram_time < operations("direct", n_0, n_1, m, iterations) * itemsize else "direct"


class Direct:
    """Direct descent: the weights and biases of all layers, each in one row."""

    name = "direct"
    first = 1  # the layer with which the row of weights begins

    def __init__(
        self, X: np.ndarray, Y: np.ndarray, sizes: list[int], start: dict[str, np.ndarray], rate: float, iterations: int
    ) -> None:
        dtype = self.dtype_of(X)
        self.X, self.sizes, self.rate = X, np.array(sizes, np.int64), rate
        self.Y = np.array(Y, dtype).reshape(-1)
        layers = range(1, len(sizes))
        rows = [np.ravel(start[f"W{l}"]) for l in layers[self.first - 1 :]]
        self.W = np.concatenate([*rows, np.empty(0)]).astype(dtype)
        self.b = np.concatenate([np.ravel(start[f"b{l}"]) for l in layers]).astype(dtype)
        self.costs = np.zeros(-(-iterations // COST_EVERY))
        self.state = np.zeros(2, np.int64)
        self.done = 0

    @staticmethod
    def dtype_of(X: np.ndarray) -> np.dtype[Any]:
        """The dtype that the algorithm computes in."""
        return X.dtype

    def prepare(self, team: np.ndarray) -> None:
        """What has to be computed before the first iteration."""

    def kernel(self, end: int, team: np.ndarray) -> int:
        """Run the compiled loop up to iteration `end`; gives the first iteration not done."""
        return direct_descent[self.W.dtype.char](
            self.X, self.Y, self.sizes, self.W, self.b, self.rate, self.done, end, COST_EVERY, self.costs, self.state, team
        )

    def advance(self, end: int, team: np.ndarray) -> None:
        """Train up to iteration `end`; ends early when stopped or where parameters would cease to be finite."""
        self.done = self.kernel(end, team)

    @property
    def diverged(self) -> bool:
        return bool(self.state[1] == DIVERGED)

    def stop(self) -> None:
        """Have the kernel, in another thread, leave the iteration under way; it leaves the state as it was before."""
        self.state[0] = 1

    def first_weights(self, team: np.ndarray) -> dict[str, np.ndarray]:
        """The weights that the row does not hold."""
        return {}

    def parameters(self, team: np.ndarray) -> dict[str, np.ndarray]:
        """``W1, b1, ..., WL, bL`` as they are now, in arrays of their own."""
        result = self.first_weights(team)
        weight_at = unit_at = 0
        for l in range(1, len(self.sizes)):
            n, n_prev = int(self.sizes[l]), int(self.sizes[l - 1])
            if l >= self.first:
                W = self.W[weight_at : weight_at + n * n_prev].reshape(n, n_prev)
                result[f"W{l}"] = W.astype(self.X.dtype)
                weight_at += n * n_prev
            result[f"b{l}"] = self.b[unit_at : unit_at + n].reshape(n, 1).astype(self.X.dtype)
            unit_at += n
        return result


class Gram(Direct):
    """Gram descent: besides, G = X^T X, V = W1 X, S = sum of dZ1, and the W1 that it started from.

    In float64 whatever the data: V takes up the rounding errors of every iteration, which W1 X does not, so that in
    float32 it would end further from the exact training than direct descent does.
    """

    name = "gram"
    first = 2

    def __init__(
        self, X: np.ndarray, Y: np.ndarray, sizes: list[int], start: dict[str, np.ndarray], rate: float, iterations: int
    ) -> None:
        super().__init__(X, Y, sizes, start, rate, iterations)
        m, n_1 = X.shape[1], sizes[1]
        self.W1_start = np.array(start["W1"], np.float64, order="C")
        self.G, self.V, self.S = np.zeros((m, m)), np.zeros((n_1, m)), np.zeros((n_1, m))

    @staticmethod
    def dtype_of(X: np.ndarray) -> np.dtype[Any]:
        return np.dtype(np.float64)

    def slabs(self) -> Iterator[tuple[slice, np.ndarray]]:
        """X a few rows at a time, in float64."""
        for p in range(0, self.X.shape[0], DEPTH):
            rows = slice(p, p + DEPTH)
            yield rows, self.X[rows].astype(np.float64, copy=False)

    def prepare(self, team: np.ndarray) -> None:
        for rows, slab in self.slabs():
            if self.state[0]:
                return
            gram_add["d"](slab, self.W1_start[:, rows], self.G, self.V, team)
        gram_mirror["d"](self.G)

    def kernel(self, end: int, team: np.ndarray) -> int:
        return gram_descent["d"](
            self.G, self.Y, self.sizes, self.W, self.b, self.V.reshape(-1), self.S.reshape(-1), self.rate, self.done, end,
            COST_EVERY, self.costs, self.state, team,
        )  # fmt: skip

    def first_weights(self, team: np.ndarray) -> dict[str, np.ndarray]:
        W1 = np.empty(self.W1_start.shape, self.X.dtype)
        for rows, slab in self.slabs():
            piece = np.ascontiguousarray(self.W1_start[:, rows])
            gram_finish["d"](slab, self.S, self.rate, piece, team)
            W1[:, rows] = piece
        return {"W1": W1}
