"""Reading examples and labels from files, for the command line: tables, arrays by name, two classes, scaling."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fastbackprop.bad_input import BadInput, input_file
from fastbackprop.data.arrays import read_h5, read_npz
from fastbackprop.data.examples import Examples, Wanted
from fastbackprop.data.tables import read_csv, read_npy

__all__ = ["Examples", "Wanted", "read_examples"]

_READERS: dict[str, Callable[[Path, Wanted], Examples]] = {
    ".csv": read_csv,
    ".npy": read_npy,
    ".npz": read_npz,
    ".h5": read_h5,
    ".hdf5": read_h5,
}


def read_examples(path: str, wanted: Wanted) -> Examples:
    """The examples of a file, and their labels if it has any.

    Parameters
    ----------
    path : str
        A file whose name ends in .csv, .npy, .npz, .h5 or .hdf5.
    wanted : Wanted
        What the reader is told about the file.

    Raises
    ------
    BadInput
        The file is missing, empty or of another kind, its arrays do not fit together, or it holds what is no finite number.
    ImportError
        h5py is needed and not installed.
    """
    reader = _READERS.get(Path(path).suffix.lower())
    if reader is None:
        raise BadInput(f"{path} is of an unknown kind; expected a name that ends in {', '.join(_READERS)}")
    return reader(input_file(path), wanted)
