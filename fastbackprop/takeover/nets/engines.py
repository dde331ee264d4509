"""The compiled trainings that a loop of any net may run by, and their limits."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastbackprop.activations import OUTPUT, SOFTMAX, SQUARED, Hidden, Output
from fastbackprop.algorithms import Direct, Gram, choose_algorithm
from fastbackprop.batches import Batches
from fastbackprop.gram_rules import GramRule
from fastbackprop.optimizers import GradientDescent, Optimizer
from fastbackprop.prediction import Net
from fastbackprop.reference.activations import functions_of
from fastbackprop.resources import free_memory

_EXP = 600.0  # of larger numbers exp may overflow, or be 0
_SQUARE = 1e150  # larger numbers have no squares

Parameters = dict[str, np.ndarray]


class FullBatch:
    """Full batches by any rule, in stretches of iterations as `Direct` has them."""

    def __init__(self, X: np.ndarray, Y: np.ndarray, sizes: list[int], start: Parameters, **options: Any) -> None:
        self.engine = Batches(X, Y, sizes, start, **options)
        self.X, self.sizes, self.state = X, self.engine.sizes, self.engine.state
        self.hidden, self.output = self.engine.hidden, self.engine.output

    @property
    def done(self) -> int:
        """The iterations that are done."""
        return self.engine.done

    @property
    def stopped(self) -> bool:
        """Whether the work is to end soon (state[0])."""
        return self.engine.stopped

    def load(self) -> None:
        """Compile or load the kernels."""
        self.engine.load()

    def prepare(self) -> None:
        """Nothing has to be known before the first iteration."""

    def restart(self, start: Parameters) -> None:
        """Continue from other parameters."""
        for key, value in self.engine.views().items():
            value[...] = start[key]

    def stretch(self, iterations: int, every: int) -> list[float]:
        """Train for as many iterations; returns the cost before the first and before each `every`-th one after it."""
        engine = self.engine
        engine.costs, engine.penalties = [], []
        engine.advance(None, np.full(iterations, engine.optimizer.learning_rate))
        return [cost + penalty for cost, penalty in zip(engine.costs[::every], engine.penalties[::every], strict=True)]

    def arrays(self) -> Parameters:
        """What iterations change."""
        return {"P": self.engine.P, "M": self.engine.M}

    def views(self) -> Parameters:
        """The parameters as they are now."""
        return self.engine.views()

    def moments(self) -> list[Parameters]:
        """What the rule keeps of the parameters."""
        return self.engine.moments()

    def parameters(self) -> Parameters:
        """The parameters as they are now, in new arrays."""
        return self.engine.parameters()


class ByBatches(FullBatch):
    """Batches by any rule, in epochs. ``engine.batch_size`` is to be set before the first."""

    def __init__(self, X: np.ndarray, Y: np.ndarray, sizes: list[int], start: Parameters, **options: Any) -> None:
        columns = np.asfortranarray(X)  # an example lies in one piece
        super().__init__(columns, Y, sizes, start, batch_size=1, **options)

    def tried(self, order: np.ndarray, rates: np.ndarray) -> Parameters | None:
        """Work: train an epoch; returns the parameters, or None where the training comes to its limits."""
        return None if at_limits(self) or not self.trained(order, rates) else self.parameters()

    def trained(self, order: np.ndarray, rates: np.ndarray) -> bool:
        """Work: train for as many epochs as there are rates; returns whether all were done within the limits."""
        self.engine.costs, self.engine.penalties = [], []
        return self.engine.advance(order, rates) == len(rates) and not at_limits(self)


class Kind(NamedTuple):
    """What is trained and by which rule: the options of `Batches`."""

    hidden: Hidden
    output: Output
    optimizer: Optimizer
    l2: float
    corrected: bool


def engine(
    X: np.ndarray, Y: np.ndarray, sizes: list[int], start: Parameters, kind: Kind, iterations: int, by_batches: bool
) -> Direct | FullBatch:
    """What trains; averages of gradients are known at any time, so that only plain descent may be gram descent."""
    optimizer, l2 = kind.optimizer, kind.l2
    if by_batches:
        return ByBatches(X, Y, sizes, start, **kind._asdict())
    if isinstance(optimizer, GradientDescent):
        algorithm = choose_algorithm(sizes[0], sizes[1], X.shape[1], iterations, X.itemsize, free_memory())
        if algorithm == "gram" and l2:
            return GramRule(X, Y, sizes, start, optimizer, l2, hidden=kind.hidden, output=kind.output)
        if not l2:
            descent = Gram if algorithm == "gram" else Direct
            return descent(X, Y, sizes, start, optimizer.learning_rate, hidden=kind.hidden, output=kind.output)
    return FullBatch(X, Y, sizes, start, **kind._asdict())


def at_limits(descent: Direct | FullBatch) -> bool:
    """Whether outputs are 0 or 1, or close to it by rounding, or exp overflows: formulas of the course make nan of that."""
    Z = _logits(descent)
    high, low = float(Z.max()), float(Z.min())
    if descent.output is OUTPUT:
        return not (low > -_EXP and high < -np.log(2 * np.finfo(Z.dtype).eps))
    if descent.output is SOFTMAX:
        return not (max(high, -low) < _EXP and high - low < _EXP)
    assert descent.output is SQUARED
    return not max(high, -low) < _SQUARE


def _logits(descent: Direct | FullBatch) -> np.ndarray:
    views = descent.views()
    linear = Net(descent.hidden, SQUARED)
    if not isinstance(descent, Gram):
        return linear.outputs(descent.X, views)
    Z, L = descent.V + views["b1"], len(descent.sizes) - 1  # V is W1 X
    if L == 1:
        return Z
    g, _ = functions_of(descent.hidden.name)
    A = np.where(Z > 0, Z, descent.hidden.slope * Z) if descent.hidden.slope else g(Z)
    return linear.outputs(A, {f"{letter}{l - 1}": views[f"{letter}{l}"] for l in range(2, L + 1) for letter in "Wb"})
