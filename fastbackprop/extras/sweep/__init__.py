"""Independent trainings on the same examples, a core each, or on several machines. It needs joblib, the extra ``sweep``."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastbackprop import arguments, doubtful
from fastbackprop.extras import missing
from fastbackprop.extras.sweep.alone import Control
from fastbackprop.extras.sweep.folder import Folder, identified
from fastbackprop.extras.sweep.plans import Plan, plans_of
from fastbackprop.extras.sweep.records import Progress, Record, Records
from fastbackprop.extras.sweep.sharing import Shared
from fastbackprop.importing import importing

if TYPE_CHECKING:
    from fastbackprop.extras.sweep.engine import Engine

logger = logging.getLogger("fastbackprop")

__all__ = ["Record", "Records", "sweep"]


def sweep(
    X: Any,
    Y: Any,
    configurations: Iterable[Mapping[str, Any]],
    *,
    n_jobs: int | None = None,
    validation: Any = None,
    progress: bool = False,
    folder: str | os.PathLike[str] | None = None,
) -> Records:
    """Train a net for each configuration, several at once with one thread each; each with the bits of a training alone.

    X is checked once, and its Gram matrix is built once for all trainings that take gram descent. Each of them takes the
    algorithm that it would take alone when the sweep begins. The last one takes all threads.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array
        Labels as the functions take them.
    configurations : iterable of dict
        Each has arguments of ``L_layer_model`` or of ``train``, but those that print, draw, return or save. Its names say
        which function is meant; where both have them all, it is ``L_layer_model``. ``seed`` decides what is drawn: for
        ``L_layer_model`` the start is that after ``np.random.seed(seed)``, while NumPy's global generator stays as it is; for
        ``train`` it is that function's own. Without ``parameters`` to start from it is needed.
    n_jobs : int, optional
        How many are trained at once. Without it as many as there are threads, ``get_num_threads()``. Within
        ``joblib.parallel_config`` that backend and its number of jobs hold: processes get X mapped from a file, other
        machines get it once each.
    validation : (X, Y), optional
        Examples that are held out, for the accuracy of the records.
    progress : bool
        Show one bar for all trainings. Needs tqdm: the extra ``progress``.
    folder : str or path, optional
        A folder for the record of each training that ends, and for checkpoints of those that run in this process. The same
        sweep, or another one with some of the same trainings, takes what is there. A damaged file, or another one's, is
        ignored, which the log states, and its training is done again.

    Returns
    -------
    Records
        A record for each configuration, in their order. One that diverges or fails has a record that says so. After Ctrl-C,
        which acts on threads within a fifth of a second, the records of what is not done have the status "interrupted".

    Raises
    ------
    TypeError, ValueError, KeyError
        What the functions raise for their arguments, with the configuration's index; names of no function or of both; no seed;
        validation that is no pair. All of it before any work.
    OSError
        The folder cannot be written.
    ImportError
        joblib, or what `progress` needs, is not installed.

    Warns
    -----
    UserWarning
        Labels outside [0, 1] for sigmoid.
    RuntimeWarning
        A record that cannot be written to the folder; costs that are not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((2, 300))
    >>> Y = (X[:1] * X[1:] > 0).astype(float)
    >>> rates = 0.1, 0.5
    >>> records = bp.sweep(X, Y, [{"layers_dims": [2, 8, 1], "learning_rate": rate, "seed": 1} for rate in rates])
    >>> [record.status for record in records], len(records[0].costs)
    (['done', 'done'], 30)
    """
    try:
        with importing:
            from fastbackprop.extras.sweep.engine import Engine
    except ImportError:
        raise missing("sweep", "sweep") from None
    jobs = _jobs(n_jobs)
    if arguments.truth("progress", progress):
        with importing:
            from fastbackprop.extras.progress import ProgressBar
    X, Y, plans, held_out = plans_of(X, Y, configurations, validation)
    kept, records = None, Progress()
    if folder is not None:
        plans = identified(plans, X, Y, held_out)
        kept = Folder(folder, plans)
        records.found(kept.read(plans, X))
    left = [plan for plan in plans if plan.number not in records]
    with contextlib.ExitStack() as stack:
        if progress:
            records.watch = stack.enter_context(ProgressBar(records.done, len(plans)))
        try:
            if left:
                _train(Shared(X, Y, held_out, left), left, records, kept, Engine(jobs, len(left)))
        except KeyboardInterrupt:
            logger.info("sweep: interrupted after %d of %d trainings", records.done, len(plans))
        result = records.all(plans)
        for number, record in enumerate(result):
            doubtful.explain_costs(record.costs, f" of configurations[{number}]")
        return result


def _jobs(n_jobs: Any) -> int | None:
    if n_jobs is None:
        return None
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, (int, np.integer)):
        raise TypeError(f"n_jobs is {n_jobs!r}; expected a whole number of trainings at once, or -1 for as many as cores")
    if n_jobs == 0:
        raise ValueError("n_jobs is 0; expected 1 or more, or -1 for as many as cores")
    return int(n_jobs)


def _train(shared: Shared, plans: list[Plan], records: Progress, kept: Folder | None, engine: Engine) -> None:
    """Train what is left."""
    tasks = [(plan, *shared.arrays(plan)) for plan in plans]
    if engine.here:
        engine.in_threads(Control(tasks, records, kept, engine.jobs))
        return
    for plan, record in engine.elsewhere(tasks):
        records.take(plan, record)
        if kept is not None:
            kept.write(plan, record)
