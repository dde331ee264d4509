"""L_layer_model on several processes: examples or features spread over them."""

import os
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastbackprop import arguments, doubtful
from fastbackprop.activations import HIDDEN, OUTPUT
from fastbackprop.algorithms import COST_EVERY
from fastbackprop.checkpoint import digest
from fastbackprop.descents import Words
from fastbackprop.extras.mpi.checks import digest_of, identity_of, same_dtype, split_named
from fastbackprop.extras.mpi.examples import SpreadExamples
from fastbackprop.extras.mpi.features import SpreadGram
from fastbackprop.extras.mpi.ranks import Ranks
from fastbackprop.extras.mpi.resuming import identify, opened, restore
from fastbackprop.extras.mpi.together import run_together
from fastbackprop.looping import Watcher
from fastbackprop.network import initialize_parameters_deep
from fastbackprop.optimizers import GradientDescent
from fastbackprop.shares import Share
from fastbackprop.slices import behind, check_finite, converted
from fastbackprop.team import get_num_threads, num_threads
from fastbackprop.training import asked, cost_lines, divergence

WORDS = Words("mpi.L_layer_model", "iteration", "num_iterations")


def L_layer_model(
    X_local: Any,
    Y: Any,
    layers_dims: Sequence[int],
    learning_rate: float = 0.0075,
    num_iterations: int = 3000,
    print_cost: bool = False,
    *,
    comm: Any = None,
    split: str = "examples",
    parameters: Mapping[str, Any] | None = None,
    return_costs: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Any:
    """Train as ``fastbackprop.L_layer_model`` does, on data of which each process (rank) holds a part.

    All ranks call it with the same arguments, `X_local` and `Y` aside.

    Parameters
    ----------
    X_local : array (n_0, m_r) or (n_r, m)
        The examples, or the features, of this rank; ranks hold them in their order.
    Y : array (1, m_r) or (1, m)
        The labels of this rank's examples; where features are spread, of all examples.
    layers_dims : sequence of int
        ``n_0, n_1, ..., n_L`` of the whole net, with ``n_L = 1``.
    learning_rate : float
    num_iterations : int
    print_cost : bool
        Rank 0 prints ``Cost after iteration %i: %f`` for every 100th iteration.
    comm : mpi4py.MPI.Comm, optional
        The ranks that train together; COMM_WORLD without it.
    split : {"examples", "features"}
        "examples": each iteration sums the gradients of all ranks. "features", for wide data: ``X^T X`` and ``W1 X`` are summed
        once, each rank then trains on the same numbers, and W1 is gathered at the end.
    parameters : dict, optional
        ``W1, b1, ..., WL, bL`` to start from, the same on all ranks; copied. Without it rank 0 draws the start, by
        ``initialize_parameters_deep``.
    return_costs : bool
        Return ``(parameters, costs)``, with ``costs`` a list of floats, one every 100 iterations.
    checkpoint : str or path, optional
        A file that rank 0 reads and writes, as that of ``fastbackprop.L_layer_model``. It resumes on any number of ranks, with
        either split: with the bits of an unbroken training on as many ranks with the same split, else with its numbers.

    Returns
    -------
    dict
        The trained ``W1, b1, ..., WL, bL``, the same on all ranks.

    Raises
    ------
    TypeError, ValueError, KeyError, OSError
        As ``fastbackprop.L_layer_model``; what is wrong on one rank is raised on all, and names the rank. Arguments that ranks
        do not pass alike.
    FloatingPointError
        As there, on all ranks.
    KeyboardInterrupt
        Ctrl-C on any rank ends the training on all, after the same iteration; with a checkpoint after saving.
    RuntimeError
        Another rank failed during the training; the message has its error.

    Notes
    -----
    The same bits for the same number of ranks that hold as much each, on processors of one kind. The numbers of one process
    within 1e-9 in float64. With ``split="features"`` each rank holds ``X^T X``, m^2 numbers of 8 bytes, and what is sent.
    A rank uses as many threads as the cores that its machine has for each rank, and at most ``fastbackprop.get_num_threads()``.
    """
    ranks = Ranks(comm)

    def check() -> tuple[Any, Any]:
        by_examples = split_named(split) == "examples"
        X = arguments.numbers("X_local", X_local)
        if X.ndim != 2 or not X.size:
            raise ValueError(f"X_local has shape {X.shape}; expected (n, m), one feature and one example or more")
        n_0 = arguments.layer_sizes("layers_dims", layers_dims)[0]
        whole = X if by_examples else np.broadcast_to(X[:1], (n_0, X.shape[1]))  # of its shape alone: it takes no memory
        _, labels, descending = asked(whole, Y, layers_dims, learning_rate, num_iterations, parameters, "direct")
        check_finite(X_local=X, Y=labels, **descending.numbers())
        dtype = descending.dtype(X)
        if dtype.char not in "fd":
            raise ValueError(f"X_local and parameters make {dtype}; expected float32 or float64")
        return (X, labels, descending, dtype), X.shape

    (X, labels, descending, dtype), shapes = ranks.agreed(check)
    sizes, rate, iterations, start = descending.sizes, descending.rate, descending.iterations, descending.start
    ranks.same(
        **descending.identity, split=repr(split), num_iterations=iterations, parameters=digest_of(start),
        checkpoint=str(checkpoint),
    )  # fmt: skip
    dtype = same_dtype(ranks, dtype)
    by_examples = split == "examples"
    counts = [shape[1 if by_examples else 0] for shape in shapes]
    if not by_examples:
        ranks.same(examples=X.shape[1])
        if sum(counts) != sizes[0]:
            raise ValueError(f"layers_dims begins with {sizes[0]}, and the ranks hold {sum(counts)} features")
        ranks.same(Y=digest(np.dtype(float), labels))
    m = sum(counts) if by_examples else X.shape[1]
    if outside := doubtful.labels_outside(labels):
        warnings.warn(outside, UserWarning, stacklevel=2)
    X, labels = behind(X.nbytes, converted, X, labels, dtype)
    file = opened(ranks, checkpoint, iterations, WORDS)
    found = ranks.told(file is not None and file.found)
    drawn = start is None and not found
    if drawn:
        start = ranks.told(initialize_parameters_deep(sizes) if ranks.rank == 0 else None)
    if checkpoint is not None:
        at = sum(counts[: ranks.rank])
        row, column = (0, at) if by_examples else (at, 0)
        labels_here = labels if by_examples or ranks.rank == 0 else labels[:0]  # each is counted once
        about = {
            "dtype": str(dtype),
            "X": identity_of(ranks, X, row, column, (sizes[0], m)),
            "Y": identity_of(ranks, labels_here, 0, column, (1, m)),
        }
        about |= {} if start is None else {"parameters": digest(dtype, *start.values())}
        identify(ranks, file, descending.identity | about)
    if start is None:  # the checkpoint has the parameters
        start = {f"W{l}": np.zeros(shape) for l, shape in enumerate(zip(sizes[1:], sizes, strict=False), start=1)}
        start |= {f"b{l}": np.zeros((n, 1)) for l, n in enumerate(sizes[1:], start=1)}
    start = {key: np.asarray(value, dtype) for key, value in start.items()}
    with num_threads(ranks.threads(get_num_threads())):
        descent: SpreadExamples | SpreadGram
        if by_examples:
            net = {"hidden": HIDDEN["relu"], "output": OUTPUT, "optimizer": GradientDescent(rate)}
            descent = SpreadExamples(ranks, Share(X, labels, sizes, start, **net), counts, COST_EVERY, "direct")
        else:
            descent = SpreadGram(ranks, X, labels, sizes, start, rate, counts)
        restore(ranks, file, descent, sizes, m)
        descent.load()
        watchers: list[Watcher] = [cost_lines(descent, print)] if print_cost else []
        trained = run_together(ranks, descent, iterations, WORDS, watchers, file, partial(divergence, descent))
    doubtful.explain_costs(descent.costs)
    return (trained, descent.costs) if return_costs else trained
