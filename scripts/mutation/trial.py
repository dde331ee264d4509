"""One fault against the tests that cover it."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

from mutation.coverage import Coverage
from mutation.faults import Fault
from mutation.workplace import Run, Workplace

# Of a test, and of all: processors may be shared, and a first compiled test compiles.
PLAIN_LIMIT, PLAIN_TIMEOUT = 60.0, 300.0
COMPILED_LIMIT, COMPILED_TIMEOUT = 240.0, 1800.0
PASSED, FAILED, NO_TESTS = 0, 1, 5  # what pytest's exit status says


class Result(NamedTuple):
    """ "caught" or "survived"; by which test, or of what; seconds."""

    status: str
    by: str
    seconds: float


class Trial:
    """Runs faults in one copy of the project."""

    def __init__(self, workplace: Workplace, coverage: Coverage) -> None:
        self.workplace, self.coverage = workplace, coverage

    def of(self, fault: Fault) -> Result:
        begun = time.monotonic()
        ran = 0
        with self.workplace.planted(fault):
            for plain, tests in ((True, self.coverage.plain_tests(fault)), (False, self.coverage.compiled_tests(fault))):
                if not tests:
                    continue
                ran += len(tests)
                run = self.workplace.pytest(
                    tests,
                    plain=plain,
                    limit=PLAIN_LIMIT if plain else COMPILED_LIMIT,
                    timeout=PLAIN_TIMEOUT if plain else COMPILED_TIMEOUT,
                )
                if run.status == NO_TESTS:
                    raise RuntimeError(f"pytest ran none of {tests}: {run.output}")
                if run.status != PASSED:
                    return Result("caught", f"{'plain' if plain else 'compiled'}: {_by(run)}", time.monotonic() - begun)
        return Result("survived", f"{ran} tests", time.monotonic() - begun)


def failures(run: Run) -> list[str]:
    """The tests that failed."""
    return [name.split(" - ")[0] for name in re.findall(r"^(?:FAILED|ERROR) (.*)$", run.output, re.M)]


def _by(run: Run) -> str:
    """What ended a run: the test that failed, an error, a hang, a crash."""
    if run.status is None:
        return "timeout"
    if failures(run):
        return failures(run)[0]
    if "Timeout (" in run.output:
        return "a test that hangs"
    return f"exit status {run.status}"
