"""The folder of a sweep: a file for each record, and a checkpoint for each training that runs.

A record's file is an ``.npz`` of the parameters, the costs and ``about``, a JSON text. Its name is a digest of the data and of
all that the training was asked for, so that it is found by any sweep that has this training.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from fastbackprop.archive import Unfit, only, read_about, read_member
from fastbackprop.checkpoint import Checkpoint, digest
from fastbackprop.extras.sweep.plans import Plan, with_keys
from fastbackprop.extras.sweep.records import DIVERGED, DONE, Record
from fastbackprop.whole_file import remove_left, replacing, try_folder

logger = logging.getLogger("fastbackprop")

FORMAT = "fastbackprop sweep record 1"
NAME = 40  # hexadecimal digits of a file's name
_RECORD, _CHECKPOINT = "{}.npz", "{}.checkpoint.npz"
_FLOAT = np.dtype(float)


class Kept(Checkpoint):
    """The checkpoint of a training of a sweep, whose name says which one it is. Of a finished training the record stays."""

    def __init__(self, path: Path, plan: Plan) -> None:
        self.key = plan.key
        super().__init__(path, plan.end, plan.words)

    def digests(self, **groups: Iterable[np.ndarray] | None) -> dict[str, str]:
        return {"parameters": self.key}

    def save(self, descent: Any) -> None:
        if not descent.complete(self.end):
            super().save(descent)


class Folder:
    """The records of a folder that belong to these plans."""

    def __init__(self, path: str | os.PathLike[str], plans: list[Plan]) -> None:
        if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
            raise TypeError(f"folder is {path!r}; expected the path of a folder")
        try:
            self.path = Path(os.path.realpath(path))
            self.path.mkdir(parents=True, exist_ok=True)
            try_folder(self.path / "record")
            for kind in (_RECORD, _CHECKPOINT):
                remove_left(self.path, kind.format(NAME * "[0-9a-f]"))
        except OSError as error:
            raise OSError(error.errno, f"no records can be written ({error.strerror})", os.fspath(path)) from None
        except ValueError as error:  # NUL, or what the file system's encoding lacks
            raise ValueError(f"folder is {path!r}, which is no name of a folder: {error}") from None
        first: dict[str, int] = {}
        for plan in plans:
            first.setdefault(plan.key, plan.number)
        self._writers = set(first.values())  # of trainings that are there twice, the first one writes

    def _file(self, plan: Plan) -> Path:
        return self.path / _RECORD.format(plan.key[:NAME])

    def checkpoint(self, plan: Plan) -> Path | None:
        """Where a training is saved as it goes."""
        return self.path / _CHECKPOINT.format(plan.key[:NAME]) if plan.number in self._writers else None

    def read(self, plans: Iterable[Plan], X: np.ndarray) -> dict[int, Record]:
        """The records that are there, by the numbers of their plans."""
        found = {}
        for plan in plans:
            path = self._file(plan)
            if not path.exists():
                continue
            try:
                with zipfile.ZipFile(path) as members:
                    found[plan.number] = _record(members, plan, plan.asked.dtype(X))
            except Exception as error:  # of any kind: NumPy, zipfile and json each raise their own
                reason = str(error) if isinstance(error, Unfit) else f"{type(error).__name__}: {error}"
                logger.warning("sweep: %s is no record of this training, or is damaged (%s); it is ignored", path, reason)
        return found

    def write(self, plan: Plan, record: Record) -> None:
        """Keep the record of a training that ended, instead of its checkpoint."""
        if record.status not in (DONE, DIVERGED) or plan.number not in self._writers or record.parameters is None:
            return
        about = {
            "format": FORMAT,
            "training": plan.key,
            "status": record.status,
            "error": record.error,
            "accuracy": record.accuracy,
            "seconds": record.seconds,
            "costs": len(record.costs),
        }
        arrays: dict[str, Any] = {key: np.ascontiguousarray(value) for key, value in record.parameters.items()}
        try:
            with replacing(self._file(plan)) as file:
                np.savez(file, about=json.dumps(about), costs=np.array(record.costs, float), **arrays)
            checkpoint = self.checkpoint(plan)
            if checkpoint is not None and checkpoint.is_file():
                checkpoint.unlink()
        except OSError as error:
            what = f"sweep: the record of configurations[{plan.number}] could not be kept: {error}"
            warnings.warn(what, RuntimeWarning, stacklevel=2)


def _record(members: zipfile.ZipFile, plan: Plan, dtype: np.dtype[Any]) -> Record:
    about = read_about(members)
    if not isinstance(about, dict) or about.get("format") != FORMAT or about.get("training") != plan.key:
        raise Unfit("it is of another format, or of another training")
    status, error, accuracy, seconds, count = (about[key] for key in ("status", "error", "accuracy", "seconds", "costs"))
    if status not in (DONE, DIVERGED) or not isinstance(error, (str, type(None))) or not isinstance(seconds, float):
        raise Unfit("its text does not fit")
    if not isinstance(accuracy, (float, type(None))) or type(count) is not int or not 0 <= count <= plan.end:
        raise Unfit("its text does not fit")
    sizes = plan.asked.sizes
    shapes: dict[str, tuple[int, ...]] = {}
    for l in range(1, len(sizes)):
        shapes |= {f"W{l}": (sizes[l], sizes[l - 1]), f"b{l}": (sizes[l], 1)}
    only(members, {"about", "costs", *shapes})
    costs = read_member(members, "costs", (count,), _FLOAT).tolist()
    parameters = {name: read_member(members, name, shape, dtype).copy() for name, shape in shapes.items()}
    return Record(plan.configuration, parameters, costs, accuracy, seconds, status, error)


def identified(plans: list[Plan], X: np.ndarray, Y: np.ndarray, held_out: tuple[np.ndarray, np.ndarray] | None) -> list[Plan]:
    """The plans with their keys: digests of the data and of what each training is asked for."""
    held = "" if held_out is None else digest(held_out[0].dtype, *held_out[:1]) + digest(held_out[1].dtype, *held_out[1:])
    labels, data = digest(Y.dtype, Y), {dtype: digest(dtype, X) for dtype in {plan.asked.dtype(X) for plan in plans}}
    keys = []
    for plan in plans:
        dtype = plan.asked.dtype(X)
        about = {
            "trainer": plan.words.function,
            "seed of the start": plan.seed,
            **{field.name: _value(getattr(plan.asked, field.name)) for field in fields(plan.asked)},
            **{"dtype": str(dtype), "X": data[dtype], "Y": labels, "held out": held},
        }
        keys.append(hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest())
    return with_keys(plans, keys)


def _value(value: Any) -> Any:
    """What identifies an argument, as JSON has it."""
    if isinstance(value, dict):
        return {name: digest(array.dtype, array) for name, array in value.items()}
    return value if isinstance(value, (int, float, str, list, type(None))) else repr(value)
