"""Checks of the files that a command is to write, before its work: nothing of somebody else's is written over."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from fastbackprop.bad_input import BadInput
from fastbackprop.extras import missing
from fastbackprop.whole_file import try_folder

# The first line of a table of predictions: a pair, or a number, a unit.
_PREDICTIONS = re.compile(rb"probability,class|(probability_\d+,class_\d+,?)+|prediction|(prediction_\d+,?)+")
_LONGEST = 2**16
_PNG = b"\x89PNG\r\n\x1a\n"


def output_file(option: str, path: str, ours: Callable[[Path], bool]) -> Path:
    """The file to write; a BadInput where it cannot be written, or something is there that this command did not write."""
    file = _located(option, path)
    there = file.exists()
    if there and not file.is_file():
        raise BadInput(f"{option} {path} is not a file")
    if there and file.stat().st_size and not ours(file):
        raise BadInput(f"{option} {path} is there and was not written by this command; name another file, or remove it")
    try:
        try_folder(file)
    except OSError as error:
        raise BadInput(f"{option} {path} cannot be written: {error.strerror}") from None
    return file


def all_different(files: dict[str, str | None]) -> None:
    """Check that no two of these are one file; the keys are what they are called."""
    seen: dict[Path, str] = {}
    for name, path in files.items():
        if path is None:
            continue
        file = _located(name, path)
        if file in seen:
            raise BadInput(f"{seen[file]} and {name} are the same file {path}; expected two")
        seen[file] = name


def _located(name: str, path: str) -> Path:
    """The file that a path leads to."""
    try:
        file = Path(os.path.realpath(path))  # a link stays one
        file.exists()
    except (OSError, ValueError) as error:  # a name that is too long, NUL, or what the file system's encoding lacks
        raise BadInput(f"{name} {path!r} is no name of a file: {error}") from None
    return file


def software(path: Path) -> bool:
    """Whether a file is a picture that this package wrote: its name stands in the head of the PNG."""
    with open(path, "rb") as file:
        head = file.read(1024)
    return head.startswith(_PNG) and b"Software\0fastbackprop" in head


def predictions(path: Path) -> bool:
    """Whether a file is a table of predictions."""
    with open(path, "rb") as file:
        return _PREDICTIONS.fullmatch(file.readline(_LONGEST).strip()) is not None


def picture_file(path: str) -> Path:
    """The file of a picture to draw; an ImportError where nothing can draw."""
    file = output_file("--picture", path, software)
    try:
        import fastbackprop.extras.plotting  # noqa: F401
    except ImportError:
        raise missing("--picture", "plot") from None
    return file


@contextlib.contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """Within it an OSError becomes a BadInput that names the option."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"{option} {path} could not be written: {error.strerror}") from None
