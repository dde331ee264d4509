"""How the trainings of a sweep are spread: by joblib, in threads of this process or on the backend that its user has chosen.

joblib runs the threads from a thread of its own, where no signal handler runs, so that an exception of one (Ctrl-C) meets
neither its locks nor those of the pool. Other backends are waited for where the user called: their ends are joblib's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import joblib
from joblib.parallel import get_active_backend

from fastbackprop.extras.sweep.alone import Control, train_alone
from fastbackprop.extras.sweep.plans import Plan
from fastbackprop.extras.sweep.records import Record
from fastbackprop.kernels.tasks import Task
from fastbackprop.team import get_num_threads


class Engine:
    """What trains, and how many at once: `n_jobs`, or as many as joblib's user has said, or a thread a core.

    `here`: whether in threads of this process.
    """

    def __init__(self, n_jobs: int | None, trainings: int) -> None:
        backend, _ = get_active_backend(prefer="threads")
        _, configured = get_active_backend()
        self.here = bool(getattr(backend, "supports_sharedmem", False))  # joblib asks in this way too
        jobs = n_jobs or configured or (get_num_threads() if self.here else -1)
        self.jobs = min(joblib.effective_n_jobs(jobs), trainings) if self.here else jobs
        self._parallel = joblib.Parallel(n_jobs=self.jobs, prefer="threads", return_as="generator_unordered")

    def in_threads(self, control: Control) -> None:
        """Train in threads, each of which takes what is next; when the wait ends for any reason, so do the trainings.

        A task of joblib for each training took 0.2 ms, as much as some hundred iterations of a tiny net.
        """
        work = Task(self._drain, control.train)
        work.start()
        try:
            work.wait()
        except BaseException:
            control.stop()
            raise

    def _drain(self, train: Callable[[], None]) -> None:
        for _ in self._parallel(joblib.delayed(train)() for _ in range(self.jobs)):
            pass

    def elsewhere(self, tasks: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Plan, Record]]:
        """Each training's record as it comes, of processes or machines. Arrays are arguments, which joblib shares."""
        plans = {plan.number: plan for plan, *_ in tasks}
        for number, record in self._parallel(joblib.delayed(_numbered)(*task) for task in tasks):
            yield plans[number], replace(record, configuration=plans[number].configuration)


def _numbered(plan: Plan, *arrays: Any) -> tuple[int, Record]:
    """The record of a training for the way back, which its configuration need not take."""
    return plan.number, replace(train_alone(plan, *arrays), configuration={})
