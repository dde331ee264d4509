"""A training within a user's model: its iterations run compiled, and stop where the model's own statements run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop import arguments
from fastbackprop.algorithms import Direct, Gram, choose_algorithm
from fastbackprop.doubtful import labels_outside
from fastbackprop.kernels.tasks import Task, do
from fastbackprop.resources import free_memory
from fastbackprop.slices import SLICE_SECONDS, STOP, behind, converted, is_finite, next_length, running, wait
from fastbackprop.takeover.adapters import cost_in_form, order_of, update_in_form
from fastbackprop.takeover.callees import Callees
from fastbackprop.takeover.loop import Loop
from fastbackprop.takeover.observers import is_apart, is_constant
from fastbackprop.takeover.stretches import costs_of, stretches, tried
from fastbackprop.takeover.trial import agrees, content, cost_agrees, saturated

LEAST_ITERATIONS = 32  # of a slice: what is looked at after each takes less time than some of them
GROWTH = 16  # of a slice, at most: outputs come to 0 or 1 in the first iterations, if they do
# Multiply-adds of a product for which NumPy's BLAS uses threads, which keep processors busy for a tenth of a second after it.
BLAS_OPERATIONS = 2**16


@dataclass(frozen=True)
class Form:
    """What a model's loop asks of its training.

    ``layers`` is the number of layers where the code spells them out, ``update`` holds the differences of form of its update,
    ``cost`` makes its cost of a 0-d array, and ``cost_function`` is the user's, with the names of its arguments. Iterations at
    which its other statements run are ``whole`` where these read more than the cost; ``whole_end`` and ``cost_at_end`` say the
    same of the last iteration, for what follows the loop. ``writes`` says that these statements write into something.
    """

    layers: int | None
    update: tuple[str, ...]
    cost: Callable[[np.ndarray], Any]
    cost_function: tuple[Callable[..., Any], list[str]] | None
    whole: bool
    whole_end: bool
    cost_at_end: bool
    writes: bool

    @staticmethod
    def of(loop: Loop) -> Form:
        costs = loop.costs
        function = None if costs is None else (costs.function, order_of("compute_cost", costs.function))
        cost, update = cost_in_form(() if costs is None else costs.details), loop.update.details
        return Form(loop.step.layers, update, cost, function, loop.reads_step, loop.step_after, loop.cost_after, loop.writes)


class Training:
    """The iterations of a model's loop.

    Each `advance` is followed by the iterations in ``observed``, at which the model's other statements run beside ``cost``,
    then by those in ``plain``, which the loop's own code does, with the functions in ``own`` where these are known. Where the
    parameters are ``ahead`` of the loop's variables, these are to take them from ``parameters`` first.

    ``situation`` returns the loop's parameters, X, Y, learning rate, and variables that carry entries of the parameters.
    ``deciding`` and ``reads`` return what its conditions, and what its other statements read.

    The first iteration before a compiled one is plain, and compared with a compiled one of the same parameters. Where
    they differ, where the compiled training does not take the data, or where it comes to outputs of 0 or 1 or to parameters
    that are not finite, all that is left is plain: the user's own code decides what becomes of it.
    """

    limits: Callable[[Any], bool] = staticmethod(saturated)  # whether a descent has come to its limits

    def __init__(
        self,
        form: Form,
        bindings: Callees,
        steps: range,
        situation: Callable[[], tuple[Any, ...]],
        condition: Callable[[int], Any],
        deciding: Sequence[Callable[[], Any]],
        reads: Sequence[Callable[[], Any]],
    ) -> None:
        self.form, self.steps, self.last = form, steps, steps[:0]
        self.observed: Iterable[int] = ()
        self.plain: Sequence[int] = ()
        self.cost: Any = None
        self.ahead = False
        self.own: dict[str, Any] | None = None
        self._bindings, self._situation, self._condition = bindings, situation, condition
        self._deciding, self._reads = deciding, reads
        self._whole, self._trusted, self._mine = form.whole, False, len(steps) < 3
        self._done, self._length = 0, 1
        self._parameters: Any = None
        self._alike = False  # whether data has one dtype and is large: the fast functions may do what is compared
        self._descent: Direct | None = None
        self._units: list[int] = []
        self._known: list[Any] = []  # X, Y, the rate and what decides, as the descent knows them
        self._contents: list[int] = []
        self._tried: tuple[dict[str, np.ndarray], dict[str, np.ndarray], float] | None = None  # start, end, and cost
        if not all(is_constant(value) for value in self._decide()):
            self._mine = True

    def _decide(self) -> list[Any]:
        """What decides at which iterations other statements run, as far as it has values."""
        return [value for value in map(_value, self._deciding) if value is not _NOTHING]

    def advance(self) -> bool:
        """Train on; returns False when all iterations are done."""
        stale = bool(self.plain) or self._descent is None
        self.observed, self.plain = (), ()
        first = self._done
        if first >= len(self.steps):
            return False
        self.last = self.steps[:0]
        end = min(len(self.steps), first + self._length)
        wanted, end = self._wanted(end)
        stop = end
        if self._whole:
            stop = wanted[0] if wanted else end
        elif self.form.whole_end:
            stop = min(end, len(self.steps) - 1)
        if self._mine or end == first:
            self._leave()
        elif stop == first:  # what follows runs as it stands, up to where it need not
            stop += next((j for j, k in enumerate(wanted) if k != first + j), len(wanted)) or 1
            self.plain, self._done = self.steps[first:stop], stop
            self._length = max(self._length, LEAST_ITERATIONS)
        elif stale and not self._continue():
            self._leave()
        elif not self._trusted:
            self._try()
        elif self._whole:
            self._train(stop, [])
        else:  # the next slice begins with an iteration that is observed: those that lie equally far apart need one stretch
            self._train(wanted[-1] if len(wanted) > 1 and stop < len(self.steps) else stop, wanted)
        self._choose_own()
        return True

    def _choose_own(self) -> None:
        """Choose the functions that plain iterations call."""
        with_own = self.plain and (self._mine or self._tried is None or not self._alike)
        self.own = self._bindings.own() if with_own and self._bindings.unchanged() else None

    def _leave(self) -> None:
        """All that is left runs as it stands."""
        self.plain, self._done, self._mine = self.steps[self._done :], len(self.steps), True

    def _wanted(self, end: int) -> tuple[list[int], int]:
        """The iterations from here to `end` at which other statements run, with the last one where it counts; and the end,
        which is earlier where a condition fails: their own code meets the error."""
        found = []
        try:
            for i in filter(self._condition, self.steps[self._done : end]):
                found.append(self.steps.index(i))
        except Exception:
            return found, self._failing(end)
        counts = self.form.cost_at_end or (self._whole and self.form.whole_end)
        if counts and end == len(self.steps) and found[-1:] != [end - 1]:
            found.append(end - 1)
        return found, end

    def _failing(self, end: int) -> int:
        """The first iteration at which the condition fails."""
        for k in range(self._done, end):
            try:
                self._condition(self.steps[k])
            except Exception:
                return k
        return end

    def _continue(self) -> bool:
        """Let the compiled training continue from the loop's variables; returns False where it cannot."""
        try:
            parameters, X, Y, rate, entries = self._situation()
            said = np.geterr()  # what their own code would raise or print of rounding to 0 is not seen here
            if not self._bindings.unchanged() or said["under"] != "ignore" or not {*said.values()} <= {"ignore", "warn"}:
                return False
            if any(parameters.get(key) is not value for key, value in entries.items()):
                return False
            known = [X, Y, rate, *self._decide()]
            if self._descent is None:
                self._descent = self._begin(X, Y, parameters, rate)
                self._known, self._contents = known, [content(X), content(Y)] if self._whole else []
            else:
                same = len(known) == len(self._known) and all(map(_is_same, known, self._known))
                if not same or (self._whole and [content(X), content(Y)] != self._contents):
                    return False
                start = self._start(parameters, X)
                if start is None or [value.shape[0] for value in start.values()] != self._units:
                    return False
                if self._tried is not None:
                    if not self._agrees(parameters) or not self._cost_agrees(Y):
                        return False
                    self._tried, self._trusted = None, True
                else:
                    behind(X.nbytes, self._restart, start)
            self._parameters, self.ahead = parameters, False
            return self._descent is not None
        except Exception:  # whatever it is, their own loop meets it in its own way
            return False

    def _start(self, parameters: Any, X: Any) -> dict[str, np.ndarray] | None:
        """The parameters of a network of one dtype that the kernels take; None or an exception for all else."""
        if type(X) is not np.ndarray or type(parameters) is not dict:
            return None
        L = len(parameters) // 2
        sizes = [X.shape[0], *(parameters[f"W{l}"].shape[0] for l in range(1, L + 1))]
        start = arguments.parameters_of("parameters", parameters, sizes)
        dtype = np.result_type(X, *start.values())
        if len(start) != len(parameters) or dtype.char not in "fd" or sizes[-1] != 1 or self.form.layers not in (None, L):
            return None
        if any(type(value) is not np.ndarray or value.dtype != dtype for value in start.values()):
            return None
        if self._is_shared() and any(np.may_share_memory(value, X) for value in start.values()):
            return None
        return start

    def _is_shared(self) -> bool:
        """Whether the user's update writes into the arrays."""
        return "arrays" in self.form.update

    def _begin(self, X: Any, Y: Any, parameters: Any, rate: Any) -> Direct | None:
        """The descent; None or an exception where the loop has to run as it stands."""
        start = self._start(parameters, X)
        if start is None or type(Y) is not np.ndarray or not isinstance(rate, (int, float)) or isinstance(rate, bool):
            return None
        dtype = start["W1"].dtype
        if np.result_type(np.result_type(Y, 1), dtype) != dtype or np.result_type(start["W1"], rate) != dtype:
            return None
        sizes = [X.shape[0], *(value.shape[0] for key, value in start.items() if key[0] == "W")]
        X, Y = arguments.examples("X", X, sizes[0]), arguments.label_row(Y, X.shape)
        if not all(behind(values.nbytes, is_finite, values) for values in (X, Y)) or labels_outside(Y):
            return None
        changing = [*start.values(), X, Y] if self.form.writes else start.values() if self._is_shared() else []
        if not all(value is _NOTHING or is_apart(value, parameters, changing) for value in map(_value, self._reads)):
            self._whole = True
        self._alike = X.dtype == Y.dtype == dtype and X.size * sizes[1] > BLAS_OPERATIONS and self.form.layers is None
        X, Y = behind(X.nbytes, converted, X, Y, dtype)
        algorithm = choose_algorithm(sizes[0], sizes[1], X.shape[1], len(self.steps), dtype.itemsize, free_memory())
        kind = Gram if algorithm == "gram" else Direct
        descent = behind(sum(sizes) * max(sizes) * X.itemsize, kind, X, Y, sizes, start, arguments.real("learning_rate", rate))
        descent.load()
        self._units = [value.shape[0] for value in start.values()]
        return descent

    def _restart(self, start: dict[str, np.ndarray]) -> None:
        """Have the descent continue from the loop's variables."""
        assert self._descent is not None
        self._descent.restart(start)

    def _agrees(self, parameters: Any) -> bool:
        """Whether the loop's own iteration made what the compiled one did."""
        assert self._tried is not None
        return agrees(*self._tried[:2], parameters)

    def _cost_agrees(self, Y: np.ndarray) -> bool:
        if self._whole or self.form.cost_function is None:
            return True
        function, names = self.form.cost_function
        assert self._descent is not None
        return cost_agrees(function, names, self.form.cost, Y, self._descent.X.dtype)

    def _try(self) -> None:
        """Do one iteration compiled, and have it done by the loop's own code."""
        assert self._descent is not None
        start = {key: value.copy() for key, value in self._parameters.items()}
        try:
            made = self._compute(self._descent, tried, self._descent, self.limits)
        except Exception:
            made = None
        if made is None:
            self._leave()
            return
        self._tried = start, *made
        self.plain, self._done = self.steps[self._done : self._done + 1], self._done + 1
        self._length = LEAST_ITERATIONS

    def _train(self, stop: int, wanted: Sequence[int]) -> None:
        """Train up to an iteration; what comes to outputs of 0 or 1, or is not finite, is taken back."""
        descent, first, begun = self._descent, self._done, time.perf_counter()
        assert descent is not None

        def train() -> bool:
            costs = self._compute(
                descent, costs_of, descent, list(stretches(first, stop, [k for k in wanted if k < stop])), self.limits
            )
            if costs is None:
                return False
            self.observed = self._observe([(k, costs[k]) for k in wanted if k in costs])
            self._done, self.ahead, self.last = stop, True, self.steps[stop - 1 : stop]
            self._lengthen(stop - first, begun)
            return True

        if not self._done_or_taken_back(descent, train):
            self._leave()

    def _lengthen(self, done: int, begun: float) -> None:
        """The length of the next stretch, from one of so many iterations."""
        most = next_length(done, time.perf_counter() - begun, SLICE_SECONDS)
        self._length = max(LEAST_ITERATIONS, min(GROWTH * done, most))

    def _done_or_taken_back(self, descent: Any, train: Callable[[], bool]) -> bool:
        """Have a descent trained; where it fails, or returns that it was in vain, the arrays are as before."""
        before = {key: value.copy() for key, value in descent.arrays().items()}
        try:
            if train():
                return True
        except Exception:  # no memory, for example
            pass
        except BaseException:
            self._hand_over(descent)
            raise
        for key, value in descent.arrays().items():
            value[...] = before[key]
        return False

    def _hand_over(self, descent: Direct) -> None:
        """Put what an interrupt left where the user's update would have put it: others may hold the dict."""
        if "copy" not in self.form.update:
            descent.state[0], self.ahead = 0, True
            _ = self.parameters

    def _compute(self, descent: Any, work: Callable[..., Any], *args: Any) -> Any:
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
        assert self._descent is not None
        for k, cost in pairs:
            self.cost = self.form.cost(np.array(cost, self._descent.X.dtype))
            yield self.steps[k]

    @property
    def parameters(self) -> Any:
        """The parameters as they are now, where the user's update puts them."""
        if self.ahead:
            assert self._descent is not None
            new = do(self._descent.parameters)
            self._parameters, self.ahead = update_in_form(self._parameters, new, self.form.update), False
        return self._parameters


_NOTHING = object()


def _value(function: Callable[[], Any]) -> Any:
    """What a name stands for; `_NOTHING` where it has no value."""
    try:
        return function()
    except Exception:
        return _NOTHING


def _is_same(a: Any, b: Any) -> bool:
    return a is b or (is_constant(a) and type(a) is type(b) and bool(a == b))
