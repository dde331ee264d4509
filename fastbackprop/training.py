"""L_layer_model: the whole training compiled, in slices of iterations between which watchers may act."""

import contextlib
import inspect
import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import numpy as np

from fastbackprop import arguments, doubtful, keywords, reference
from fastbackprop.algorithms import ALGORITHMS, COST_EVERY, Direct, Gram, choose_algorithm
from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Descent, Words
from fastbackprop.looping import Watcher, not_finite, run
from fastbackprop.network import initialize_parameters_deep
from fastbackprop.resources import free_memory
from fastbackprop.slices import behind, check_finite, converted

logger = logging.getLogger("fastbackprop")

WORDS = Words("L_layer_model", "iteration", "num_iterations")


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
    plot_cost: bool = False,
    algorithm: str = "auto",
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    **unsupported: NoReturn,
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
        Print ``Cost after iteration %i: %f`` for every 100th iteration.
    parameters : dict, optional
        ``W1, b1, ..., WL, bL`` to start from; copied. Without it ``initialize_parameters_deep`` draws the start.
    return_costs : bool
        Return ``(parameters, costs)``, with ``costs`` a list of floats, one every 100 iterations.
    plot_cost : bool
        Draw the costs when the training is done. Needs matplotlib: the extra ``plot``.
    algorithm : {"auto", "direct", "gram"}
        "direct" takes the examples through all layers each iteration. "gram" works on ``X^T X`` instead of X: the same
        numbers up to rounding, much faster where examples are fewer than features. "auto" takes the one with fewer
        operations, and "gram" only if ``X^T X`` is at most twice X and a quarter of the free memory.
    progress : bool
        Show a bar with iterations, cost and time left. Needs tqdm: the extra ``progress``.
    checkpoint : str or path, optional
        A file (``.npz``) in which the training is saved every 30 seconds, at its end and on Ctrl-C; never half-written. Where
        it exists, the training resumes from there, by the algorithm that it began with, and ends with the same bits as
        without a break on the same kind of processor; with more iterations than before it trains on. `parameters` are only
        needed at the start: without them nothing is drawn when the file exists.

    Returns
    -------
    dict
        The trained ``W1, b1, ..., WL, bL``.

    Raises
    ------
    TypeError
        An argument of a kind that numbers are not made of. A keyword that only variants of this function have, like `lambd`,
        `keep_prob` or `optimizer`; the message names what serves it.
    ValueError
        Shapes that do not fit, no examples, values that are not finite or masked, layer sizes below 1, an output layer of
        other than one unit. A checkpoint that is damaged, beyond `num_iterations`, or of a training with other data, layers,
        learning rate, dtype, start or algorithm; a name that no file can have.
    OSError
        The checkpoint cannot be read, or none can be written there.
    ImportError
        What `progress` or `plot_cost` need is not installed.
    KeyError
        ``parameters`` lacks a key, or holds a W or b without its partner.
    FloatingPointError
        An iteration would have made parameters that are not finite; ``.parameters`` holds the last finite ones. The message
        suggests a remedy: other labels where some lie outside [0, 1], else a smaller learning rate.
    KeyboardInterrupt
        Ctrl-C, within a fifth of a second; with a checkpoint after saving, and the message states the iterations done. A
        second one does not wait for the saving, which is completed all the same.

    Warns
    -----
    UserWarning
        Labels outside [0, 1].
    RuntimeWarning
        Costs that are not finite, where ``W A + b`` overflows. Where the reference computes, it warns as NumPy does.

    Notes
    -----
    Differs from the reference on purpose: the output layer's gradient is ``A_L - Y`` and the cost is taken from the logits,
    ``softplus(z) - y z``, so that training continues and the cost stays finite after the output saturates; the dtype is that
    of X and the parameters, for labels of any dtype (float32 data and float32 parameters train in float32).

    Examples
    --------
    >>> np.random.seed(1)
    >>> X = np.random.randn(2, 400)
    >>> Y = (X[:1] * X[1:] > 0).astype(float)
    >>> parameters, costs = bp.L_layer_model(X, Y, [2, 8, 1], learning_rate=0.5, num_iterations=5000, return_costs=True)
    >>> round(costs[0], 2), round(costs[-1], 2), len(costs)
    (0.69, 0.02, 50)
    """
    keywords.refuse("L_layer_model", unsupported)
    X, Y, descending = asked(X, Y, layers_dims, learning_rate, num_iterations, parameters, algorithm)
    sizes, rate, iterations, start = descending.sizes, descending.rate, descending.iterations, descending.start
    if plot_cost:
        from fastbackprop.extras.plotting import plot_costs
    if progress:
        from fastbackprop.extras.progress import ProgressBar
    check_finite(X=X, Y=Y, **descending.numbers())
    if outside := doubtful.labels_outside(Y):
        warnings.warn(outside, UserWarning, stacklevel=2)
    dtype = descending.dtype(X)
    covered = dtype.char in "fd"
    if not covered and (progress or checkpoint is not None):
        raise ValueError(f"progress and checkpoint need a training in float32 or float64; X and parameters make it {dtype}")
    file = None if checkpoint is None else Checkpoint(checkpoint, iterations, WORDS)
    drawn = start is None and (file is None or not file.found)
    if drawn:
        start = initialize_parameters_deep(sizes)
    if not covered:
        logger.debug("L_layer_model: the reference serves this call, since the kernels do not cover %s", dtype)
        trained, costs = reference.L_layer_model(X, Y, sizes, rate, iterations, print_cost, parameters=start, return_costs=True)
        if drawn:
            _look_at_start(costs, Y, rate)
    else:
        descent = descending.descent(X, Y, start, file, free_memory())
        if file is not None:
            file.restore(descent)
        descent.load()  # before a bar's clock starts
        with contextlib.ExitStack() as stack:
            watchers: list[Watcher] = []
            if progress:
                watchers.append(stack.enter_context(ProgressBar(descent.done, iterations)))
            if print_cost:
                watchers.insert(0, cost_lines(descent, ProgressBar.write if progress else print))
            beside = [_start_watcher()] if drawn else []
            trained = run(descent, iterations, WORDS, watchers, file, partial(divergence, descent), *beside)
        costs = descent.costs
        doubtful.explain_costs(costs)
    if plot_cost:
        plot_costs(costs, rate)
    return (trained, costs) if return_costs else trained


_signature = inspect.signature(L_layer_model)
L_layer_model.__signature__ = _signature.replace(  # type: ignore[attr-defined]
    parameters=[p for p in _signature.parameters.values() if p.kind is not p.VAR_KEYWORD]  # these are refused
)


@dataclass(frozen=True)
class Descending:
    """The arguments of ``L_layer_model`` that its descent depends on, beside the data, checked."""

    sizes: list[int]
    rate: float
    iterations: int
    start: dict[str, np.ndarray] | None
    algorithm: str

    @property
    def identity(self) -> dict[str, Any]:
        """What identifies the training for its checkpoint, beside its dtype and arrays."""
        return {"layers_dims": self.sizes, "learning_rate": self.rate}

    def numbers(self) -> dict[str, np.ndarray]:
        """What is to be finite, by the names that errors call it."""
        return {f"{key} in parameters": value for key, value in (self.start or {}).items()}

    def dtype(self, X: np.ndarray) -> np.dtype[Any]:
        """The dtype of a training on X; the default start is float64."""
        dtype = np.result_type(X, *([np.float64] if self.start is None else self.start.values()))
        return np.dtype(np.float64) if np.issubdtype(dtype, np.integer) else dtype

    def takes_gram(self, X: np.ndarray, free_bytes: int | None) -> bool:
        """Whether a training that begins on X takes gram descent."""
        if self.algorithm != "auto":
            return self.algorithm == "gram"
        n_0, n_1, *_ = self.sizes
        return choose_algorithm(n_0, n_1, X.shape[1], self.iterations, self.dtype(X).itemsize, free_bytes) == "gram"

    def descent(
        self, X: np.ndarray, Y: np.ndarray, start: dict[str, np.ndarray] | None, file: Checkpoint | None, free_bytes: int | None
    ) -> Direct:
        """The training at its beginning; without a start where `file` has all that it would be needed for."""
        sizes, dtype, algorithm = self.sizes, self.dtype(X), self.algorithm
        X, Y = behind(X.nbytes, converted, X, Y, dtype)
        if file is not None:
            digests = file.digests(X=[X], Y=[Y], parameters=None if start is None else start.values())
            algorithm = file.identify(algorithm, self.identity | {"dtype": str(dtype)} | digests)
        if algorithm == "auto":
            algorithm = "gram" if self.takes_gram(X, free_bytes) else "direct"
        kind = Gram if algorithm == "gram" else Direct
        return behind(sum(sizes) * max(sizes) * X.itemsize, kind, X, Y, sizes, start, self.rate)


def asked(
    X: Any, Y: Any, layers_dims: Any, learning_rate: Any, num_iterations: Any, parameters: Any, algorithm: Any
) -> tuple[np.ndarray, np.ndarray, Descending]:
    """X and Y as arrays that fit, and the rest; whether numbers are finite is not looked at."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm is {algorithm!r}; known ones are {', '.join(map(repr, ALGORITHMS))}")
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    if sizes[-1] != 1:
        raise ValueError(f"layers_dims ends with {sizes[-1]}; expected 1, the one unit of the output layer")
    X = arguments.examples("X", X, sizes[0])
    Y = arguments.label_row(Y, X.shape)
    rate = arguments.real("learning_rate", learning_rate)
    iterations = arguments.count("num_iterations", num_iterations)
    start = None if parameters is None else arguments.parameters_of("parameters", parameters, sizes)
    return X, Y, Descending(sizes, rate, iterations, start, algorithm)


def cost_lines(descent: Descent, write: Callable[[str], None]) -> Watcher:
    """A watcher that writes the costs that it has not written yet."""
    seen = len(descent.costs)

    def watch(descent: Any) -> None:
        nonlocal seen
        for cost in descent.costs[seen:]:
            write("Cost after iteration %i: %f" % (seen * COST_EVERY, cost))
            seen += 1

    return watch


def _start_watcher() -> Watcher:
    """What looks at the default start until it has been judged."""
    judged = False

    def watch(descent: Any) -> None:
        nonlocal judged
        judged = judged or _look_at_start(descent.costs, descent.Y, descent.rate)

    return watch


def _look_at_start(costs: Sequence[float], Y: np.ndarray, rate: float) -> bool:
    """Whether enough iterations are done to judge the default start; a poor one is said."""
    if late := len(costs) > doubtful.EARLY // COST_EVERY:
        doubtful.explain_start(costs[0], costs[doubtful.EARLY // COST_EVERY], Y, rate)
    return late


def divergence(descent: Any, parameters: dict[str, np.ndarray]) -> FloatingPointError:
    """The error of a training whose next iteration would make parameters that are not finite."""
    outside = doubtful.labels_outside(descent.Y)
    what = f"iteration {descent.done}"
    if outside:
        return not_finite(what, outside, "labels in [0, 1]: with others the cost has no minimum", parameters)
    advice = "a smaller learning_rate, or a start with smaller weights"
    return not_finite(what, f"learning_rate {descent.rate:g}", advice, parameters)
