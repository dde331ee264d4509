"""Work in a thread of its own, where no signal handler runs: an exception of one (Ctrl-C) ends the wait, never the work.

Whatever an exception at a random instruction would leave torn is done so: compiling, starting threads, training, saving.
Only plain locks take part. `threading.Condition`, and what is built on it (`Event`, `Thread.start`, `Thread.join`, executors),
can be left locked or wrongly marked by an exception that a handler raises within its `wait`.
"""

import _thread
import math
import time
from collections.abc import Callable
from typing import Any

# Seconds between two looks of a waiting thread: how late it may learn of the end when others wait too. On Windows a signal does
# not end a wait for a lock: there it is how late Ctrl-C acts.
LOOK_SECONDS = 0.05


class Task:
    """Work that is done once, by a thread that ends with it, however often it is started."""

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        self.done = False  # set last by the thread: what it worked on is at rest
        self._cancelled, self._here = False, 0
        self._work: tuple[Any, ...] = work, *arguments
        self._result: Any = None
        self._error: BaseException | None = None
        self._begun = _thread.allocate_lock()
        self._bell = _thread.allocate_lock()
        self._bell.acquire()

    def start(self) -> None:
        """Have a thread do the work; this one does it where no other can be started, though a handler may tear it here."""
        try:
            _thread.start_new_thread(self._run, ())
        except RuntimeError:
            self._here, mine = _thread.get_ident(), False
            try:
                mine = self._begun.acquire(blocking=False)
                if mine:
                    self._do()
            finally:
                if mine:
                    self.done = True

    def _run(self) -> None:
        if self._begun.acquire(blocking=False):
            self._do()

    def _do(self) -> None:
        try:
            if not self._cancelled:
                work, *arguments = self._work
                self._result = work(*arguments)
        except BaseException as error:
            self._error = error
        self._work = ()
        self.done = True
        self._bell.release()

    def settle(self, seconds: float = math.inf) -> bool:
        """Wait until the work is done, or for so long; what has not begun will not be done. Returns whether nobody is at it.

        Whether it failed does not matter. Either the thread that begins sees that it was cancelled, or this one sees that it
        has begun.
        """
        self._cancelled, end = True, time.monotonic() + seconds
        if self._here == _thread.get_ident():
            return self.done  # this thread did what was done, and is here now
        while self._begun.locked() and not self.done and time.monotonic() < end:
            self._bell.acquire(timeout=LOOK_SECONDS)
        return self.done or not self._begun.locked()

    def wait(self, meanwhile: Callable[[], None] = lambda: None) -> Any:
        """The result, or the error raised here; an interrupt ends the wait alone. `meanwhile` is called at each look."""
        while not self.done:
            self._bell.acquire(timeout=LOOK_SECONDS)
            meanwhile()
        try:
            if self._error is not None:
                raise self._error
            return self._result
        finally:
            del self  # the error holds this frame, and would be held by it


def do(work: Callable[..., Any], *arguments: Any) -> Any:
    """Do it in a thread and wait."""
    task = Task(work, *arguments)
    task.start()
    return task.wait()
