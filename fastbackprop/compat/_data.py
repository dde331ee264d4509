"""The helper modules' pictures of cats and others, from HDF5 files. It needs h5py, the extra ``data``."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastbackprop.extras import missing

FILES = {
    "train_catvnoncat.h5": ("train_set_x", "train_set_y"),
    "test_catvnoncat.h5": ("test_set_x", "test_set_y", "list_classes"),
}


def load_data(folder: str | os.PathLike[str] = "datasets") -> tuple[np.ndarray, ...]:
    """The pictures and labels of ``train_catvnoncat.h5`` and ``test_catvnoncat.h5``.

    Parameters
    ----------
    folder : str or path
        Where the two files lie; by default ``datasets`` in the working directory.

    Returns
    -------
    train_x_orig : array (m_train, height, width, 3)
    train_y : array (1, m_train)
    test_x_orig : array (m_test, height, width, 3)
    test_y : array (1, m_test)
    classes : array of bytes
        The name of each class. All arrays are in the dtypes of the files.

    Raises
    ------
    ImportError
        h5py is not installed.
    FileNotFoundError
        The folder or one of the files does not exist.
    ValueError
        A file that cannot be read as HDF5, lacks an entry, or whose labels are not one a picture.
    """
    return read("load_data", folder)


def read(what: str, folder: str | os.PathLike[str]) -> tuple[np.ndarray, ...]:
    """The arrays that ``load_data`` returns, for the function that is named."""
    try:
        import h5py
    except ImportError as error:
        raise missing(what, "data") from error
    folder = Path(folder).absolute()
    expected = f"expected the files {' and '.join(FILES)} in it"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder; {expected}")
    if absent := [name for name in FILES if not (folder / name).is_file()]:
        raise FileNotFoundError(f"{folder} holds no file {' and no '.join(absent)}; {expected}")
    train, test = (_arrays(folder / name, keys, h5py) for name, keys in FILES.items())
    return (*train, *test)


def _arrays(path: Path, keys: Sequence[str], h5py: Any) -> list[np.ndarray]:
    """The arrays of a file under these keys, the first two of which are pictures and their labels; the labels as a row."""
    try:
        with h5py.File(path, "r") as file:
            found = {key: np.array(file[key]) for key in keys if isinstance(file.get(key), h5py.Dataset)}
    except OSError as error:
        raise ValueError(f"{path} cannot be read as HDF5: {error}") from error
    if absent := [key for key in keys if key not in found]:
        raise ValueError(f"{path} holds no {' and no '.join(absent)}; expected arrays {', '.join(keys)}")
    pictures, labels, *rest = found.values()
    if pictures.ndim < 2 or labels.size != len(pictures):
        x, y = keys[:2]
        raise ValueError(f"{path}: {x} has shape {pictures.shape}, {y} {labels.shape}; expected one label a picture")
    return [pictures, labels.reshape(1, -1), *rest]
