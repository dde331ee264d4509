"""Epochs of the second course's trainings, compiled: to rounding what the steps make of the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastbackprop.activations import HIDDEN, OUTPUT
from fastbackprop.batches import Batches
from fastbackprop.kernels.tasks import Task
from fastbackprop.optimizers import Optimizer
from fastbackprop.slices import STOP, converted, running, wait

Parameters = dict[str, NDArray[Any]]


def batches(
    X: Any, Y: Any, sizes: list[int], start: Parameters, optimizer: Optimizer, l2: float = 0.0, batch_size: int | None = None
) -> Batches:
    """The state of a training of the network of three layers, in float64 as the starts are; its kernels are loaded."""
    columns, labels = converted(X, Y, np.dtype(np.float64))
    if batch_size is not None:
        columns = np.asfortranarray(columns)  # an example lies in one piece
    state = Batches(
        columns, labels, sizes, start, hidden=HIDDEN["relu"], output=OUTPUT, optimizer=optimizer, l2=l2, batch_size=batch_size
    )
    state.load()
    return state


def advance(state: Batches, order: NDArray[np.int64] | None, rates: NDArray[np.float64], first: int, unit: str) -> None:
    """Train for as many epochs as there are rates, in a thread; an exception that ends the wait ends the work too.

    ``first`` is the number of the first one, which is a ``unit``, where they are counted.
    """
    work = Task(state.advance, order, rates)
    try:
        done = wait(state, work, None)  # type: ignore[arg-type]
    except BaseException:
        state.state[0] = STOP
        work.settle()
        raise
    finally:
        running.pop(state, None)  # type: ignore[call-overload]
    if state.stopped:  # by the end of the process, in a daemon thread
        raise SystemExit
    if state.diverged:
        raise diverged(f"{unit} {first + done}", state.parameters())


def is_finite(parameters: Parameters) -> bool:
    return all(np.isfinite(value).all() for value in parameters.values())


def diverged(what: str, parameters: Parameters) -> FloatingPointError:
    """The error of a training of which ``what`` would have made parameters that are not finite."""
    error = FloatingPointError(
        f"{what} makes parameters that are not finite; the last finite ones are in .parameters of this error. "
        "Try a smaller learning_rate"
    )
    error.parameters = parameters  # type: ignore[attr-defined]
    return error
