"""What the trainings of a sweep share: X in each dtype and order that they take, and its Gram matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastbackprop.algorithms import Gram
from fastbackprop.extras.sweep.plans import Plan
from fastbackprop.kernels.tasks import Task
from fastbackprop.resources import free_memory
from fastbackprop.slices import behind, converted, running, wait


class Shared:
    """The arrays that trainings work on, each made once; ``free_bytes`` is the memory that was free at the beginning."""

    def __init__(
        self, X: np.ndarray, Y: np.ndarray, held_out: tuple[np.ndarray, np.ndarray] | None, plans: Sequence[Plan]
    ) -> None:
        self.Y, self.held_out = Y, held_out or (None, None)
        self.free_bytes = free_memory()
        self.X: dict[Any, np.ndarray] = {}
        for plan in plans:
            dtype, order = kind = self._kind(plan, X)
            if kind not in self.X:
                self.X[kind] = behind(X.nbytes, _as_they_take_it, X, Y, dtype, order)
        self._given = X
        by_gram = [plan for plan in plans if self._by_gram(plan)]
        self.G = gram_matrix(self.X[self._kind(by_gram[0], X)]) if by_gram else None

    @staticmethod
    def _kind(plan: Plan, X: np.ndarray) -> tuple[np.dtype[Any], str]:
        return plan.asked.dtype(X), "F" if plan.by_examples else "K"

    def _by_gram(self, plan: Plan) -> bool:
        return plan.asked.takes_gram(self._given, self.free_bytes)

    def arrays(self, plan: Plan) -> tuple[Any, ...]:
        """What `train_alone` takes beside a plan."""
        G = self.G if self._by_gram(plan) else None
        return self.X[self._kind(plan, self._given)], self.Y, *self.held_out, G, self.free_bytes


def _as_they_take_it(X: np.ndarray, Y: np.ndarray, dtype: np.dtype[Any], order: Any) -> np.ndarray:
    return np.asarray(converted(X, Y, dtype)[0], order=order)


def gram_matrix(X: np.ndarray) -> np.ndarray:
    """``X^T X`` in float64, by all threads: the bits of the one that a training of its own would make."""
    descent = Gram(X, np.zeros((1, X.shape[1])), [len(X), 1, 1], None, 0.0)
    descent.load()
    try:
        wait(descent, Task(descent.prepare), None)
    finally:
        running.pop(descent, None)
    return descent.G
