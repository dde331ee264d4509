"""The trainings of the second course's notebook about optimizers: mini-batches, with gradient descent, momentum or Adam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastbackprop
from fastbackprop import arguments
from fastbackprop.batches import Batches
from fastbackprop.compat._compiled import Parameters, advance, batches, diverged, is_finite
from fastbackprop.compat._costs import compute_batch_cost, compute_total_cost
from fastbackprop.compat._optimizers import random_mini_batches, shuffled
from fastbackprop.compat._plots import pyplot, show_costs
from fastbackprop.compat._seeded_starts import initialize_parameters_of_optimizers
from fastbackprop.compat._three_layers import LAYERS, backward_propagation, forward_propagation
from fastbackprop.compat._updates import UPDATES, Numbers, Update

SEED = 11  # of the first epoch's order
PRINT_EVERY, COST_EVERY = 1000, 100  # epochs
ORDERS = 2**20  # numbers of examples that are drawn at once


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
    """The training of both; ``of_epoch`` makes an epoch's cost of its batches.

    Epochs whose costs are wanted go through the steps, whose outputs the costs are made of; those between them are compiled.
    """
    plt = pyplot("model")
    if not isinstance(optimizer, str) or optimizer not in UPDATES:
        raise ValueError(f"optimizer is {optimizer!r}; known ones are {', '.join(map(repr, UPDATES))}")
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    if len(sizes) != LAYERS + 1:
        raise ValueError(f"layers_dims is {sizes}; expected four sizes, of the input and of three layers")
    size = arguments.count("mini_batch_size", mini_batch_size, at_least=1)
    num_epochs = arguments.count("num_epochs", num_epochs)
    given = {"learning_rate": learning_rate, "beta": beta, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    numbers = Numbers(*(arguments.real(name, value) for name, value in given.items()))
    start = initialize_parameters_of_optimizers(sizes)
    start = fastbackprop.L_layer_model(X, Y, sizes, numbers.learning_rate, 0, parameters=start)  # raises before any work
    update = UPDATES[optimizer](start, numbers)
    compiled = Compiled(X, Y, sizes, size, update)
    costs = []
    every = COST_EVERY if print_cost else max(1, num_epochs)
    for epoch in range(0, num_epochs, every):
        end = min(epoch + every, num_epochs)
        if print_cost:
            costs.append(of_epoch(_epoch(X, Y, size, epoch, update)))
            if epoch % PRINT_EVERY == 0:
                print("Cost after epoch %i: %f" % (epoch, costs[-1]))
            epoch += 1
        compiled.advance(epoch, end)
    show_costs(plt, costs, "epochs (per 100)", f"Learning rate = {learning_rate}")
    return update.parameters


def _epoch(X: Any, Y: Any, size: int, epoch: int, update: Update) -> list[Batch]:
    """An epoch by steps; returns the outputs and labels of its batches."""
    seen, before = [], dict(update.parameters)
    for batch_X, batch_Y in random_mini_batches(X, Y, size, SEED + epoch):
        a3, cache = forward_propagation(batch_X, update.parameters)
        update.step(backward_propagation(batch_X, batch_Y, cache))
        seen.append((a3, batch_Y))
    if not is_finite(update.parameters):
        raise diverged(f"epoch {epoch}", before)
    return seen


class Compiled:
    """Epochs that are compiled, of parameters and averages that the steps of an ``update`` work on too."""

    def __init__(self, X: Any, Y: Any, sizes: list[int], size: int, update: Update) -> None:
        self._data, self._sizes, self._size, self._update = (X, Y), sizes, size, update
        self._state: Batches | None = None

    def advance(self, epoch: int, end: int) -> None:
        """Train up to an epoch."""
        update, m = self._update, np.shape(self._data[0])[1]
        if epoch == end:
            return
        if update.rule is None:
            for number in range(epoch, end):
                _epoch(*self._data, self._size, number, update)
            return
        if self._state is None:
            self._state = batches(*self._data, self._sizes, update.parameters, update.rule, batch_size=self._size)
        state = self._state
        update.write(state)
        length = max(1, ORDERS // m)
        for first in range(epoch, end, length):
            last = min(first + length, end)
            order = np.concatenate([shuffled(m, SEED + number) for number in range(first, last)])
            advance(state, order, np.full(last - first, update.rule.learning_rate), first, "epoch")
        update.read(state)
