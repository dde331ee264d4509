"""A slice of a training's iterations as the work of a thread, and its length.

No signal handler runs in that thread, while the caller waits where Ctrl-C can reach it. When the wait ends for any reason, the
flag is set that ends the work; the thread itself then saves the state that it leaves, so that a second interrupt, at any
instruction, finds nothing half done.
"""

import atexit
import contextlib
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Descent
from fastbackprop.kernels.tasks import Task, do

SLICE_SECONDS = 0.15  # between two calls of the watchers
LONG_SLICE_SECONDS = 1.0  # of a slice without watchers: sleeping helpers are called again, changed cores are seen
FIRST_OPERATIONS = 2 * 10**8  # multiply-adds of the first such slice
OVERHEAD_OPERATIONS = 20_000  # about as many as take the time of an iteration of the tiniest net
MOST_ITERATIONS = 10**7  # of a slice: its costs are written to memory that is allocated before
END_SECONDS = 1.0  # how long the end of a process waits for a training to save
STOP = 1
LARGE_BYTES = 2**24  # of data that is converted or looked through in a thread, since Ctrl-C would wait for NumPy

# Trainings, the work that each one waits for, or did last, and its file.
running: dict[Descent, tuple[Task, Checkpoint | None]] = {}


def behind(nbytes: int, work: Callable[..., Any], *data: Any) -> Any:
    """Work on data of `nbytes` bytes, in a thread where Ctrl-C would otherwise have to wait for it."""
    return do(work, *data) if nbytes > LARGE_BYTES else work(*data)


def converted(X: np.ndarray, Y: np.ndarray, dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray]:
    """X and Y in the dtype of the training, with strides that the kernels can index."""
    X, Y = (np.asarray(values, dtype) for values in (X, Y))
    return _indexed(X), _indexed(Y)


def _indexed(values: np.ndarray) -> np.ndarray:
    """A copy of the field of records whose strides do not lead between its elements."""
    return np.array(values, order="C") if any(stride % values.itemsize for stride in values.strides) else values


def is_finite(values: np.ndarray) -> bool:
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(values.min()) and np.isfinite(values.max()))  # in no memory, unlike isfinite of all


def check_finite(**arrays: np.ndarray) -> None:
    """Check that all numbers are finite; the arrays are named as their errors are to call them."""
    for name, values in arrays.items():
        if not behind(values.nbytes, is_finite, values):
            bad = values.size - np.count_nonzero(np.isfinite(values))
            raise ValueError(f"{name} has {bad} values that are not finite")


def check_fits(dtype: np.dtype[Any], **arrays: np.ndarray) -> None:
    """Check that finite numbers are finite in the dtype of the training too."""
    largest = float(np.finfo(dtype).max)
    for name, values in arrays.items():
        if np.promote_types(values.dtype, dtype) != dtype and behind(values.nbytes, _exceeds, values, largest):
            raise ValueError(
                f"{name} has values beyond {largest:.3g}; expected numbers that {dtype} holds, as X and the training"
            )


def _exceeds(values: np.ndarray, largest: float) -> bool:
    return max(float(values.max()), -float(values.min())) > largest


def wait(descent: Descent, work: Task, file: Checkpoint | None) -> Any:
    """Start the work and wait for it; an exception that ends the wait stops it."""
    try:
        running[descent] = work, file
        if file is not None:
            file.writer(work)
        work.start()
        return work.wait()
    except BaseException:
        descent.state[0] = STOP  # no call stands before it: after a call a signal handler may run, and raise again
        raise


def end_of_process() -> None:
    """Stop and save trainings in daemon threads: they would run on while the interpreter is taken down."""
    for descent, (work, file) in tuple(running.items()):
        descent.state[0] = STOP
        # One that is between two slices has nobody who would save it.
        if work.settle(END_SECONDS) and file is not None and descent.done > max(file.saved, 0) and not descent.diverged:
            with contextlib.suppress(OSError):
                file.save(descent)


atexit.register(end_of_process)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=running.clear)  # a child has none of its parent's threads


def first_length(operations: int) -> int:
    """Iterations of the first slice without watchers: a few milliseconds."""
    return max(1, FIRST_OPERATIONS // (operations + OVERHEAD_OPERATIONS))


def next_length(length: int, seconds: float, wanted: float) -> int:
    """Iterations of the next slice, after one of `length` that took `seconds`, so that it takes `wanted` seconds."""
    return max(1, min(16 * length, int(length * wanted / max(seconds, 1e-9)), MOST_ITERATIONS))
