"""Files that are written whole or not at all: under another name in the same folder, which then takes the file's place.

A process that is killed leaves that other file. It is locked while it is written, so that whoever comes later knows.
"""

import contextlib
import glob
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fastbackprop.kernels.tasks import do

if sys.platform != "win32":  # where an open file cannot be removed anyway
    import fcntl

# A file that is left was not written to for so long. The lock alone does not say it: between machines a file system may have
# none, and a process may have made its file and not locked it yet.
LEFT_SECONDS = 3600.0


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A new name beside the file's; a file of that name is removed when the block ends."""
    other = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield other
    finally:
        other.unlink(missing_ok=True)


def try_folder(path: Path) -> None:
    """Raise the OSError that writing this file would meet, where its folder is missing or cannot be written.

    What killed processes left of this file is removed. A thread does it, in which no interrupt leaves the file that is tried.
    """
    do(_try_folder, path)


def _try_folder(path: Path) -> None:
    with _temporary(path) as other:
        other.touch()
    remove_left(path.parent, glob.escape(path.name))


def remove_left(folder: Path, pattern: str) -> None:
    """Remove what killed processes left of files whose names fit a pattern; what cannot be removed stays."""
    for other in folder.glob(f"{pattern}.{8 * '[0-9a-f]'}.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - other.stat().st_mtime > LEFT_SECONDS:
                with open(other, "r+b") as file:
                    _lock(file)
                other.unlink()  # nobody opens it again: each file has a name of its own


def _lock(file: BinaryIO) -> None:
    """Lock a file until it is closed; raises OSError where somebody holds its lock, or the file system has none."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` when the block ends; if it raises, `path` stays as it was."""
    with _temporary(path) as other:
        with open(other, "xb") as file:
            with contextlib.suppress(OSError):  # then the file's age has to do
                _lock(file)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(other, path)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Make the new name outlive a loss of power, where the system can flush folders."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
