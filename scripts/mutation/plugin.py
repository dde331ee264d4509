"""A pytest plugin of `scripts/mutate`: runs chosen tests in a chosen order, with a time limit, and records what they reach.

The environment variable MUTATION_PLAN names a JSON file: `limit`, the seconds of a test; `order`, the tests to run, where
a file stands for those of its tests that are not named; `record`, a file to write to, or nothing; `package`, the folder whose
functions are of interest.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import Phase, settings

PLAN: dict[str, Any] = json.loads(Path(os.environ["MUTATION_PLAN"]).read_text())
RECORD: dict[str, dict[str, Any]] = {}
LATE: dict[str, list[str]] = {}
ERRORS = os.dup(2)  # before pytest captures it


class Late(BaseException):
    """A test that is recorded takes too long."""


def _late(number: int, frame: FrameType | None) -> None:
    raise Late


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Do not shrink failing examples, which takes minutes."""
    phases = Phase.explicit, Phase.generate
    settings.register_profile("mutation", parent=settings.get_profile("ci"), phases=phases, database=None)
    settings.load_profile("mutation")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    place = {name: i for i, name in enumerate(PLAN["order"])}
    places = [place.get(item.nodeid, place.get(item.nodeid.partition("::")[0])) for item in items]
    chosen = [(at, i) for i, at in enumerate(places) if at is not None]
    items[:] = [items[i] for _, i in sorted(chosen)]


def _family(item: pytest.Item) -> str:
    """A test without its parameters."""
    return item.nodeid.partition("[")[0]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the others of a family of which two were late: they are taken to be late too, and to reach the same."""
    late = LATE.get(_family(item), [])
    if PLAN["record"] and len(late) == 2:
        RECORD[item.nodeid] = RECORD[late[0]]
        pytest.skip("late")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    if not PLAN["record"]:
        faulthandler.dump_traceback_later(PLAN["limit"], exit=True, file=ERRORS)
        yield
        faulthandler.cancel_dump_traceback_later()
        return
    codes: set[CodeType] = set()

    def watch(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            codes.add(frame.f_code)

    # The limit counts the processor's time, which others may be using; a test that only waits ends too.
    for number, timer, seconds in ((signal.SIGPROF, signal.ITIMER_PROF, 1), (signal.SIGALRM, signal.ITIMER_REAL, 20)):
        signal.signal(number, _late)
        signal.setitimer(timer, seconds * PLAN["limit"])
    begun = time.process_time()
    threading.setprofile(watch)
    sys.setprofile(watch)
    outcome = yield
    sys.setprofile(None)
    threading.setprofile(None)
    for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
        signal.setitimer(timer, 0)
    if outcome.excinfo is not None and outcome.excinfo[0] is Late:
        LATE.setdefault(_family(item), []).append(item.nodeid)
    package = PLAN["package"] + os.sep
    RECORD[item.nodeid] = {
        "seconds": round(time.process_time() - begun, 3),
        "passed": outcome.excinfo is None,
        "reached": sorted(
            f"{os.path.relpath(code.co_filename, os.path.dirname(PLAN['package']))}:{code.co_firstlineno}"
            for code in codes
            if code.co_filename.startswith(package)
        ),
    }


def pytest_sessionfinish(session: pytest.Session) -> None:
    if PLAN["record"]:
        Path(PLAN["record"]).write_text(json.dumps(RECORD))
