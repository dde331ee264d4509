"""Training by batches of examples, or by all of them, with any rule: the state that its compiled loop works on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from fastbackprop.activations import SOFTMAX, Hidden, Output, layer_functions
from fastbackprop.kernels.batch_descent import (
    EPSILON,
    FIRST,
    HIGH,
    L2,
    LARGEST,
    LOW,
    SECOND,
    SLOPE,
    batch_descent,
    batch_gradient,
)
from fastbackprop.kernels.blocking import SHARED_OPERATIONS, WAKE_OPERATIONS
from fastbackprop.kernels.descent import DIVERGED
from fastbackprop.kernels.jit import Routine
from fastbackprop.kernels.update import (
    CORRECTED,
    CORRECTED_RATE,
    UNCORRECTED,
    adam_step,
    gradient_descent_step,
    momentum_step,
    nesterov_step,
)
from fastbackprop.optimizers import Adam, GradientDescent, Momentum, Nesterov, Optimizer
from fastbackprop.team import alone, in_team, load_team


@dataclass(frozen=True)
class RuleRow:
    """A rule's routine, the number of moments that it keeps, and where its numbers stand among those of the kernel.

    `linear`: whether the step is linear in the gradient, so that the gram algorithm can take it.
    """

    routine: Routine
    moments: int
    numbers: dict[str, int]
    correction: int = UNCORRECTED
    linear: bool = True


RULES: dict[type[Optimizer], RuleRow] = {
    GradientDescent: RuleRow(gradient_descent_step, 0, {}),
    Momentum: RuleRow(momentum_step, 1, {"momentum": FIRST}),
    Nesterov: RuleRow(nesterov_step, 1, {"momentum": FIRST}),
    Adam: RuleRow(adam_step, 2, {"beta1": FIRST, "beta2": SECOND, "epsilon": EPSILON}, CORRECTED, linear=False),
}


def numbers_of(hidden: Hidden, optimizer: Optimizer, l2: float, dtype: np.dtype[Any]) -> np.ndarray:
    """The numbers that the kernels take, in their places."""
    numbers = np.zeros(LARGEST + 1)  # the last place
    numbers[[SLOPE, L2, HIGH, LARGEST]] = hidden.slope, l2, np.inf, float(np.finfo(dtype).max)
    for name, place in RULES[type(optimizer)].numbers.items():
        numbers[place] = getattr(optimizer, name)
    return numbers


class Batches:
    """A training by batches.

    Parameters
    ----------
    X : array (n_0, m)
        Of float32 or float64. For batches in any order, Fortran order is quickest: an example lies in one piece.
    Y : array (n_L, m)
        Of X's dtype.
    sizes : list of int
        ``n_0, ..., n_L``.
    start : dict
        ``W1, b1, ..., WL, bL`` to begin with; copied.
    hidden, output, optimizer
        What the layers compute, and the rule.
    l2 : float
        Cost and gradients are those of ``cost + l2 / (2 m) sum |W|^2``, with the m examples of a batch.
    weights : array (m,), optional
        Of the examples: means become weighted ones, and m the sum of a batch's weights.
    batch_size : int, optional
        Without it a batch is all examples.
    corrected : bool
        False has Adam correct its rate alone, ``rate sqrt(1 - beta2^t) / (1 - beta1^t) M / (sqrt(V) + epsilon)``.
    """

    call: Callable[..., Any] | None = None  # how kernels are called, where that is settled

    def __init__(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        sizes: Sequence[int],
        start: dict[str, np.ndarray],
        *,
        hidden: Hidden,
        output: Output,
        optimizer: Optimizer,
        l2: float = 0.0,
        weights: np.ndarray | None = None,
        batch_size: int | None = None,
        corrected: bool = True,
    ) -> None:
        if output is SOFTMAX and sizes[-1] < 2:
            raise ValueError(f"the output layer has {sizes[-1]} unit; softmax is over at least 2")
        self.X, self.sizes = X, np.array(sizes, np.int64)
        self.batch_size = X.shape[1] if batch_size is None else min(batch_size, X.shape[1])
        self.Y = np.ascontiguousarray(Y) if self.batch_size == X.shape[1] else Y  # gathered, or read along its rows
        self.weights = np.empty(0, X.dtype) if weights is None else np.require(weights, X.dtype, ["C", "A", "W"])
        self.hidden, self.output, self.optimizer, self._rule = hidden, output, optimizer, RULES[type(optimizer)]
        self._correction = self._rule.correction if corrected else min(self._rule.correction, CORRECTED_RATE)
        self._numbers = numbers_of(hidden, optimizer, l2, X.dtype)
        n = sum(sizes[l] * sizes[l - 1] + sizes[l] for l in range(1, len(sizes)))
        self.P, self.M = np.empty(n, X.dtype), np.zeros(self._rule.moments * n, X.dtype)
        self._kept = np.empty(n + self.M.size, X.dtype)
        for key, value in self.views().items():
            value[...] = start[key]
        self.t = self.done = 0  # batches and epochs
        self.costs: list[float] = []
        self.penalties: list[float] = []
        self.state = np.zeros(2, np.int64)

    def split(self, row: np.ndarray) -> dict[str, np.ndarray]:
        """``W1, b1, ..., WL, bL`` within a row of all W, then all b."""
        sizes = self.sizes.tolist()
        result, weight_at = {}, 0
        unit_at = row.size - sum(sizes[1:])
        for l, (n_prev, n) in enumerate(pairwise(sizes), start=1):
            result[f"W{l}"] = row[weight_at : weight_at + n * n_prev].reshape(n, n_prev)
            result[f"b{l}"] = row[unit_at : unit_at + n].reshape(n, 1)
            weight_at, unit_at = weight_at + n * n_prev, unit_at + n
        return result

    def views(self) -> dict[str, np.ndarray]:
        """The parameters as they are now, to be read or written in place."""
        return self.split(self.P)

    def moments(self) -> list[dict[str, np.ndarray]]:
        """What the rule keeps of the parameters, to be read or written in place: nothing, velocities, or both moments."""
        return [self.split(row) for row in self.M.reshape(self._rule.moments, self.P.size)]

    @property
    def clip(self) -> tuple[float, float]:
        """The bounds between which an example's terms of cross-entropy are taken to lie."""
        return float(self._numbers[LOW]), float(self._numbers[HIGH])

    @clip.setter
    def clip(self, bounds: tuple[float, float]) -> None:
        self._numbers[[LOW, HIGH]] = bounds

    @property
    def operations(self) -> int:
        """Multiply-adds of an epoch."""
        return 3 * self.P.size * self.X.shape[1]

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return -(-self.X.shape[1] // self.batch_size)

    def _run(self, epochs: int, kernel: Callable[..., Any], *arguments: Any) -> Any:
        """Call a kernel that does so many epochs: alone where helpers would find nothing to share, or come too late."""
        of_batch = self.P.size * max(self.batch_size, 2)  # 2: a step of all parameters is shared too
        helped = of_batch >= SHARED_OPERATIONS and self.P.size * self.X.shape[1] * epochs >= WAKE_OPERATIONS
        return (self.call or (in_team if helped else alone))(kernel, *arguments)

    @cached_property
    def _functions(self) -> np.ndarray:
        """The addresses of what the layers compute and of the rule's step."""
        return layer_functions(self.hidden, self.output, self.P.dtype.char, self._rule.routine)

    def load(self) -> None:
        """Compile or load the kernels: a signal's exception ends the wait, as it could not in a thread that trains."""
        load_team()
        _ = self._functions
        batch_descent[self.P.dtype.char]

    def advance(self, order: np.ndarray | None, rates: np.ndarray) -> int:
        """Train for as many epochs as there are learning rates; returns how many were completed.

        `order` has m numbers of examples an epoch, int64 in one piece; None takes the examples as they lie. It returns early
        when stopped, or where parameters would cease to be finite.
        """
        m, epochs = self.X.shape[1], len(rates)
        if self.batch_size == m:
            order = np.empty(0, np.int64)
        elif order is None:
            order = np.tile(np.arange(m), epochs)
        costs = np.empty(2 * epochs)
        done = self._run(
            epochs,
            batch_descent[self.P.dtype.char],
            self.X, self.Y, self.weights, order, self.batch_size, self.sizes, self._functions, self._numbers,
            self._correction, self.P, self.M, self._kept, rates, self.t, costs, self.state,
        )  # fmt: skip
        self.costs += costs[: 2 * done : 2].tolist()
        self.penalties += costs[1 : 2 * done : 2].tolist()
        self.t += done * self.batches
        self.done += done
        return int(done)

    def loss_and_gradients(self) -> tuple[float, float, dict[str, np.ndarray]]:
        """Cost, penalty, and ``dW1, db1, ..., dWL, dbL`` of their sum, of all examples at the present parameters."""
        dP = np.empty_like(self.P)
        return *self.evaluate(dP), {f"d{key}": value for key, value in self.split(dP).items()}

    def evaluate(self, dP: np.ndarray) -> tuple[float, float]:
        """Cost and penalty, likewise; the gradients are written to a row."""
        costs = np.empty(2)
        self._run(
            1,
            batch_gradient[self.P.dtype.char],
            self.X, np.ascontiguousarray(self.Y), self.weights, self.sizes, self._functions, self._numbers, self.P, dP, costs,
            self.state,
        )  # fmt: skip
        return float(costs[0]), float(costs[1])

    @property
    def diverged(self) -> bool:
        return bool(self.state[1] == DIVERGED)

    @property
    def stopped(self) -> bool:
        """Whether the work is to end soon (state[0]); parameters stay as the last complete epoch left them."""
        return bool(self.state[0])

    def parameters(self) -> dict[str, np.ndarray]:
        """``W1, b1, ..., WL, bL`` as they are now, in new arrays."""
        return {key: value.copy() for key, value in self.views().items()}
