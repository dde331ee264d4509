"""From the examples of a file to what a training takes: hold-out, scaling, start."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput
from fastbackprop.data import Examples, scaling
from fastbackprop.data.classes import Classes, find_classes
from fastbackprop.data.scaling import Scaling

# The factor of randn in a layer with n_prev inputs.
STARTS: dict[str, Callable[[int], float]] = {
    "he": lambda n_prev: math.sqrt(2 / n_prev),
    "xavier": lambda n_prev: 1 / math.sqrt(n_prev),
    "small": lambda n_prev: 0.01,
}


@dataclass(frozen=True)
class Problem:
    """A training: data (n_0, m) and (1, m), scaled, those that are held out, layers and the start."""

    X: NDArray[np.float64]
    Y: NDArray[np.float64]
    X_held_out: NDArray[np.float64]
    Y_held_out: NDArray[np.float64]
    layers: list[int]
    start: dict[str, NDArray[np.float64]]
    scaling: Scaling
    classes: Classes


def start_parameters(layers: list[int], kind: str, seed: int) -> dict[str, NDArray[np.float64]]:
    """``W_l = randn * factor`` and ``b_l = 0``: the numbers that ``np.random.seed(seed)`` and ``np.random.randn`` make.

    NumPy's global generator stays as it is.
    """
    generator, parameters = np.random.RandomState(seed), {}
    for l in range(1, len(layers)):
        parameters[f"W{l}"] = generator.randn(layers[l], layers[l - 1]) * STARTS[kind](layers[l - 1])
        parameters[f"b{l}"] = np.zeros((layers[l], 1))
    return parameters


def prepare(
    examples: Examples, hidden: list[int], *, scale: str | None = None, start: str = "he", seed: int = 1, hold_out: float = 0.0
) -> Problem:
    """What a training on these examples takes.

    Parameters
    ----------
    examples : Examples
    hidden : list of int
        Sizes of the hidden layers; none is logistic regression.
    scale : {"none", "standard", "minmax", "255"}, optional
        Fitted on the examples to train on. Without it bytes are divided by 255, and all else is "standard".
    start : {"he", "xavier", "small"}
    seed : int
        Of the start, and of the choice of what is held out.
    hold_out : float
        The part of the examples that is held out.

    Raises
    ------
    BadInput
        No labels, or not of two classes; nothing left to train on or to hold out.
    """
    classes = find_classes(examples)
    X, Y = examples.X, classes.labels(examples)
    m = X.shape[1]
    held_out = np.array([], int)
    if hold_out:
        count = round(m * hold_out)
        if not 0 < count < m:
            raise BadInput(f"{examples.path} has {m} examples; --hold-out {hold_out:g} leaves one of the parts empty")
        order = np.random.default_rng(seed).permutation(m)
        held_out, chosen = np.sort(order[:count]), np.sort(order[count:])
        X, Y = X[:, chosen], Y[:, chosen]
        if Y.min() == Y.max():
            raise BadInput(
                f"{examples.path}: the {m - count} examples that are not held out are of one class; try another --seed"
            )
    kind = scale or ("255" if examples.pictures else "standard")
    try:
        scaled = scaling.fit(kind, X)
        X, X_held_out = scaled(X), scaled(examples.X[:, held_out])
    except BadInput as error:
        raise BadInput(f"{examples.path}: {error}") from None
    layers = [len(X), *hidden, 1]
    parameters = start_parameters(layers, start, seed)
    return Problem(X, Y, X_held_out, classes.labels(examples)[:, held_out], layers, parameters, scaled, classes)
