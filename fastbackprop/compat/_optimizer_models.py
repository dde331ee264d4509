"""The trainings of the second course's notebook about optimizers: mini-batches, with gradient descent, momentum or Adam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

import fastbackprop
from fastbackprop import arguments
from fastbackprop.compat._costs import compute_batch_cost, compute_total_cost
from fastbackprop.compat._optimizers import (
    initialize_adam,
    initialize_velocity,
    random_mini_batches,
    update_parameters_with_adam,
    update_parameters_with_gd,
    update_parameters_with_momentum,
)
from fastbackprop.compat._plots import pyplot, show_costs
from fastbackprop.compat._seeded_starts import initialize_parameters_of_optimizers
from fastbackprop.compat._three_layers import LAYERS, backward_propagation, forward_propagation

OPTIMIZERS = ("gd", "momentum", "adam")
SEED = 10  # of the first epoch's order, less 1
PRINT_EVERY, COST_EVERY = 1000, 100  # epochs

Parameters = dict[str, NDArray[Any]]


def model_of_last_batch(
    X: Any,
    Y: Any,
    layers_dims: Sequence[int],
    optimizer: str,
    learning_rate: float = 0.0007,
    mini_batch_size: int = 64,
    beta: float = 0.9,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    num_epochs: int = 10000,
    print_cost: bool = True,
) -> Parameters:
    """Train by mini-batches; then draw the costs. The cost of an epoch is that of its last batch.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (1, m)
        Labels in [0, 1].
    layers_dims : sequence of int
        ``n_0, n_1, n_2, 1``.
    optimizer : {"gd", "momentum", "adam"}
    learning_rate : float
    mini_batch_size : int
    beta : float
        Of momentum.
    beta1, beta2, epsilon : float
        Of Adam.
    num_epochs : int
    print_cost : bool
        Print ``Cost after epoch ...: ...`` for every 1000th epoch. The costs of every 100th are drawn.

    Returns
    -------
    dict
        The trained ``W1, b1, W2, b2, W3, b3``.

    Raises
    ------
    TypeError, ValueError
        As ``fastbackprop.L_layer_model``; ValueError also for an unknown optimizer and for another number of layers.
    ImportError
        matplotlib is not installed: the extra ``plot``.
    """
    return _train(
        X, Y, layers_dims, optimizer, learning_rate, mini_batch_size, beta, beta1, beta2, epsilon, num_epochs, print_cost,
        of_epoch=_last,
    )  # fmt: skip


def model_of_mean(
    X: Any,
    Y: Any,
    layers_dims: Sequence[int],
    optimizer: str,
    learning_rate: float = 0.0007,
    mini_batch_size: int = 64,
    beta: float = 0.9,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    num_epochs: int = 10000,
    print_cost: bool = True,
) -> Parameters:
    """Train by mini-batches; then draw the costs. The cost of an epoch is the mean over all its examples.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (1, m)
        Labels in [0, 1].
    layers_dims : sequence of int
        ``n_0, n_1, n_2, 1``.
    optimizer : {"gd", "momentum", "adam"}
    learning_rate : float
    mini_batch_size : int
    beta : float
        Of momentum.
    beta1, beta2, epsilon : float
        Of Adam.
    num_epochs : int
    print_cost : bool
        Print ``Cost after epoch ...: ...`` for every 1000th epoch. The costs of every 100th are drawn.

    Returns
    -------
    dict
        The trained ``W1, b1, W2, b2, W3, b3``.

    Raises
    ------
    TypeError, ValueError
        As ``fastbackprop.L_layer_model``; ValueError also for an unknown optimizer and for another number of layers.
    ImportError
        matplotlib is not installed: the extra ``plot``.
    """
    return _train(
        X, Y, layers_dims, optimizer, learning_rate, mini_batch_size, beta, beta1, beta2, epsilon, num_epochs, print_cost,
        of_epoch=_mean,
    )  # fmt: skip


Batch = tuple[NDArray[Any], NDArray[Any]]  # outputs and labels


def _last(batches: list[Batch]) -> Any:
    return compute_batch_cost(*batches[-1])


def _mean(batches: list[Batch]) -> Any:
    return sum(compute_total_cost(a3, Y) for a3, Y in batches) / sum(Y.shape[1] for _, Y in batches)


def _train(
    X: Any,
    Y: Any,
    layers_dims: Sequence[int],
    optimizer: str,
    learning_rate: float,
    mini_batch_size: int,
    beta: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    num_epochs: int,
    print_cost: bool,
    of_epoch: Callable[[list[Batch]], Any],
) -> Parameters:
    """The training of both; ``of_epoch`` makes an epoch's cost of its batches."""
    plt = pyplot("model")
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer is {optimizer!r}; known ones are {', '.join(map(repr, OPTIMIZERS))}")
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    if len(sizes) != LAYERS + 1:
        raise ValueError(f"layers_dims is {sizes}; expected four sizes, of the input and of three layers")
    num_epochs = arguments.count("num_epochs", num_epochs)
    parameters = initialize_parameters_of_optimizers(sizes)
    parameters = fastbackprop.L_layer_model(X, Y, sizes, learning_rate, 0, parameters=parameters)  # raises before any work
    update = _update(optimizer, parameters, learning_rate, beta, beta1, beta2, epsilon)
    costs = []
    for epoch in range(num_epochs):
        looked_at = []
        for batch_X, batch_Y in random_mini_batches(X, Y, mini_batch_size, SEED + 1 + epoch):
            a3, cache = forward_propagation(batch_X, parameters)
            update(backward_propagation(batch_X, batch_Y, cache))
            looked_at.append((a3, batch_Y))
        if print_cost and epoch % COST_EVERY == 0:
            costs.append(of_epoch(looked_at))
            if epoch % PRINT_EVERY == 0:
                print("Cost after epoch %i: %f" % (epoch, costs[-1]))
    show_costs(plt, costs, "epochs (per 100)", f"Learning rate = {learning_rate}")
    return parameters


def _update(
    optimizer: str, parameters: Parameters, rate: float, beta: float, beta1: float, beta2: float, epsilon: float
) -> Callable[[Any], Any]:
    """The step of an optimizer, which changes the parameters by gradients."""
    if optimizer == "gd":
        return lambda grads: update_parameters_with_gd(parameters, grads, rate)
    if optimizer == "momentum":
        velocity = initialize_velocity(parameters)
        return lambda grads: update_parameters_with_momentum(parameters, grads, velocity, beta, rate)
    v, s = initialize_adam(parameters)
    steps = iter(range(1, 2**63 - 1))
    return lambda grads: update_parameters_with_adam(parameters, grads, v, s, next(steps), rate, beta1, beta2, epsilon)
