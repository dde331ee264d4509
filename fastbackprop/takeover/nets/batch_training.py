"""The epochs of a loop that trains by batches: these are drawn by the loop's own code, and trained on by compiled code."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastbackprop.takeover.nets.draws import examples_in
from fastbackprop.takeover.nets.engines import ByBatches
from fastbackprop.takeover.nets.training import NetTraining
from fastbackprop.takeover.training import LEAST_ITERATIONS

_NUMBERS = 2**20  # of examples, in the orders of the epochs that are trained on at once


class BatchTraining(NetTraining):
    """The epochs of a loop.

    Each `advance` is followed by the drawing of batches for the epochs in ``drawing``, of ``examples`` and ``labels``, which
    are the numbers of the examples; then `train` trains on them. Where it did not, the drawing is ``undone``: the variables
    that it binds are to be what they were, as in ``drawn``.
    """

    def __init__(self, *args: Any, drawn: Mapping[str, Callable[[], Any]]) -> None:
        self.drawing = range(0)
        self.undone = False
        self.drawn: dict[str, Any] = {}
        self.examples = self.labels = np.empty((1, 0), np.int64)
        self._variables_drawn = drawn
        self._orders: list[np.ndarray] = []
        self._rates: list[Any] = []
        self._sizes: set[int] = set()
        self._begun = 0.0
        super().__init__(*args)

    def advance(self) -> bool:
        """Train on; returns False when all epochs are done."""
        self.drawing, self.undone = range(0), False
        return super().advance()

    def _draw(self, stop: int) -> None:
        """Have the loop draw the batches of the epochs up to one."""
        self._begun = time.perf_counter()
        self._random = np.random.get_state(), random.getstate()
        self.drawn = {}
        for name, value in self._variables_drawn.items():
            try:
                self.drawn[name] = value()
            except NameError:  # it has no value yet
                continue
        self._orders, self._rates, self._sizes = [], [], set()
        self.drawing = self.steps[self._done : stop]

    def seeded(self, size: Any, seed: Any) -> Any:
        """The batches that ``np.random.permutation`` makes after ``np.random.seed``, as `draw` takes them."""
        if type(size) is not int or size < 1:
            return None
        np.random.seed(seed)
        return np.random.permutation(self.examples.shape[1]), min(size, self.examples.shape[1])

    def draw(self, batches: Any, rate: Any) -> None:
        """Take in the batches of an epoch, and its rate where this is one of its own."""
        found = batches if type(batches) is tuple else examples_in(batches, self.examples.shape[1])
        if found is not None:
            self._orders.append(found[0])
            self._sizes.add(found[1])
        self._rates.append(self._rate if rate is None else rate)

    def _try(self) -> None:
        self._note_before()
        self._draw(self._done + 1)

    def _train(self, stop: int, wanted: Sequence[int]) -> None:
        if self.ahead:  # others may hold the dict, and an interrupt may come while batches are drawn
            self.hand_over()
            self.ahead = True
        self._draw(min(stop, self._done + max(1, _NUMBERS // self.examples.shape[1])))

    def train(self) -> None:
        """Train on the batches that were drawn."""
        if not self.drawing:
            return
        descent: Any = self._descent
        if not self._are_well(descent):
            self._undo()
            self._leave()
        elif self._trusted:
            self._train_on(descent)
        else:
            self._try_on(descent)
        self._choose_own()

    def _work(self, descent: ByBatches) -> tuple[np.ndarray, np.ndarray]:
        """The orders of the epochs, and the compiled rule's rates."""
        factor = descent.engine.optimizer.learning_rate / self._rate
        return np.concatenate(self._orders), np.array(self._rates, float) * factor

    def _are_well(self, descent: ByBatches) -> bool:
        """Whether all batches are such as the compiled training takes."""
        if len(self._orders) != len(self.drawing) or len(self._sizes) != 1:
            return False
        (size,) = self._sizes
        if self._trusted and descent.engine.batch_size != size:
            return False
        descent.engine.batch_size = size
        if not all(type(rate) in (int, float) and 0 < rate < np.inf for rate in self._rates):
            return False
        return not self._like.update.averages or self._like.update.counts or {*self._rates} == {self._rate}

    def _undo(self) -> None:
        self.undone = True
        np.random.set_state(self._random[0])
        random.setstate(self._random[1])

    def _try_on(self, descent: ByBatches) -> None:
        self._undo()
        start = {key: value.copy() for key, value in self._parameters.items()}
        try:
            made = self._compute(descent, descent.tried, *self._work(descent))
        except Exception:
            made = None
        if made is None:
            self._leave()
            return
        self._tried = start, made, np.nan
        self.plain, self._done = self.steps[self._done : self._done + 1], self._done + 1
        self._length = LEAST_ITERATIONS

    def _train_on(self, descent: ByBatches) -> None:
        epochs, t = len(self.drawing), descent.engine.t

        def train() -> bool:
            if not self._compute(descent, descent.trained, *self._work(descent)):
                return False
            self._done += epochs
            self.ahead, self.last = True, self.drawing[-1:]
            self._lengthen(epochs, self._begun)
            return True

        if not self._done_or_taken_back(descent, train):
            descent.engine.t = t
            self._undo()
            self._leave()
