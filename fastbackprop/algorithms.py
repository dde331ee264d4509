"""The algorithms of a training: which one suits, and the state that each one's compiled loop works on."""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from fastbackprop.activations import HIDDEN, OUTPUT, Hidden, Output, layer_functions
from fastbackprop.descents import Descent
from fastbackprop.kernels.blocking import KC
from fastbackprop.kernels.descent import DIVERGED, direct_descent
from fastbackprop.kernels.gram_descent import DEPTH, gram_add, gram_descent, gram_finish, gram_mirror
from fastbackprop.team import in_team, load_team

COST_EVERY = 100
ALGORITHMS = ("auto", "direct", "gram")
SLAB_BYTES = 2**22  # of the rows of X between two checks of the stop flag, in float64; float32 data is widened in such pieces


def cost_count(iterations: int, every: int = COST_EVERY) -> int:
    """The number of costs that these iterations report."""
    return -(-iterations // every)


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

    Gram computes in 8-byte numbers for any `itemsize` of the data: an operation of 4-byte ones takes half the time.
    """
    gram_bytes = m * m * 8
    fits = gram_bytes <= 2 * n_0 * m * itemsize and (free_bytes is None or 4 * gram_bytes <= free_bytes)
    gram_time = operations("gram", n_0, n_1, m, iterations) * 8
    return "gram" if fits and gram_time < operations("direct", n_0, n_1, m, iterations) * itemsize else "direct"


class Direct(Descent):
    """Direct descent: the weights and biases of all layers, each in one row.

    `start` holds the parameters to begin with; None where ``arrays`` are to be filled with those of another descent.
    """

    name = "direct"
    first = 1  # the layer with which the row of weights begins
    every = COST_EVERY  # iterations from one cost to the next
    call: Callable[..., Any] = staticmethod(in_team)  # how a kernel is called

    def __init__(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        sizes: list[int],
        start: dict[str, np.ndarray] | None,
        rate: float,
        *,
        hidden: Hidden = HIDDEN["relu"],
        output: Output = OUTPUT,
    ) -> None:
        dtype = self.dtype_of(X)
        self.X, self.sizes, self.rate = X, np.array(sizes, np.int64), rate
        self.hidden, self.output = hidden, output
        self.largest = float(np.finfo(X.dtype).max)  # parameters beyond it are not finite
        self.Y = np.require(Y, dtype, ["C", "A", "W"]).reshape(-1)
        self.W = np.zeros(sum(sizes[l] * sizes[l - 1] for l in range(self.first, len(sizes))), dtype)
        self.b = np.zeros(sum(sizes[1:]), dtype)
        self.costs: list[float] = []  # of the iterations done
        self.state = np.zeros(2, np.int64)
        self.done = 0
        self.torn = False  # whether an exception came between what an iteration changes and the count of iterations
        self.begin(start)

    def begin(self, start: dict[str, np.ndarray] | None) -> None:
        """Fill what iterations change from the parameters to begin with."""
        if start is not None:
            for key, value in self.views().items():
                value[...] = start[key]

    @staticmethod
    def dtype_of(X: np.ndarray) -> np.dtype[Any]:
        """The dtype that the algorithm computes in."""
        return X.dtype

    def views(self) -> dict[str, np.ndarray]:
        """``W1, b1, ..., WL, bL`` within the rows, those that these hold."""
        result = {}
        weight_at = unit_at = 0
        for l in range(1, len(self.sizes)):
            n, n_prev = int(self.sizes[l]), int(self.sizes[l - 1])
            if l >= self.first:
                result[f"W{l}"] = self.W[weight_at : weight_at + n * n_prev].reshape(n, n_prev)
                weight_at += n * n_prev
            result[f"b{l}"] = self.b[unit_at : unit_at + n].reshape(n, 1)
            unit_at += n
        return result

    def arrays(self) -> dict[str, np.ndarray]:
        return {"W": self.W, "b": self.b}

    @property
    def operations(self) -> int:
        return 3 * self.W.size * self.X.shape[1]

    def load(self) -> None:
        """Compile or load the kernels: a signal's exception ends the wait, as it could not in a thread that trains."""
        load_team()
        _ = self.functions
        direct_descent[self.W.dtype.char]

    @cached_property
    def functions(self) -> np.ndarray:
        """The addresses of what the layers compute; they are compiled or loaded first."""
        return layer_functions(self.hidden, self.output, self.W.dtype.char)

    def kernel(self, begin: int, end: int, every: int, costs: np.ndarray) -> int:
        """Run the compiled loop from iteration `begin` to `end`; returns the first iteration not done.

        `costs` takes the cost before each iteration that is a multiple of `every`.
        """
        return self.call(
            direct_descent[self.W.dtype.char],
            self.X, self.Y, self.sizes, self.functions, self.hidden.slope, self.W, self.b, self.rate, self.largest,
            begin, end, every, costs, self.state,
        )  # fmt: skip

    def advance(self, end: int) -> None:
        known = cost_count(self.done, self.every)
        costs = np.empty(cost_count(end, self.every) - known)
        self.torn = True
        self.done = self.kernel(self.done, end, self.every, costs)
        self.costs += costs[: cost_count(self.done, self.every) - known].tolist()
        self.torn = False

    def stretch(self, iterations: int, every: int) -> list[float]:
        """Train on; returns the cost before the next iteration and before each `every`-th one after it.

        It returns early as `advance` does, and keeps no costs.
        """
        costs = np.empty(-(-iterations // every))
        done = self.kernel(0, iterations, every, costs)
        self.done += done
        return costs[: -(-done // every)].tolist()

    def restart(self, start: dict[str, np.ndarray]) -> None:
        """Continue from other parameters."""
        self.begin(start)

    @property
    def diverged(self) -> bool:
        return bool(self.state[1] == DIVERGED)

    def lengths(self, done: int) -> dict[str, int]:
        return {"costs": cost_count(done, self.every)}

    def parameters(self) -> dict[str, np.ndarray]:
        return {key: value.astype(self.X.dtype) for key, value in self.views().items()}


class Gram(Direct):
    """Gram descent: besides, G = X^T X, V = W1 X, S = sum of dZ1, and the W1 that it started from.

    It computes in float64 for any data: V accumulates the rounding errors of every iteration, which W1 X does not, so that
    in float32 it would end further from the exact training than direct descent does.
    """

    name = "gram"
    first = 2
    shares = False  # whether G was made elsewhere, of the same X; it is only read

    def begin(self, start: dict[str, np.ndarray] | None) -> None:
        super().begin(start)
        n_0, n_1, m = int(self.sizes[0]), int(self.sizes[1]), self.X.shape[1]
        self.W1_start = np.zeros((n_1, n_0)) if start is None else np.array(start["W1"], np.float64, order="C")
        self.G, self.V, self.S = np.zeros((m, m)), np.zeros((n_1, m)), np.zeros((n_1, m))

    def share(self, G: np.ndarray) -> None:
        """Take the Gram matrix that another descent prepared of the same X: the bits stay."""
        self.G, self.shares = G, True

    def restart(self, start: dict[str, np.ndarray]) -> None:
        G = self.G
        self.begin(start)
        self.G = G
        np.dot(self.W1_start, self.X, out=self.V)

    @staticmethod
    def dtype_of(X: np.ndarray) -> np.dtype[Any]:
        return np.dtype(np.float64)

    def arrays(self) -> dict[str, np.ndarray]:
        return super().arrays() | {"V": self.V, "S": self.S, "W1_start": self.W1_start}

    def slabs(self) -> Iterator[tuple[slice, np.ndarray]]:
        """X a few rows at a time, in float64, until stopped."""
        n_0, m = self.X.shape
        block = min(KC, 512)  # narrow vectors have a deep KC, and the rows are held in float64
        depth = max(block, min(DEPTH, SLAB_BYTES // (8 * m) // block * block))
        widened = None if self.X.dtype == np.float64 else np.empty((min(depth, n_0), m))
        for p in range(0, n_0, depth):
            if self.stopped:
                return
            slab = self.X[p : p + depth]
            if widened is not None:
                widened[: len(slab)] = slab
                slab = widened[: len(slab)]
            yield slice(p, p + depth), slab

    @property
    def operations(self) -> int:
        return super().operations + self.V.size * self.X.shape[1]

    def load(self) -> None:
        load_team()
        _ = self.functions
        for kernel in (gram_add, gram_mirror, gram_descent, gram_finish):
            kernel["d"]

    def prepare(self) -> None:
        # A resumed descent has its V, with the rounding errors of the iterations so far.
        V = self.V if self.done == 0 else np.zeros_like(self.V)
        V[...] = 0
        if not self.shares:
            for rows, slab in self.slabs():
                self.call(gram_add["d"], slab, self.W1_start[:, rows], self.G, V, self.state)
            gram_mirror["d"](self.G, self.state)
        elif self.done == 0:
            for rows, slab in self.slabs():  # the product of gram_add: V - (-depth / depth) W1 X
                self.call(gram_finish["d"], slab.T, self.W1_start[:, rows], -float(len(slab)), V, self.state)

    def kernel(self, begin: int, end: int, every: int, costs: np.ndarray) -> int:
        return self.call(
            gram_descent["d"],
            self.G, self.Y, self.sizes, self.functions, self.hidden.slope, self.W, self.b, self.V.reshape(-1),
            self.S.reshape(-1), self.rate, self.largest, begin, end, every, costs, self.state,
        )  # fmt: skip

    def parameters(self) -> dict[str, np.ndarray]:
        W1 = np.empty(self.W1_start.shape, self.X.dtype)
        for rows, slab in self.slabs():
            piece = self.W1_start[:, rows].copy()
            self.call(gram_finish["d"], slab, self.S, self.rate, piece, self.state)
            W1[:, rows] = piece
        return {"W1": W1} | super().parameters()
