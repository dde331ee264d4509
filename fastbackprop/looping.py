"""The loop of a training: slice after slice, with watchers between them, a checkpoint, and an end by whatever comes first."""

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np

from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Descent, Words
from fastbackprop.kernels.tasks import Task
from fastbackprop.slices import LONG_SLICE_SECONDS, SLICE_SECONDS, STOP, first_length, next_length, running, wait
from fastbackprop.team import get_num_threads

logger = logging.getLogger("fastbackprop")

Watcher = Callable[[Descent], None]


def run(
    descent: Descent,
    end: int,
    words: Words,
    watchers: Sequence[Watcher],
    file: Checkpoint | None,
    divergence: Callable[[dict[str, np.ndarray]], FloatingPointError],
    beside: Watcher = lambda descent: None,
    *,
    threads: Callable[[], int] = get_num_threads,
    task: type[Task] = Task,
) -> dict[str, np.ndarray]:
    """Train up to `end`; after an interrupt the message of KeyboardInterrupt states what was saved.

    `watchers`, and a checkpoint, are served often; `beside` is called after each slice, however long. `threads` says how many
    work, for the log, and a `task` where a slice of iterations is computed.
    """
    logger.info(
        "%s: %s descent in %s, %ss %d to %d, threads: %d",
        words.function, descent.name, descent.X.dtype, words.unit, descent.done, end, threads(),
    )  # fmt: skip
    seconds = SLICE_SECONDS if watchers or file else LONG_SLICE_SECONDS
    length = 1 if watchers or file else first_length(descent.operations)
    work = task(_advance, descent, min(descent.done + length, end), file, not descent.complete(end))
    try:
        while True:
            begun, before = time.perf_counter(), descent.done
            wait(descent, work, file)
            if descent.stopped:  # by the end of the process, in a daemon thread
                raise SystemExit
            if descent.done > before:
                length = next_length(descent.done - before, time.perf_counter() - begun, seconds)
                for watch in watchers:
                    watch(descent)
                beside(descent)
            if descent.diverged:
                work = task(descent.parameters)
                raise divergence(wait(descent, work, None))
            if descent.complete(end):
                break
            work = task(_advance, descent, min(descent.done + length, end), file)
        work = task(_finish, descent, file)
        return wait(descent, work, file)
    except BaseException as error:
        descent.state[0] = STOP
        work.settle()
        if file is None or not isinstance(error, KeyboardInterrupt):
            raise
        raise KeyboardInterrupt(_save_interrupted(descent, end, words, file)) from None
    finally:
        for other, (its_work, _) in tuple(running.items()):  # one that a second interrupt left behind may take another moment
            if its_work.done:
                running.pop(other, None)
        if file is not None:
            file.close()


def _advance(descent: Descent, end: int, file: Checkpoint | None, begins: bool = False) -> None:
    """Work: a slice of iterations, and saving where it is time, or where it was stopped."""
    if begins:
        descent.prepare()
    if not descent.stopped and not descent.complete(end):
        descent.advance(end)
    if file is not None and not descent.diverged and (descent.stopped or file.due()):
        file.save(descent)


def _finish(descent: Descent, file: Checkpoint | None) -> dict[str, np.ndarray]:
    """Work: the end of a training."""
    if file is not None:
        file.save(descent)
    return descent.parameters()


def _save_interrupted(descent: Descent, end: int, words: Words, file: Checkpoint) -> str:
    """Save the state that the training's threads left, all of which have ended; returns the message of the interrupt."""
    work = Task(file.save, descent)
    file.writer(work)
    try:
        work.start()
        work.wait()
    except Exception as error:
        return f"after {descent.done} of {end} {words.unit}s, which could not be saved: {error}"
    return f"after {descent.done} of {end} {words.unit}s, saved in {file.path}: the same call resumes it from there"


def not_finite(what: str, cause: str, advice: str, parameters: dict[str, np.ndarray]) -> FloatingPointError:
    """The error of a training that diverges: `what` would have made parameters that are not finite."""
    error = FloatingPointError(
        f"{what} makes parameters that are not finite ({cause}); the last finite ones are in .parameters "
        f"of this error. Try {advice}"
    )
    error.parameters = parameters  # type: ignore[attr-defined]
    return error
