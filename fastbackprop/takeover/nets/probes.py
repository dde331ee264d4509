"""An iteration of a user's loop on small nets: its functions run as copies, on data that is made for it."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop.examination.sandbox import Copies, Endless, drawings
from fastbackprop.takeover.nets.parts import BATCH, COUNT, FIRST, L2, PARAMETERS, SECOND, M, Parts, X, Y
from fastbackprop.takeover.nets.reader import NetStep
from fastbackprop.takeover.nets.terms import parts as parts_of
from fastbackprop.takeover.terms import Term

SIZES = {1: (3,), 2: (3, 4), 3: (3, 4, 5), 4: (2, 3, 4, 3)}  # of the layers before the last, by the number of layers
UNITS = (3, 1)  # of the last layer
LARGE = 30
COUNTS = 1, 3, 1_017, 50_023, 7  # of steps: what depends on them in another way shows
NUMBERS = {"rate": 0.3, L2: 0.7, "momentum": 0.8, "beta1": 0.85, "beta2": 0.95, "epsilon": 1e-3}


class Failed(Exception):
    """An iteration that ended with an error, or did more than to compute; the message says what."""


@dataclass
class Probe:
    """A small net with its data, the state that an iteration begins with, and the numbers of the rule."""

    X: np.ndarray
    Y: np.ndarray
    parameters: dict[str, np.ndarray]
    averages: list[dict[str, np.ndarray]]
    count: int
    numbers: dict[str, float]


def probe(depth: int, units: int, m: int, seed: int, prefix: str) -> Probe:
    """A net of so many layers and output units. One Z of the first layer is 0, where slopes differ."""
    rng = np.random.default_rng([depth, units, m, seed])
    sizes = (*SIZES[depth], units)
    parameters = {}
    for l in range(1, depth + 1):
        parameters[f"W{l}"] = rng.standard_normal((sizes[l], sizes[l - 1])) * 0.8
        parameters[f"b{l}"] = rng.standard_normal((sizes[l], 1)) * 0.3
    parameters["b1"][0] = 0
    data = rng.standard_normal((sizes[0], m))
    if seed < 4:
        data[:, 0] = 0
    if seed == 1:  # large weights, such as a limit of their norm would change
        data, parameters["W1"] = data / LARGE, parameters["W1"] * LARGE
    if units == 1:
        labels = (np.arange(m) % 2)[np.newaxis].astype(float)
    else:
        labels = np.eye(units)[:, (np.arange(m) + seed) % units]
    first = {prefix + key: rng.standard_normal(value.shape) for key, value in parameters.items()}
    second = {prefix + key: rng.random(value.shape) + 0.1 for key, value in parameters.items()}
    numbers = {kind: value * (1 - 0.04 * seed) for kind, value in NUMBERS.items()}
    return Probe(data, labels, parameters, [first, second], COUNTS[seed], numbers)


class Iteration:
    """What an iteration makes of a probe."""

    def __init__(self, step: NetStep, copies: Copies, functions: Mapping[str, Any], variable: str) -> None:
        self.step, self.copies, self.functions, self.variable = step, copies, functions, variable

    def counts(self) -> bool:
        """Whether it takes the number of the iteration."""
        return any(part == ("carried", self.variable) for term in self.step.terms for part in parts_of(term))

    def run(self, probe: Probe, parts: Parts, AL: np.ndarray | None = None) -> dict[str, Any]:
        """The new state by roles, and the "cost"; with AL that alone, as it is for these outputs. Raises Failed."""
        given = copy.deepcopy(probe)
        values: dict[Term, Any] = {("carried", self.variable): given.count, BATCH: (given.X, given.Y)}
        by_kind = {X: given.X, Y: given.Y, M: given.X.shape[1], **given.numbers}
        values |= {leaf: by_kind[kind] for leaf, kind in parts.kinds.items()} | parts.fixed
        by_role = {PARAMETERS: given.parameters, FIRST: given.averages[0], SECOND: given.averages[1], COUNT: given.count}
        values |= {("carried", name): by_role[role] for name, role in parts.roles.items()}
        random, drawn = np.random.get_state(), drawings()
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            try:
                found = self._found(values, parts, given, AL)
            except Exception as error:
                raise Failed(f"{type(error).__name__}: {error}") from None
            except Endless as error:
                raise Failed(str(error)) from None
        if printed.getvalue() or drawings() > drawn:
            raise Failed("it prints or draws")
        if any(np.any(a != b) for a, b in zip(random, np.random.get_state(), strict=True)):
            raise Failed("it draws random numbers")
        if not (np.array_equal(given.X, probe.X) and np.array_equal(given.Y, probe.Y)):
            raise Failed("it writes to X or Y")
        return found

    def _found(self, values: dict[Term, Any], parts: Parts, given: Probe, AL: np.ndarray | None) -> dict[str, Any]:
        for term in self.step.terms:  # in the order of their statements: an update may change what it is passed
            if AL is not None and term == self.step.cost:
                values["outputs",] = AL
                return {"cost": self.value(self._of_outputs(term, values, given), values)}
            self.value(term, values)
        found = {role: self.value(self.step.state[name], values) for name, role in parts.roles.items()}
        return found if self.step.cost is None else found | {"cost": self.value(self.step.cost, values)}

    def _of_outputs(self, term: Term, values: dict[Term, Any], given: Probe) -> Term:
        """The term of the cost with other outputs in the place of AL."""
        if term[0] == "call":
            passed = [self.value(argument, values) for argument in term[3:]]
            is_output = [type(x) is np.ndarray and x.shape == given.Y.shape and x is not given.Y for x in passed]
            return *term[:3], *(("outputs",) if is_it else part for part, is_it in zip(term[3:], is_output, strict=True))
        if term[0] == "negative" or term[0] in _ARITHMETIC:
            return term[0], *(self._of_outputs(part, values, given) for part in term[1:])
        return term

    def value(self, term: Term, values: dict[Term, Any]) -> Any:
        """The value of a term, of the values of its parts."""
        if term not in values:
            values[term] = self._computed(term, values)
        return values[term]

    def _computed(self, term: Term, values: dict[Term, Any]) -> Any:
        kind = term[0]
        if kind == "call":
            arguments = [self.value(argument, values) for argument in term[3:]]
            function, names = self.functions[term[1]], term[2]
            return self.copies.run(lambda: function(**dict(zip(names, arguments, strict=True))))
        if kind in ("constant", "number"):
            return term[2]
        if kind == "item":
            return self.value(term[1], values)[self.value(term[2], values)]
        if kind == "attribute":
            return getattr(self.value(term[1], values), term[2])
        if kind == "after":
            self.value(term[1], values)
            return self.value(term[2], values)
        if kind == "tuple":
            return tuple(self.value(part, values) for part in term[1:])
        if kind == "dict":
            return {}
        if kind == "entry":
            return {**self.value(term[1], values), term[2]: self.value(term[3], values)}
        if kind == "negative":
            return -self.value(term[1], values)
        if kind in _ARITHMETIC:
            return _ARITHMETIC[kind](*(self.value(part, values) for part in term[1:]))
        raise Failed(f"what {term[1] if len(term) > 1 else kind} is is not known")


_ARITHMETIC: dict[str, Any] = {
    "add": lambda a, b: a + b, "multiply": lambda a, b: a * b, "divide": lambda a, b: a / b,
}  # fmt: skip
