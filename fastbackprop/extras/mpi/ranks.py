"""The processes that train together: sums in the order of ranks, agreement before any work, and an end that all share.

A sum is no call of ``Allreduce``, whose order of summation is the library's choice: with MPICH it changes with the size of the
buffer and with how ranks lie on machines. Here all ranks add the same numbers in the same order, so the bits depend on the
number of ranks alone. Waits are polled: where ranks outnumber cores, one that waits makes way for the others, and Ctrl-C acts.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from mpi4py import MPI

from fastbackprop.resources import usable_cores
from fastbackprop.shares import GATHERED_BYTES

T = TypeVar("T")

SPINS = 200  # looks at a request before a rank that waits makes way; about 50 us
YIELDS = 2000  # looks, making way each time, before it sleeps between them
SLEEP_SECONDS = 50e-6
_make_way: Callable[[], object] = getattr(os, "sched_yield", lambda: time.sleep(0))


def wait(request: Any, seconds: float = float("inf")) -> bool:
    """Wait until a request is complete, or for so long; returns whether it is."""
    looks, end = 0, time.monotonic() + seconds
    while not request.Test():
        looks += 1
        if looks > YIELDS:
            if time.monotonic() > end:
                return False
            time.sleep(SLEEP_SECONDS)
        elif looks > SPINS:
            _make_way()
    return True


class Ranks:
    """The processes of a communicator.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm, optional
        COMM_WORLD without it.
    """

    def __init__(self, comm: Any = None) -> None:
        if MPI.Query_thread() < MPI.THREAD_SERIALIZED:
            raise RuntimeError("MPI was started for one thread; expected MPI_THREAD_SERIALIZED or more: a training has its own")
        self.comm = MPI.COMM_WORLD if comm is None else comm
        self.rank, self.size = int(self.comm.Get_rank()), int(self.comm.Get_size())
        self._room = np.empty(0)

    # ------------------------------------------------------------------------------------------------------------ numbers

    def total(self, numbers: np.ndarray) -> None:
        """Sum a vector of float64 over the ranks, in place: rank 0's numbers plus those of rank 1, and so on."""
        if self.size == 1:
            return
        n = numbers.size
        if self.size * numbers.nbytes <= GATHERED_BYTES:
            every = self._rows(n)
            wait(self.comm.Iallgather(numbers, every))
            _add(every, numbers)
            return
        piece = -(-n // self.size)
        sent = np.zeros(piece * self.size)
        sent[:n] = numbers
        mine = self._rows(piece)
        wait(self.comm.Ialltoall(sent, mine))
        summed = np.empty(piece)
        _add(mine, summed)
        wait(self.comm.Iallgather(summed, sent))
        numbers[:] = sent[:n]

    def _rows(self, n: int) -> np.ndarray:
        """Room for n numbers of each rank."""
        if self._room.size < self.size * n:
            self._room = np.empty(self.size * n)
        return self._room[: self.size * n].reshape(self.size, n)

    def joined(self, rows: np.ndarray, counts: list[int]) -> np.ndarray:
        """The rows (count, n) of all ranks, one below the other."""
        if self.size == 1:
            return rows
        n = rows.shape[1]
        result = np.empty((sum(counts), n))
        sizes = [count * n for count in counts]
        wait(self.comm.Iallgatherv(np.ascontiguousarray(rows, float), (result, sizes)))
        return result

    # ------------------------------------------------------------------------------------------------------------ objects

    def exchange(self, thing: Any, seconds: float = float("inf")) -> list[Any] | None:
        """What each rank has to say; None where not all have come within so many seconds."""
        if self.size == 1:
            return [thing]
        return list(self.comm.allgather(thing)) if wait(self.comm.Ibarrier(), seconds) else None

    def told(self, thing: Any) -> Any:
        """What rank 0 has to say."""
        if self.size == 1:
            return thing
        wait(self.comm.Ibarrier())
        return self.comm.bcast(thing)

    def agreed(self, check: Callable[[], tuple[T, Any]]) -> tuple[T, list[Any]]:
        """Have each rank check its part; returns what it made of it, and what each has to say.

        `check` returns both. Where it raises on some rank, the same error is raised on all, and names the rank.
        """
        mine, said, caught = None, None, None
        try:
            mine, said = check()
        except Exception as error:
            caught = error
        if self.size == 1 and caught is not None:
            raise caught
        outcomes = self.exchange((None if caught is None else (_builtin(caught), _text(caught)), said)) or []
        for rank, (failed, _) in enumerate(outcomes):
            if failed is not None:
                kind, text = failed
                raise kind(f"rank {rank}: {text}") from caught
        return mine, [said for _, said in outcomes]  # type: ignore[return-value]

    def same(self, **values: Any) -> None:
        """Check that what all ranks are to pass alike is alike; texts and numbers, by the names that errors call them."""
        every = self.exchange(values) or []
        for rank, others in enumerate(every):
            for name, value in others.items():
                if value != every[0][name]:
                    raise ValueError(
                        f"rank {rank}: {name} is {value}, on rank 0 it is {every[0][name]}; expected the same on all ranks"
                    )

    def threads(self, wanted: int) -> int:
        """Threads for a rank: at most its share of the cores that the ranks of its machine may use."""
        if self.size == 1:
            return wanted
        local = self.comm.Split_type(MPI.COMM_TYPE_SHARED)
        cores = local.allgather(sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [])
        share = len(set().union(*cores)) // len(cores) if all(cores) else (os.cpu_count() or 1) // len(cores)
        local.Free()
        return max(1, min(wanted, share, usable_cores()))


def _add(rows: np.ndarray, total: np.ndarray) -> None:
    """Sum rows from the first to the last; what overflows is seen where parameters cease to be finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        np.add.reduce(rows, axis=0, out=total)


def _builtin(error: Exception) -> type[Exception]:
    """The kind of error that another rank raises in its place."""
    known = (ImportError, KeyError, MemoryError, OSError, TypeError, ValueError, FloatingPointError)
    return next((kind for kind in known if isinstance(error, kind)), RuntimeError)


def _text(error: BaseException) -> str:
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error) or type(error).__name__


# -------------------------------------------------------------------------------------------------------- the end of a job


def abort(code: int) -> None:
    """End all ranks."""
    sys.stdout.flush()
    sys.stderr.flush()
    MPI.COMM_WORLD.Abort(code)


def end_together() -> None:
    """From now on an exception that nobody catches ends all ranks: the others would wait for this one for ever."""
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if before is sys.__excepthook__:
            lines = traceback.format_exception(kind, error, trace)
            print(f"rank {MPI.COMM_WORLD.Get_rank()}: ", *lines, sep="", end="", file=sys.stderr)
        else:
            before(kind, error, trace)
        abort(130 if issubclass(kind, KeyboardInterrupt) else 1)

    sys.excepthook = hook
