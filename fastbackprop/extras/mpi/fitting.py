"""train on several processes: each takes its share of each batch."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fastbackprop import doubtful
from fastbackprop.checkpoint import digest
from fastbackprop.descents import Words
from fastbackprop.extras.mpi.checks import digest_of, identity_of, same_dtype
from fastbackprop.extras.mpi.examples import SpreadExamples
from fastbackprop.extras.mpi.ranks import Ranks
from fastbackprop.extras.mpi.resuming import entropy_of, identify, opened, restore
from fastbackprop.extras.mpi.together import run_together
from fastbackprop.fits import asked
from fastbackprop.fitting import DEFAULT
from fastbackprop.optimizers import Optimizer
from fastbackprop.shares import Share
from fastbackprop.slices import behind, check_finite, converted
from fastbackprop.starts import drawn
from fastbackprop.team import get_num_threads, num_threads
from fastbackprop.trained import Trained

WORDS = Words("mpi.train", "epoch", "epochs")


def train(
    X_local: Any,
    Y_local: Any,
    layers_dims: Sequence[int],
    *,
    comm: Any = None,
    hidden: Any = "relu",
    output: str = "sigmoid",
    optimizer: Optimizer = DEFAULT,
    l2: float = 0.0,
    batch_size: int | None = None,
    epochs: int = 3000,
    shuffle: bool = True,
    seed: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    init: str = "he",
    checkpoint: str | os.PathLike[str] | None = None,
) -> Trained:
    """Train as ``fastbackprop.train`` does, on examples of which each process (rank) holds a part.

    All ranks call it with the same arguments, `X_local` and `Y_local` aside.

    Parameters
    ----------
    X_local : array (n_0, m_r)
        The examples of this rank; ranks hold them in their order.
    Y_local : array (n_L, m_r)
        Their labels, as ``fastbackprop.train`` takes them.
    layers_dims, hidden, output, optimizer, l2, epochs, init
        As there.
    comm : mpi4py.MPI.Comm, optional
        The ranks that train together; COMM_WORLD without it.
    batch_size : int, optional
        Examples of a mini-batch, of all ranks together: each takes those of them that it holds. Without it a batch is all
        examples.
    shuffle : bool
        Take all examples in a new order each epoch, which each rank draws: 8 bytes an example of all ranks.
    seed : int, optional
        As there, so that the same numbers are drawn; without it rank 0 draws one.
    parameters : dict, optional
        ``W1, b1, ..., WL, bL`` to start from, the same on all ranks; copied.
    checkpoint : str or path, optional
        A file that rank 0 reads and writes; it resumes on any number of ranks.

    Returns
    -------
    Trained
        The same on all ranks.

    Raises
    ------
    TypeError, ValueError, KeyError, OSError, FloatingPointError, KeyboardInterrupt, RuntimeError
        As ``L_layer_model`` of this module.

    Notes
    -----
    The same bits for the same number of ranks that hold as much each, and the numbers of ``fastbackprop.train`` with the same
    seed within 1e-9 in float64. One reduction a batch.
    """
    ranks = Ranks(comm)

    def check() -> tuple[Any, Any]:
        X, Y, fit = asked(
            X_local, Y_local, layers_dims, hidden=hidden, output=output, optimizer=optimizer, l2=l2, batch_size=batch_size,
            epochs=epochs, shuffle=shuffle, seed=seed, parameters=parameters, init=init, validation=None, patience=None,
        )  # fmt: skip
        check_finite(X=X, Y=Y, **fit.numbers())
        fit.check_fits(X, Y)
        return (X, Y, fit), X.shape[1]

    (X, Y, fit), counts = ranks.agreed(check)
    m, at = sum(counts), sum(counts[: ranks.rank])
    fit = replace(fit, batch_size=None if batch_size is None or batch_size >= m else int(batch_size))  # of all ranks
    sizes, net, start = fit.sizes, fit.net, fit.start
    ranks.same(**fit.identity, epochs=fit.epochs, parameters=digest_of(start), checkpoint=str(checkpoint))
    dtype = same_dtype(ranks, fit.dtype(X))
    if outside := fit.labels_outside(Y):
        warnings.warn(outside, UserWarning, stacklevel=2)
    X, Y = behind(X.nbytes, converted, X, Y, dtype)
    if fit.batch_size is not None:
        X = behind(X.nbytes, np.asfortranarray, X)  # an example of a batch lies in one piece
    file = opened(ranks, checkpoint, fit.epochs, WORDS)
    entropy = entropy_of(ranks, file, fit.seed)
    generator = np.random.default_rng(entropy)
    if start is None:
        start = behind(8 * sum(sizes) * max(sizes), drawn, sizes, init, generator.standard_normal)
    start = {key: np.asarray(value, dtype) for key, value in start.items()}
    if checkpoint is not None:
        kept = {
            "dtype": str(dtype),
            "X": identity_of(ranks, X, 0, at, (sizes[0], m)),
            "Y": identity_of(ranks, Y, 0, at, (sizes[-1], m)),
            "parameters": digest(dtype, *start.values()),
        }
        identify(ranks, file, fit.identity | kept)
    with num_threads(ranks.threads(get_num_threads())):
        share = Share(X, Y, sizes, start, hidden=net.hidden, output=net.output, optimizer=optimizer, l2=fit.l2)
        order = generator if fit.shuffle and fit.batch_size is not None else None
        descent = SpreadExamples(ranks, share, counts, 1, "batches", order, fit.batch_size, entropy)
        restore(ranks, file, descent, sizes, m)
        descent.load()
        trained = run_together(ranks, descent, fit.epochs, WORDS, [], file, partial(fit.divergence, descent))
    doubtful.explain_costs(descent.costs)
    about = {"optimizer": repr(optimizer), "l2": fit.l2, "batch_size": fit.batch_size, "epochs": descent.done, "seed": fit.seed}
    rest = None, False, sizes, hidden, output, optimizer, about
    return Trained(trained, descent.costs, [], descent.done, *rest)
