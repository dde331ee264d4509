"""A training within a user's model: its iterations run compiled, and stop where the model's own statements run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop import arguments
from fastbackprop.algorithms import Direct, Gram, choose_algorithm
from fastbackprop.doubtful import labels_outside
from fastbackprop.kernels.tasks import Task, do
from fastbackprop.resources import free_memory
from fastbackprop.slices import SLICE_SECONDS, STOP, behind, converted, first_length, is_finite, next_length, running, wait
from fastbackprop.takeover.adapters import cost_in_form, update_in_form
from fastbackprop.takeover.loop import Loop


@dataclass(frozen=True)
class Form:
    """What a model's loop asks of its training.

    ``layers`` is the number of layers where the code spells them out, ``update`` holds the differences of form of its update,
    ``cost`` makes its cost of a 0-d array. Iterations at which its other statements run are ``whole`` where these read more
    than the cost; ``whole_end`` and ``cost_at_end`` say the same of the last iteration, for what follows the loop.
    """

    layers: int | None
    update: tuple[str, ...]
    cost: Callable[[np.ndarray], Any]
    whole: bool
    whole_end: bool
    cost_at_end: bool

    @staticmethod
    def of(loop: Loop) -> Form:
        details = loop.costs.details if loop.costs is not None else ()
        cost, update = cost_in_form(details), loop.update.details
        return Form(loop.step.layers, update, cost, loop.reads_step, loop.step_after, loop.cost_after)


class Training:
    """The iterations of a model's loop.

    Each `advance` is followed by the iterations in ``observed``, at which the model's other statements run beside ``cost``,
    then by those in ``plain``, which the loop's own code does from ``parameters`` and hands back by `resume`. Where the
    compiled training does not take the data, or cannot continue (parameters that are not finite), all that is left is plain:
    the user's own code decides what becomes of it.
    """

    def __init__(
        self,
        form: Form,
        steps: range,
        X: Any,
        Y: Any,
        parameters: Any,
        entries: Mapping[str, Any],
        rate: Any,
        condition: Callable[[int], Any],
    ) -> None:
        self.form, self.steps, self.condition = form, steps, condition
        self.last = steps[-1:]
        self.observed: Iterable[int] = ()
        self.plain: Sequence[int] = ()
        self.cost: Any = None
        self._done = 0
        self._parameters, self._changed = parameters, False
        self._length = self._counted = 0  # iterations of the next slice; of the descent that are part of `_done`
        self._descent: Direct | None = None
        try:
            self._descent = self._begin(X, Y, parameters, entries, rate)
        except Exception:  # whatever it is, their own loop meets it in its own way
            return

    def _begin(self, X: Any, Y: Any, parameters: Any, entries: Mapping[str, Any], rate: Any) -> Direct | None:
        """The descent; None or an exception where the loop has to run as it stands."""
        if len(self.steps) < 2 or type(X) is not np.ndarray or type(Y) is not np.ndarray or type(parameters) is not dict:
            return None
        if any(parameters.get(key) is not value for key, value in entries.items()):
            return None
        L = len(parameters) // 2
        sizes = [X.shape[0], *(parameters[f"W{l}"].shape[0] for l in range(1, L + 1))]
        start = arguments.parameters_of("parameters", parameters, sizes)
        dtype = np.result_type(X, *start.values())
        labels = np.result_type(Y, dtype)
        same = dtype.char in "fd" and labels == dtype and all(value.dtype == dtype for value in start.values())
        if not same or sizes[-1] != 1 or self.form.layers not in (None, L) or len(start) != len(parameters):
            return None
        if any(type(value) is not np.ndarray for value in start.values()):
            return None
        if not isinstance(rate, (int, float)) or isinstance(rate, bool) or np.result_type(start["W1"], rate) != dtype:
            return None
        X, Y = arguments.examples("X", X, sizes[0]), arguments.label_row(Y, X.shape)
        finite = all(behind(values.nbytes, is_finite, values) for values in (X, Y))
        if not finite or labels_outside(Y):
            return None
        X, Y = behind(X.nbytes, converted, X, Y, dtype)
        algorithm = choose_algorithm(sizes[0], sizes[1], X.shape[1], len(self.steps), dtype.itemsize, free_memory())
        kind = Gram if algorithm == "gram" else Direct
        descent = behind(sum(sizes) * max(sizes) * X.itemsize, kind, X, Y, sizes, start, arguments.real("learning_rate", rate))
        descent.load()
        self._length = first_length(descent.operations)
        self._compute(descent, descent.prepare)
        return descent

    def advance(self) -> bool:
        """Train on; returns False when all iterations are done."""
        self.observed, self.plain = (), ()
        if self._done >= len(self.steps):
            return False
        if self._descent is None:
            self._leave()
            return True
        begun, first = time.perf_counter(), self._done
        pairs = self._whole_slice() if self.form.whole else self._slice()
        self.observed = self._observe(pairs)
        compiled = self._done - first - len(self.plain)
        if compiled > 0:
            self._length = next_length(compiled, time.perf_counter() - begun, SLICE_SECONDS)
        return True

    def _leave(self) -> None:
        """All that is left runs as it stands."""
        self.plain, self._done = self.steps[self._done :], len(self.steps)

    def _slice(self) -> list[tuple[int, float]]:
        """Train for a slice; returns the iterations that are observed, with their costs."""
        end = min(len(self.steps), self._done + self._length)
        stop = min(end, len(self.steps) - 1) if self.form.whole_end else end
        wanted = list(self._wanted(stop, self.form.cost_at_end))
        pairs: list[tuple[int, float]] = []
        for begin, length, every in stretches(self._done, stop, wanted):
            costs = self._stretch(length, every)
            pairs += [(begin + j * every, cost) for j, cost in enumerate(costs)]
            if self._done < begin + length:
                self._leave()
                break
        else:
            if stop < end:
                self.plain, self._done = self.steps[stop:end], end
        observed = set(wanted)
        return [(k, cost) for k, cost in pairs if k in observed]

    def _wanted(self, stop: int, at_end: bool) -> Iterator[int]:
        """The iterations from here to `stop` at which the model's other statements run, with the last one where that counts."""
        last, found = len(self.steps) - 1, -1
        for i in filter(self.condition, self.steps[self._done : stop]):
            found = self.steps.index(i)
            yield found
        if at_end and stop > last and found != last:
            yield last

    def _whole_slice(self) -> list[tuple[int, float]]:
        """Train up to the next iteration that runs as it stands, or for a slice."""
        end = min(len(self.steps), self._done + self._length)
        stop = next(self._wanted(end, self.form.whole_end or self.form.cost_at_end), end)
        length = stop - self._done
        if length:
            self._stretch(length, length)
        if self._done < stop:
            self._leave()
        elif stop < end:
            self.plain, self._done = self.steps[stop : stop + 1], stop + 1
        return []

    def _stretch(self, length: int, every: int) -> list[float]:
        assert self._descent is not None
        costs = self._compute(self._descent, self._descent.stretch, length, every)
        self._done += self._descent.done - self._counted
        self._counted = self._descent.done
        self._changed = True
        return costs

    def _compute(self, descent: Direct, work: Callable[..., Any], *args: Any) -> Any:
        """Work in a thread while this one waits where Ctrl-C can reach it; an interrupt ends the work."""
        task = Task(work, *args)
        try:
            result = wait(descent, task, None)
            if descent.stopped:  # by the end of the process, in a daemon thread
                raise SystemExit
            return result
        except BaseException:
            descent.state[0] = STOP
            task.settle()
            raise
        finally:
            running.pop(descent, None)

    def _observe(self, pairs: list[tuple[int, float]]) -> Iterator[int]:
        for k, cost in pairs:
            self.cost = self.form.cost(np.array(cost, self._descent.X.dtype if self._descent is not None else float))
            yield self.steps[k]

    @property
    def parameters(self) -> Any:
        """The parameters as they are now, where the user's update puts them."""
        if self._changed and self._descent is not None:
            new = do(self._descent.parameters)
            self._parameters, self._changed = update_in_form(self._parameters, new, self.form.update), False
        return self._parameters

    def resume(self, parameters: Any) -> None:
        """Continue from what the loop's own code made."""
        self._parameters = parameters
        if self._descent is not None and self._done < len(self.steps):
            self._descent.restart(parameters)


def stretches(begin: int, end: int, wanted: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Cut iterations `begin` .. `end` - 1 into stretches (begin, length, every), so that the cost of each wanted one is known.

    A stretch knows the cost of its first iteration and of each `every`-th one after it.
    """
    at, i = begin, 0
    while at < end:
        if i == len(wanted) or wanted[i] > at:
            stop = end if i == len(wanted) else wanted[i]
            yield at, stop - at, stop - at
        else:
            j = i  # the last of those that lie equally far apart
            while j + 1 < len(wanted) and wanted[j + 1] - wanted[j] == wanted[i + 1] - wanted[i]:
                j += 1
            stop = wanted[j + 1] if j + 1 < len(wanted) else end
            yield at, stop - at, wanted[i + 1] - wanted[i] if j > i else stop - at
            i = j + 1
        at = stop
