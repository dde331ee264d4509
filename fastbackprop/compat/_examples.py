"""The examples that the second course's helper modules load: they need scikit-learn, SciPy or h5py, each an extra."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastbackprop.compat._data import read
from fastbackprop.compat._plots import pyplot, scatter
from fastbackprop.extras import missing

MATRICES = ("X", "y", "Xval", "yval")  # of data.mat


def _drawn_from(maker: str, seed: int, m: int, noise: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """``X (2, m), Y (1, m)`` that a maker of scikit-learn draws from NumPy's global generator, seeded."""
    try:
        from sklearn import datasets
    except ImportError as error:
        raise missing("load_dataset", "sklearn") from error
    np.random.seed(seed)
    X, Y = getattr(datasets, maker)(n_samples=m, noise=noise)
    return X.T, Y.reshape(1, m)


def load_circles(is_plot: bool = True) -> tuple[NDArray[Any], ...]:
    """Two noisy circles, one in the other, from scikit-learn: 300 examples to train with and 100 to test with.

    Parameters
    ----------
    is_plot : bool
        Draw those to train with. A notebook shows the picture by itself.

    Returns
    -------
    train_X : array (2, 300)
    train_Y : array (1, 300)
    test_X : array (2, 100)
    test_Y : array (1, 100)
        NumPy's global generator is seeded for each part.

    Raises
    ------
    ImportError
        scikit-learn is not installed, the extra ``sklearn``, or matplotlib, the extra ``plot``.
    """
    plt = pyplot("load_dataset") if is_plot else None
    train, test = _drawn_from("make_circles", 1, 300, 0.05), _drawn_from("make_circles", 2, 100, 0.05)
    if plt:
        scatter(plt, *train)
    return *train, *test


def load_moons(is_plot: bool = True) -> tuple[NDArray[Any], NDArray[Any]]:
    """Two noisy half circles from scikit-learn, 300 examples.

    Parameters
    ----------
    is_plot : bool
        Draw them. A notebook shows the picture by itself.

    Returns
    -------
    train_X : array (2, 300)
    train_Y : array (1, 300)
        NumPy's global generator is seeded.

    Raises
    ------
    ImportError
        scikit-learn is not installed, the extra ``sklearn``, or matplotlib, the extra ``plot``.
    """
    plt = pyplot("load_dataset") if is_plot else None
    train = _drawn_from("make_moons", 3, 300, 0.2)
    if plt:
        scatter(plt, *train)
    return train


def load_2D_dataset(is_plot: bool = True, folder: str | os.PathLike[str] = "datasets") -> tuple[NDArray[Any], ...]:
    """The examples of ``data.mat``.

    Parameters
    ----------
    is_plot : bool
        Draw those to train with. A notebook shows the picture by itself.
    folder : str or path
        Where the file lies; by default ``datasets`` in the working directory.

    Returns
    -------
    train_X : array (2, m_train)
    train_Y : array (1, m_train)
    test_X : array (2, m_test)
    test_Y : array (1, m_test)
        In the dtypes of the file.

    Raises
    ------
    ImportError
        SciPy is not installed, the extra ``mat``, or matplotlib, the extra ``plot``.
    FileNotFoundError
        There is no such file.
    ValueError
        The file cannot be read as MATLAB's, lacks a matrix, or has not one label an example.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise missing("load_2D_dataset", "mat") from error
    plt = pyplot("load_2D_dataset") if is_plot else None
    path = Path(folder).absolute() / "data.mat"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not a file; expected one with the matrices {', '.join(MATRICES)}")
    try:
        found = loadmat(path)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise ValueError(f"{path} cannot be read as a file of MATLAB: {error}") from error
    if absent := [name for name in MATRICES if name not in found]:
        raise ValueError(f"{path} holds no {' and no '.join(absent)}; expected the matrices {', '.join(MATRICES)}")
    for x, y in (MATRICES[:2], MATRICES[2:]):
        if found[y].shape != (len(found[x]), 1):
            raise ValueError(f"{path}: {x} has shape {found[x].shape}, {y} {found[y].shape}; expected one label an example")
    train_X, train_Y, test_X, test_Y = (found[name].T for name in MATRICES)
    if plt:
        scatter(plt, train_X, train_Y)
    return train_X, train_Y, test_X, test_Y


def load_planar_dataset(randomness: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Two spirals of 25 examples each.

    Parameters
    ----------
    randomness : float
        The standard deviation of the noise of the radius.
    seed : int
        NumPy's global generator is seeded with it.

    Returns
    -------
    X : array (2, 50)
    Y : array (1, 50) of uint8

    Raises
    ------
    ValueError
        A seed that NumPy does not take.
    """
    np.random.seed(seed)
    pi, n = 3.1415, 25  # that few digits of it
    spirals = []
    for first, last, growth in ((0, 4 * pi, 0.3), (1, 4 * pi, 0.2)):
        t = np.linspace(first, last, n)
        r = growth * t**2 + np.random.randn(n) * randomness
        spirals.append([r * np.cos(t), r * np.sin(t)])
    return np.concatenate(spirals, axis=1), np.repeat(np.arange(2, dtype=np.uint8), n).reshape(1, 2 * n)


def load_cat_dataset(folder: str | os.PathLike[str] = "datasets") -> tuple[NDArray[Any], ...]:
    """The pictures of ``train_catvnoncat.h5`` and ``test_catvnoncat.h5`` as columns of numbers from 0 to 1, and their labels.

    Parameters
    ----------
    folder : str or path
        Where the two files lie; by default ``datasets`` in the working directory.

    Returns
    -------
    train_X : array (n, m_train)
    train_Y : array (1, m_train)
    test_X : array (n, m_test)
    test_Y : array (1, m_test)
    classes : array of bytes
        The name of each class.

    Raises
    ------
    ImportError
        h5py is not installed: the extra ``data``.
    FileNotFoundError
        The folder or one of the files does not exist.
    ValueError
        A file that cannot be read as HDF5, lacks an entry, or whose labels are not one a picture.
    """
    train_x, train_y, test_x, test_y, classes = read("load_cat_dataset", folder)
    train_X, test_X = (x.reshape(len(x), -1).T / 255 for x in (train_x, test_x))
    return train_X, train_y, test_X, test_y, classes


def load_params_and_grads(seed: int = 1) -> tuple[NDArray[np.float64], ...]:
    """Parameters and gradients of two layers, all of them ``randn``.

    Parameters
    ----------
    seed : int
        NumPy's global generator is seeded with it.

    Returns
    -------
    W1, b1, W2, b2, dW1, db1, dW2, db2 : array
        Of the shapes (2, 3), (2, 1), (3, 3), (3, 1), twice.

    Raises
    ------
    ValueError
        A seed that NumPy does not take.
    """
    np.random.seed(seed)
    return tuple(np.random.randn(*shape) for shape in 2 * ((2, 3), (2, 1), (3, 3), (3, 1)))
