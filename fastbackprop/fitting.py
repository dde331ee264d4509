"""train: any hidden activation, output and update rule, full batches or mini-batches, in one call."""

import contextlib
import os
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastbackprop import arguments, doubtful
from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Words
from fastbackprop.fits import asked
from fastbackprop.importing import importing
from fastbackprop.looping import Watcher, run
from fastbackprop.optimizers import GradientDescent, Optimizer
from fastbackprop.resources import free_memory
from fastbackprop.slices import check_finite
from fastbackprop.trained import Trained

WORDS = Words("train", "epoch", "epochs")
DEFAULT = GradientDescent(0.0075)


def train(
    X: Any,
    Y: Any,
    layers_dims: Sequence[int],
    *,
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
    validation: Any = None,
    patience: int | None = None,
    progress: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Trained:
    """Train ``[LINEAR -> hidden] * (L - 1) -> LINEAR -> output``.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns. float32 stays float32, unless `parameters` are of float64.
    Y : array (n_L, m)
        A row an output unit: labels in [0, 1] for sigmoid, one-hot columns for softmax, any numbers for identity. For softmax
        also (1, m) or (m,), whole numbers from 0 to n_L - 1; for one unit also (m,).
    layers_dims : sequence of int
        ``n_0, n_1, ..., n_L``.
    hidden : {"relu", "sigmoid", "tanh", "identity", "leaky_relu"} or LeakyRelu
        ``LeakyRelu(slope)`` has its slope for negative numbers, "leaky_relu" 0.01.
    output : {"sigmoid", "softmax", "identity"}
        With the cost that belongs to it: cross-entropy, for sigmoid that of each unit on its own; for identity
        ``sum((A - Y)^2) / (2 m)``.
    optimizer : GradientDescent, Momentum, Nesterov or Adam
    l2 : float
        ``l2 / (2 m) * sum(W^2)`` is added to the cost, with the m examples of a batch.
    batch_size : int, optional
        Examples of a mini-batch; the last one of an epoch may have fewer. Without it a batch is all examples.
    epochs : int
        Passes over all examples.
    shuffle : bool
        Take the examples in a new order each epoch. Without effect on full batches.
    seed : int, optional
        Of the generator that draws, in this order, the examples set aside for validation, the start and the orders. NumPy's
        global generator is not used. Without it each call draws other numbers.
    parameters : dict, optional
        ``W1, b1, ..., WL, bL`` to start from; copied. Without it the start is drawn: b is 0, and W normal with the deviation
        that `init` names.
    init : {"he", "xavier", "glorot", "small"}
        ``sqrt(2 / n_prev)``, ``sqrt(1 / n_prev)``, ``sqrt(2 / (n_prev + n))``, 0.01.
    validation : (X, Y) or float, optional
        Examples to score after each epoch, or the part of the given ones that is set aside for this, such as 0.1.
    patience : int, optional
        Stop after so many epochs without a better score. The parameters returned are then those of the best epoch, also where
        all epochs were trained.
    progress : bool
        Show a bar with epochs, cost and time left. Needs tqdm: the extra ``progress``.
    checkpoint : str or path, optional
        A file (``.npz``) in which the training is saved every 30 seconds, at its end and on Ctrl-C; never half-written. Where
        it exists, the same call resumes from there, and ends with the same bits as without a break on the same kind of
        processor, whatever was drawn; with more epochs than before it trains on.

    Returns
    -------
    Trained
        ``parameters``, ``costs`` (one an epoch), ``validation_scores``; ``predict``, ``predict_proba``, ``score``, ``save``.

    Raises
    ------
    TypeError
        An argument of a kind that numbers are not made of; an optimizer that is none.
    ValueError
        Shapes that do not fit, no examples, values that are not finite or masked, numbers out of their range, an unknown name;
        labels that are no classes. X and parameters that make neither float32 nor float64. A checkpoint that is damaged, beyond
        `epochs`, or of another training; a name that no file can have.
    OSError
        The checkpoint cannot be read, or none can be written there.
    ImportError
        What `progress` needs is not installed.
    KeyError
        ``parameters`` lacks a key, or holds a W or b without its partner.
    FloatingPointError
        An epoch would have made parameters that are not finite; ``.parameters`` holds those of the epoch before.
    KeyboardInterrupt
        Ctrl-C, within a fifth of a second; with a checkpoint after saving the last whole epoch, and the message states it.

    Warns
    -----
    UserWarning
        Labels outside [0, 1] for sigmoid.
    RuntimeWarning
        Costs that are not finite.

    Notes
    -----
    Full-batch gradient descent without l2 runs as in ``L_layer_model``. Where examples are fewer than features, full batches
    run by gram descent with any rule but Adam, unless there is `validation`. The same bits for any number of threads.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((2, 600))
    >>> Y = (X[0] > 0) + (X[1] > 0)  # three classes
    >>> net = bp.train(X, Y, [2, 16, 3], output="softmax", optimizer=bp.Adam(0.01), batch_size=32, epochs=60, seed=1)
    >>> net.score(X, Y) > 0.97, net.predict(X).shape, len(net.costs)
    (True, (1, 600), 60)
    """
    X, Y, fit = asked(
        X,
        Y,
        layers_dims,
        hidden=hidden,
        output=output,
        optimizer=optimizer,
        l2=l2,
        batch_size=batch_size,
        epochs=epochs,
        shuffle=shuffle,
        seed=seed,
        parameters=parameters,
        init=init,
        validation=validation,
        patience=patience,
    )
    if progress := arguments.truth("progress", progress):
        with importing:
            from fastbackprop.extras.progress import ProgressBar
    check_finite(X=X, Y=Y, **fit.numbers())
    fit.check_fits(X, Y)
    if outside := fit.labels_outside(Y):
        warnings.warn(outside, UserWarning, stacklevel=2)
    file = None if checkpoint is None else Checkpoint(checkpoint, fit.epochs, WORDS)
    descent = fit.descent(X, Y, file, free_memory())
    if file is not None:
        file.restore(descent)
    descent.load()  # before a bar's clock starts
    with contextlib.ExitStack() as stack:
        watchers: list[Watcher] = []
        if progress:
            watchers.append(stack.enter_context(ProgressBar(descent.done, fit.epochs)))
        last = run(descent, fit.epochs, WORDS, watchers, file, partial(fit.divergence, descent))
    doubtful.explain_costs(descent.costs)
    return fit.trained(descent, last)
