"""The model of two layers, as the notebooks of the helper modules train it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastbackprop
from fastbackprop import arguments
from fastbackprop.compat._starts import initialize_parameters


def two_layer_model(
    X: Any,
    Y: Any,
    layers_dims: Sequence[int],
    learning_rate: float = 0.0075,
    num_iterations: int = 3000,
    print_cost: bool = False,
) -> dict[str, NDArray[Any]]:
    """Train ``LINEAR -> RELU -> LINEAR -> SIGMOID`` from `initialize_parameters`, then draw the costs.

    Parameters
    ----------
    X : array (n_x, m)
        Examples are columns.
    Y : array (1, m)
        Labels in [0, 1].
    layers_dims : sequence of int
        ``n_x, n_h, n_y``, with ``n_y = 1``.
    learning_rate : float
    num_iterations : int
    print_cost : bool
        Print ``Cost after iteration ...: ...`` for every 100th iteration, once the training is done. The costs that are drawn
        are those that are printed.

    Returns
    -------
    dict
        The trained ``W1, b1, W2, b2``.

    Raises
    ------
    TypeError, ValueError
        ``layers_dims`` has other than three sizes, or as `fastbackprop.L_layer_model` raises it.
    ImportError
        matplotlib is not installed: the extra ``plot``.
    """
    from fastbackprop.extras.plotting import plot_costs

    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    if len(sizes) != 3:
        raise ValueError(f"layers_dims is {tuple(sizes)}; expected three sizes, n_x, n_h and n_y")
    start = initialize_parameters(*sizes)
    parameters, costs = fastbackprop.L_layer_model(
        X, Y, sizes, learning_rate, num_iterations, parameters=start, return_costs=True
    )
    costs = costs if print_cost else []
    for number, cost in enumerate(costs):
        print(f"Cost after iteration {100 * number}: {np.squeeze(cost)}")
    plot_costs(costs, learning_rate)
    return parameters
