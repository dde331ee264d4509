"""The pictures of examples with two features that the second course's helper modules draw. They need matplotlib."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastbackprop import arguments
from fastbackprop.extras import missing

STEP = 0.01  # between the points at which a boundary is looked for


def pyplot(what: str) -> Any:
    """matplotlib's pyplot, for what is named."""
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise missing(what, "plot") from error
    return plt


def scatter(plt: Any, X: NDArray[Any], Y: NDArray[Any]) -> None:
    """Draw examples, columns of X, in the colours of their labels."""
    plt.scatter(X[0], X[1], c=Y.ravel(), s=40, cmap=plt.cm.Spectral)


def plot_decision_boundary(model: Callable[[NDArray[Any]], Any], X: ArrayLike, y: ArrayLike) -> None:
    """Draw what a model predicts in the plane around examples, and the examples, and show it.

    Parameters
    ----------
    model : callable
        Returns a label for each row of an array (k, 2), as ``lambda x: predict_dec(parameters, x.T)`` does.
    X : array (2, m)
        Examples are columns.
    y : array (1, m)
        Their labels.

    Raises
    ------
    ImportError
        matplotlib is not installed: the extra ``plot``.
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, no examples, or a model that returns other than one label a row.
    """
    plt = pyplot("plot_decision_boundary")
    examples, labels = arguments.examples("X", X, 2), arguments.numbers("y", y)
    if labels.size != (m := examples.shape[1]):
        raise ValueError(f"y has shape {labels.shape}; expected (1, {m}), one label an example of X")
    sides = [np.arange(side.min() - 1, side.max() + 1, STEP) for side in examples]
    x1, x2 = np.meshgrid(*sides)
    predicted = np.asarray(model(np.c_[x1.ravel(), x2.ravel()]))
    if predicted.size != x1.size:
        raise ValueError(f"model returned an array of shape {predicted.shape} for {x1.size} rows; expected one label a row")
    plt.contourf(x1, x2, predicted.reshape(x1.shape), cmap=plt.cm.Spectral)
    plt.ylabel("x2")
    plt.xlabel("x1")
    plt.scatter(*examples, c=labels.ravel(), cmap=plt.cm.Spectral)
    plt.show()


def show_costs(plt: Any, costs: Sequence[Any], xlabel: str, title: str) -> None:
    """Draw the costs of a training, and show them."""
    plt.plot(costs)
    plt.ylabel("cost")
    plt.xlabel(xlabel)
    plt.title(title)
    plt.show()
