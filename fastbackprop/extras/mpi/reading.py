"""Reading a rank's part of a file, and no more: .npy by a memory map, .h5 by slices."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput, input_file
from fastbackprop.data.arrays import labels_of, names_of, oriented
from fastbackprop.data.examples import Wanted, numbers
from fastbackprop.data.tables import label_column, map_npy
from fastbackprop.extras import missing
from fastbackprop.extras.mpi.checks import split_named

SUFFIXES = (".npy", ".h5", ".hdf5")
_PIECE_BYTES = 2**24  # of pictures that are read at a time, where a rank takes some of their features


class Part(NamedTuple):
    """A rank's part of the examples: X as columns, finite, and the labels that belong to it.

    `label` is what the file calls the labels, `where` the words for what was read; `pictures` whether they are bytes.
    """

    X: NDArray[np.float64]
    labels: NDArray[np.generic]
    label: str
    where: str
    pictures: bool


def part_of(count: int, rank: int, size: int) -> tuple[int, int]:
    """Where the part of a rank begins and ends: parts are of the same length, or one shorter."""
    return count * rank // size, count * (rank + 1) // size


def read_part(
    path: str, rank: int, size: int, split: str = "examples", *, label: str | None = None, examples: str | None = None
) -> Part:
    """Read what one of `size` ranks holds.

    Parameters
    ----------
    path : str
        A .npy file with the label in one column, or a .h5 file with examples and labels by name.
    rank, size : int
    split : {"examples", "features"}
        What is spread. Where it is features, each rank has all labels.
    label : str, optional
        The label's column, counted from 1, -1 for the last; in .h5 the labels' name. Default: as
        ``fastbackprop train``.
    examples : {"rows", "columns"}, optional
        What an example is. Default: rows in .npy, in .h5 what fits the labels.

    Raises
    ------
    ValueError
        As ``fastbackprop train``; fewer examples, or features, than ranks; an unknown split.
    ImportError
        h5py is needed and not installed.
    """
    split_named(split)
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"{path} is of a kind that is read whole; expected a name that ends in {', '.join(SUFFIXES)}")
    file, wanted = input_file(path), Wanted(label, examples)
    return (_of_npy if suffix == ".npy" else _of_h5)(file, rank, size, split, wanted)


def _range(path: Path, what: str, count: int, rank: int, size: int) -> tuple[int, int]:
    if count < size:
        raise BadInput(f"{path} has {count} {what}, fewer than the {size} ranks; expected one or more for each")
    return part_of(count, rank, size)


def _of_npy(path: Path, rank: int, size: int, split: str, wanted: Wanted) -> Part:
    mapped = map_npy(path)
    table = mapped.T if wanted.orientation == "columns" else mapped
    m, width = table.shape
    column = label_column(path, wanted, None, width)
    assert column is not None
    if split == "examples":
        begin, end = _range(path, "examples", m, rank, size)
        name, rows = f"the array, examples {begin + 1} to {end}", table[begin:end]
        X = np.delete(numbers(path, name, np.array(rows)), column, axis=1)
        labels = numbers(path, name, np.array(rows[:, column]))
    else:
        begin, end = _range(path, "features", width - 1, rank, size)
        kept = [i for i in range(width) if i != column][begin:end]
        first, last = kept[0], kept[-1] + 1
        name = f"the array, features {begin + 1} to {end}"
        X = numbers(path, name, np.array(table[:, first:last])[:, [i - first for i in kept]])
        labels = numbers(path, "the labels", np.array(table[:, column]))
    axis = "row" if wanted.orientation == "columns" else "column"
    where = f"{width - 1} {axis}s and the label in {axis} {column + 1}"
    return Part(np.ascontiguousarray(X.T), labels, str(column - width), where, mapped.dtype == np.uint8)


def _of_h5(path: Path, rank: int, size: int, split: str, wanted: Wanted) -> Part:
    try:
        import h5py
    except ImportError:
        raise missing(str(path), "data") from None
    try:
        with h5py.File(path, "r") as file:
            keys = [key for key in file if isinstance(key, str) and isinstance(file.get(key), h5py.Dataset)]
            x, y = names_of(path, keys, wanted)
            assert y is not None
            return _of_datasets(path, file[x], file[y], (x, y), rank, size, split, wanted)
    except (BadInput, MemoryError):
        raise
    except Exception as error:  # of any kind: h5py raises several
        raise BadInput(f"{path} cannot be read as HDF5: {error}") from None


def _of_datasets(path: Path, X: Any, Y: Any, names: tuple[str, str], rank: int, size: int, split: str, wanted: Wanted) -> Part:
    m, (x, y) = math.prod(Y.shape), names
    like = np.broadcast_to(np.zeros(()), X.shape)  # of the shape alone: it takes no memory
    view = oriented(path, x, like, m, wanted)
    as_rows, n_0 = view is not like, view.shape[0]
    if split == "examples":
        begin, end = _range(path, "examples", m, rank, size)
        found = X[begin:end].reshape(end - begin, n_0).T if as_rows else X[:, begin:end]
        at = [slice(None)] * Y.ndim
        at[int(np.argmax(Y.shape))] = slice(begin, end)
        labels, name = Y[tuple(at)], f"{x}, examples {begin + 1} to {end}"
    else:
        begin, end = _range(path, "features", n_0, rank, size)
        labels, name = Y[()], f"{x}, features {begin + 1} to {end}"
        if not as_rows:
            found = X[begin:end]
        elif X.ndim == 2:
            found = X[:, begin:end].T
        else:
            step = max(1, _PIECE_BYTES // (n_0 * X.dtype.itemsize))
            pieces = [X[i : i + step].reshape(-1, n_0)[:, begin:end] for i in range(0, m, step)]
            found = np.concatenate(pieces).T
    X_here = np.ascontiguousarray(numbers(path, name, found))
    return Part(X_here, labels_of(path, y, np.asarray(labels)), y, f"{x} and {y}", X.dtype == np.uint8)
