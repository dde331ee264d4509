"""L_layer_model: the whole training compiled; where somebody watches, in slices of iterations, and they act in between."""

import contextlib
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from fastbackprop import arguments, doubtful, reference
from fastbackprop.algorithms import ALGORITHMS, COST_EVERY, Direct, Gram, choose_algorithm
from fastbackprop.checkpoint import Checkpoint
from fastbackprop.network import initialize_parameters_deep
from fastbackprop.resources import free_memory
from fastbackprop.team import get_num_threads, in_team

logger = logging.getLogger("fastbackprop")

SLICE_SECONDS = 0.15


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
        it exists, the training goes on from there, by the algorithm that it began with, and ends with the same bits as
        without a break on the same kind of processor; with more iterations than before it trains on. `parameters` are only
        needed to begin: without them nothing is drawn when the file exists.

    Returns
    -------
    dict
        The trained ``W1, b1, ..., WL, bL``.

    Raises
    ------
    TypeError
        An argument of a kind that numbers are not made of.
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
        says what to try: other labels where some lie outside [0, 1], else a smaller learning rate.
    KeyboardInterrupt
        Ctrl-C, within a fifth of a second; with a checkpoint after saving, and the message says how far the training is.

    Warns
    -----
    UserWarning
        Labels outside [0, 1].
    RuntimeWarning
        Costs that are not finite, where ``W A + b`` overflows. What the reference computes warns as NumPy does.

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
    X = arguments.examples("X", X, sizes[0])
    Y = arguments.label_row(Y, X.shape)
    rate = arguments.real("learning_rate", learning_rate)
    iterations = arguments.count("num_iterations", num_iterations)
    if plot_cost:
        from fastbackprop.extras.plotting import plot_costs
    if progress:
        from fastbackprop.extras.progress import ProgressBar
    _check_values(X, Y)
    start = None if parameters is None else arguments.parameters_of("parameters", parameters, sizes)
    dtype = np.result_type(X, *([np.float64] if start is None else start.values()))
    if np.issubdtype(dtype, np.integer):
        dtype = np.dtype(np.float64)
    covered = dtype.char in "fd"
    if not covered and (progress or checkpoint is not None):
        raise ValueError(f"progress and checkpoint need a training in float32 or float64; X and parameters make it {dtype}")
    file = None if checkpoint is None else Checkpoint(checkpoint, iterations)
    if start is None and (file is None or not file.found):
        start = initialize_parameters_deep(sizes)
    if not covered:
        logger.debug("L_layer_model: the reference serves this call, since the kernels do not cover %s", dtype)
        trained, costs = reference.L_layer_model(X, Y, sizes, rate, iterations, print_cost, parameters=start, return_costs=True)
    else:
        X, Y = np.asarray(X, dtype), np.asarray(Y, dtype)
        if any(stride % X.itemsize for stride in X.strides):  # as in a field of records: not the kernels'
            X = np.ascontiguousarray(X)
        if file is not None:
            algorithm = file.identify(algorithm, X, Y, sizes, rate, start)
        if algorithm == "auto":
            algorithm = choose_algorithm(sizes[0], sizes[1], X.shape[1], iterations, dtype.itemsize, free_memory())
        descent = (Gram if algorithm == "gram" else Direct)(X, Y, sizes, start, rate, iterations)
        if file is not None:
            file.restore(descent)
        with contextlib.ExitStack() as stack:
            watchers: list[Callable[[Direct], None]] = []
            if progress:
                watchers.append(stack.enter_context(ProgressBar(descent.done, iterations)))
            if print_cost:
                watchers.insert(0, _cost_lines(descent, ProgressBar.write if progress else print))
            trained = _train(descent, iterations, watchers, file)
        costs = descent.costs.tolist()
        doubtful.explain_costs(costs)
    if plot_cost:
        plot_costs(costs, rate)
    return (trained, costs) if return_costs else trained


def _cost_lines(descent: Direct, write: Callable[[str], None]) -> Callable[[Direct], None]:
    """A watcher that writes the costs which it has not seen yet."""
    seen = descent.known_costs.size

    def watch(descent: Direct) -> None:
        nonlocal seen
        for cost in descent.known_costs[seen:]:
            write("Cost after iteration %i: %f" % (seen * COST_EVERY, cost))
            seen += 1

    return watch


def _train(
    descent: Direct, iterations: int, watchers: Sequence[Callable[[Direct], None]], file: Checkpoint | None
) -> dict[str, np.ndarray]:
    """Train up to `iterations`, and save after an interrupt."""
    try:
        with _worker(descent) as do:
            logger.info(
                "L_layer_model: %s descent in %s, iterations %d to %d, threads: %d",
                descent.name, descent.X.dtype, descent.done, iterations, get_num_threads(),
            )  # fmt: skip
            if descent.done < iterations:
                do(in_team, descent.prepare)
            length = 1 if watchers or file else iterations
            while descent.done < iterations:
                begun, before = time.perf_counter(), descent.done
                do(in_team, descent.advance, min(before + length, iterations))
                length = _next_length(length, time.perf_counter() - begun)
                for watch in watchers:
                    watch(descent)
                if descent.diverged:
                    raise _divergence(descent, do(in_team, descent.parameters))
                if file is not None and file.due():
                    do(file.save, descent)
            if file is not None:
                do(file.save, descent)
            return do(in_team, descent.parameters)
    except KeyboardInterrupt:
        if file is None:
            raise
        raise KeyboardInterrupt(_save_interrupted(descent, iterations, file)) from None


def _next_length(length: int, seconds: float) -> int:
    """Iterations of the next slice, after one of `length` that took `seconds`: so many that it takes SLICE_SECONDS."""
    return max(1, min(16 * length, int(length * SLICE_SECONDS / max(seconds, 1e-9))))


def _one_thread() -> ThreadPoolExecutor:
    """A thread that has started: one that an interrupt finds starting would not be waited for."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="fastbackprop-train")
    pool.submit(int).result()
    return pool


@contextlib.contextmanager
def _worker(descent: Direct) -> Iterator[Callable[..., Any]]:
    """Gives `do(work, *arguments)`: a thread computes while this one waits where Ctrl-C can reach it.

    On the way out, for whatever reason, the descent is stopped and the thread has ended.
    """
    pool = _one_thread()

    def do(work: Callable[..., Any], *arguments: Any) -> Any:
        job = pool.submit(work, *arguments)
        while not wait([job], timeout=0.1).done:  # no longer: on Windows Ctrl-C does not end a wait
            pass
        return job.result()

    try:
        yield do
    finally:
        descent.stop()
        again = None
        while True:
            try:
                pool.shutdown()
                break
            except KeyboardInterrupt as interrupt:
                again = interrupt
        if again is not None:
            raise again


def _save_interrupted(descent: Direct, iterations: int, file: Checkpoint) -> str:
    """Save in a thread, which a second Ctrl-C does not reach; gives the message of the first."""
    try:
        with _one_thread() as pool:
            pool.submit(file.save, descent).result()
    except OSError as error:
        return f"after {descent.done} of {iterations} iterations, which could not be saved: {error}"
    return f"after {descent.done} of {iterations} iterations, saved in {file.path}: the same call goes on from there"


def _divergence(descent: Direct, parameters: dict[str, np.ndarray]) -> FloatingPointError:
    outside = doubtful.labels_outside(descent.Y)
    cause = outside or f"learning_rate {descent.rate:g}"
    advice = (
        "labels in [0, 1]: with others the cost has no minimum"
        if outside
        else ("a smaller learning_rate, or a start with smaller weights")
    )
    error = FloatingPointError(
        f"iteration {descent.done} makes parameters that are not finite ({cause}); the last finite ones are in .parameters "
        f"of this error. Try {advice}"
    )
    error.parameters = parameters  # type: ignore[attr-defined]
    return error


def _check_values(X: np.ndarray, Y: np.ndarray) -> None:
    for name, values in (("X", X), ("Y", Y)):
        with np.errstate(invalid="ignore"):
            finite = np.isfinite(values.min()) and np.isfinite(values.max())  # in no memory, unlike isfinite of all
        if not finite:
            bad = values.size - np.count_nonzero(np.isfinite(values))
            raise ValueError(f"{name} has {bad} values that are not finite")
    if outside := doubtful.labels_outside(Y):
        warnings.warn(outside, UserWarning, stacklevel=3)
