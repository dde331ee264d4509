"""The helper modules' ``predict``, which prints the accuracy."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastbackprop.network import predict_and_compare


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
    return predict_and_compare(X, y, parameters)
