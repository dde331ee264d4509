"""The helper modules' picture of what was predicted wrongly. It needs matplotlib, the extra ``plot``."""

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastbackprop import arguments
from fastbackprop.compat._plots import pyplot


def print_mislabeled_images(classes: Sequence[Any] | NDArray[Any], X: ArrayLike, y: ArrayLike, p: ArrayLike) -> None:
    """Draw the pictures whose predicted label differs from the right one, in the upper row of one figure.

    As in the helper modules, nothing is shown, which a notebook does by itself, and figures that are made later are as large
    as this one: ``plt.rcParams["figure.figsize"]`` is set to 40 x 40 inches.

    Parameters
    ----------
    classes : sequence
        The name of each class, in bytes or str.
    X : array (3 n^2, m)
        Pictures of n x n pixels and three colours, as columns.
    y, p : array (1, m)
        The right labels and the predicted ones, 0 or 1.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, labels other than 0 and 1, or columns that are no square pictures.
    """
    plt = pyplot("print_mislabeled_images")
    columns = arguments.numbers("X", X)
    side = isqrt(len(columns) // 3) if columns.ndim == 2 else 0
    if side == 0 or len(columns) != 3 * side * side:
        raise ValueError(f"X has shape {columns.shape}; expected (3 n^2, m), square pictures of three colours as columns")
    right, predicted = (_labels(name, labels, columns.shape[1]) for name, labels in (("y", y), ("p", p)))
    plt.rcParams["figure.figsize"] = (40.0, 40.0)
    (wrong,) = np.nonzero(right != predicted)
    for place, i in enumerate(wrong, start=1):
        plt.subplot(2, len(wrong), place)
        plt.imshow(columns[:, i].reshape(side, side, 3), interpolation="nearest")
        plt.axis("off")
        plt.title(f"Prediction: {_class(classes, predicted[i])} \n Class: {_class(classes, right[i])}")


def _labels(name: str, labels: ArrayLike, m: int) -> np.ndarray:
    values = np.asarray(arguments.numbers(name, labels))
    if values.size != m:
        raise ValueError(f"{name} has shape {values.shape}; expected (1, {m}), one label an example of X")
    if not np.isin(values, (0, 1)).all():
        raise ValueError(f"{name} holds labels other than 0 and 1")
    return values.ravel()


def _class(classes: Sequence[Any] | NDArray[Any], label: Any) -> str:
    name = classes[int(label)]
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)
