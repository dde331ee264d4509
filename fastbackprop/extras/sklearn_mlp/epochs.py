"""The epochs of one fit: scikit-learn's loop counts, prints, schedules and stops; compiled code does each epoch's batches.

That loop runs with `shuffle` and `gen_batches` from here, and the model's `_backprop` does a whole epoch. As many epochs are
computed at once as the loop cannot but do, those up to the first in which it may stop; it then learns their losses one by one.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastbackprop.batches import Batches
from fastbackprop.extras.sklearn_mlp.cover import optimizer_of
from fastbackprop.extras.sklearn_mlp.engine import batches_of, loss, quick_epochs, save
from fastbackprop.extras.sklearn_mlp.internals import Base, module, permutation, with_names
from fastbackprop.kernels.tasks import Task
from fastbackprop.slices import STOP, behind, wait

logger = logging.getLogger("fastbackprop")

WHOLE = slice(None)


class Before(NamedTuple):
    """All as it was before a call of the engine, and the learning rates of its epochs."""

    done: int
    t: int
    P: np.ndarray
    M: np.ndarray
    rates: np.ndarray
    state: Any
    indices: np.ndarray


class Epochs:
    """The training of one call of `fit` or `partial_fit`, whose state the model has after each call of the engine."""

    def __init__(self, model: Any, incremental: bool) -> None:
        self.model, self.incremental = model, incremental
        self.plain = False  # scikit-learn's code does the epochs from here on
        self.batches: Batches | None = None
        # Not the model's: with early stopping those of the best epoch take their place when the loop ends.
        self.trained = [*model.coefs_, *model.intercepts_]
        self.batch_size = 0
        self.taken = 0  # epochs whose losses the loop has seen; the engine may have done more
        self.random: np.random.RandomState | None = None  # where the examples are shuffled
        self.indices = np.empty(0, np.int64)  # the order of the examples in the last epoch that was drawn
        self.before: Before | None = None
        self.work = Task(int)  # the last call
        self.error: BaseException | None = None  # it ended a call of the engine; it is raised when the loop has seen all

    def run(self, *arguments: Any, **keywords: Any) -> None:
        """Run scikit-learn's loop."""
        own: dict[str, Callable[..., Any]] = {
            "shuffle": self.shuffle,
            "gen_batches": self.gen_batches,
            "_safe_indexing": self.safe_indexing,
        }
        try:
            with_names(Base._fit_stochastic, own)(self.model, *arguments, **keywords)
        finally:
            self._release()
            if self.batches is not None:
                self._return(self.batches)
        if self.error is not None:  # it came in the last epoch
            raise self.error

    # ------------------------------------------------------------------------------------- in place of scikit-learn's functions

    def shuffle(self, indices: Any, random_state: np.random.RandomState) -> Any:
        """The order of the examples in the next epoch: the loop takes a batch's part of what this returns."""
        if self.random is None:
            self.random, self.indices = random_state, indices
        if self.plain:
            self.indices = module.shuffle(self.indices, random_state=random_state)
        return self

    def __getitem__(self, batch: slice) -> Any:
        return self.indices[batch] if self.plain else WHOLE

    def safe_indexing(self, X: Any, indices: Any) -> Any:
        """A batch's examples."""
        return module._safe_indexing(X, indices) if self.plain else X

    def gen_batches(self, n: int, batch_size: int) -> Iterator[slice]:
        """All examples at once; where the engine cannot do this epoch, scikit-learn's batches after that."""
        if self.error is not None and not self._done():
            error, self.error = self.error, None
            raise error
        self.batch_size = int(batch_size)
        if not self.plain:
            yield slice(0, batch_size - batch_size + n)  # of the kind of number that decides the loss's dtype
        if self.plain:
            self._release()
            yield from module.gen_batches(n, batch_size)

    def epoch(
        self,
        X: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None,
        coef_grads: Any,
        intercept_grads: Any,
        **unused: Any,
    ) -> tuple[Any, Any, Any]:
        """In place of `_backprop`: an epoch's loss, or 0 where scikit-learn is to do it; the gradients are not touched."""
        if self.batches is None:
            self._prepare(X, y, sample_weight)
        if self.batches is not None and not self._done() and not self.batches.diverged:
            self._compute(self.batches)
        if self.batches is None or not self._done():
            if self.before is not None:
                why = f"epoch {self.taken + 1} makes parameters that are not finite"
                logger.debug("%s: scikit-learn's code trains on, since %s", type(self.model).__name__, why)
                self._redraw(self.before, self.taken + 1)
            else:
                self._draw(1)
            self.plain = True
            return 0.0, coef_grads, intercept_grads
        cost, penalty = self.batches.costs[self.taken], self.batches.penalties[self.taken]
        self.taken += 1
        return loss(self.model, cost, penalty, X, y, sample_weight), coef_grads, intercept_grads

    # ------------------------------------------------------------------------------------------------------- compiled epochs

    def _done(self) -> bool:
        """Whether the engine has done the next epoch."""
        return self.batches is not None and self.batches.done > self.taken

    def _prepare(self, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
        self.model._optimizer.update_params = lambda params, grads: None  # the engine does that
        optimizer = optimizer_of(self.model)
        if isinstance(optimizer, str):
            logger.debug("%s: scikit-learn's code trains, since %s", type(self.model).__name__, optimizer)
            return
        self.batches = behind(X.nbytes, batches_of, self.model, X, y, weights, optimizer, self.batch_size)
        self.batches.load()

    def _release(self) -> None:
        """Leave the optimizer to scikit-learn."""
        vars(getattr(self.model, "_optimizer", self)).pop("update_params", None)

    def _compute(self, batches: Batches) -> None:
        """Do the next epochs; what ends that early is kept until the loop has seen those that are done."""
        model, count, quick = self.model, 1, quick_epochs(batches)
        if quick and not (self.incremental or model.early_stopping or model.verbose):
            # The loop cannot but do these, whatever their losses are.
            before_stop = model.n_iter_no_change - model._no_improvement_count + 1
            count = int(max(1, min(before_stop, model.max_iter - batches.done, quick)))
        self.work = work = Task(self._advance, batches, count)
        try:
            if quick:
                self._advance(batches, count)
            else:
                wait(batches, work, None)  # type: ignore[arg-type]
        except BaseException as error:
            batches.state[0] = STOP
            work.settle()
            if not self._done():
                raise
            save(batches, self.trained, model._optimizer)
            self.error = error

    def _advance(self, batches: Batches, count: int) -> None:
        """Draw the orders of so many epochs, do them, and leave the model with what they made."""
        state = None if self.random is None else self.random.get_state(legacy=False)
        rates = self._rates(batches, count)
        self.before = Before(batches.done, batches.t, batches.P.copy(), batches.M.copy(), rates, state, self.indices)
        batches.advance(self._draw(count), rates)
        if not batches.stopped:
            save(batches, self.trained, self.model._optimizer)

    def _draw(self, count: int) -> np.ndarray | None:
        """The orders of the next epochs in a row, each the one before, shuffled; None where examples are not shuffled."""
        if self.random is None:
            return None
        orders = np.empty((count, len(self.indices)), np.int64)
        for order in orders:
            # "clip" has NumPy write to `order` itself; no number is out of bounds.
            self.indices = self.indices.take(permutation(self.random, len(order)), out=order, mode="clip")
        return orders.ravel()

    def _rates(self, batches: Batches, count: int) -> np.ndarray:
        """The learning rates of the next epochs, by scikit-learn's schedule."""
        optimizer, time, rates = copy.copy(self.model._optimizer), self.model.t_, np.empty(count)
        for i in range(count):
            # Adam's attribute learning_rate has its correction; the engine has its own.
            rates[i] = optimizer.learning_rate_init if hasattr(optimizer, "ms") else optimizer.learning_rate
            time += batches.X.shape[1]
            optimizer.iteration_ends(time)
        return rates

    def _redraw(self, before: Before, epochs: int) -> np.ndarray | None:
        """Leave the random state as it is when the orders up to that of this epoch are drawn; returns those since `before`."""
        if self.random is None:
            return None
        self.indices = before.indices
        self.random.set_state(before.state)
        return self._draw(epochs - before.done)

    def _return(self, batches: Batches) -> None:
        """Where the loop ended within the epochs of one call, leave all as it was after those that it saw."""
        before = self.before
        if before is not None and (batches.stopped or self._done()):
            self.work.settle()  # a second interrupt may have left it behind
            batches.state[:] = 0
            batches.P[:], batches.M[:], batches.t, batches.done = before.P, before.M, before.t, before.done
            batches.advance(self._redraw(before, self.taken), before.rates[: self.taken - before.done])
            save(batches, self.trained, self.model._optimizer)
