"""Training on a share of the examples: a process computes what its examples add to the gradient of a batch of all."""

from typing import Any

import numpy as np

from fastbackprop.batches import Batches
from fastbackprop.kernels.share_descent import share_gradient, share_step
from fastbackprop.team import load_team

# Bytes, of all processes, up to which each is sent everybody's numbers to sum; larger rows are summed piece by piece, each
# piece in one process, in two steps. By the model of docs/many_machines.md that takes less time from about here on.
GATHERED_BYTES = 2**17

_ALL = np.empty(0, np.int64)


class Share(Batches):
    """The examples of one process, and parameters and moments, which are the same in all processes.

    Parameters are those of ``Batches``, with X and Y of this process alone. `total` takes what it adds to the gradient of a
    batch: all dW, then all db, in float64 for data of any dtype.
    """

    def __init__(self, *data: Any, **options: Any) -> None:
        super().__init__(*data, **options)
        self._gradient = np.empty_like(self.P)
        self._costs = np.empty(1)
        self._n_weights = self.P.size - int(self.sizes[1:].sum())

    def load(self) -> None:
        load_team()
        _ = self._functions
        for kernel in (share_gradient, share_step):
            kernel[self.P.dtype.char]

    def add(self, order: np.ndarray | None, batch: int, with_cost: bool, total: np.ndarray) -> float:
        """Write into `total` what the examples `order` add to the gradient of a batch of so many, those of others included.

        None takes all examples. Returns the sum of their costs, if it is wanted. When stopped the numbers are useless.
        """
        if order is not None and not order.size:
            total[:] = 0
            return 0.0
        direct = total if total.dtype == self.P.dtype else self._gradient
        self._run(
            1,
            share_gradient[self.P.dtype.char],
            self.X, self.Y, _ALL if order is None else order, self.sizes, self._functions, self._numbers, self.P, batch,
            int(with_cost), direct, self._costs, self.state,
        )  # fmt: skip
        if direct is not total:
            total[:] = direct
        return float(self._costs[0])

    def step(self, total: np.ndarray, batch: int, with_cost: bool) -> float:
        """Take the rule's step by the gradient of a batch; returns the penalty before it, if it is wanted."""
        self.t += 1
        self._run(
            1,
            share_step[self.P.dtype.char],
            self._functions, self._n_weights, self._numbers, self._correction, self.P, total.astype(self.P.dtype, copy=False),
            self.M, self.optimizer.learning_rate, batch, self.t, int(with_cost), self._costs,
        )  # fmt: skip
        return float(self._costs[0])

    def keep(self) -> None:
        """Keep parameters and moments as they are now."""
        self._kept[: self.P.size], self._kept[self.P.size :] = self.P, self.M

    def undo(self) -> None:
        """Take back what was kept."""
        self.P[:], self.M[:] = self._kept[: self.P.size], self._kept[self.P.size :]
