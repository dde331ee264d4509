"""Saving a training and going on with it: the file is whole, whatever happens while it is written.

It is an ``.npz`` of what the algorithm works on, the costs, and ``about``, a JSON text: how far the training is, by which
algorithm, and what identifies it.
"""

import atexit
import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastbackprop.algorithms import ALGORITHMS, Direct, cost_count
from fastbackprop.kernels.tasks import Task

FORMAT = 1
SAVE_SECONDS = 30.0
END_SECONDS = 60.0  # that the end of a process waits for a file to be written
_PIECE = 2**16  # numbers that are hashed at a time

# The last work of this process that may save to each file: who is interrupted again while it saves does not wait for it.
_writers: dict[Path, Task] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_writers.clear)


def _end_of_process() -> None:
    """Let what saves come to its end; trainings that still ran were stopped before this."""
    for work in tuple(_writers.values()):
        work.settle(END_SECONDS)


atexit.register(_end_of_process)


def digest(dtype: np.dtype[Any], *arrays: np.ndarray) -> str:
    """sha256 of the arrays' shapes and their values in a dtype, in C order, without a copy of a whole array."""
    sha = hashlib.sha256(str(dtype).encode())
    nditer: Any = np.nditer  # its stub does not know "contig"
    for array in arrays:
        sha.update(str(array.shape).encode())
        flags, op_flags = ["external_loop", "buffered", "zerosize_ok"], [["readonly", "contig"]]
        for piece in nditer(array, flags, op_flags, [dtype], order="C", casting="same_kind", buffersize=_PIECE):
            sha.update(piece)
    return f"sha256 {sha.hexdigest()}"


class Checkpoint:
    """The file of one training.

    Parameters
    ----------
    path : str or path
        It need not exist; its folder must.
    iterations : int
        How many the training is to have: a finished one needs no writable folder.
    """

    def __init__(self, path: str | os.PathLike[str], iterations: int) -> None:
        if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
            raise TypeError(f"checkpoint is {path!r}; expected the path of a file")
        self.path = Path(path).resolve()  # a link stays one, and a change of the working folder changes nothing
        self.iterations = iterations
        self.about: dict[str, Any] = {}
        self.arrays: dict[str, np.ndarray] = {}
        self.identity: dict[str, Any] = {}
        if self.path in _writers:
            _writers[self.path].settle()
        self._read()
        self.found = bool(self.about)
        self.saved: int = self.about.get("iteration", -1)  # the iteration that the file is at
        self.saved_at = time.monotonic()
        if self.saved != iterations:
            self._try_folder()

    # ---------------------------------------------------------------------------------------------------------- reading

    def _read(self) -> None:
        if not self.path.exists():
            return
        if not self.path.is_file():
            raise ValueError(f"checkpoint {self.path} is not a file")
        with open(self.path, "rb") as file:
            try:
                with np.load(file, allow_pickle=False) as members:
                    arrays = {name: members[name] for name in members.files}
                about = json.loads(str(arrays.pop("about")))
                known = about["format"] == FORMAT and about["algorithm"] in ALGORITHMS[1:] and "parameters" in about
                known = known and arrays["costs"].shape == (cost_count(about["iteration"]),) and about["iteration"] >= 0
            except Exception as error:  # of whatever kind: NumPy, zipfile and json each have their own
                raise self._damaged(f"{type(error).__name__}: {error}") from None
        if not known:
            raise self._damaged("not what this version writes")
        self.about, self.arrays = about, arrays

    def _damaged(self, reason: str) -> ValueError:
        return ValueError(
            f"checkpoint {self.path} is damaged or was not written by a training ({reason}); remove it to begin anew"
        )

    def identify(
        self,
        algorithm: str,
        X: np.ndarray,
        Y: np.ndarray,
        sizes: list[int],
        rate: float,
        start: dict[str, np.ndarray] | None,
    ) -> str:
        """Take up what identifies the training, and see whether the file's is the same; gives the algorithm to go on by.

        `start` are the parameters that the training is to begin with; where the file exists it may be None.
        """
        identity = {"layers_dims": sizes, "learning_rate": rate, "dtype": str(X.dtype)}
        identity |= {"X": digest(X.dtype, X), "Y": digest(X.dtype, Y)}
        if start is not None:
            identity["parameters"] = digest(X.dtype, *start.values())
        if not self.found:
            self.identity = identity
            return algorithm
        differences = [
            f"{name} was {there}, is {here}" for name, here in identity.items() if (there := self.about.get(name)) != here
        ]
        recorded = self.about["algorithm"]
        if algorithm not in ("auto", recorded):
            differences.append(f"algorithm was {recorded!r}, is {algorithm!r}")
        if differences:
            raise ValueError(
                f"checkpoint {self.path} belongs to another training: {'; '.join(differences)}; name another file, or remove "
                "it to begin anew"
            )
        if self.saved > self.iterations:
            raise ValueError(f"checkpoint {self.path} is at iteration {self.saved}, beyond num_iterations {self.iterations}")
        self.identity = {"parameters": self.about["parameters"]} | identity
        return recorded

    def restore(self, descent: Direct) -> None:
        """Give the descent what the file holds, if there is one."""
        if not self.found:
            return
        costs = self.arrays.pop("costs")
        targets = descent.arrays()
        for name, array in self.arrays.items():
            if name not in targets or targets[name].shape != array.shape or targets[name].dtype != array.dtype:
                raise self._damaged(f"{name} does not fit")
            targets.pop(name)[...] = array
        if targets:
            raise self._damaged(f"{', '.join(targets)} missing")
        descent.done, descent.costs = self.about["iteration"], costs.astype(float).tolist()
        self.arrays = {}

    # ---------------------------------------------------------------------------------------------------------- writing

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[Path]:
        """A new name beside the checkpoint's; what is still there when the block ends goes."""
        path = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.tmp")
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _try_folder(self) -> None:
        try:
            with self._temporary() as path:
                path.touch()
        except OSError as error:
            raise OSError(error.errno, f"no checkpoint can be written ({error.strerror})", str(self.path)) from None

    def writer(self, work: Task) -> None:
        """Have who opens this file next wait for the work, which may save to it."""
        _writers[self.path] = work

    def due(self) -> bool:
        """Whether the last saving is long enough ago."""
        return time.monotonic() - self.saved_at >= SAVE_SECONDS

    def save(self, descent: Direct) -> None:
        """Put the training in the file, or leave the file as it is and raise."""
        if self.saved == descent.done:
            return
        about = {"format": FORMAT, "algorithm": descent.name, "iteration": descent.done} | self.identity
        members: dict[str, Any] = descent.arrays() | {"costs": np.array(descent.costs, float)}
        with self._temporary() as path:
            with open(path, "xb") as file:
                np.savez(file, about=json.dumps(about), **members)
                file.flush()
                os.fsync(file.fileno())
            os.replace(path, self.path)
        _flush_folder(self.path.parent)
        self.saved, self.saved_at = descent.done, time.monotonic()


def _flush_folder(folder: Path) -> None:
    """Have the new name outlive a loss of power, where the system lets folders be flushed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
