"""Trainings that are counted in epochs: their orders, their validation, and what is kept of the best epoch.

What computes is a descent of full batches (``algorithms``) or ``Batches``; a checkpoint and the loop see one kind of descent.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastbackprop.algorithms import Direct
from fastbackprop.batches import Batches
from fastbackprop.descents import Descent
from fastbackprop.prediction import Net

INDICES = 2**20  # of examples, in the orders of the epochs that are handed over at once


class Epochs(Descent):
    """A training by epochs.

    Parameters
    ----------
    engine : Direct or Batches
    net : Net
    validation : (X, Y), optional
        In the dtype of the training. The score of each epoch is taken after it.
    patience : int, optional
        Epochs without a better score before the training is finished; the parameters of the best one are kept.
    entropy : int
        What the generator was seeded with: it has to be known before a checkpoint's arrays are.
    """

    def __init__(
        self,
        engine: Direct | Batches,
        net: Net,
        validation: tuple[np.ndarray, np.ndarray] | None,
        patience: int | None,
        entropy: int,
    ) -> None:
        self.engine, self.net, self.validation, self.patience, self.entropy = engine, net, validation, patience, entropy
        self.X, self.Y, self.state = engine.X, engine.Y, engine.state
        self.costs: list[float] = []
        self.scores: list[float] = []
        self.done, self.torn = 0, False
        self.best_epoch = 0  # counted from 1; 0 before the first score
        self.best = {} if patience is None else {key: np.array(value) for key, value in engine.views().items()}

    def _run(self, epochs: int) -> list[float]:
        """Have the engine train for as many epochs, or fewer; returns their costs."""
        raise NotImplementedError

    @property
    def diverged(self) -> bool:
        return self.engine.diverged

    @property
    def operations(self) -> int:
        return self.engine.operations

    @property
    def unscored(self) -> bool:
        """Whether the last epoch has no score yet: it was stopped between."""
        return self.validation is not None and len(self.scores) < self.done

    @property
    def finished(self) -> bool:
        """Whether patience has come to its end."""
        return self.patience is not None and not self.unscored and self.done - self.best_epoch >= self.patience

    def complete(self, end: int) -> bool:
        return super().complete(end) and not self.unscored

    def load(self) -> None:
        self.engine.load()
        if self.validation is not None:
            X, Y = self.validation
            self.net.score(X[:, :1], Y[:, :1], self.engine.views())

    def advance(self, end: int) -> None:
        self.torn = True
        self._score()
        while not (self.stopped or self.diverged or self.complete(end)):
            most = max(1, INDICES // self.X.shape[1]) if self.validation is None else 1
            costs = self._run(min(end - self.done, most))
            self.costs += costs
            self.done += len(costs)
            self._score()
        self.torn = False

    def _score(self) -> None:
        """Score the last epoch, if it is to have a score and has none, and keep its parameters if it is the best."""
        if self.validation is None or not self.unscored:
            return
        score = self.net.score(*self.validation, self.engine.views(), lambda: self.stopped)
        if score is None:
            return
        self.scores.append(score)
        if self._is_best(self.done):
            for key, value in self.best.items():
                value[...] = self.engine.views()[key]

    def _is_best(self, epoch: int) -> bool:
        """Whether the score of an epoch beats those before it; nan beats nothing."""

        def rank(at: int) -> float:
            return -math.inf if math.isnan(self.scores[at - 1]) else self.scores[at - 1]

        if self.best_epoch and rank(epoch) <= rank(self.best_epoch):
            return False
        self.best_epoch = epoch
        return True

    def parameters(self) -> dict[str, np.ndarray]:
        return self.engine.parameters()

    def kept(self, last: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The parameters to return after a training that ended with these: of the best epoch, if these are kept."""
        return {key: value.copy() for key, value in self.best.items()} if self.best and self.best_epoch else last

    # ----------------------------------------------------------------------------------------------------- for checkpoints

    def _arrays(self) -> dict[str, np.ndarray]:
        """What the engine computes with."""
        raise NotImplementedError

    def arrays(self) -> dict[str, np.ndarray]:
        return self._arrays() | {f"best_{key}": value for key, value in self.best.items()}

    def histories(self) -> dict[str, Sequence[float]]:
        if self.validation is None:
            return {"costs": self.costs}
        return {"costs": self.costs, "scores": self.scores + [math.nan] * (self.done - len(self.scores))}

    def lengths(self, done: int) -> dict[str, int]:
        return {"costs": done} if self.validation is None else {"costs": done, "scores": done}

    def memory(self) -> dict[str, Any]:
        return {"entropy": self.entropy, "scored": len(self.scores)}

    def recall(self, done: int, histories: Mapping[str, Sequence[float]], memory: Mapping[str, Any]) -> None:
        super().recall(done, histories, memory)
        self.engine.done = done
        if self.validation is not None:
            scored = memory["scored"]
            if scored not in (done, done - 1):
                raise ValueError(f"it has {scored} scores of {done} epochs")
            self.scores, self.best_epoch = list(histories["scores"])[:scored], 0
            for epoch in range(1, scored + 1):
                self._is_best(epoch)


class FullBatches(Epochs):
    """Full-batch gradient descent, as ``L_layer_model`` has it."""

    engine: Direct

    def __init__(self, engine: Direct, *rest: Any) -> None:
        super().__init__(engine, *rest)
        self.name = engine.name
        engine.every = 1

    def prepare(self) -> None:
        self.engine.prepare()

    def _run(self, epochs: int) -> list[float]:
        engine = self.engine
        engine.advance(engine.done + epochs)
        costs, engine.costs = engine.costs, []
        return costs

    def _arrays(self) -> dict[str, np.ndarray]:
        return self.engine.arrays()


class MiniBatches(Epochs):
    """Training by batches, in an order of its own in each epoch if there is a `generator` to draw it."""

    engine: Batches
    name = "batches"

    def __init__(self, engine: Batches, rate: float, generator: np.random.Generator | None, *rest: Any) -> None:
        super().__init__(engine, *rest)
        self.rate, self.generator = rate, generator

    def _run(self, epochs: int) -> list[float]:
        engine, order, states = self.engine, None, []
        if self.generator is not None:
            m = self.X.shape[1]
            order = np.empty(epochs * m, np.int64)
            for i in range(epochs):
                states.append(self.generator.bit_generator.state)
                order[i * m : (i + 1) * m] = self.generator.permutation(m)
        done = engine.advance(order, np.full(epochs, self.rate))
        if self.generator is not None and done < epochs:  # those that were not done are drawn again
            self.generator.bit_generator.state = states[done]
        costs = [cost + penalty for cost, penalty in zip(engine.costs, engine.penalties, strict=True)]
        engine.costs, engine.penalties = [], []
        return costs

    def _arrays(self) -> dict[str, np.ndarray]:
        moments = {f"{key}_{i}": value for i, row in enumerate(self.engine.moments()) for key, value in row.items()}
        return self.engine.views() | moments

    def memory(self) -> dict[str, Any]:
        drawn = {} if self.generator is None else {"generator": self.generator.bit_generator.state}
        return super().memory() | drawn

    def recall(self, done: int, histories: Mapping[str, Sequence[float]], memory: Mapping[str, Any]) -> None:
        super().recall(done, histories, memory)
        self.engine.t = done * self.engine.batches
        if self.generator is not None:
            self.generator.bit_generator.state = memory["generator"]
