"""The team of threads that helps the kernels: how many, who has it, and what becomes of it when the process forks."""

import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastbackprop.kernels.blocking import MEMBER_BYTES
from fastbackprop.kernels.jit import JIT
from fastbackprop.kernels.threads import ALONE as KERNEL_ALONE
from fastbackprop.kernels.threads import HOLD, MAILBOX, MEMBERS, SCRATCH, SCRATCH_BYTES, SPINS, core, serve
from fastbackprop.resources import usable_cores


def _line(size: int) -> np.ndarray:
    """Memory for so many numbers of 8 bytes, from the start of a cache line on."""
    memory = np.empty(size + 8, np.int64)
    return memory[-(memory.ctypes.data // 8) % 8 :][:size]


def _mailbox(members: int) -> np.ndarray:
    """A mailbox without scratch memory."""
    mailbox = _line(MAILBOX)
    mailbox[:] = 0
    mailbox[MEMBERS], mailbox[KERNEL_ALONE + MEMBERS] = members, 1
    return mailbox


def _mailbox_with(scratch: np.ndarray, members: int) -> np.ndarray:
    mailbox = _mailbox(members)
    mailbox[SCRATCH], mailbox[SCRATCH_BYTES] = scratch.ctypes.data, scratch.nbytes
    return mailbox


# What a caller who works alone on something small hands to a kernel; several may at once.
ALONE = _mailbox(1)


class Desk(threading.local):
    """The mailbox of each thread that works alone on something large, with scratch memory."""

    def __init__(self) -> None:
        self.scratch = _line(MEMBER_BYTES // 8)
        self.mailbox = _mailbox_with(self.scratch, 1)


class Team:
    """Helpers that sleep in Python until called, then serve in compiled code until no work has come for a while."""

    def __init__(self, members: int) -> None:
        self.scratch = _line(members * MEMBER_BYTES // 8)
        self.mailbox = _mailbox_with(self.scratch, members)
        self.has_cores = members <= usable_cores() and hasattr(os, "sched_setaffinity")
        self.callers_core = -1
        self.owned = threading.Lock()  # by the caller whose work the team shares
        self.leaving = self.retired = False
        self.bells = [threading.Lock() for _ in range(members - 1)]  # locked while nobody rings
        self.asleep = [True] * (members - 1)
        self.helpers = [
            threading.Thread(target=self._help, args=(i,), name=f"fastbackprop-{i}", daemon=True) for i in range(members - 1)
        ]
        for bell, helper in zip(self.bells, self.helpers, strict=True):
            bell.acquire()
            helper.start()

    def _ring(self, i: int) -> None:
        with contextlib.suppress(RuntimeError):  # it has been rung already
            self.bells[i].release()

    def _help(self, i: int) -> None:
        while True:
            self.bells[i].acquire()
            if self.leaving:
                return
            serve["d"](self.mailbox, i + 1, SPINS)
            self.asleep[i] = True
            if self.mailbox[HOLD]:  # borrowed just now by one who took this helper for awake
                self._ring(i)

    def make_way(self) -> None:
        """Keep the helpers off the caller's core while there are others.

        The system often wakes one there, and lets the two take turns for tens of milliseconds before it parts them.
        """
        if self.has_cores and (here := core["d"]()) != self.callers_core:
            self.callers_core = here
            for helper in self.helpers:
                with contextlib.suppress(OSError):  # the cores of the process may just have changed
                    os.sched_setaffinity(helper.native_id or 0, os.sched_getaffinity(0) - {here})

    def wake(self) -> None:
        """Call the helpers that sleep; they may come late, nobody waits for them."""
        for i, asleep in enumerate(self.asleep):
            if asleep:
                self.asleep[i] = False
                self._ring(i)

    def dismiss(self) -> None:
        """Have the helpers end, and wait for it."""
        self.leaving = True
        for i in range(len(self.bells)):
            self._ring(i)
        for helper in self.helpers:
            helper.join()


_desk = Desk()
_lock = threading.RLock()
_members = 1
_team: Team | None = None


def get_num_threads() -> int:
    """Threads that a call may use."""
    return _members


def set_num_threads(n: int) -> int:
    """Use `n` threads from now on, in the whole process; returns what it was before.

    May exceed the cores: that is right, but slower. The start is FASTBACKPROP_NUM_THREADS, else NUMBA_NUM_THREADS, else
    OMP_NUM_THREADS, else the cores that the process may use (affinity and container quota).

    Raises
    ------
    TypeError, ValueError
        `n` is not a whole number, or below 1.
    """
    global _members
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"n is {n!r}; expected a whole number of threads")
    if n < 1:
        raise ValueError(f"n is {n}; expected at least 1 thread")
    with _lock:
        before, _members = _members, int(n)
        if _members != before:
            _dismiss()
    return before


@contextlib.contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Use `n` threads within a with statement (the whole process does)."""
    before = set_num_threads(n)
    try:
        yield
    finally:
        set_num_threads(before)


def _dismiss() -> None:
    """Part with the team; one that is at work is dismissed when it is given back."""
    global _team
    with _lock:
        team, _team = _team, None
        if team is not None:
            team.retired = True
            if team.owned.acquire(blocking=False):
                team.dismiss()


def borrow() -> Team | None:
    """The team, if nobody has it: to be given back by `give_back`; else None, and the caller works alone.

    Its helpers stay awake until then.
    """
    global _team
    if _members == 1 or not JIT:
        return None
    with _lock:
        if _team is None:
            _team = Team(_members)
        team = _team
        if not team.owned.acquire(blocking=False):
            return None
    team.mailbox[HOLD] = 1  # before they wake: they sleep again as soon as they find nothing to do
    team.make_way()
    team.wake()
    return team


def give_back(team: Team) -> None:
    """End of a `borrow`."""
    team.mailbox[HOLD] = 0
    with _lock:
        if team.retired:
            team.dismiss()
        team.owned.release()


@contextlib.contextmanager
def held() -> Iterator[np.ndarray]:
    """The mailbox of the team, or of one who works alone; for one call of a kernel at a time."""
    team = borrow()
    if team is None:
        yield _desk.mailbox if JIT else ALONE
        return
    try:
        yield team.mailbox
    finally:
        give_back(team)


def in_team(kernel: Callable[..., Any], *arguments: Any) -> Any:
    """Call a kernel with the team's mailbox as its last argument."""
    with held() as team:
        return kernel(*arguments, team)


def _default() -> int:
    for variable in ("FASTBACKPROP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(variable, "").split(",")[0].strip()
        if value.isdecimal() and int(value) > 0:
            return int(value)
    return usable_cores()


_members = _default()
atexit.register(_dismiss)


def _after_fork_in_child() -> None:
    """A child has none of its parent's threads, and may have been forked while another thread held the lock."""
    global _lock, _team
    _lock, _team = threading.RLock(), None


if hasattr(os, "register_at_fork"):
    # From Python 3.12 on a fork warns while other threads live.
    os.register_at_fork(before=_dismiss, after_in_child=_after_fork_in_child)
