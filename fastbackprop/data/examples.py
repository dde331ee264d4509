"""What a reader is told about a file, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput


@dataclass(frozen=True)
class Wanted:
    """What a reader is told.

    Parameters
    ----------
    label : str, optional
        The label's column by name or number, counted from 1, negative from the end; for arrays by name, the labels' key.
    orientation : {"rows", "columns"}, optional
        What an example is; without it, it is worked out.
    features : int, optional
        The number of inputs of a model, which are then predicted for: labels need not be there.
    names : list of str, optional
        The inputs' names, if the model knows any.
    model_label : str, optional
        The label in the data that the model was trained on.
    """

    label: str | None = None
    orientation: str | None = None
    features: int | None = None
    names: list[str] | None = None
    model_label: str | None = None


@dataclass(frozen=True)
class Examples:
    """Examples of a file.

    Parameters
    ----------
    path : Path
    where : str
        The arrays or columns that were taken, in words.
    X : array (n_0, m) of float64
        Examples are columns, all numbers finite.
    labels : array (m,), optional
        Numbers or texts as they stand in the file.
    label : str, optional
        The label's name or number, as a later reading may be told.
    names : list of str, optional
        The features' names.
    pictures : bool
        Whether they are bytes from 0 to 255.
    place : function
        The words for the place of a label, by its index.
    """

    path: Path
    where: str
    X: NDArray[np.float64]
    labels: NDArray[np.generic] | None
    label: str | None
    place: Callable[[int], str]
    names: list[str] | None = None
    pictures: bool = False


def numbers(path: Path, name: str, array: NDArray[np.generic]) -> NDArray[np.float64]:
    """An array of a file as float64, if it holds finite real numbers; errors count its rows and columns from 1."""
    if array.dtype.kind not in "biuf":
        raise BadInput(f"{path}: {name} is of dtype {array.dtype}; expected real numbers")
    with np.errstate(over="ignore"):  # longdouble
        result = np.asarray(array, np.float64)
    finite = np.isfinite(result)
    if not finite.all():
        at = np.argwhere(~finite)[0]
        axes = ("row", "column") if result.ndim == 2 else ("entry",) if result.ndim == 1 else ("index",) * result.ndim
        place = ", ".join(f"{axis} {i + 1}" for axis, i in zip(axes, at, strict=True))
        raise BadInput(f"{path}: {name}, {place} is {result[tuple(at)]}; expected a finite number")
    return result


def some(path: Path, what: str, X: NDArray[np.float64]) -> None:
    """Check that X, whose examples are columns, has one or more, of one feature or more."""
    n_0, m = X.shape
    if not n_0:
        raise BadInput(f"{path}: {what} holds no features; expected one or more beside the label")
    if not m:
        raise BadInput(f"{path}: {what} holds no examples; expected one or more")
