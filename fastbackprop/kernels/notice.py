"""One line, once a process, for whoever waits while kernels compile: without it a first call seems to hang.

What compiles calls `began` within the context of `notice`; a thread that waits calls `look` now and then.
"""

import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from fastbackprop.kernels.tasks import do

logger = logging.getLogger("fastbackprop")

SECONDS = 1.0  # of compiling, in all, that pass in silence
QUIET = "FASTBACKPROP_QUIET"  # the setting that keeps the line off a terminal and out of a notebook
ONCE = "fastbackprop compiles its kernels for this processor, once; `python -m fastbackprop warmup` does it ahead"
EACH_TIME = "fastbackprop compiles its kernels for this processor, in each process: there is no disk cache to keep them in"


class Notice:
    """How long this process has compiled, and whether it has said so. It is the context in which one function is compiled."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.compiled = 0  # functions, those that failed too
        self._spent = 0.0  # seconds, but for those of what is compiled now
        self._since: float | None = None
        self._line = ONCE
        self._unsaid = [True]  # the one of several threads that pops it says the line

    def began(self, kept: bool) -> None:
        """From now on a function is compiled; `kept` is whether there is a disk cache."""
        self.compiled += 1
        self._line = ONCE if kept else EACH_TIME
        self._since = self.clock()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        """From now on nothing is compiled, whether or not anything was."""
        since, self._since = self._since, None
        if since is not None:
            self._spent += self.clock() - since

    def look(self) -> None:
        """Say the line where it is time; loading from the disk cache does not count."""
        spent, since = self._spent, self._since  # in this order nothing counts twice
        if since is None or not self._unsaid or spent + self.clock() - since <= SECONDS:
            return
        try:
            self._unsaid.pop()
        except IndexError:  # another thread was faster
            return
        do(say, self._line)  # in a thread: what a signal handler raises here is not mistaken for a failure of stderr


def say(line: str) -> None:
    """Log the line, and write it to stderr where a person reads that and did not ask for quiet."""
    logger.info(line)
    if os.environ.get(QUIET, "").strip() not in ("", "0"):
        return
    try:
        if sys.stderr.isatty() or _in_notebook():
            print(line, file=sys.stderr, flush=True)
    except Exception:  # no stderr, a closed one, a stand-in that fails: no reason for a call to fail
        pass


def _in_notebook() -> bool:
    """Whether an IPython kernel runs: its stderr is no terminal, and shows in the notebook."""
    get_shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_shell is not None and getattr(get_shell(), "kernel", None) is not None


notice = Notice()
