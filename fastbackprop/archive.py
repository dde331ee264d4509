"""Reading the package's own ``.npz`` files: nothing that a file states about itself is trusted.

Such a file holds arrays of known shapes and dtypes, and ``about``, a JSON text. What does not fit is neither read, nor
unpacked, nor allocated for; nothing is ever unpickled.
"""

import json
import math
import zipfile
from typing import Any

import numpy as np
from numpy.lib import format as npy

ABOUT_BYTES = 2**22  # what the text may take at most
_HEADER_BYTES = 2**14  # likewise, what stands before the numbers of an array


class Unfit(Exception):
    """The reason why a file is not what it should be."""


def members(file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The arrays in a file, by name."""
    found = {info.filename.removesuffix(".npy"): info for info in file.infolist()}
    if len(found) != len(file.infolist()):
        raise Unfit("an array is there twice")
    return found


def read_member(file: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any] | None) -> np.ndarray:
    """An array of the file, if it is of this shape and dtype; without a dtype, a text."""
    info = members(file).get(name)
    if info is None:
        raise Unfit(f"{name} is missing")
    size = ABOUT_BYTES if dtype is None else dtype.itemsize * math.prod(shape)
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


def read_about(file: zipfile.ZipFile) -> Any:
    """What the JSON text of the file says."""
    return json.loads(str(read_member(file, "about", (), None)))


def only(file: zipfile.ZipFile, known: set[str]) -> None:
    """Raise where the file holds an array that is not among these."""
    if unknown := members(file).keys() - known:
        raise Unfit(f"{', '.join(sorted(unknown))} is unknown")
