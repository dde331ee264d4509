"""Full-batch descent by momentum or with weight decay, by the gram algorithm: the state that its compiled loop works on."""

from functools import cached_property
from typing import Any

import numpy as np

from fastbackprop.activations import layer_functions
from fastbackprop.algorithms import Gram
from fastbackprop.batches import RULES, numbers_of
from fastbackprop.kernels.gram_descent import gram_finish
from fastbackprop.kernels.gram_rule_descent import gram_rule_descent
from fastbackprop.optimizers import Optimizer


class GramRule(Gram):
    """Gram descent by a rule that is linear in the gradient.

    Beside V it has T and c, of which ``W1 = c W1_start + T X^T / m`` is made at the end, and the velocities of all that
    changes. T lies in the place of S.
    """

    def __init__(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        sizes: list[int],
        start: dict[str, np.ndarray] | None,
        optimizer: Optimizer,
        l2: float = 0.0,
        **functions: Any,
    ) -> None:
        self.optimizer, self.l2, self._rule = optimizer, l2, RULES[type(optimizer)]
        assert self._rule.linear
        super().__init__(X, Y, sizes, start, optimizer.learning_rate, **functions)
        self._numbers = numbers_of(self.hidden, optimizer, l2, X.dtype)  # parameters become those of X

    def begin(self, start: dict[str, np.ndarray] | None) -> None:
        super().begin(start)
        parts = self.W, self.b, self.V, self.S, np.ones(1)
        self.P = np.concatenate([part.reshape(-1) for part in parts])
        ends = np.cumsum([part.size for part in parts])
        self.W, self.b, V, T, self.c = np.split(self.P, ends[:-1])
        self.V, self.S = V.reshape(self.V.shape), T.reshape(self.S.shape)
        self.M = np.zeros(self._rule.moments * self.P.size)
        self._kept = np.empty(self.P.size + self.M.size)
        self.V_start = np.zeros_like(self.V)

    def restart(self, start: dict[str, np.ndarray]) -> None:
        super().restart(start)
        self.V_start[...] = self.V

    def arrays(self) -> dict[str, np.ndarray]:
        return super().arrays() | {"c": self.c, "velocities": self.M, "V_start": self.V_start}

    @cached_property
    def functions(self) -> np.ndarray:
        return layer_functions(self.hidden, self.output, "d", self._rule.routine)

    def load(self) -> None:
        super().load()
        gram_rule_descent["d"]

    def prepare(self) -> None:
        super().prepare()
        if self.done == 0:
            self.V_start[...] = self.V

    def kernel(self, begin: int, end: int, every: int, costs: np.ndarray) -> int:
        squares = sum(float(np.square(row).sum()) for row in self.W1_start)  # BLAS sums by its own number of threads
        return self.call(
            gram_rule_descent["d"],
            self.G, self.Y, self.sizes, self.functions, self._numbers, self.P, self.M, self._kept, self.V_start.reshape(-1),
            squares, self.rate, begin, end, every, costs, self.state,
        )  # fmt: skip

    def parameters(self) -> dict[str, np.ndarray]:
        W1 = np.empty(self.W1_start.shape, self.X.dtype)
        for rows, slab in self.slabs():
            piece = self.c * self.W1_start[:, rows]
            self.call(gram_finish["d"], slab, self.S, -1.0, piece, self.state)  # W1 - (-1 / m) T X^T
            W1[:, rows] = piece
        return {"W1": W1} | {key: value.astype(self.X.dtype) for key, value in self.views().items()}
