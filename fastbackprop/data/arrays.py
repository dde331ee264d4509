"""Arrays by name: .npz and .h5. An array of more than two axes holds a picture a row."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput
from fastbackprop.data.examples import Examples, Wanted, numbers
from fastbackprop.extras import missing

Read = Callable[[str], NDArray[np.generic]]


def _pairs(part: str) -> list[tuple[str, str]]:
    """The names that people use for the examples and labels of a part of the data."""
    return [
        *((f"X_{part}", f"Y_{part}"), (f"X_{part}", f"y_{part}"), (f"x_{part}", f"y_{part}")),
        *((f"{part}_X", f"{part}_Y"), (f"{part}_x", f"{part}_y"), (f"{part}_set_x", f"{part}_set_y")),
    ]


_PLAIN = [("X", "Y"), ("X", "y"), ("x", "y")]
_TO_TRAIN = [*_PLAIN, *_pairs("train")]
_TO_PREDICT = [*_PLAIN, *_pairs("test"), *_pairs("train")]


def names_of(path: Path, keys: list[str], wanted: Wanted) -> tuple[str, str | None]:
    """The names of the examples and of the labels; a model may be predicted for without labels."""
    pairs = _TO_TRAIN if wanted.features is None else _TO_PREDICT
    if wanted.label is not None:
        if wanted.label not in keys:
            raise BadInput(f"{path} holds no labels {wanted.label!r}; its arrays are {', '.join(keys) or 'none'}")
        pairs = [(x, wanted.label) for x, _ in pairs]
    for x, y in pairs:
        if x in keys and y in keys:
            return x, y
    if wanted.features is not None:
        for x, _ in pairs:
            if x in keys:
                return x, None
    expected = "X and Y, X_train and Y_train, or train_set_x and train_set_y"
    raise BadInput(f"{path} holds the arrays {', '.join(keys) or 'of none'}; expected {expected}")


def labels_of(path: Path, name: str, Y: NDArray[np.generic]) -> NDArray[np.generic]:
    """One label an example, in one axis."""
    if Y.ndim > 2 or max(Y.shape, default=1) != Y.size:
        raise BadInput(f"{path}: {name} has shape {Y.shape}; expected one label an example")
    values = Y.reshape(-1).tolist()
    if all(isinstance(value, bytes) for value in values):  # texts of NumPy, or as h5py returns them
        try:
            Y = np.array([value.decode() for value in values])
        except UnicodeDecodeError:
            raise BadInput(f"{path}: {name} holds texts that are not in UTF-8") from None
    return Y.reshape(-1) if Y.dtype.kind == "U" else numbers(path, name, Y).reshape(-1)


def oriented(path: Path, x: str, X: NDArray[np.float64], m: int | None, wanted: Wanted) -> NDArray[np.float64]:
    """X with examples as columns, by what fits the number of labels and the model's inputs."""
    if X.ndim == 0:
        raise BadInput(f"{path}: {x} is one number; expected examples by features")
    if X.ndim != 2:
        if wanted.orientation == "columns":
            raise BadInput(f"{path}: {x} has shape {X.shape}, a picture a row; expected two axes for examples as columns")
        wanted_kinds = ["rows"]
        X = X.reshape(len(X), int(np.prod(X.shape[1:])))
    else:
        wanted_kinds = ["rows", "columns"] if wanted.orientation is None else [wanted.orientation]
    ways = {"rows": X.T, "columns": X}
    fitting = [ways[kind] for kind in wanted_kinds if m is None or ways[kind].shape[1] == m]
    if not fitting:
        said = f"examples as {wanted.orientation}" if wanted.orientation else "one label an example"
        raise BadInput(f"{path}: {x} has shape {X.shape}, and there are {m} labels; expected {said} that match")
    fitting = [X for X in fitting if wanted.features in (None, len(X))]
    if not fitting:
        raise BadInput(f"{path}: {x} has shape {X.shape}; expected {wanted.features} features, as the model has")
    if len(fitting) == 2:
        raise BadInput(f"{path}: {x} has shape {X.shape}: examples may be rows or columns; --examples says which")
    return fitting[0]


def _examples(path: Path, keys: list[str], read: Read, wanted: Wanted) -> Examples:
    x, y = names_of(path, keys, wanted)
    array = read(x)
    labels = None if y is None else labels_of(path, y, read(y))
    X = numbers(path, x, array)
    if not X.size:
        raise BadInput(f"{path}: {x} has shape {X.shape}; expected examples and features, one or more of each")
    X = oriented(path, x, X, None if labels is None else labels.size, wanted)

    def place(i: int) -> str:
        return f"{y}, entry {i + 1}"

    where = x if y is None else f"{x} and {y}"
    return Examples(path, where, X, labels, y, place, pictures=array.dtype == np.uint8)


def read_npz(path: Path, wanted: Wanted) -> Examples:
    """Arrays that np.savez wrote."""
    if not zipfile.is_zipfile(path):
        raise BadInput(f"{path} is not a .npz file; expected arrays that np.savez wrote")

    def read(name: str) -> NDArray[np.generic]:
        try:
            array: NDArray[np.generic] = file[name]
        except Exception as error:  # of any kind: NumPy, zipfile and zlib raise their own
            raise BadInput(f"{path}: {name} cannot be read: {error}") from None
        return array

    try:
        file = np.load(path, allow_pickle=False)
    except Exception as error:  # likewise
        raise BadInput(f"{path} cannot be read: {error}") from None
    with file:
        return _examples(path, list(file.files), read, wanted)


def read_h5(path: Path, wanted: Wanted) -> Examples:
    """Datasets of an HDF5 file, such as the course's pictures."""
    try:
        import h5py
    except ImportError:
        raise missing(str(path), "data") from None

    def read(name: str) -> NDArray[np.generic]:
        try:
            return np.asarray(file[name][()])
        except Exception as error:  # of any kind: h5py raises several
            raise BadInput(f"{path}: {name} cannot be read: {error}") from None

    try:
        file = h5py.File(path, "r")
    except Exception as error:  # likewise
        raise BadInput(f"{path} cannot be read as HDF5: {error}") from None
    with file:
        try:
            # A name that is no text in UTF-8 comes as bytes.
            keys = [key for key in file if isinstance(key, str) and isinstance(file.get(key), h5py.Dataset)]
        except Exception as error:  # likewise
            raise BadInput(f"{path} cannot be read as HDF5: {error}") from None
        return _examples(path, keys, read, wanted)
