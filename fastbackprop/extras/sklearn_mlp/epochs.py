"""The epochs of one fit: scikit-learn's loop counts, prints, schedules and stops; compiled code does each epoch's batches.

That loop runs with `shuffle` and `gen_batches` from here, and the model's `_backprop` does a whole epoch. As many epochs are
computed at once as the loop cannot but do, those up to the first in which it may stop; it then learns their losses one by one.
"""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np

from fastbackprop.batches import Batches
from fastbackprop.extras.sklearn_mlp.cover import optimizer_of
from fastbackprop.extras.sklearn_mlp.engine import batches_of, save_moments, save_parameters
from fastbackprop.extras.sklearn_mlp.internals import loop_with, module, permutation
from fastbackprop.kernels.tasks import Task
from fastbackprop.slices import STOP, running, wait

logger = logging.getLogger("fastbackprop")

MOST_INDICES = 2**21  # of the orders of examples that are drawn at once: 16 MiB
WHOLE = slice(None)


class Epochs:
    """The training of one call of `fit` or `partial_fit`, whose state the model has after each call of the engine."""

    def __init__(self, model: Any, incremental: bool) -> None:
        self.model, self.incremental = model, incremental
        self.plain = False  # scikit-learn's code does the epochs from here on
        self.random: np.random.RandomState | None = None  # where the examples are shuffled
        self.indices = np.empty(0, np.int64)  # the order of the examples in the last epoch
        self.before: Any = None  # the random state, and the order of the examples, before the epochs that were computed at once
        self.orders: np.ndarray | None = None  # of these epochs
        self.losses: deque[np.float64] = deque()  # of those that the loop has not seen yet
        self.taken = 0  # how many of these it has seen
        self.error: BaseException | None = None  # ended the wait for these, and is raised when their losses are seen
        self.batches: Batches | None = None
        self.batch_size = 0

    def run(self, *arguments: Any, **keywords: Any) -> None:
        loop = loop_with({"shuffle": self.shuffle, "gen_batches": self.gen_batches})
        try:
            loop(self.model, *arguments, **keywords)
        finally:
            self._release()
            if self.batches is not None:
                running.pop(self.batches, None)  # type: ignore[call-overload]
        if self.error is not None:  # it came when the last epoch was done
            raise self.error

    # ------------------------------------------------------------------------------------- in place of scikit-learn's functions

    def shuffle(self, indices: Any, random_state: np.random.RandomState) -> Any:
        """The order of the examples in the next epoch: what the loop takes a batch's part of."""
        if self.random is None:
            self.random, self.indices = random_state, indices
        if self.plain:
            self.indices = module.shuffle(self.indices, random_state=random_state)
        return self

    def __getitem__(self, batch: slice) -> Any:
        return self.indices[batch] if self.plain else WHOLE

    def gen_batches(self, n: int, batch_size: int) -> Iterator[slice]:
        """All examples at once; where the engine cannot do this epoch, scikit-learn's batches after that."""
        if self.error is not None and not self.losses:
            error, self.error = self.error, None
            raise error
        self.batch_size = int(batch_size)
        if not self.plain:
            yield slice(0, n)
        if self.plain:
            self._release()
            yield from module.gen_batches(n, batch_size)

    def epoch(
        self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, coef_grads: Any, intercept_grads: Any, **unused: Any
    ) -> tuple[Any, Any, Any]:
        """In place of `_backprop`: an epoch's loss, or 0 where scikit-learn is to do it; the gradients are not touched."""
        if self.batches is None:
            self._prepare(X, y, sample_weight)
        if self.batches is not None and not self.losses and not self.batches.diverged:
            self._compute()
        if self.losses:
            self.taken += 1
            return self.losses.popleft(), coef_grads, intercept_grads
        if self.batches is not None and self.batches.diverged:
            logger.debug(
                "%s: scikit-learn's code trains on, since epoch %d makes parameters that are not finite",
                type(self.model).__name__, self.batches.done + 1,
            )  # fmt: skip
            self._rewind()
        self.plain = True
        return 0.0, coef_grads, intercept_grads

    # ------------------------------------------------------------------------------------------------------- compiled epochs

    def _prepare(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        optimizer = optimizer_of(self.model)
        if isinstance(optimizer, str):
            logger.debug("%s: scikit-learn's code trains, since %s", type(self.model).__name__, optimizer)
            return
        work = Task(batches_of, self.model, X, y, weights, optimizer, self.batch_size)
        work.start()
        self.batches = work.wait()
        self.model._optimizer.update_params = lambda params, grads: None  # the engine does that

    def _release(self) -> None:
        """Leave the optimizer to scikit-learn."""
        vars(getattr(self.model, "_optimizer", self)).pop("update_params", None)

    def _ahead(self) -> int:
        """The number of epochs that the loop cannot but do, whatever their losses are."""
        model, batches = self.model, self.batches
        assert batches is not None
        if self.incremental or model.early_stopping or model.verbose:
            return 1
        before_stop = model.n_iter_no_change - model._no_improvement_count + 1
        return int(max(1, min(before_stop, model.max_iter - batches.done, MOST_INDICES // batches.X.shape[1])))

    def _compute(self) -> None:
        """Do these epochs in a thread; what ends the wait stops it, and is kept until the epochs that are done are seen."""
        batches = self.batches
        assert batches is not None
        work = Task(self._work, self._ahead())
        self.taken, self.before = 0, None
        try:
            wait(batches, work, None)  # type: ignore[arg-type]
        except BaseException as error:
            batches.state[0] = STOP
            work.settle()
            self._rewind()
            self.error = error
            if not self.losses:
                self.error = None
                raise

    def _work(self, count: int) -> None:
        """Draw the orders of so many epochs, do them, and leave the model with what they made."""
        batches, model, optimizer = self.batches, self.model, self.model._optimizer
        assert batches is not None
        if self.random is not None:
            self.before = self.random.get_state(legacy=False), self.indices
            self.orders = self._draw(count)
        order = None if self.orders is None else self.orders.ravel()
        done = batches.advance(order, self._rates(count))
        if self.orders is not None:
            self.indices = self.orders[-1]
        save_parameters(batches, model)
        save_moments(batches, optimizer)
        outputs = model.n_outputs_ if model.loss == "squared_error" else 1
        first = batches.done - done
        for cost, penalty in zip(batches.costs[first:], batches.penalties[first:], strict=True):
            self.losses.append(np.float64(cost / outputs + penalty))

    def _draw(self, count: int) -> np.ndarray:
        """The orders of the next epochs; each is the one before, shuffled."""
        assert self.random is not None
        last, orders = self.indices, np.empty((count, len(self.indices)), np.int64)
        for order in orders:
            np.take(last, permutation(self.random, len(last)), out=order)
            last = order
        return orders

    def _rewind(self) -> None:
        """Leave the random state and the order of examples as they are in the epoch after those that are done."""
        if self.before is not None and self.random is not None:
            state, self.indices = self.before
            self.random.set_state(state)
            self.indices = self._draw(self.taken + len(self.losses) + 1)[-1]

    def _rates(self, count: int) -> np.ndarray:
        """The learning rates of the next epochs, by scikit-learn's schedule."""
        optimizer, time = copy.copy(self.model._optimizer), self.model.t_
        rates = np.empty(count)
        assert self.batches is not None
        for i in range(count):
            # Adam's attribute learning_rate has its correction; the engine has its own.
            rates[i] = optimizer.learning_rate_init if hasattr(optimizer, "ms") else optimizer.learning_rate
            time += self.batches.X.shape[1]
            optimizer.iteration_ends(time)
        return rates
