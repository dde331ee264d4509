"""What the labels of each output are, and how its outputs are read: one row an output."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastbackprop import arguments


@dataclass(frozen=True)
class Target:
    """The labels and answers of an output.

    ``labels(name, Y, n, m)`` returns what the user passed as labels of m examples, as an array (n, m) for n units, or raises.
    ``answer(A)`` is what outputs mean, and ``merit(A, Y)`` how right they are, summed over the examples. `units` is the least
    number of units, and `probabilities` says whether outputs are such.
    """

    labels: Callable[[str, object, int, int], np.ndarray]
    answer: Callable[[np.ndarray], np.ndarray]
    merit: Callable[[np.ndarray, np.ndarray], float]
    units: int
    probabilities: bool


def _over_half(A: np.ndarray) -> np.ndarray:
    return (A > 0.5).astype(np.int64)


def _all_right(A: np.ndarray, Y: np.ndarray) -> float:
    """The number of examples of which all units are right."""
    return float(np.count_nonzero(((A > 0.5) == Y).all(axis=0)))


def _largest(A: np.ndarray) -> np.ndarray:
    return A.argmax(axis=0).reshape(1, -1)


def _right_class(A: np.ndarray, Y: np.ndarray) -> float:
    return float(np.count_nonzero(A.argmax(axis=0) == Y.argmax(axis=0)))


def _as_it_is(A: np.ndarray) -> np.ndarray:
    return A


def _less_error(A: np.ndarray, Y: np.ndarray) -> float:
    """The negative sum of each example's mean squared error."""
    with np.errstate(over="ignore", invalid="ignore"):
        return -float(np.sum((A - Y) ** 2, dtype=float)) / len(Y)


TARGETS = {
    "sigmoid": Target(arguments.label_rows, _over_half, _all_right, units=1, probabilities=True),
    "softmax": Target(arguments.class_labels, _largest, _right_class, units=2, probabilities=True),
    "identity": Target(arguments.label_rows, _as_it_is, _less_error, units=1, probabilities=False),
}
