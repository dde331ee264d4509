"""The algorithms of a training: which one suits, and the state that each one's compiled loop works on."""

from typing import Any

import numpy as np

from fastbackprop.kernels.descent import direct_descent
from fastbackprop.kernels.gram_descent import gram_descent, gram_finish, gram_start
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


def choose_algorithm(
    n_0: int, n_1: int, m: int, iterations: int, itemsize: int, free_bytes: int | None
) -> str:
    """ "gram" where it takes fewer operations and G is at most 2 X and a quarter of the free memory, else "direct"."""
    gram_bytes = m * m * itemsize
    fits = gram_bytes <= 2 * n_0 * m * itemsize and (free_bytes is None or 4 * gram_bytes <= free_bytes)
    fewer = operations("gram", n_0, n_1, m, iterations) < operations("direct", n_0, n_1, m, iterations)
    return "gram" if fits and fewer else "direct"


class Direct:
    """Direct descent: the weights and biases of all layers, each in one row."""

    name = "direct"
    first = 1  # the layer with which the row of weights begins

    def __init__(
        self, X: np.ndarray, Y: np.ndarray, sizes: list[int], start: dict[str, np.ndarray], rate: float, iterations: int
    ) -> None:
        dtype = X.dtype
        self.X, self.Y, self.sizes, self.rate = X, np.array(Y).reshape(-1), np.array(sizes, np.int64), rate
        layers = range(1, len(sizes))
        rows = [np.ravel(start[f"W{l}"]) for l in layers[self.first - 1 :]]
        self.W = np.concatenate([*rows, np.empty(0)]).astype(dtype)
        self.b = np.concatenate([np.ravel(start[f"b{l}"]) for l in layers]).astype(dtype)
        self.costs = np.zeros(-(-iterations // COST_EVERY))
        self.state = np.zeros(2, np.int64)
        self.done = 0

    def prepare(self) -> None:
        """What has to be computed before the first iteration."""

    def kernel(self, end: int) -> int:
        """Run the compiled loop up to iteration `end`; gives the first iteration not done."""
        return direct_descent[self.W.dtype.char](
            self.X, self.Y, self.sizes, self.W, self.b, self.rate, self.done, end, COST_EVERY, self.costs, self.state
        )

    def advance(self, end: int) -> None:
        """Train up to iteration `end`; ends early when stopped or where parameters would cease to be finite."""
        self.done = self.kernel(end)

    @property
    def diverged(self) -> bool:
        return bool(self.state[1] == DIVERGED)

    def stop(self) -> None:
        """Have the kernel, in another thread, leave the iteration under way; it leaves the state as it was before."""
        self.state[0] = 1

    def first_weights(self) -> dict[str, np.ndarray]:
        """The weights that the row does not hold."""
        return {}

    def parameters(self) -> dict[str, np.ndarray]:
        """``W1, b1, ..., WL, bL`` as they are now, in arrays of their own."""
        result = self.first_weights()
        weight_at = unit_at = 0
        for l in range(1, len(self.sizes)):
            n, n_prev = int(self.sizes[l]), int(self.sizes[l - 1])
            if l >= self.first:
                result[f"W{l}"] = self.W[weight_at : weight_at + n * n_prev].reshape(n, n_prev).copy()
                weight_at += n * n_prev
            result[f"b{l}"] = self.b[unit_at : unit_at + n].reshape(n, 1).copy()
            unit_at += n
        return result


class Gram(Direct):
    """Gram descent: besides, G = X^T X, V = W1 X, S = sum of dZ1, and the W1 that it started from."""

    name = "gram"
    first = 2

    def __init__(
        self, X: np.ndarray, Y: np.ndarray, sizes: list[int], start: dict[str, np.ndarray], rate: float, iterations: int
    ) -> None:
        super().__init__(X, Y, sizes, start, rate, iterations)
        m, n_1 = X.shape[1], sizes[1]
        self.W1_start = np.array(start["W1"], X.dtype, order="C")
        self.G, self.V = np.empty((m, m), X.dtype), np.empty((n_1, m), X.dtype)
        self.S = np.zeros((n_1, m), X.dtype)

    def prepare(self) -> None:
        gram_start[self.X.dtype.char](self.X, self.W1_start, self.G, self.V, self.state)

    def kernel(self, end: int) -> int:
        return gram_descent[self.W.dtype.char](
            self.G, self.Y, self.sizes, self.W, self.b, self.V.reshape(-1), self.S.reshape(-1), self.rate, self.done, end,
            COST_EVERY, self.costs, self.state,
        )  # fmt: skip

    def first_weights(self) -> dict[str, Any]:
        W1 = self.W1_start.copy()
        gram_finish[self.X.dtype.char](self.X, self.S, self.rate, W1)
        return {"W1": W1}
