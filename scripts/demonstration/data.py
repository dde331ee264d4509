"""The demo's data: a table that scikit-learn ships, generated pictures, or real ones from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from scripts.measuring.nets import NETS, Net


class Problem(NamedTuple):
    """Examples as columns, to train on and held out, and the net that is trained on them."""

    name: str
    X: np.ndarray
    Y: np.ndarray
    X_held_out: np.ndarray
    Y_held_out: np.ndarray
    layers_dims: list[int]
    num_iterations: int


class FolderError(Exception):
    """A folder that does not hold pictures as the demo reads them."""


def _problem(name: str, net: Net, X: np.ndarray, Y: np.ndarray, X_held_out: np.ndarray, Y_held_out: np.ndarray) -> Problem:
    """A net with as many inputs as the examples have values."""
    return Problem(name, X, Y, X_held_out, Y_held_out, [len(X), *net.layers_dims[1:]], net.iterations)


def table() -> Problem:
    """Breast-cancer diagnoses from 30 measurements: standardized, a fifth held out."""
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    train, held_out = np.split(order, [len(labels) * 4 // 5])
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
    X = np.ascontiguousarray(((features - mean) / deviation).T)
    Y = labels[None].astype(np.float64)
    return _problem("breast-cancer table", NETS["table"], X[:, train], Y[:, train], X[:, held_out], Y[:, held_out])


def generated_pictures() -> Problem:
    """Noisy pictures of 64 x 64 x 3 with a spot somewhere near the middle: is it a warm one?"""
    rng = np.random.default_rng(0)
    train, held_out = (_pictures_of_spots(rng, m) for m in (NETS["pictures"].m, 100))
    return _problem("generated pictures", NETS["pictures"], *train, *held_out)


def _pictures_of_spots(rng: np.random.Generator, m: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    warm = rng.random(m) < 0.4
    pictures = np.empty((m, 64, 64, 3))
    for picture, is_warm in zip(pictures, warm, strict=True):
        colour = np.array([1.0, 0.6, 0.2] if is_warm else [0.2, 0.6, 1.0])
        x_0, y_0 = rng.uniform(-0.3, 0.3, 2)
        spot = np.exp(-((x - x_0) ** 2 + (y - y_0) ** 2) / (2 * 0.3**2))
        slope_x, slope_y = rng.uniform(-0.2, 0.2, 2)
        picture[:] = rng.uniform(0.0, 0.3, 3) + (slope_x * x + slope_y * y)[..., None]
        picture += 0.3 * spot[..., None] * colour + rng.normal(0, 0.15, picture.shape)
    return np.clip(pictures, 0, 1).reshape(m, -1).T, warm[None].astype(np.float64)


def real_pictures(folder: Path) -> Problem:
    """Pictures from HDF5 files that hold ``train_set_x``, ``train_set_y``, ``test_set_x`` and ``test_set_y``."""
    if not folder.is_dir():
        raise FolderError(f"{folder} is not a folder")
    files = sorted(folder.glob("*.h5"))
    if not files:
        raise FolderError(f"{folder} holds no *.h5 file")
    X, Y = _examples(files, "train")
    X_held_out, Y_held_out = _examples(files, "test")
    if len(X) != len(X_held_out):
        raise FolderError(f"{folder}: pictures to train on have {len(X)} values each, those held out {len(X_held_out)}")
    return _problem(f"pictures in {folder}", NETS["pictures"], X, Y, X_held_out, Y_held_out)


def _examples(files: list[Path], part: str) -> tuple[np.ndarray, np.ndarray]:
    pictures, labels = (_dataset(files, f"{part}_set_{axis}") for axis in "xy")
    if pictures.ndim < 2 or labels.shape != pictures.shape[:1] or not len(labels):
        raise FolderError(f"{part}_set_x has shape {pictures.shape}, {part}_set_y {labels.shape}: one label a picture?")
    if not np.isin(labels, (0, 1)).all():
        raise FolderError(f"{part}_set_y holds labels other than 0 and 1")
    return pictures.reshape(len(pictures), -1).T / 255, labels[None]


def _dataset(files: list[Path], key: str) -> np.ndarray:
    for path in files:
        try:
            with h5py.File(path, "r") as file:
                if key in file:
                    return np.asarray(file[key])
        except OSError as error:
            raise FolderError(f"{path} cannot be read as HDF5: {error}") from error
    raise FolderError(f"none of {', '.join(str(path) for path in files)} holds {key}")
