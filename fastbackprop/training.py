"""L_layer_model: the whole training compiled, run in slices of iterations so that costs print as they come."""

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from fastbackprop import arguments, reference
from fastbackprop.algorithms import ALGORITHMS, COST_EVERY, Direct, Gram, choose_algorithm
from fastbackprop.kernels.threads import MEMBERS
from fastbackprop.network import initialize_parameters_deep
from fastbackprop.resources import free_memory
from fastbackprop.team import held

logger = logging.getLogger("fastbackprop")


def L_layer_model(
    X: Any,
    Y: Any,
    layers_dims: Sequence[int],
    learning_rate: float = 0.0075,
    num_iterations: int = 3000,
    print_cost: bool = False,
    *,
    parameters: Mapping[str, Any] | None = None,
    return_costs: bool = False,
    algorithm: str = "auto",
) -> Any:
    """Train ``[LINEAR -> RELU] * (L - 1) -> LINEAR -> SIGMOID`` by full-batch gradient descent on the cross-entropy.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (1, m)
        Labels in [0, 1].
    layers_dims : sequence of int
        ``n_0, n_1, ..., n_L``, with ``n_L = 1``.
    learning_rate : float
    num_iterations : int
    print_cost : bool
        Print ``Cost after iteration %i: %f`` every 100 iterations.
    parameters : dict, optional
        ``W1, b1, ..., WL, bL`` to start from; copied. Without it ``initialize_parameters_deep`` draws the start.
    return_costs : bool
        Return ``(parameters, costs)``, with ``costs`` a list of floats, one every 100 iterations.
    algorithm : {"auto", "direct", "gram"}
        "direct" takes the examples through all layers each iteration. "gram" works on ``X^T X`` instead of X: the same
        numbers up to rounding, much faster where examples are fewer than features. "auto" takes the one with fewer
        operations, and "gram" only if ``X^T X`` is at most twice X and a quarter of the free memory.

    Returns
    -------
    dict
        The trained ``W1, b1, ..., WL, bL``.

    Raises
    ------
    TypeError
        An argument of a kind that numbers are not made of.
    ValueError
        Shapes that do not fit, no examples, values that are not finite, layer sizes below 1, an output layer of other than
        one unit.
    KeyError
        ``parameters`` lacks a key.
    FloatingPointError
        An iteration would have made parameters that are not finite; ``.parameters`` holds the last finite ones.
    KeyboardInterrupt
        Ctrl-C, within a fifth of a second.

    Warns
    -----
    UserWarning
        Labels outside [0, 1].

    Notes
    -----
    Differs from the reference on purpose: the output layer's gradient is ``A_L - Y`` and the cost is taken from the logits,
    ``softplus(z) - y z``, so that training goes on and the cost stays finite after the output saturates; the dtype is that
    of X and the parameters, whatever the labels' (float32 data and float32 parameters train in float32).
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm is {algorithm!r}; known ones are {', '.join(map(repr, ALGORITHMS))}")
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    if sizes[-1] != 1:
        raise ValueError(f"layers_dims ends with {sizes[-1]}; expected 1, the one unit of the output layer")
    X, Y = arguments.examples("X", X, sizes[0]), arguments.numbers("Y", Y)
    if Y.shape != (1, X.shape[1]):
        raise ValueError(f"Y has shape {Y.shape}; expected (1, {X.shape[1]}), one label an example of X {X.shape}")
    rate = arguments.real("learning_rate", learning_rate)
    iterations = arguments.count("num_iterations", num_iterations)
    _check_values(X, Y)
    if parameters is None:
        parameters = initialize_parameters_deep(sizes)
    start = arguments.parameters_of("parameters", parameters, sizes)
    dtype = np.result_type(X, *start.values())
    if dtype.char not in "fd" and not np.issubdtype(dtype, np.integer):
        logger.debug("L_layer_model: the reference serves this call, since the kernels do not cover %s", dtype)
        trained, costs = reference.L_layer_model(X, Y, sizes, rate, iterations, print_cost, parameters=start, return_costs=True)
        return (trained, costs) if return_costs else trained
    if dtype.char not in "fd":
        dtype = np.dtype(np.float64)
    X, Y = np.asarray(X, dtype), np.asarray(Y, dtype)
    if algorithm == "auto":
        algorithm = choose_algorithm(sizes[0], sizes[1], X.shape[1], iterations, dtype.itemsize, free_memory())
    descent = (Gram if algorithm == "gram" else Direct)(X, Y, sizes, start, rate, iterations)
    with ThreadPoolExecutor(1, thread_name_prefix="fastbackprop-train") as worker, held() as team:
        logger.info("L_layer_model: %s descent in %s, %d iterations, threads: %d", algorithm, dtype, iterations, team[MEMBERS])
        _wait(worker, descent, team, descent.prepare)
        for reported in range(0, iterations if print_cost else 0, COST_EVERY):
            _wait(worker, descent, team, descent.advance, reported + 1)
            print("Cost after iteration %i: %f" % (reported, descent.costs[reported // COST_EVERY]))
        _wait(worker, descent, team, descent.advance, iterations)
        trained = descent.parameters(team)
    return (trained, descent.costs.tolist()) if return_costs else trained


def _wait(worker: ThreadPoolExecutor, descent: Direct, team: np.ndarray, work: Callable[..., None], *arguments: int) -> None:
    """Have the worker do it while this thread waits where Ctrl-C can reach it."""
    job = worker.submit(work, *arguments, team)
    try:
        job.result()
    except BaseException:
        descent.stop()
        raise
    if descent.diverged:
        error = FloatingPointError(
            f"iteration {descent.done} makes parameters that are not finite (learning_rate {descent.rate:g}); the last finite "
            "ones are in .parameters of this error. Try a smaller learning_rate, or a start with smaller weights"
        )
        error.parameters = descent.parameters(team)  # type: ignore[attr-defined]
        raise error


def _check_values(X: np.ndarray, Y: np.ndarray) -> None:
    for name, values in (("X", X), ("Y", Y)):
        finite = np.isfinite(values)
        if not finite.all():
            raise ValueError(f"{name} has {values.size - np.count_nonzero(finite)} values that are not finite")
    if Y.min() < 0 or Y.max() > 1:
        warnings.warn(
            f"Y has labels from {Y.min()} to {Y.max()}; cross-entropy expects them in [0, 1]", UserWarning, stacklevel=3
        )
