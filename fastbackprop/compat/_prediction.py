"""The helper modules' ``predict``, which prints the accuracy."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastbackprop import L_model_forward, arguments


def predict(X: ArrayLike, y: ArrayLike, parameters: Any) -> NDArray[np.float64]:
    """Predicted labels of examples; prints ``Accuracy: ...``, the part of them that equals the given labels.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    y : array (1, m), or one that NumPy broadcasts to it
        The right labels.
    parameters : mapping
        ``W1, b1, ..., WL, bL`` of a network with one output.

    Returns
    -------
    array (1, m) of float64
        1 where the output exceeds 0.5, else 0.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, no examples, or a network of more than one output.
    KeyError
        ``parameters`` lacks a key, or holds a W or b without its partner.
    """
    labels = np.asarray(arguments.numbers("y", y))
    outputs, _ = L_model_forward(X, parameters)
    n, m = outputs.shape
    if n != 1:
        raise ValueError(f"parameters make {n} outputs an example; predict expects 1")
    if not arguments.spreads(labels.shape, (1, m)):
        hint = f": use {arguments.as_row('y')}" if labels.size == m else ""
        raise ValueError(f"y has shape {labels.shape}; expected (1, {m}), one label an example of X{hint}")
    predictions = (outputs > 0.5).astype(np.float64)
    print(f"Accuracy: {np.sum((predictions == labels) / m)!s}")  # a sum of m-ths: the digits that notebooks print
    return predictions
