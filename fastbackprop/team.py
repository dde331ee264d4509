"""The team of threads that helps the kernels: how many, and what becomes of it when the process forks or ends.

A call hands two mailboxes to a kernel, its own and the team's, and the kernel claims the team if nobody has it: see
`kernels.threads`. What is done here before a call, an exception of a signal handler may leave half done at any instruction;
the next call does it again. What must not be half done, starting and parting with helpers, a thread of its own does.
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
from fastbackprop.kernels.tasks import do
from fastbackprop.kernels.threads import (
    HOLD,
    MAILBOX,
    MEMBERS,
    OWNER,
    SCRATCH,
    SCRATCH_BYTES,
    SINGLE,
    SPINS,
    TOKEN,
    YIELDS,
    core,
    serve,
)
from fastbackprop.resources import usable_cores

logger = logging.getLogger("fastbackprop")

MOST_THREADS = 1024
AFFINITY_SECONDS = 0.1  # between two looks whether the cores that the process may use are others now
# Looks of a helper at the mailbox before it sleeps where it can only be rung: some milliseconds, nearly all in sleeps of 50 us.
# A caller that another thread of Python keeps from its kernel call still finds the helpers that it has rung.
PATIENCE = SPINS + YIELDS + 100
GONE_SECONDS = 1.0  # that a fork waits for helpers that leave


def _line(size: int) -> np.ndarray:
    """Memory for so many numbers of 8 bytes, from the start of a cache line on."""
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
# What a caller who works alone on something small hands to a kernel, several may at once; and in place of a team.
ALONE, NOBODY = place(_ALONE), 0


class Desk(threading.local):
    """The mailbox of each thread that computes something large, with scratch memory for when it works alone."""

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
        self.calls = 0  # goes up before helpers are called: one that is about to sleep sees it, and stays
        self.bells = [_thread.allocate_lock() for _ in range(members - 1)]  # locked while nobody rings
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
                self.asleep[i] = False  # somebody came just now, and took this helper for awake
            if self.leaving:
                return

    def call(self, here: int) -> None:
        """Wake the helpers that sleep, off the caller's core; they may come late, nobody waits for them."""
        if hasattr(os, "sched_setaffinity"):
            self._make_way(here)
        self.calls += 1
        for i in range(len(self.helpers)):
            if self.asleep[i]:
                self._ring(i)

    def _make_way(self, here: int) -> None:
        """Keep the helpers off the caller's core while there are others, on those that the process may use.

        The system often wakes one there, and lets the two take turns for tens of milliseconds before it parts them.
        """
        now = time.monotonic()
        if here == self.kept_off[0] and now - self.looked_at < AFFINITY_SECONDS:
            return
        try:
            allowed = frozenset(os.sched_getaffinity(0))
        except OSError:  # a sandbox forbids the look
            return
        if (here, allowed) != self.kept_off:
            others = allowed - {here} if len(allowed) >= self.members else allowed
            for helper in self.helpers:
                with contextlib.suppress(OSError):  # the cores of the process may just have changed
                    os.sched_setaffinity(helper.native_id or 0, others)
        self.kept_off, self.looked_at = (here, allowed), now

    def dismiss(self) -> None:
        """Have the helpers end, once nobody has the team."""
        self.leaving = True
        for i in range(len(self.bells)):
            self._ring(i)

    def gone(self, seconds: float) -> bool:
        """Wait so long for helpers to end that were dismissed; whether they have."""
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
    """Threads that a call may use."""
    return _members


def set_num_threads(n: int) -> int:
    """Use `n` threads from now on, in the whole process; returns what it was before.

    May exceed the cores: that is right, but slower. The start is FASTBACKPROP_NUM_THREADS, else NUMBA_NUM_THREADS, else
    OMP_NUM_THREADS, else the cores that the process may use (affinity and container quota). Where the system starts no more
    threads, fewer work, and the logger ``fastbackprop`` says so at INFO.

    Raises
    ------
    TypeError, ValueError
        `n` is not a whole number, below 1, or above 1024.
    """
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise TypeError(f"n is {n!r}; expected a whole number of threads")
    if not 1 <= n <= MOST_THREADS:
        raise ValueError(f"n is {n}; expected 1 to {MOST_THREADS} threads")
    global _members
    before = _members
    _members = int(n)  # the change itself no interrupt can split
    do(_part)
    return before


@contextlib.contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Use `n` threads within a with statement (the whole process does)."""
    global _members
    before = _members
    try:
        set_num_threads(n)
        yield
    finally:
        _members = before
        do(_part)


def _part() -> None:
    """Part with a team of another size than it is to have."""
    with _lock:
        if _team is None or _team.wanted != _members:
            _dismiss()


def _dismiss() -> None:
    """Part with the team; who has it keeps it until the end of the call."""
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
    """Have what calls the helpers compiled or loaded."""
    if _members > 1 and JIT:
        core["d"], serve["d"]


def _present() -> Team | None:
    """The team with its helpers called, or None where a call works alone: it is to be one thread, or somebody has the team."""
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
        # A kernel that raises does not get to give the team back. Here no other call of this thread can have it.
        if team.mailbox[OWNER] == _desk.token:
            team.mailbox[HOLD] = 0
            team.mailbox[OWNER] = 0
        raise


def _default() -> int:
    for variable in ("FASTBACKPROP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(variable, "").split(",")[0].strip()
        if value.isdecimal() and int(value) > 0:
            return min(int(value), MOST_THREADS)
    return min(usable_cores(), MOST_THREADS)


_members = _default()


def _before_fork() -> None:
    """From Python 3.12 on a fork warns while other threads live."""
    _dismiss()
    for team in tuple(_dismissed):
        team.gone(GONE_SECONDS)


def _after_fork_in_child() -> None:
    """A child has none of its parent's threads, and may have been forked while another thread held the lock."""
    global _lock, _team
    _lock, _team = _thread.allocate_lock(), None
    _dismissed.clear()


atexit.register(_dismiss)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork_in_child)
