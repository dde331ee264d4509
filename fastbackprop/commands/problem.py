"""From the examples of a file to what a training takes: labels, hold-out, scaling, start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastbackprop import starts
from fastbackprop.bad_input import BadInput
from fastbackprop.data import Examples, scaling
from fastbackprop.data.classes import Classes, find_classes, number_labels
from fastbackprop.data.scaling import Scaling


@dataclass(frozen=True)
class Problem:
    """A training: scaled data (n_0, m) and labels (1, m), those that are held out, layers and the start.

    Labels are numbers of classes, or where there are no classes numbers, which the training takes as `label_scaling` has them.
    """

    X: NDArray[np.float64]
    Y: NDArray[np.float64]
    X_held_out: NDArray[np.float64]
    Y_held_out: NDArray[np.float64]
    layers: list[int]
    start: dict[str, NDArray[np.float64]]
    scaling: Scaling
    classes: Classes | None
    label_scaling: Scaling


def start_parameters(layers: list[int], kind: str, seed: int) -> dict[str, NDArray[np.float64]]:
    """``W_l = randn * deviation`` and ``b_l = 0``: the numbers that ``np.random.seed(seed)`` and ``np.random.randn`` make.

    NumPy's global generator stays as it is.
    """
    generator = np.random.RandomState(seed)
    return starts.drawn(layers, kind, lambda shape: generator.randn(*shape))


def prepare(
    examples: Examples,
    hidden: list[int],
    *,
    scale: str | None = None,
    start: str = "he",
    seed: int = 1,
    hold_out: float = 0.0,
    output: str = "sigmoid",
) -> Problem:
    """What a training on these examples takes.

    Parameters
    ----------
    examples : Examples
    hidden : list of int
        Sizes of the hidden layers; none is logistic regression.
    scale : {"none", "standard", "minmax", "255"}, optional
        Fitted on the examples to train on. Without it bytes are divided by 255, and all else is "standard".
    start : {"he", "xavier", "glorot", "small"}
    seed : int
        Of the start, and of the choice of what is held out.
    hold_out : float
        The part of the examples that is held out.
    output : {"sigmoid", "softmax", "identity"}
        Two classes, two or more, or numbers as labels. Numbers are scaled as "standard", unless `scale` is "none".

    Raises
    ------
    BadInput
        No labels, or not of as many classes; nothing left to train on or to hold out.
    """
    classes = None if output == "identity" else find_classes(examples, several=output == "softmax")
    labels = number_labels(examples) if classes is None else classes.labels(examples)
    X, Y = examples.X, labels
    m = X.shape[1]
    held_out = np.array([], int)
    if hold_out:
        count = round(m * hold_out)
        if not 0 < count < m:
            raise BadInput(f"{examples.path} has {m} examples; --hold-out {hold_out:g} leaves one of the parts empty")
        held_out, chosen = starts.split(m, count, np.random.default_rng(seed))
        X, Y = X[:, chosen], Y[:, chosen]
        if classes is not None and Y.min() == Y.max():
            raise BadInput(
                f"{examples.path}: the {m - count} examples that are not held out are of one class; try another --seed"
            )
    kind = scale or ("255" if examples.pictures else "standard")
    try:
        scaled = scaling.fit(kind, X)
        X, X_held_out = scaled(X), scaled(examples.X[:, held_out])
        label_scaling = scaling.fit("standard" if classes is None and scale != "none" else "none", Y)
    except BadInput as error:
        raise BadInput(f"{examples.path}: {error}") from None
    layers = [len(X), *hidden, len(classes.values) if classes is not None and output == "softmax" else 1]
    parameters = start_parameters(layers, start, seed)
    return Problem(X, Y, X_held_out, labels[:, held_out], layers, parameters, scaled, classes, label_scaling)


def penalty(parameters: dict[str, np.ndarray], l2: float, batch: int) -> float:
    """The cost's term of l2, with batches of so many examples."""
    return l2 / (2 * batch) * sum(float(np.sum(value**2)) for key, value in parameters.items() if key.startswith("W"))


def in_units_of_labels(
    parameters: dict[str, np.ndarray], scores: list[float], label_scaling: Scaling
) -> tuple[dict[str, np.ndarray], list[float]]:
    """Parameters and scores of a net whose outputs are as the file's labels, of one that was trained on scaled labels."""
    if label_scaling.shift is None or label_scaling.divisor is None:
        return parameters, scores
    W, b = list(parameters)[-2:]
    divisor = label_scaling.divisor
    scaled = {W: parameters[W] * divisor, b: parameters[b] * divisor + label_scaling.shift}
    return parameters | scaled, [score * float(divisor[0, 0]) ** 2 for score in scores]
