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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fastbackprop.archive import Unfit, only, read_about, read_member
from fastbackprop.descents import Descent, Words
from fastbackprop.kernels.tasks import Task
from fastbackprop.whole_file import replacing, try_folder

FORMAT = 1
ALGORITHMS = ("direct", "gram", "batches")  # names of descents
UNNAMED = "L_layer_model"  # the function whose files do not name it
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


def digests(**groups: Iterable[np.ndarray] | None) -> dict[str, str]:
    """The digest of each group of arrays that is there, in the dtype of the first of all."""
    there = {name: found for name, arrays in groups.items() if (found := list(arrays or ()))}
    dtype = next(iter(there.values()))[0].dtype
    return {name: digest(dtype, *arrays) for name, arrays in there.items()}


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
    end : int
        How many iterations the training is to have: a finished one needs no writable folder.
    words : Words
    """

    def __init__(self, path: str | os.PathLike[str], end: int, words: Words) -> None:
        if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
            raise TypeError(f"checkpoint is {path!r}; expected the path of a file")
        self.end, self.words = end, words
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
        if self.saved != end:
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
        known = about["format"] == FORMAT and about["algorithm"] in ALGORITHMS and "parameters" in about
        if not known or type(about["iteration"]) is not int or about["iteration"] < 0:
            raise Unfit("not what this version writes")
        return about

    def _damaged(self, reason: str) -> ValueError:
        return ValueError(
            f"checkpoint {self.path} is damaged or was not written by a training ({reason}); remove it to start again"
        )

    def digests(self, **groups: Iterable[np.ndarray] | None) -> dict[str, str]:
        """What identifies the arrays of a training."""
        return digests(**groups)

    def identify(self, algorithm: str, identity: dict[str, Any]) -> str:
        """Record what identifies the training, compare it with the file's, and return the algorithm to use.

        Its ``parameters``, those to begin with, may be missing where the file exists.
        """
        function = {} if self.words.function == UNNAMED else {"function": self.words.function}
        if not self.found:
            self.identity = function | identity
            return algorithm
        if self._written_by != self.words.function:
            raise ValueError(
                f"checkpoint {self.path} was written by {self._written_by}; {self.words.function} resumes its own files alone: "
                "name another file, or remove it to start again"
            )
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
        if self.saved > self.end:
            unit, limit = self.words.unit, self.words.limit
            raise ValueError(f"checkpoint {self.path} is at {unit} {self.saved}, beyond {limit} {self.end}")
        self.identity = {"parameters": self.about["parameters"]} | function | identity
        return recorded

    @property
    def _written_by(self) -> str:
        """The function whose training the file holds."""
        return str(self.about.get("function", UNNAMED))

    def recorded(self, name: str) -> Any:
        """A whole number from 0 on that the file remembers; None in that of another function, which `identify` refuses."""
        if self._written_by != self.words.function:
            return None
        memory = self.about.get("memory")
        value = memory.get(name) if isinstance(memory, dict) else None
        if type(value) is not int or value < 0:
            raise self._damaged(f"its {name} is {value!r}")
        return value

    def restore(self, descent: Descent) -> None:
        """Load the file into the descent, if there is one."""
        if not self.found:
            return
        done, targets = self.about["iteration"], descent.arrays()
        lengths = descent.lengths(done)
        with self._opened() as file:
            if self._read_about(file) != self.about:
                raise Unfit("it changed while it was read")
            only(file, targets.keys() | lengths.keys() | {"about"})
            for name, array in targets.items():
                array[...] = read_member(file, name, array.shape, array.dtype)
            histories = {name: read_member(file, name, (length,), np.dtype(float)).tolist() for name, length in lengths.items()}
            descent.recall(done, histories, self.about.get("memory", {}))

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

    def save(self, descent: Descent) -> None:
        """Save the training in the file, or leave the file as it is and raise."""
        if self.saved == descent.done:
            return
        if descent.torn:
            raise OSError(errno.EINTR, "a slice of iterations was interrupted, since no thread could be started for it")
        about = {"format": FORMAT, "algorithm": descent.name, "iteration": descent.done} | self.identity
        if memory := descent.memory():
            about["memory"] = memory
        members: dict[str, Any] = {name: np.ascontiguousarray(array) for name, array in descent.arrays().items()}
        members |= {name: np.array(values, float) for name, values in descent.histories().items()}
        with replacing(self.path) as file:
            np.savez(file, about=json.dumps(about), **members)
        self.saved, self.saved_at = descent.done, time.monotonic()
