"""The table of timed calls: every public function, over the cases of ``fastbackprop.testing``."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fastbackprop
from fastbackprop import reference
from fastbackprop.testing import CASES, TIMED
from scripts.measuring.sides import rest
from scripts.measuring.timing import calls_lasting

IMPLEMENTATIONS = {"reference": reference, "fast": fastbackprop}
DTYPES = ("float64", "float32")
# Shorter calls are repeated until they last as long: the clock's steps and its own cost are small beside these seconds.
SAMPLE_SECONDS = 0.01


def families(cases=CASES, folder=Path(__file__).parent):
    """The functions of each family; LookupError where a public function has no benchmark."""
    found: dict[str, list[str]] = {}
    for name, case in cases.items():
        found.setdefault(case.family, []).append(name)
    missing = {name: family for family, names in found.items() for name in names if not _times(name, family, folder)}
    if missing:
        raise LookupError(f"public functions that no benchmark times, and the families of their cases: {missing}")
    return found


def _times(name, family, folder):
    """Whether the family's module times the function: all take theirs from the table but one, of one function."""
    return (folder / f"bench_{family}.py").is_file() and (family != "training" or name == "L_layer_model")


FAMILIES = families()


class Prepared:
    """Prepares a benchmark once, though asv sets up before every call, and repeats what is too short for the clock."""

    prepared: tuple[str, ...] = ()
    number = 0

    def setup(self, *parameters):
        if parameters == self.prepared:
            return
        self.prepare(*parameters)
        self.call()  # compiles, or loads what was compiled
        time.sleep(rest())  # NumPy's threads, which helped to make the arguments, still poll for work
        self.number = calls_lasting(self.call, SAMPLE_SECONDS)
        self.prepared = parameters

    def prepare(self, *parameters: Any, **options: Any) -> None:
        raise NotImplementedError

    def call(self, *parameters: Any) -> None:
        raise NotImplementedError


class Calls(Prepared):
    """Calls of a family's functions: subclasses define the parameters and the ``time_`` methods."""

    param_names = ("implementation", "function", "size", "dtype")

    def prepare(self, implementation, function, size, dtype):
        name, _, activation = function.partition("/")
        if size not in CASES[name].sizes:
            raise NotImplementedError(f"{name} is not timed at size {size}")
        self.function = getattr(IMPLEMENTATIONS[implementation], name)
        self.arguments = CASES[name].make(size, dtype, activation=activation or None)

    def call(self, *parameters):
        self.function(*self.arguments)


def parameters(family):
    """``params`` of a family: implementation x function x size x dtype; a function with an activation counts twice."""
    functions = [
        "/".join((name, activation)).rstrip("/") for name in FAMILIES[family] for activation in CASES[name].activations or ("",)
    ]
    return (tuple(IMPLEMENTATIONS), tuple(functions), TIMED, DTYPES)


def both_sides(cls: Any, method: str, parameters: tuple[str, ...]) -> dict[str, Callable[[], object]]:
    """The same call of both implementations; NotImplementedError where the benchmark lacks these parameters."""
    sides: dict[str, Callable[[], object]] = {}
    for implementation in IMPLEMENTATIONS:
        case = cls()
        case.setup(implementation, *parameters)
        sides[implementation] = partial(getattr(case, method), implementation, *parameters)
    return sides
