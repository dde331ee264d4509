"""What becomes of the trainings of a sweep."""

from __future__ import annotations

import _thread
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from fastbackprop.extras import missing
from fastbackprop.extras.sweep.plans import Plan

DONE, DIVERGED, FAILED, INTERRUPTED = "done", "diverged", "failed", "interrupted"


@dataclass(frozen=True, eq=False)
class Record:
    """What became of one training.

    Attributes
    ----------
    configuration : dict
        As it was passed.
    parameters : dict or None
        ``W1, b1, ..., WL, bL`` with the bits of a training alone. Of a diverged one the last that are finite; None where it
        failed or was interrupted.
    costs : list of float
        As the function collects them: of ``L_layer_model`` one every 100 iterations, of ``train`` one an epoch.
    accuracy : float or None
        The part of right answers among the examples that are held out, for an identity output the negative mean squared error;
        None without `validation`, and where the training did not end.
    seconds : float
        From its beginning to its end, with others at work beside it.
    status : {"done", "diverged", "failed", "interrupted"}
    error : str or None
        What the function would have raised, or how far an interrupted one came.
    """

    configuration: dict[str, Any]
    parameters: dict[str, np.ndarray] | None
    costs: list[float]
    accuracy: float | None
    seconds: float
    status: str
    error: str | None = None

    def __repr__(self) -> str:
        cost = f", last cost {self.costs[-1]:.6g}" if self.costs else ""
        accuracy = "" if self.accuracy is None else f", accuracy {self.accuracy:.6g}"
        shown = {name: "..." if name == "parameters" else value for name, value in self.configuration.items()}
        return f"Record({self.status}: {shown}{cost}{accuracy}, {self.seconds:.3g} s)"


class Records(Sequence[Record]):
    """The records of a sweep, in the order of its configurations."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = tuple(records)

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> Records: ...
    def __getitem__(self, at: int | slice) -> Record | Records:
        return Records(self._records[at]) if isinstance(at, slice) else self._records[at]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def __repr__(self) -> str:
        counts = Counter(record.status for record in self)
        return f"Records({', '.join(f'{count} {status}' for status, count in counts.items())})"

    def to_frame(self) -> Any:
        """A DataFrame with a row a training: the configuration's arguments, the last cost, accuracy, seconds, status, error.

        Needs pandas: the extra ``pandas``.

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        ImportError
            pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise missing("to_frame", "pandas") from None
        rows = [
            record.configuration
            | {"cost": record.costs[-1] if record.costs else None, "accuracy": record.accuracy, "seconds": record.seconds}
            | {"status": record.status, "error": record.error}
            for record in self
        ]
        names = dict.fromkeys(name for row in rows for name in row)
        last = [name for name in names if name in ("cost", "accuracy", "seconds", "status", "error")]
        return pandas.DataFrame(rows, columns=[name for name in names if name not in last] + last)


class Progress:
    """The records that are there so far. Several threads may add to them; what comes after `all` is too late."""

    def __init__(self) -> None:
        self.watch: Callable[[Any], None] = lambda progress: None
        self.costs: list[float] = []  # the last cost of the last training, for the bar
        self._records: dict[int, Record] = {}
        self._lock = _thread.allocate_lock()
        self._over = False

    @property
    def done(self) -> int:
        return len(self._records)

    def __contains__(self, number: int) -> bool:
        return number in self._records

    def found(self, records: Mapping[int, Record]) -> None:
        """Add those of an earlier sweep."""
        self._records.update(records)

    def take(self, plan: Plan, record: Record) -> None:
        """Add one."""
        with self._lock:
            if self._over:
                return
            self._records[plan.number] = record
            self.costs = record.costs[-1:]
            self.watch(self)

    def all(self, plans: Sequence[Plan]) -> Records:
        """One for each plan."""
        self._over = True
        return Records([self._records.get(plan.number) or _unbegun(plan) for plan in plans])


def _unbegun(plan: Plan) -> Record:
    return Record(plan.configuration, None, [], None, 0.0, INTERRUPTED, "interrupted before its end")
