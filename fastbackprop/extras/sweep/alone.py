"""One training of a sweep, in the thread that calls: with one thread, and with the bits of a call alone."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastbackprop.algorithms import Gram
from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Descent
from fastbackprop.epochs import Epochs
from fastbackprop.extras.sweep.folder import Folder, Kept
from fastbackprop.extras.sweep.plans import Plan
from fastbackprop.extras.sweep.records import DIVERGED, DONE, FAILED, INTERRUPTED, Progress, Record
from fastbackprop.kernels.tasks import Task
from fastbackprop.looping import run
from fastbackprop.slices import STOP
from fastbackprop.team import alone, get_num_threads, in_team

logger = logging.getLogger("fastbackprop")

END_SECONDS = 0.001  # between two looks whether trainings have ended that were stopped


def train_alone(
    plan: Plan,
    X: np.ndarray,
    Y: np.ndarray,
    X_held_out: np.ndarray | None,
    Y_held_out: np.ndarray | None,
    G: np.ndarray | None,
    free_bytes: int | None,
    *,
    call: Callable[..., Any] = alone,
    threads: Callable[[], int] = lambda: 1,
    task: type[Task] = Task,
    begun: Callable[[Descent], None] = lambda descent: None,
    path: Path | None = None,
) -> Record:
    """Train, and say what became of it.

    `call` is how kernels are called and `task` where; `begun` is called with what is trained, which `path` keeps as it goes.
    """
    began = time.perf_counter()
    descent: Descent | None = None

    def record(status: str, error: str | None, parameters: Any = None, accuracy: float | None = None) -> Record:
        costs: list[float] = [] if descent is None else descent.costs
        return Record(plan.configuration, parameters, costs, accuracy, time.perf_counter() - began, status, error)

    try:
        descent, file = _begin(plan, X, Y, free_bytes, path)
        engine: Any = descent.engine if isinstance(descent, Epochs) else descent
        engine.call = call
        if G is not None and isinstance(engine, Gram):
            engine.share(G)
        descent.load()
        begun(descent)
        divergence = partial(plan.divergence, descent)
        last = run(descent, plan.end, plan.words, (), file, divergence, threads=threads, task=task)
        parameters, accuracy = plan.kept(descent, last), None
        if X_held_out is not None and Y_held_out is not None:
            accuracy = plan.score(descent, X_held_out, Y_held_out, parameters)
            if accuracy is None:
                raise SystemExit
        return record(DONE, None, parameters, accuracy)
    except SystemExit:
        return record(INTERRUPTED, f"interrupted after {descent.done if descent else 0} of {plan.end} {plan.words.unit}s")
    except FloatingPointError as error:
        return record(DIVERGED, str(error), error.parameters)  # type: ignore[attr-defined]
    except Exception as error:
        logger.warning("sweep: configurations[%d] fails", plan.number, exc_info=True)
        return record(FAILED, f"{type(error).__name__}: {error}")


def _begin(
    plan: Plan, X: np.ndarray, Y: np.ndarray, free_bytes: int | None, path: Path | None
) -> tuple[Descent, Checkpoint | None]:
    """The training at its beginning, or as far as an earlier sweep saved it."""
    if path is not None:
        try:
            return _resumed(plan, X, Y, free_bytes, path)
        except ValueError as error:
            logger.warning("sweep: %s", error)
        try:
            path.unlink()
            return _resumed(plan, X, Y, free_bytes, path)
        except OSError as error:
            logger.warning("sweep: no checkpoint is written to %s: %s", path, error)
    return plan.descent(X, Y, None, free_bytes), None


def _resumed(plan: Plan, X: np.ndarray, Y: np.ndarray, free_bytes: int | None, path: Path) -> tuple[Descent, Checkpoint | None]:
    file = Kept(path, plan)
    descent = plan.descent(X, Y, file, free_bytes)
    file.restore(descent)
    return descent, file


class Here(Task):
    """Work of the thread that starts it: of one that no signal handler runs in, and that trains one net after the other."""

    def start(self) -> None:
        self._run()


class Control:
    """The trainings of a sweep in threads of this process: where each one is, and an end of all of them."""

    def __init__(self, tasks: Sequence[tuple[Any, ...]], records: Progress, kept: Folder | None, jobs: int) -> None:
        self.tasks, self.records, self.kept, self.jobs = deque(tasks), records, kept, jobs
        self.stopped = False
        self.left = {plan.number for plan, *_ in tasks}
        self.running: dict[int, Descent] = {}  # those that an interrupt waits for: they end within milliseconds

    def _last(self) -> bool:
        """Whether one training at a time is left."""
        return self.jobs == 1 or len(self.left) == 1

    def call(self, kernel: Callable[..., Any], *arguments: Any) -> Any:
        """Call a kernel with one thread, or in the last training with all."""
        return (in_team if self._last() else alone)(kernel, *arguments)

    def train(self) -> None:
        """Work of a thread: one training after the other, while there are any."""
        while not self.stopped:
            try:
                plan, *arrays = self.tasks.popleft()
            except IndexError:
                return
            self._train(plan, *arrays)

    def _train(self, plan: Plan, *arrays: Any) -> None:
        try:
            record = train_alone(
                plan,
                *arrays,
                call=self.call,
                threads=lambda: get_num_threads() if self._last() else 1,
                task=Here,
                begun=lambda descent: self._begin(plan, descent),
                path=None if self.kept is None else self.kept.checkpoint(plan),
            )
            self.records.take(plan, record)
            if self.kept is not None:
                self.kept.write(plan, record)
        finally:
            self.left.discard(plan.number)
            self.running.pop(plan.number, None)

    def _begin(self, plan: Plan, descent: Descent) -> None:
        self.running[plan.number] = descent
        if self.stopped:
            descent.state[0] = STOP

    def stop(self) -> None:
        """End all trainings, and wait for those that have begun."""
        self.stopped = True
        for descent in tuple(self.running.values()):
            descent.state[0] = STOP
        while self.running:
            time.sleep(END_SECONDS)
