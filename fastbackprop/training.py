"""L_layer_model: the whole training compiled, run in slices of iterations so that costs print as they come."""

import logging
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from fastbackprop import arguments, reference
from fastbackprop.kernels.descent import direct_descent
from fastbackprop.kernels.network import DIVERGED
from fastbackprop.network import initialize_parameters_deep

logger = logging.getLogger("fastbackprop")

COST_EVERY = 100


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
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    if sizes[-1] != 1:
        raise ValueError(f"layers_dims ends with {sizes[-1]}; expected 1, the one unit of the output layer")
    X, Y = arguments.examples("X", X, sizes[0]), arguments.numbers("Y", Y)
    if Y.shape != (1, X.shape[1]):
        raise ValueError(f"Y has shape {Y.shape}; expected (1, {X.shape[1]}), one label an example of X {X.shape}")
    rate = arguments.real("learning_rate", learning_rate)
    iterations = arguments.count("num_iterations", num_iterations)
    if parameters is None:
        parameters = initialize_parameters_deep(sizes)
    start = arguments.parameters_of("parameters", parameters, sizes)
    dtype = np.result_type(X, *start.values())
    _check_values(X, Y)
    if dtype.char not in "fd" and not np.issubdtype(dtype, np.integer):
        logger.debug("L_layer_model: the reference serves this call, since the kernels do not cover %s", dtype)
        trained, costs = reference.L_layer_model(
            X, Y, sizes, rate, iterations, print_cost, parameters=start, return_costs=True
        )
        return (trained, costs) if return_costs else trained
    if dtype.char not in "fd":
        dtype = np.dtype(np.float64)
    descent = _Descent(X, Y, sizes, start, rate, iterations, dtype)
    logger.info("L_layer_model: direct descent in %s on one thread, %d iterations", dtype, iterations)
    with ThreadPoolExecutor(1, thread_name_prefix="fastbackprop") as worker:
        for reported in range(0, iterations if print_cost else 0, COST_EVERY):
            descent.advance(worker, reported + 1)
            print("Cost after iteration %i: %f" % (reported, descent.costs[reported // COST_EVERY]))
        descent.advance(worker, iterations)
    return (descent.parameters(), descent.costs.tolist()) if return_costs else descent.parameters()


def _check_values(X: np.ndarray, Y: np.ndarray) -> None:
    for name, values in (("X", X), ("Y", Y)):
        finite = np.isfinite(values)
        if not finite.all():
            raise ValueError(f"{name} has {values.size - np.count_nonzero(finite)} values that are not finite")
    if Y.min() < 0 or Y.max() > 1:
        warnings.warn(
            f"Y has labels from {Y.min()} to {Y.max()}; cross-entropy expects them in [0, 1]", UserWarning, stacklevel=3
        )


class _Descent:
    """A training under way: the state that the compiled loop works on."""

    def __init__(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        sizes: list[int],
        start: dict[str, np.ndarray],
        rate: float,
        iterations: int,
        dtype: np.dtype,
    ) -> None:
        self.X, self.Y = X.astype(dtype, copy=False), Y.astype(dtype, copy=False)
        self.sizes, self.rate = np.array(sizes, np.int64), rate
        L = len(sizes) - 1
        self.W = np.concatenate([np.ravel(start[f"W{l}"]) for l in range(1, L + 1)]).astype(dtype)
        self.b = np.concatenate([np.ravel(start[f"b{l}"]) for l in range(1, L + 1)]).astype(dtype)
        self.costs = np.zeros(-(-iterations // COST_EVERY))
        self.state = np.zeros(2, np.int64)
        self.done = 0

    def parameters(self) -> dict[str, np.ndarray]:
        """``W1, b1, ..., WL, bL`` as they are now."""
        result: dict[str, np.ndarray] = {}
        weight_at = unit_at = 0
        for l in range(1, len(self.sizes)):
            n, n_prev = int(self.sizes[l]), int(self.sizes[l - 1])
            result[f"W{l}"] = self.W[weight_at : weight_at + n * n_prev].reshape(n, n_prev).copy()
            result[f"b{l}"] = self.b[unit_at : unit_at + n].reshape(n, 1).copy()
            weight_at, unit_at = weight_at + n * n_prev, unit_at + n
        return result

    def advance(self, worker: ThreadPoolExecutor, end: int) -> None:
        """Train up to iteration `end`.

        The worker computes while this thread waits where Ctrl-C can reach it; the kernel looks at the stop flag a block.
        """
        job = worker.submit(
            direct_descent[self.W.dtype.char], self.X, self.Y, self.sizes, self.W, self.b, self.rate, self.done, end,
            COST_EVERY, self.costs, self.state,
        )  # fmt: skip
        try:
            self.done = job.result()
        except BaseException:
            self.state[0] = 1
            raise
        if self.state[1] == DIVERGED:
            self._diverged()

    def _diverged(self) -> None:
        error = FloatingPointError(
            f"iteration {self.done} makes parameters that are not finite (learning_rate {self.rate:g}); the last finite ones "
            "are in .parameters of this error. Try a smaller learning_rate, or a start with smaller weights"
        )
        error.parameters = self.parameters()  # type: ignore[attr-defined]
        raise error
