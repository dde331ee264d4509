"""The older generation's gradient keys."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, NDArray

import fastbackprop


def L_model_backward(AL: ArrayLike, Y: ArrayLike, caches: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Gradients of the cost with respect to all activations and parameters, under the older generation's keys.

    Parameters
    ----------
    AL, Y, caches
        As for ``fastbackprop.L_model_backward``.

    Returns
    -------
    dict
        ``dA1 .. dAL, dW1 .. dWL, db1 .. dbL``: ``dA{l}`` is the gradient with respect to the input of layer l, which is
        ``dA{l-1}`` in ``fastbackprop.L_model_backward``.

    Raises
    ------
    TypeError, ValueError
        As ``fastbackprop.L_model_backward``.
    """
    grads = fastbackprop.L_model_backward(AL, Y, caches)
    return {f"dA{int(key[2:]) + 1}" if key.startswith("dA") else key: value for key, value in grads.items()}
