"""One fault against the tests that cover it."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from scripts.mutation.coverage import Coverage
from scripts.mutation.faults import Fault
from scripts.mutation.workplace import Run, Workplace

# Limits of a test, and of all: processors may be shared, and a first compiled test compiles.
PLAIN_LIMIT, PLAIN_TIMEOUT = 60.0, 300.0
COMPILED_LIMIT, COMPILED_TIMEOUT = 240.0, 1800.0
PASSED, NO_TESTS = 0, 5  # pytest's exit status


class Result(NamedTuple):
    """CAUGHT, SURVIVED, or HALFWAY: plain tests passed, compiled ones are to come; by which test, or of what; seconds."""

    status: str
    by: str
    seconds: float


CAUGHT, SURVIVED, HALFWAY = "caught", "survived", "halfway"


class Trial:
    """Runs faults in one copy of the project."""

    def __init__(self, workplace: Workplace, coverage: Coverage) -> None:
        self.workplace, self.coverage = workplace, coverage

    def plain(self, fault: Fault) -> Result:
        """Run a fault against quick tests, with NUMBA_DISABLE_JIT=1."""
        tests = self.coverage.plain_tests(fault)
        return self._of(fault, tests, HALFWAY, plain=True, limit=PLAIN_LIMIT, timeout=PLAIN_TIMEOUT)

    def compiled(self, fault: Fault) -> Result:
        """Run a fault against all tests that reach it."""
        tests = self.coverage.compiled_tests(fault)
        return self._of(fault, tests, SURVIVED, plain=False, limit=COMPILED_LIMIT, timeout=COMPILED_TIMEOUT)

    def _of(self, fault: Fault, tests: list[str], otherwise: str, *, plain: bool, limit: float, timeout: float) -> Result:
        begun = time.monotonic()
        if tests:
            with self.workplace.planted(fault):
                run = self.workplace.pytest(tests, plain=plain, limit=limit, timeout=timeout)
            if run.status == NO_TESTS:
                raise RuntimeError(f"pytest ran none of {tests}: {run.output}")
            if run.status != PASSED:
                return Result(CAUGHT, f"{'plain' if plain else 'compiled'}: {_by(run)}", time.monotonic() - begun)
        return Result(otherwise, f"{len(tests)} tests", time.monotonic() - begun)


def failures(run: Run) -> list[str]:
    """The tests that failed."""
    return [name.split(" - ")[0] for name in re.findall(r"^(?:FAILED|ERROR) (.*)$", run.output, re.M)]


def _by(run: Run) -> str:
    """The end of a run: the test that failed, an error, a hang, a crash."""
    if run.status is None:
        return "timeout"
    if failures(run):
        return failures(run)[0]
    if "Timeout (" in run.output:
        return "a test that hangs"
    return f"exit status {run.status}"
