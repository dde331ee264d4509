"""Saving a training and resuming it: the file is whole, whatever happens while it is written.

It is an ``.npz`` of what the algorithm works on, the costs, and ``about``, a JSON text: how far the training is, by which
algorithm, and what identifies it.
"""

import atexit
import contextlib
import errno
import hashlib
import json
import os
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fastbackprop.algorithms import ALGORITHMS, Direct, cost_count
from fastbackprop.archive import Unfit, only, read_about, read_member
from fastbackprop.kernels.tasks import Task
from fastbackprop.whole_file import replacing, try_folder

FORMAT = 1
SAVE_SECONDS = 30.0
END_SECONDS = 60.0  # how long the end of a process waits for a file to be written
_PIECE = 2**16  # numbers that are hashed at a time

# The last work of this process that may save to each file: a caller that is interrupted again while it saves does not wait.
_writers: dict[Path, Task] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_writers.clear)


def _end_of_process() -> None:
    """Wait for the work that saves; trainings that still ran were stopped before this."""
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


def _locate(path: str | os.PathLike[str]) -> tuple[Path, bool]:
    """The file that a path leads to, and whether it is there."""
    try:
        file = Path(os.path.realpath(path))  # a link stays one, and a change of the working folder changes nothing
        mode = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return file, False
    except OSError as error:
        raise _unreadable(error, path) from None
    except ValueError as error:  # NUL, or what the file system's encoding lacks
        raise ValueError(f"checkpoint is {path!r}, which is no name of a file: {error}") from None
    if not stat.S_ISREG(mode):
        raise ValueError(f"checkpoint {file} is not a file")
    return file, True


def _unreadable(error: OSError, path: str | os.PathLike[str]) -> OSError:
    return OSError(error.errno, f"the checkpoint cannot be read ({error.strerror})", os.fspath(path))


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
        self.iterations = iterations
        self.about: dict[str, Any] = {}
        self.identity: dict[str, Any] = {}
        self.path, there = _locate(path)
        if self.path in _writers:
            _writers[self.path].settle()
            there = self.path.exists()
        if there:
            with self._opened() as file:
                self.about = self._read_about(file)
        self.found = bool(self.about)
        self.saved: int = self.about.get("iteration", -1)  # the iteration that the file is at
        self.saved_at = time.monotonic()
        if self.saved != iterations:
            self._try_folder()

    # ---------------------------------------------------------------------------------------------------------- reading

    def _open(self) -> BinaryIO:
        try:
            return open(self.path, "rb")
        except OSError as error:
            raise _unreadable(error, self.path) from None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        """The open file; any fault of it becomes one kind of error."""
        with self._open() as file:
            try:
                with zipfile.ZipFile(file) as members:
                    yield members
            except Exception as error:  # of any kind: NumPy, zipfile and json each raise their own
                reason = str(error) if isinstance(error, Unfit) else f"{type(error).__name__}: {error}"
                raise self._damaged(reason) from None

    @staticmethod
    def _read_about(file: zipfile.ZipFile) -> dict[str, Any]:
        about: dict[str, Any] = read_about(file)
        known = about["format"] == FORMAT and about["algorithm"] in ALGORITHMS[1:] and "parameters" in about
        if not known or type(about["iteration"]) is not int or about["iteration"] < 0:
            raise Unfit("not what this version writes")
        return about

    def _damaged(self, reason: str) -> ValueError:
        return ValueError(
            f"checkpoint {self.path} is damaged or was not written by a training ({reason}); remove it to start again"
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
        """Record what identifies the training, compare it with the file's, and return the algorithm to use.

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
                "it to start again"
            )
        if self.saved > self.iterations:
            raise ValueError(f"checkpoint {self.path} is at iteration {self.saved}, beyond num_iterations {self.iterations}")
        self.identity = {"parameters": self.about["parameters"]} | identity
        return recorded

    def restore(self, descent: Direct) -> None:
        """Load the file into the descent, if there is one."""
        if not self.found:
            return
        done, targets = self.about["iteration"], descent.arrays()
        with self._opened() as file:
            if self._read_about(file) != self.about:
                raise Unfit("it changed while it was read")
            only(file, targets.keys() | {"about", "costs"})
            for name, array in targets.items():
                array[...] = read_member(file, name, array.shape, array.dtype)
            costs = read_member(file, "costs", (cost_count(done),), np.dtype(float))
        descent.done, descent.costs = done, costs.tolist()

    # ---------------------------------------------------------------------------------------------------------- writing

    def _try_folder(self) -> None:
        try:
            try_folder(self.path)
        except OSError as error:
            raise OSError(error.errno, f"no checkpoint can be written ({error.strerror})", str(self.path)) from None

    def writer(self, work: Task) -> None:
        """Register the work, which may save to this file: the next one that opens it waits."""
        _writers[self.path] = work

    def close(self) -> None:
        """Forget the work that may write to the file, once it is done."""
        work = _writers.get(self.path)
        if work is not None and work.done:
            _writers.pop(self.path, None)

    def due(self) -> bool:
        """Whether the last saving is long enough ago."""
        return time.monotonic() - self.saved_at >= SAVE_SECONDS

    def save(self, descent: Direct) -> None:
        """Save the training in the file, or leave the file as it is and raise."""
        if self.saved == descent.done:
            return
        if descent.torn:
            raise OSError(errno.EINTR, "a slice of iterations was interrupted, since no thread could be started for it")
        about = {"format": FORMAT, "algorithm": descent.name, "iteration": descent.done} | self.identity
        members: dict[str, Any] = descent.arrays() | {"costs": np.array(descent.costs, float)}
        with replacing(self.path) as file:
            np.savez(file, about=json.dumps(about), **members)
        self.saved, self.saved_at = descent.done, time.monotonic()
