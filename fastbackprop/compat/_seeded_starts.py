"""Starts of the second course's notebooks: those that draw seed NumPy's global generator with 3 themselves."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fastbackprop import arguments
from fastbackprop.starts import drawn, scaled

SEED = 3


def _drawn(name: str, sizes: Sequence[int], kind: str) -> dict[str, NDArray[np.float64]]:
    """A start of this kind, drawn after the generator was seeded."""
    sizes = arguments.layer_sizes(name, sizes)
    np.random.seed(SEED)
    return drawn(sizes, kind, np.random.standard_normal)


def initialize_parameters_zeros(layers_dims: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """``W_l = 0`` and ``b_l = 0``: all units of a layer stay alike.

    Parameters
    ----------
    layers_dims : sequence of int
        ``n_0, n_1, ..., n_L``, each at least 1.

    Returns
    -------
    dict
        ``W1, b1, ..., WL, bL``.

    Raises
    ------
    TypeError
        A size is not a whole number.
    ValueError
        A size below 1, or less than two sizes.
    """
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    parameters = {}
    for l in range(1, len(sizes)):
        parameters[f"W{l}"], parameters[f"b{l}"] = np.zeros((sizes[l], sizes[l - 1])), np.zeros((sizes[l], 1))
    return parameters


def initialize_parameters_random(layers_dims: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """``W_l = 10 * randn`` after ``np.random.seed(3)``, and ``b_l = 0``: weights that are too large on purpose.

    Parameters
    ----------
    layers_dims : sequence of int
        ``n_0, n_1, ..., n_L``, each at least 1.

    Returns
    -------
    dict
        ``W1, b1, ..., WL, bL``. NumPy's global generator is left where the draws end.

    Raises
    ------
    TypeError
        A size is not a whole number.
    ValueError
        A size below 1, or less than two sizes.
    """
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    np.random.seed(SEED)
    return scaled(sizes, lambda n_prev, n: 10, np.random.standard_normal)


def initialize_parameters_he(layers_dims: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """``W_l = randn * sqrt(2 / n_{l-1})`` after ``np.random.seed(3)``, and ``b_l = 0``.

    Parameters
    ----------
    layers_dims : sequence of int
        ``n_0, n_1, ..., n_L``, each at least 1.

    Returns
    -------
    dict
        ``W1, b1, ..., WL, bL``. NumPy's global generator is left where the draws end.

    Raises
    ------
    TypeError
        A size is not a whole number.
    ValueError
        A size below 1, or less than two sizes.
    """
    return _drawn("layers_dims", layers_dims, "he")


def initialize_parameters_of_optimizers(layer_dims: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """``W_l = randn * sqrt(2 / n_{l-1})`` after ``np.random.seed(3)``, and ``b_l = 0``.

    Parameters
    ----------
    layer_dims : sequence of int
        ``n_0, n_1, ..., n_L``, each at least 1.

    Returns
    -------
    dict
        ``W1, b1, ..., WL, bL``. NumPy's global generator is left where the draws end.

    Raises
    ------
    TypeError
        A size is not a whole number.
    ValueError
        A size below 1, or less than two sizes.
    """
    return _drawn("layer_dims", layer_dims, "he")


def initialize_parameters_of_regularization(layer_dims: Sequence[int]) -> dict[str, NDArray[np.float64]]:
    """``W_l = randn / sqrt(n_{l-1})`` after ``np.random.seed(3)``, and ``b_l = 0``.

    Parameters
    ----------
    layer_dims : sequence of int
        ``n_0, n_1, ..., n_L``, each at least 1.

    Returns
    -------
    dict
        ``W1, b1, ..., WL, bL``. NumPy's global generator is left where the draws end.

    Raises
    ------
    TypeError
        A size is not a whole number.
    ValueError
        A size below 1, or less than two sizes.
    """
    return _drawn("layer_dims", layer_dims, "xavier")
