"""Starts of the helper modules: they seed NumPy's global generator with 1 themselves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import fastbackprop
from fastbackprop import arguments

SEED = 1


def initialize_parameters(n_x: int, n_h: int, n_y: int) -> dict[str, NDArray[np.float64]]:
    """Start of a network of two layers: ``W_l = 0.01 * randn`` after ``np.random.seed(1)``, and ``b_l = 0``.

    Parameters
    ----------
    n_x, n_h, n_y : int
        Sizes of the input, the hidden and the output layer, each at least 1.

    Returns
    -------
    dict
        ``W1 (n_h, n_x), b1 (n_h, 1), W2 (n_y, n_h), b2 (n_y, 1)``. NumPy's global generator is left where the draws end.

    Raises
    ------
    TypeError
        A size is not a whole number.
    ValueError
        A size below 1.
    """
    given = {"n_x": n_x, "n_h": n_h, "n_y": n_y}
    sizes = [arguments.count(name, size, at_least=1) for name, size in given.items()]
    np.random.seed(SEED)
    return fastbackprop.initialize_parameters_deep(sizes)


def initialize_parameters_deep(layer_dims: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """Start of a network: ``W_l = randn / sqrt(n_{l-1})`` after ``np.random.seed(1)``, and ``b_l = 0``.

    Parameters
    ----------
    layer_dims : sequence of int
        ``n_0, n_1, ..., n_L``, each at least 1.

    Returns
    -------
    dict
        ``W1, b1, ..., WL, bL``: ``W_l`` (n_l, n_{l-1}), ``b_l`` (n_l, 1). NumPy's global generator is left where the draws
        end.

    Raises
    ------
    TypeError
        A size is not a whole number.
    ValueError
        A size below 1, or less than two sizes.
    """
    sizes = arguments.layer_sizes("layer_dims", layer_dims)
    np.random.seed(SEED)
    parameters = {}
    for l in range(1, len(sizes)):
        parameters[f"W{l}"] = np.random.randn(sizes[l], sizes[l - 1]) / np.sqrt(sizes[l - 1])
        parameters[f"b{l}"] = np.zeros((sizes[l], 1))
    return parameters
