"""The team of threads that helps the kernels: its size, and its handling when the process forks or ends.

A call passes two mailboxes to a kernel, its own and the team's, and the kernel claims the team if it is free: see
`kernels.threads`. An exception of a signal handler may interrupt at any instruction what is done here before a call; the next
call repeats it. Starting and dismissing helpers must not be interrupted: a separate thread does both.
"""

import _thread
import atexit
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastbackprop.kernels.blocking import LINE_BYTES, MEMBER_BYTES
from fastbackprop.kernels.jit import JIT
from fastbackprop.kernels.mailbox import HOLD, MAILBOX, MEMBERS, OWNER, SCRATCH, SCRATCH_BYTES, SINGLE, TOKEN
from fastbackprop.kernels.tasks import do
from fastbackprop.kernels.threads import SPINS, YIELDS, core, serve
from fastbackprop.resources import usable_cores

logger = logging.getLogger("fastbackprop")

MOST_THREADS = 1024
AFFINITY_SECONDS = 0.1  # between two checks of the cores that the process may use
# Polls of the mailbox by a helper before it sleeps until it is rung: some milliseconds, nearly all in sleeps of 50 us. Thus a
# caller whose kernel call another Python thread delays still finds the helpers that it has rung.
PATIENCE = SPINS + YIELDS + 100
GONE_SECONDS = 1.0  # how long a fork waits for helpers that leave


def _line(size: int) -> np.ndarray:
    """Memory for `size` numbers of 8 bytes, aligned to a cache line."""
    words = LINE_BYTES // 8
    memory = np.empty(size + words, np.int64)
    return memory[-(memory.ctypes.data // 8) % words :][:size]


def _mailbox(members: int) -> np.ndarray:
    """A mailbox without scratch memory."""
    mailbox = _line(MAILBOX)
    mailbox[:] = 0
    mailbox[MEMBERS], mailbox[SINGLE + MEMBERS] = members, 1
    return mailbox


def _mailbox_with(scratch: np.ndarray, members: int) -> np.ndarray:
    mailbox = _mailbox(members)
    mailbox[SCRATCH], mailbox[SCRATCH_BYTES] = scratch.ctypes.data, scratch.nbytes
    return mailbox


def place(mailbox: np.ndarray) -> Any:
    """A mailbox as kernels take it: its address; under NUMBA_DISABLE_JIT the mailbox itself."""
    return mailbox.ctypes.data if JIT else mailbox


_ALONE = _mailbox(1)
# What a single-threaded caller with a small problem passes to a kernel: a mailbox that callers may share, and no team.
ALONE, NOBODY = place(_ALONE), 0


class Desk(threading.local):
    """The mailbox of each thread that computes something large, with scratch memory for single-threaded work."""

    def __init__(self) -> None:
        self.scratch = _line(MEMBER_BYTES // 8)
        self.mailbox = _mailbox_with(self.scratch, 1)
        self.token = self.mailbox[TOKEN] = threading.get_ident()
        self.place = place(self.mailbox)


class Team:
    """Helpers that sleep in Python until called, then serve in compiled code until no work has come for a while."""

    def __init__(self, members: int) -> None:
        self.wanted = members
        self.leaving = False
        self.calls = 0  # incremented before helpers are called: one that is about to sleep sees it, and stays
        self.bells = [_thread.allocate_lock() for _ in range(members - 1)]  # locked until rung
        self.asleep = [True] * (members - 1)  # each written by its helper alone
        self.helpers: list[threading.Thread] = []
        self.scratch = _line(members * MEMBER_BYTES // 8)
        self.mailbox = _mailbox_with(self.scratch, members)
        self.place = place(self.mailbox)
        for i, bell in enumerate(self.bells):
            bell.acquire()
            helper = threading.Thread(target=self._help, args=(i,), name=f"fastbackprop-{i}", daemon=True)
            try:
                helper.start()
            except RuntimeError as error:
                logger.info("threads: %d instead of %d, since no more can be started (%s)", i + 1, members, error)
                break
            except BaseException:
                self.dismiss()
                raise
            self.helpers.append(helper)
        self.members = self.mailbox[MEMBERS] = len(self.helpers) + 1
        self.kept_off = (-1, frozenset[int]())  # the core that helpers keep off, and those that the process may use
        self.looked_at = 0.0

    def _ring(self, i: int) -> None:
        try:  # noqa: SIM105 - `contextlib.suppress` takes several times as long
            self.bells[i].release()
        except RuntimeError:  # it has been rung already
            pass

    def _help(self, i: int) -> None:
        while True:
            self.bells[i].acquire()
            self.asleep[i] = False
            while not self.leaving:
                calls = self.calls
                serve["d"](self.place, i + 1, PATIENCE)
                self.asleep[i] = True
                if calls == self.calls and not self.mailbox[HOLD]:
                    break
                self.asleep[i] = False  # a caller came just now, and may not have rung this helper
            if self.leaving:
                return

    def call(self, here: int) -> None:
        """Wake the helpers that sleep, off the caller's core; they may come late, and the caller does not wait for them."""
        if hasattr(os, "sched_setaffinity"):
            self._make_way(here)
        self.calls += 1
        for i in range(len(self.helpers)):
            if self.asleep[i]:
                self._ring(i)

    def _make_way(self, here: int) -> None:
        """Keep the helpers off the caller's core while there are others, on those that the process may use.

        The system often wakes a helper there, and the two take turns for tens of milliseconds before it moves one.
        """
        now = time.monotonic()
        if here == self.kept_off[0] and now - self.looked_at < AFFINITY_SECONDS:
            return
        try:
            allowed = frozenset(os.sched_getaffinity(0))
        except OSError:  # a sandbox forbids the call
            return
        if (here, allowed) != self.kept_off:
            others = allowed - {here} if len(allowed) >= self.members else allowed
            for helper in self.helpers:
                with contextlib.suppress(OSError):  # the cores of the process may just have changed
                    os.sched_setaffinity(helper.native_id or 0, others)
        self.kept_off, self.looked_at = (here, allowed), now

    def dismiss(self) -> None:
        """Make the helpers end, once the team is free."""
        self.leaving = True
        for i in range(len(self.bells)):
            self._ring(i)

    def gone(self, seconds: float) -> bool:
        """Wait up to `seconds` for dismissed helpers to end; returns whether they have."""
        end = time.monotonic() + seconds
        while any(helper.is_alive() for helper in self.helpers):
            if time.monotonic() > end or self.mailbox[OWNER]:
                return False
            time.sleep(0.0001)
        return True


_desk = Desk()
_lock = _thread.allocate_lock()  # of what follows; taken by tasks
_members = 1
_team: Team | None = None
_dismissed: set[Team] = set()  # whose helpers may not have ended yet


def get_num_threads() -> int:
    """Threads that a call may use.

    Examples
    --------
    >>> bp.get_num_threads() >= 1
    True
    """
    return _members


def set_num_threads(n: int) -> int:
    """Use `n` threads from now on, in the whole process; returns the number before.

    `n` may exceed the cores: results are the same, but slower. The default is FASTBACKPROP_NUM_THREADS, else NUMBA_NUM_THREADS,
    else OMP_NUM_THREADS, else the cores that the process may use (affinity and container quota). Where the system cannot start
    more threads, fewer work, and the logger ``fastbackprop`` reports it at INFO.

    Raises
    ------
    TypeError, ValueError
        `n` is not a whole number, below 1, or above 1024.

    Examples
    --------
    >>> before = bp.set_num_threads(1)
    >>> bp.set_num_threads(before)
    1
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"n is {n!r}; expected a whole number of threads")
    if not 1 <= n <= MOST_THREADS:
        raise ValueError(f"n is {n}; expected 1 to {MOST_THREADS} threads")
    global _members
    before = _members
    _members = int(n)  # no interrupt can split the change itself
    do(_dismiss_unwanted)
    return before


@contextlib.contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Use `n` threads within a with statement (the whole process does).

    Examples
    --------
    >>> with bp.num_threads(1):
    ...     bp.get_num_threads()
    1
    """
    global _members
    before = _members
    try:
        set_num_threads(n)
        yield
    finally:
        _members = before
        do(_dismiss_unwanted)


def _dismiss_unwanted() -> None:
    """Dismiss a team whose size is no longer the wanted one."""
    with _lock:
        if _team is None or _team.wanted != _members:
            _dismiss()


def _dismiss() -> None:
    """Dismiss the team; a caller that has claimed it keeps it until the end of its call."""
    global _team
    team, _team = _team, None
    if team is not None:
        _dismissed.add(team)
    for team in tuple(_dismissed):
        team.dismiss()
        if team.gone(0):
            _dismissed.discard(team)


def _gather() -> None:
    global _team
    with _lock:
        wanted = _members
        if wanted > 1 and (_team is None or _team.wanted != wanted):
            _dismiss()
            try:
                _team = Team(wanted)
            except MemoryError as error:
                logger.info("threads: 1 instead of %d, since there is no memory for their work (%s)", wanted, error)
                _team = Team(1)
                _team.wanted = wanted


def load_team() -> None:
    """Compile or load the kernels that call the helpers."""
    if _members > 1 and JIT:
        core["d"], serve["d"]


def _present() -> Team | None:
    """The team with its helpers called, or None for a single-threaded call: one thread is set, or the team is taken."""
    if _members == 1 or not JIT:
        return None
    team, find_core = _team, core["d"]
    if team is None or team.wanted != _members:
        serve["d"]  # compiled before a helper needs it
        do(_gather)
        team = _team
    if team is None or team.members == 1 or team.mailbox[OWNER] not in (0, _desk.token):
        return None
    team.call(find_core())
    return team


def in_team(kernel: Callable[..., Any], *arguments: Any) -> Any:
    """Call a kernel whose last arguments are its own mailbox and the team's."""
    own = _desk.place if JIT else ALONE
    team = _present()
    if team is None:
        return kernel(*arguments, own, NOBODY)
    try:
        return kernel(*arguments, own, team.place)
    except BaseException:
        # A kernel that raises does not release the team. Here no other call of this thread can have it.
        if team.mailbox[OWNER] == _desk.token:
            team.mailbox[HOLD] = 0
            team.mailbox[OWNER] = 0
        raise


def alone(kernel: Callable[..., Any], *arguments: Any) -> Any:
    """Call such a kernel in this thread alone, where helpers would find too little to do."""
    return kernel(*arguments, _desk.place if JIT else ALONE, NOBODY)


def _default() -> int:
    for variable in ("FASTBACKPROP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(variable, "").split(",")[0].strip()
        if value.isdecimal() and int(value) > 0:
            return min(int(value), MOST_THREADS)
    return min(usable_cores(), MOST_THREADS)


_members = _default()


def _before_fork() -> None:
    """Dismiss the helpers: from Python 3.12 on a fork warns while other threads live."""
    _dismiss()
    for team in tuple(_dismissed):
        team.gone(GONE_SECONDS)


def _after_fork_in_child() -> None:
    """Forget the team: a child has none of its parent's threads, and another thread may have held the lock at the fork."""
    global _lock, _team
    _lock, _team = _thread.allocate_lock(), None
    _dismissed.clear()


atexit.register(_dismiss)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
