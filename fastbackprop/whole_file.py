"""Files that are written whole or not at all: under another name in the same folder, which then takes the file's place."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """A new name beside the file's; a file of that name is removed when the block ends."""
    other = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield other
    finally:
        other.unlink(missing_ok=True)


def try_folder(path: Path) -> None:
    """Raise the OSError that writing this file would meet, where its folder is missing or cannot be written."""
    with _temporary(path) as other:
        other.touch()


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes `path` when the block ends; if it raises, `path` stays as it was."""
    with _temporary(path) as other:
        with open(other, "xb") as file:
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
