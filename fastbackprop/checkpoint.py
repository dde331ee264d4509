"""Saving a training and resuming it: the file is whole, whatever happens while it is written.

It is an ``.npz`` of what the algorithm works on, the costs, and ``about``, a JSON text: how far the training is, by which
algorithm, and what identifies it.
"""

import atexit
import contextlib
import errno
import hashlib
import json
import math
import os
import secrets
import stat
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from fastbackprop.algorithms import ALGORITHMS, Direct, cost_count
from fastbackprop.kernels.tasks import Task

FORMAT = 1
SAVE_SECONDS = 30.0
END_SECONDS = 60.0  # how long the end of a process waits for a file to be written
_PIECE = 2**16  # numbers that are hashed at a time
_ABOUT_BYTES = 2**22  # what the text about a training may take at most
_HEADER_BYTES = 2**14  # likewise, what stands before the numbers of an array

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


class Unfit(Exception):
    """The reason why a file is no checkpoint."""


def _members(file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The arrays in a file, by name."""
    members = {info.filename.removesuffix(".npy"): info for info in file.infolist()}
    if len(members) != len(file.infolist()):
        raise Unfit("an array is there twice")
    return members


def _read_member(file: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any] | None) -> np.ndarray:
    """An array of the file, if it is of this shape and dtype; without a dtype, a text.

    Nothing that the file states about the array is trusted: what does not fit is neither read, nor unpacked, nor allocated for.
    """
    info = _members(file).get(name)
    if info is None:
        raise Unfit(f"{name} is missing")
    size = _ABOUT_BYTES if dtype is None else dtype.itemsize * math.prod(shape)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size > size + _HEADER_BYTES:
        raise Unfit(f"{name} does not fit")
    with file.open(info) as member:
        if npy.read_magic(member) != (1, 0):
            raise Unfit(f"{name} is of another version of the format")
        found_shape, fortran, found = npy.read_array_header_1_0(member)
        fits = found.kind == "U" if dtype is None else found == dtype
        size = info.file_size - member.tell()
        if not fits or fortran or found_shape != shape or size != found.itemsize * math.prod(shape):
            raise Unfit(f"{name} does not fit")
        return np.frombuffer(member.read(size), found).reshape(shape)


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
        about: dict[str, Any] = json.loads(str(_read_member(file, "about", (), None)))
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
            if unknown := _members(file).keys() - targets.keys() - {"about", "costs"}:
                raise Unfit(f"{', '.join(sorted(unknown))} is unknown")
            for name, array in targets.items():
                array[...] = _read_member(file, name, array.shape, array.dtype)
            costs = _read_member(file, "costs", (cost_count(done),), np.dtype(float))
        descent.done, descent.costs = done, costs.tolist()

    # ---------------------------------------------------------------------------------------------------------- writing

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[Path]:
        """A new name beside the checkpoint's; a file of that name is removed when the block ends."""
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
        with self._temporary() as path:
            with open(path, "xb") as file:
                np.savez(file, about=json.dumps(about), **members)
                file.flush()
                os.fsync(file.fileno())
            os.replace(path, self.path)
        _flush_folder(self.path.parent)
        self.saved, self.saved_at = descent.done, time.monotonic()


def _flush_folder(folder: Path) -> None:
    """Make the new name outlive a loss of power, where the system can flush folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
