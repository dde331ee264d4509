"""The equivalence suite's core on the user's machine: the fast functions against the reference, within their bounds.

``python -m fastbackprop verify`` prints it. ``testing.py`` alone defines the cases, and how far two correct results may lie
apart.
"""

from __future__ import annotations

import contextlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop import reference
from fastbackprop.machine import facts
from fastbackprop.testing import (
    CASES,
    LAYOUTS,
    SIZES,
    Size,
    assert_same_bits,
    assert_same_form,
    assert_within_bound,
    map_arrays,
    training_bound,
    training_problem,
    worst_fraction,
)

DTYPES = ("float32", "float64")
SIZES_IN_ALL_LAYOUTS = (SIZES["one"], Size((3, 4, 1), 5), Size((31, 18, 11, 1), 53), SIZES["planar"])
SIZES_IN_C_ORDER = (SIZES["table"],)
SHARED_SIZE = SIZES["digits"]  # large enough that helpers take part: computed by one thread and by two
TRAININGS = {  # algorithm: sizes and iterations; the last one is large enough for helpers
    "direct": ((SIZES["planar"], 2000), (Size((9, 50, 1), 7), 500), (SIZES["digits"], 20)),
    "gram": ((SIZES["planar"], 500), (Size((300, 20, 7, 1), 31), 500), (SIZES["pictures"], 30)),
}


@dataclass(frozen=True)
class Result:
    """How one public function (or one algorithm of the training) did.

    ``worst`` is the largest error as a fraction of its bound, ``by_reference`` the number of cases that the reference
    answered instead of a kernel, ``faults`` are those of the first cases that failed.
    """

    name: str
    cases: int
    worst: float
    by_reference: int
    faults: tuple[str, ...]

    def line(self) -> str:
        served = f"reference: {self.by_reference}" if self.by_reference else "kernels"
        return f"{self.name:<28} {self.cases:>5}   {self.worst:>11.2g}   {served:<15} {'FAILS' if self.faults else 'same'}"


HEADER = f"{'function':<28} {'cases':>5}   {'error/bound':>11}   {'answered by':<15} verdict"


def run_verification(write: Callable[[str], Any] = print) -> int:
    """Check everything and write a table; returns the exit code: 0, or 1 when something fails."""
    begun = time.perf_counter()
    write("comparing every function with the reference; kernels that are not on disk yet compile first, which takes a minute")
    write(HEADER)
    results = []
    for result in verify():
        write(result.line())
        results.append(result)
    for line in facts():
        write(line)
    failed = [result for result in results if result.faults]
    for result in failed:
        for fault in result.faults:
            write(f"{result.name}: {fault}")
    if failed:
        write(f"FAILED: {failed[0].name} is wrong on this machine")
        if failed[1:]:
            write(f"also out of bounds, perhaps because of it: {', '.join(result.name for result in failed[1:])}")
        return 1
    write(f"all {len(results)} are the reference's within their bounds ({time.perf_counter() - begun:.0f} s)")
    return 0


def verify() -> Iterator[Result]:
    """The result of every public function, callees before callers, then of whole trainings by each algorithm."""
    for name in CASES:
        with _Checks(name) as checks:
            for activation in CASES[name].activations or (None,):
                for dtype in DTYPES:
                    for layout in LAYOUTS:
                        for size in SIZES_IN_ALL_LAYOUTS:
                            checks.call(size, dtype, layout, activation)
                    for size in SIZES_IN_C_ORDER:
                        checks.call(size, dtype, "C", activation)
                    checks.call(SHARED_SIZE, dtype, "C", activation, shared=True)
        yield checks.result()
    for algorithm, trainings in TRAININGS.items():
        with _Checks("L_layer_model", f"training, {algorithm}") as checks:
            for size, iterations in trainings:
                checks.training(size, iterations, algorithm, shared=size is trainings[-1][0])
        yield checks.result()


class _Checks(contextlib.ExitStack):
    """The cases of one public function. Afterwards warnings, NumPy's random state and the log are as they were."""

    def __init__(self, name: str, title: str | None = None) -> None:
        super().__init__()
        self.name, self.title = name, title or name
        self.cases, self.by_reference, self.worst = 0, 0, 0.0
        self.faults: list[str] = []

    def __enter__(self) -> _Checks:
        super().__enter__()
        self.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # the formulas overflow and divide by zero as NumPy does, with its warnings
        self.enter_context(np.errstate(all="ignore"))
        self.callback(np.random.set_state, np.random.get_state())
        self.log = self.enter_context(_listening())
        return self

    def result(self) -> Result:
        return Result(self.title, self.cases, self.worst, self.by_reference, tuple(self.faults[:3]))

    def call(self, size: Size, dtype: str, layout: str, activation: str | None, shared: bool = False) -> None:
        def make() -> tuple:
            return CASES[self.name].make(size, dtype, layout, activation=activation)

        self._compare(
            f"{list(size.layers)}, m = {size.m}, {dtype}, {layout}" + (f", {activation}" if activation else ""),
            make,
            lambda function: lambda *args: function(*args),
            lambda expected: CASES[self.name].bound(*_native(make())),
            shared,
        )

    def training(self, size: Size, iterations: int, algorithm: str, shared: bool) -> None:
        def caller(function: Callable[..., Any]) -> Callable[..., Any]:
            options = {} if function is reference.L_layer_model else {"algorithm": algorithm}
            return lambda X, Y, start: function(
                X, Y, list(size.layers), 0.05, iterations, parameters=start, return_costs=True, **options
            )

        self._compare(
            f"{list(size.layers)}, m = {size.m}, {iterations} iterations",
            lambda: training_problem(size),
            caller,
            lambda expected: training_bound(*expected),
            shared,
        )

    def _compare(
        self,
        what: str,
        make: Callable[[], tuple],
        caller: Callable[[Callable[..., Any]], Callable[..., Any]],
        bound: Callable[[Any], Any],
        shared: bool,
    ) -> None:
        """Check one case: numbers, form, unchanged arguments, and where it is shared the same bits from one thread and two."""
        self.cases += 1
        args = make()
        passed: list[np.ndarray] = []
        map_arrays(passed.append, args)
        before = [x.tobytes() for x in passed]
        expected = _seeded(caller(getattr(reference, self.name)), make())
        self.log.clear()
        fast = caller(getattr(fastbackprop, self.name))
        try:
            if shared:
                with fastbackprop.num_threads(1):
                    alone = _seeded(fast, make())
                with fastbackprop.num_threads(2):
                    actual = _seeded(fast, args)
                assert_same_bits(actual, alone)
            else:
                actual = _seeded(fast, args)
            limit = bound(expected)
            assert_same_form(actual, expected)
            self.worst = max(self.worst, worst_fraction(actual, expected, limit))
            assert_within_bound(actual, expected, limit)
            if [x.tobytes() for x in passed] != before:
                raise AssertionError("an argument was written to")
        except Exception as error:  # any consequence of a broken kernel is this function's fault
            reason = str(error) if isinstance(error, AssertionError) else f"raises {type(error).__name__}: {error}"
            self.faults.append(f"{what}: {reason}")
        self.by_reference += bool(self.log)


def _seeded(function: Callable[..., Any], args: tuple) -> Any:
    np.random.seed(1)
    return function(*args)


def _native(tree: Any) -> Any:
    """The same numbers in C order and native bytes, as the bounds compute with them."""
    return map_arrays(lambda x: np.array(x, x.dtype.newbyteorder("="), order="C"), tree)


@contextlib.contextmanager
def _listening() -> Iterator[list[str]]:
    """The fast functions' log messages that the reference answers, as they come."""
    messages: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.DEBUG and "reference" in record.getMessage():
                messages.append(record.getMessage())

    logger, handler = logging.getLogger("fastbackprop"), Handler(logging.DEBUG)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
