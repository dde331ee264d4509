"""The trainings of the second course's first two notebooks: full-batch descent from three starts, with L2 or dropout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop import arguments
from fastbackprop.batches import Batches
from fastbackprop.compat._compiled import Parameters, batches, diverged, is_finite
from fastbackprop.compat._compiled import advance as advance_compiled
from fastbackprop.compat._costs import compute_cost
from fastbackprop.compat._plots import pyplot, show_costs
from fastbackprop.compat._regularization import (
    backward_propagation_with_dropout,
    compute_cost_with_regularization,
    forward_propagation_with_dropout,
    part_kept,
)
from fastbackprop.compat._seeded_starts import (
    initialize_parameters_he,
    initialize_parameters_of_regularization,
    initialize_parameters_random,
    initialize_parameters_zeros,
)
from fastbackprop.compat._three_layers import forward_propagation
from fastbackprop.optimizers import GradientDescent

STARTS = {"zeros": initialize_parameters_zeros, "random": initialize_parameters_random, "he": initialize_parameters_he}
COST_EVERY = 1000  # iterations
CHECK_EVERY = 100  # iterations by steps: a check takes a fifth of the time of one
SLICE = 10_000  # iterations at once: their costs are written to memory that is allocated before

Look = Callable[[int, Parameters], None]  # at the parameters before an iteration
Advance = Callable[[Parameters, int, int], Parameters]  # from the parameters before an iteration, by so many


def model_of_starts(
    X: Any,
    Y: Any,
    learning_rate: float = 0.01,
    num_iterations: int = 15000,
    print_cost: bool = True,
    initialization: str = "he",
) -> Parameters:
    """Train hidden layers of 10 and 5 units from one of three starts, by full-batch gradient descent; then draw the costs.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (1, m)
        Labels in [0, 1].
    learning_rate : float
    num_iterations : int
    print_cost : bool
        Print ``Cost after iteration ...: ...`` for every 1000th iteration. The costs that are drawn are those that are printed.
    initialization : {"he", "zeros", "random"}
        The start: `initialize_parameters_he` and so on.

    Returns
    -------
    dict
        The trained ``W1, b1, W2, b2, W3, b3``.

    Raises
    ------
    TypeError, ValueError, FloatingPointError
        As ``fastbackprop.L_layer_model``; ValueError also for an unknown initialization.
    ImportError
        matplotlib is not installed: the extra ``plot``.
    """
    plt = pyplot("model")
    if not isinstance(initialization, str) or initialization not in STARTS:
        raise ValueError(f"initialization is {initialization!r}; known ones are {', '.join(map(repr, STARTS))}")
    sizes = _sizes(X, 10, 5)
    costs = []

    def look(iteration: int, parameters: Parameters) -> None:
        cost = compute_cost(forward_propagation(X, parameters)[0], Y)
        print(f"Cost after iteration {iteration}: {cost}")
        costs.append(cost)

    start, advance = STARTS[initialization](sizes), _descent(X, Y, sizes, learning_rate)
    parameters = _in_slices(X, Y, sizes, start, learning_rate, num_iterations, advance, look if print_cost else None)
    show_costs(plt, costs, "iterations (per hundreds)", f"Learning rate ={learning_rate}")
    return parameters


def model_with_regularization(
    X: Any,
    Y: Any,
    learning_rate: float = 0.3,
    num_iterations: int = 30000,
    print_cost: bool = True,
    lambd: float = 0,
    keep_prob: float = 1,
) -> Parameters:
    """Train hidden layers of 20 and 3 units by full-batch gradient descent, with L2 or dropout; then draw the costs.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (1, m)
        Labels in [0, 1].
    learning_rate : float
    num_iterations : int
    print_cost : bool
        Print ``Cost after iteration ...: ...`` for every 10000th iteration. The costs of every 1000th are drawn.
    lambd : float
        The cost has ``lambd / (2 m)`` times the sum of the squares of all weights.
    keep_prob : float
        The probability that dropout keeps a unit of a hidden layer, by the same masks in all iterations.

    Returns
    -------
    dict
        The trained ``W1, b1, W2, b2, W3, b3``.

    Raises
    ------
    TypeError, ValueError, FloatingPointError
        As ``fastbackprop.L_layer_model``; ValueError also for a keep_prob outside (0, 1], and for L2 and dropout at once.
    ImportError
        matplotlib is not installed: the extra ``plot``.
    """
    plt = pyplot("model")
    lambd, kept = arguments.real("lambd", lambd), part_kept(keep_prob)
    if lambd != 0 and kept != 1:
        raise ValueError(f"lambd is {lambd!r} and keep_prob {kept!r}; expected lambd = 0 or keep_prob = 1")
    sizes = _sizes(X, 20, 3)
    costs = []

    def forward(parameters: Parameters) -> Any:
        return forward_propagation(X, parameters) if kept == 1 else forward_propagation_with_dropout(X, parameters, kept)

    def look(iteration: int, parameters: Parameters) -> None:
        outputs, _ = forward(parameters)
        cost = compute_cost_with_regularization(outputs, Y, parameters, lambd) if lambd else compute_cost(outputs, Y)
        if iteration % (10 * COST_EVERY) == 0:
            print(f"Cost after iteration {iteration}: {cost}")
        costs.append(cost)

    def step(parameters: Parameters) -> Parameters:
        _, cache = forward(parameters)
        grads = backward_propagation_with_dropout(X, Y, cache, kept)
        return fastbackprop.update_parameters(parameters, grads, learning_rate)

    if kept != 1:
        advance = _steps(step)
    elif lambd:
        advance = _descent_with_l2(X, Y, sizes, learning_rate, lambd)
    else:
        advance = _descent(X, Y, sizes, learning_rate)
    start = initialize_parameters_of_regularization(sizes)
    parameters = _in_slices(X, Y, sizes, start, learning_rate, num_iterations, advance, look if print_cost else None)
    show_costs(plt, costs, "iterations (x1,000)", f"Learning rate ={learning_rate}")
    return parameters


def _sizes(X: Any, *hidden: int) -> list[int]:
    """The sizes of the layers, for examples with as many features as X has rows."""
    shape = np.shape(arguments.numbers("X", X))
    if len(shape) != 2:
        raise ValueError(f"X has shape {shape}; expected (n_0, m), examples are columns")
    return [shape[0], *hidden, 1]


def _in_slices(
    X: Any, Y: Any, sizes: list[int], start: Parameters, rate: float, iterations: int, advance: Advance, look: Look | None
) -> Parameters:
    """The parameters after iterations in slices, before each of which they are looked at."""
    iterations = arguments.count("num_iterations", iterations)
    parameters = fastbackprop.L_layer_model(X, Y, sizes, rate, 0, parameters=start)  # raises before anything is printed
    every = COST_EVERY if look else max(1, iterations)
    for done in range(0, iterations, every):
        if look:
            look(done, parameters)
        parameters = advance(parameters, done, min(every, iterations - done))
    return parameters


def _descent(X: Any, Y: Any, sizes: list[int], rate: float) -> Advance:
    """Gradient descent, compiled."""

    def advance(parameters: Parameters, done: int, length: int) -> Parameters:
        try:
            return fastbackprop.L_layer_model(X, Y, sizes, rate, length, parameters=parameters)
        except FloatingPointError as error:
            if done:
                error.args = (f"counted from iteration {done} on, {error}",)
            raise

    return advance


def _descent_with_l2(X: Any, Y: Any, sizes: list[int], rate: float, lambd: float) -> Advance:
    """Gradient descent with L2, compiled."""
    state: list[Batches] = []  # made when it is needed: by then the arguments have been looked at

    def advance(parameters: Parameters, done: int, length: int) -> Parameters:
        if not state:
            state.append(batches(X, Y, sizes, parameters, GradientDescent(rate), lambd))
        for first in range(done, done + length, SLICE):
            last = min(first + SLICE, done + length)
            advance_compiled(state[0], None, np.full(last - first, float(rate)), first, "iteration")
        return state[0].parameters()

    return advance


def _steps(step: Callable[[Parameters], Parameters]) -> Advance:
    """Iterations that are not compiled as a whole."""

    def advance(parameters: Parameters, done: int, length: int) -> Parameters:
        for first in range(done, done + length, CHECK_EVERY):
            before, last = parameters, min(first + CHECK_EVERY, done + length)
            for _ in range(first, last):
                parameters = step(dict(parameters))
            if not is_finite(parameters):
                raise _divergence(step, before, first)
        return parameters

    return advance


def _divergence(step: Callable[[Parameters], Parameters], parameters: Parameters, iteration: int) -> FloatingPointError:
    """The error of iterations of which one makes parameters that are not finite: they are done once more to find it."""
    while is_finite(after := step(dict(parameters))):
        parameters, iteration = after, iteration + 1
    return diverged(f"iteration {iteration}", parameters)
