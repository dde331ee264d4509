"""The iterations of a loop that trains any net: compiled as those of `Training` are, with the variables that it carries on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop import arguments
from fastbackprop.activations import SQUARED
from fastbackprop.doubtful import labels_outside
from fastbackprop.kernels.tasks import do
from fastbackprop.slices import behind, converted, is_finite
from fastbackprop.takeover.adapters import cost_in_form, update_in_form
from fastbackprop.takeover.callees import Callees
from fastbackprop.takeover.nets.draws import Seeded
from fastbackprop.takeover.nets.engines import FullBatch, Kind, at_limits, engine
from fastbackprop.takeover.nets.likeness import Likeness
from fastbackprop.takeover.nets.parts import COUNT, FIRST, L2, PARAMETERS, SECOND, M, X, Y
from fastbackprop.takeover.nets.reader import NetLoop
from fastbackprop.takeover.observers import is_apart, is_constant
from fastbackprop.takeover.terms import Term
from fastbackprop.takeover.training import Form, Training

_AVERAGES = FIRST, SECOND
_CLOSE = 1e-7  # of the largest entry of an average: rounding stays far below it
Values = Sequence[Callable[[], Any]]


@dataclass(frozen=True)
class Course:
    """What a loop trains along one way through it. ``observed`` says that its other statements may run with the known cost."""

    loop: NetLoop
    likeness: Likeness
    observed: bool
    callees: Callees
    data: tuple[Term, Term] | None = None  # X and Y of which batches are drawn
    seeded: Seeded | None = None

    @property
    def form(self) -> Form:
        """What it asks of its training, before the net is known."""
        whole = self.loop.reads_step or not self.observed
        return Form(None, (), cost_in_form(()), None, whole, self.loop.step_after, self.loop.cost_after, self.loop.writes)


class NetTraining(Training):
    """The iterations of a loop.

    ``tests`` decide which of the ``courses`` the loop takes. ``state`` returns by name the variables that it carries on,
    ``leaves`` what it takes from outside, in the order of ``terms``, and ``costs`` by name the variables that may hold the
    cost. The others are those of `Training`, one for each course.
    """

    limits = staticmethod(at_limits)

    def __init__(
        self,
        courses: Sequence[Course],
        terms: Sequence[Term],
        steps: range,
        tests: Values,
        state: Mapping[str, Callable[[], Any]],
        leaves: Values,
        costs: Mapping[str, Callable[[], Any]],
        conditions: Sequence[Callable[[int], Any]],
        deciding: Sequence[Values],
        reads: Sequence[Values],
    ) -> None:
        number = next((i for i, test in enumerate(tests) if _holds(test)), None)
        course = courses[number or 0]
        self.course, self.values = course, dict[str, Any]()
        self._like, self._parts = course.likeness, course.likeness.parts
        data = course.data or (self._parts.leaf(X), self._parts.leaf(Y))
        self._X, self._Y = data[0] or ("",), data[1] or ("",)
        taken = {self._X, self._Y, *self._parts.kinds, *self._parts.fixed}
        self._leaves = {term: leaf for term, leaf in zip(terms, leaves, strict=True) if term in taken}
        self._variables, self._costs = state, costs
        self._test = tests[number or 0]
        self._now: dict[str, Any] = {}  # the variables by role
        self._forms: dict[str, set[str]] = {}
        self._count = self._count_at = 0
        at = number or 0
        super().__init__(course.form, course.callees, steps, self._look, conditions[at], deciding[at], reads[at])
        if number is None or not (self._counts() or steps.step == 1):
            self._mine = True

    def _counts(self) -> bool:
        """Whether the rule takes no number of the step, or has a variable for it."""
        return not self._like.update.counts or COUNT in self._parts.roles.values()

    def _look(self) -> tuple[Any, ...]:
        """The situation, as `Training` asks for it."""
        self._now = {role: self._variables[name]() for name, role in self._parts.roles.items()}
        leaf = self._parts.leaf("rate") or ("",)
        rate = 1.0 if leaf[0] == "outer" else self._leaves[leaf]()  # that of an epoch is known when its batches are drawn
        return self._now[PARAMETERS], self._leaves[self._X](), self._leaves[self._Y](), rate, {}

    def _decide(self) -> list[Any]:
        """What decides at which iterations other statements run, and the numbers of the rule."""
        data = {self._X, self._Y}
        decided = [*super()._decide(), _holds(self._test)]
        return [*decided, *(leaf() for term, leaf in self._leaves.items() if term not in data and term[0] != "outer")]

    def _is_shared(self) -> bool:
        return True

    def _start(self, parameters: Any, X: Any) -> dict[str, np.ndarray] | None:
        if type(X) is not np.ndarray or type(parameters) is not dict or X.ndim != 2:
            return None
        L = len(parameters) // 2
        sizes = [X.shape[0], *(parameters[f"W{l}"].shape[0] for l in range(1, L + 1))]
        if Likeness.key(L, sizes[-1]) not in self._like.nets:
            return None
        start = arguments.parameters_of("parameters", parameters, sizes)
        if len(start) != len(parameters) or X.dtype.kind not in "biuf" or X.dtype.itemsize > np.dtype(float).itemsize:
            return None
        if any(type(value) is not np.ndarray or value.dtype != float for value in start.values()):
            return None
        return None if any(np.may_share_memory(value, X) for value in start.values()) else start

    def _begin(self, X: Any, Y: Any, parameters: Any, rate: Any) -> Any:
        start = self._start(parameters, X)
        if start is None or type(Y) is not np.ndarray or Y.ndim != 2 or Y.dtype.kind not in "biuf":
            return None
        values = {term: rate if term[0] == "outer" else leaf() for term, leaf in self._leaves.items()}
        if not all(_is_equal(values[term], value) for term, value in self._parts.fixed.items()):
            return None
        sizes = [X.shape[0], *(value.shape[0] for key, value in start.items() if key[0] == "W")]
        X = arguments.examples("X", X, sizes[0])
        if Y.shape != (sizes[-1], X.shape[1]) or not all(behind(one.nbytes, is_finite, one) for one in (X, Y)):
            return None
        key = Likeness.key(len(sizes) - 1, sizes[-1])
        net, cost = self._like.nets[key], self._like.costs[key]
        if net[1] is not SQUARED and labels_outside(Y):
            return None
        numbers = {kind: arguments.real(kind, value) for kind, value in self._like.numbers(values).items()}
        count = self._parts.leaf(M)
        if not numbers["rate"] > 0 or (l2 := numbers.get(L2, 0.0)) < 0 or (count is not None and values[count] != X.shape[1]):
            return None
        if cost is None and self.course.observed:
            self._whole = True
        else:
            self.form = dataclasses.replace(self.form, cost=cost_in_form(cost or ()))
        changing = [*start.values(), X, Y]
        if not all(is_apart(value, parameters, changing) for value in self._read()):
            self._whole = True
        X, Y = behind(X.nbytes, converted, X, Y, np.dtype(float))
        optimizer = self._like.update.optimizer(numbers)
        self._rate, by_batches = numbers["rate"], self.course.data is not None
        if by_batches:
            self.examples = self.labels = np.arange(X.shape[1])[np.newaxis]
        kind = Kind(*net, optimizer, l2, self._like.update.corrected)
        descent = engine(X, Y, sizes, start, kind, len(self.steps), by_batches)
        descent.load()
        self._units = [value.shape[0] for value in start.values()]
        self._factors = self._like.update.factors(numbers)
        self._put_averages(descent)
        return descent

    def _read(self) -> list[Any]:
        found = []
        for read in self._reads:
            try:
                found.append(read())
            except Exception:  # no value yet
                continue
        return found

    def _averages(self) -> list[dict[str, np.ndarray]]:
        """The averages of gradients, by the keys of the parameters."""
        prefix, found = self._like.prefix, []
        for role in _AVERAGES[: self._like.update.averages]:
            average, parameters = self._now[role], self._now[PARAMETERS]
            if type(average) is not dict or average.keys() != {prefix + key for key in parameters}:
                raise ValueError(role)
            for key, value in average.items():
                like = parameters[key[len(prefix) :]]
                if type(value) is not np.ndarray or (value.shape, value.dtype) != (like.shape, like.dtype):
                    raise ValueError(key)
            found.append({key: average[prefix + key] for key in parameters})
        return found

    def _put_averages(self, descent: Any) -> None:
        """Have the descent continue from the averages, and from the number of the step."""
        for factor, average, moment in zip(self._factors, self._averages(), _moments(descent), strict=True):
            for key, value in moment.items():
                np.multiply(average[key], factor, out=value)
        if self._like.update.counts:
            count = self._now[COUNT] if COUNT in self._now else self.steps[self._done]
            if type(count) is not int:
                raise ValueError(COUNT)
            self._count = count
            descent.engine.t = count + self._like.shift - 1
        elif COUNT in self._now:
            self._count = self._now[COUNT]
        self._count_at = _number(descent)

    def _restart(self, start: dict[str, np.ndarray]) -> None:
        super()._restart(start)
        self._put_averages(self._descent)

    def _note_before(self) -> None:
        """Note which objects the variables are before the loop's own iteration."""
        self._before = {role: (value, dict(value)) for role, value in self._now.items() if type(value) is dict}

    def _try(self) -> None:
        self._note_before()
        super()._try()

    def _agrees(self, parameters: Any) -> bool:
        if not super()._agrees(parameters):
            return False
        descent: Any = self._descent
        for factor, average, moment in zip(self._factors, self._averages(), _moments(descent), strict=True):
            for key, value in moment.items():
                if not np.max(np.abs(average[key] * factor - value)) <= _CLOSE * np.max(np.abs(value)):
                    return False
        for role, (whole, arrays) in self._before.items():
            now = self._now[role]
            kept = {now[key] is value for key, value in arrays.items()}
            if len(kept) != 1:
                return False
            self._forms[role] = {"arrays"} if kept.pop() else set()
            self._forms[role] |= set() if now is whole else {"copy"}
        behind(descent.X.nbytes, self._restart, self._start(parameters, descent.X))
        return True

    def _cost_agrees(self, Y: np.ndarray) -> bool:
        if self._whole or self.course.loop.cost_name not in self._costs:
            return True
        assert self._tried is not None
        theirs, ours = self._costs[self.course.loop.cost_name](), self.form.cost(np.array(self._tried[2]))
        alike = type(theirs) is type(ours) and np.shape(theirs) == np.shape(ours)
        return alike and bool(np.allclose(theirs, ours, rtol=1e-9, atol=1e-12))

    def _hand_over(self, descent: Any) -> None:
        descent.state[0], self.ahead = 0, True
        self.hand_over()

    def hand_over(self) -> None:
        """Put the variables as they are now into ``values``, by name, where the user's update puts them."""
        descent: Any = self._descent
        made = {PARAMETERS: do(descent.parameters)}
        for role, factor, moment in zip(_AVERAGES, self._factors, _moments(descent), strict=False):
            made[role] = {self._like.prefix + key: value / factor for key, value in moment.items()}
        self._now |= {role: update_in_form(self._now[role], new, self._forms[role]) for role, new in made.items()}
        if COUNT in self._now:
            self._now[COUNT] = self._count + _number(descent) - self._count_at
        self.values, self.ahead = {name: self._now[role] for name, role in self._parts.roles.items()}, False


def _number(descent: Any) -> int:
    """The number of steps that are done, from any beginning."""
    return descent.engine.t if isinstance(descent, FullBatch) else descent.done


def _moments(descent: Any) -> list[dict[str, np.ndarray]]:
    return descent.moments() if hasattr(descent, "moments") else []


def _holds(test: Callable[[], Any]) -> bool:
    try:
        return bool(test())
    except Exception:  # their own code meets it
        return False


def _is_equal(a: Any, b: Any) -> bool:
    return is_constant(a) and type(a) is type(b) and bool(a == b)
