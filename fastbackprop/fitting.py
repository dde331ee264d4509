"""train: any hidden activation, output and update rule, full batches or mini-batches, in one call."""

import contextlib
import os
import secrets
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fastbackprop import arguments, doubtful
from fastbackprop.activations import OUTPUT, Hidden
from fastbackprop.algorithms import Direct, Gram, choose_algorithm
from fastbackprop.batches import RULES, Batches
from fastbackprop.checkpoint import Checkpoint, digests
from fastbackprop.descents import Descent, Words
from fastbackprop.epochs import FullBatches, MiniBatches
from fastbackprop.gram_rules import GramRule
from fastbackprop.looping import Watcher, not_finite, run
from fastbackprop.optimizers import OPTIMIZERS, GradientDescent, Optimizer
from fastbackprop.prediction import Net
from fastbackprop.resources import free_memory
from fastbackprop.slices import behind, check_finite, check_fits, converted
from fastbackprop.starts import STARTS, drawn, split
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
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    net = Net(arguments.hidden_named(hidden), arguments.output_named(output))
    if sizes[-1] < net.target.units:
        raise ValueError(f"layers_dims ends with {sizes[-1]}; expected {net.target.units} units or more for {output}")
    X = arguments.examples("X", X, sizes[0])
    Y = net.target.labels("Y", Y, sizes[-1], X.shape[1])
    l2 = checked_rule(optimizer, l2)
    batch_size = None if batch_size is None else arguments.count("batch_size", batch_size, at_least=1)
    epochs = arguments.count("epochs", epochs)
    shuffle = arguments.truth("shuffle", shuffle)
    seed = None if seed is None else arguments.count("seed", seed)
    if not isinstance(init, str) or init not in STARTS:
        raise ValueError(f"init is {init!r}; known ones are {', '.join(map(repr, STARTS))}")
    patience = None if patience is None else arguments.count("patience", patience, at_least=1)
    if patience is not None and validation is None:
        raise ValueError("patience needs scores: pass validation=(X, Y), or a part of the examples such as validation=0.1")
    part, given = _validation(validation, net, sizes, X.shape[1])
    if progress := arguments.truth("progress", progress):
        from fastbackprop.extras.progress import ProgressBar
    start = None if parameters is None else arguments.parameters_of("parameters", parameters, sizes)
    check_finite(X=X, Y=Y, **given, **{f"{key} in parameters": value for key, value in (start or {}).items()})
    dtype = dtype_of(X, start)
    check_fits(dtype, Y=Y, **given)
    if net.output is OUTPUT and (outside := doubtful.labels_outside(Y)):
        warnings.warn(outside, UserWarning, stacklevel=2)
    file = None if checkpoint is None else Checkpoint(checkpoint, epochs, WORDS)

    entropy = seed if file is None or not file.found else file.recorded("entropy")
    if entropy is None:
        entropy = secrets.randbits(128)
    generator = np.random.default_rng(entropy)
    X, Y = behind(X.nbytes, converted, X, Y, dtype)
    whole, checked = (X, Y), tuple(np.asarray(values, dtype) for values in given.values())
    if part:
        held_out, left = split(X.shape[1], part, generator)
        checked = behind(X.nbytes, _columns, X, Y, held_out)
        X, Y = behind(X.nbytes, _columns, X, Y, left)
    if start is None:
        start = behind(8 * sum(sizes) * max(sizes), drawn, sizes, init, generator.standard_normal)
    start = {key: np.asarray(value, dtype) for key, value in start.items()}
    if batch_size is not None and batch_size >= X.shape[1]:
        batch_size = None
    plain = batch_size is None and type(optimizer) is GradientDescent and not l2
    otherwise = "direct" if plain else "batches"
    gram_may = batch_size is None and RULES[type(optimizer)].linear and not checked  # W1 is there only at its end
    algorithm = "auto" if gram_may else otherwise
    if file is not None:
        identity = {
            **{"layers_dims": sizes, "hidden": called(net.hidden), "output": output, "optimizer": repr(optimizer), "l2": l2},
            **{"batch_size": batch_size, "shuffle": shuffle, "seed": seed, "patience": patience, "dtype": str(dtype)},
            **{"set_aside": part, "init": init if parameters is None else None},
            **digests(X=whole[:1], Y=whole[1:], validation=[] if part else checked, parameters=start.values()),
        }
        algorithm = file.identify(algorithm, identity)
    if algorithm == "auto":
        chosen = choose_algorithm(sizes[0], sizes[1], X.shape[1], epochs, dtype.itemsize, free_memory())
        algorithm = "gram" if chosen == "gram" else otherwise
    rest = net, checked or None, patience, entropy
    work = X.nbytes + sum(value.nbytes for value in start.values())
    if algorithm == "batches":
        order = generator if shuffle and batch_size is not None else None
        descent = behind(work, _by_batches, X, Y, sizes, start, l2, batch_size, optimizer, order, rest)
    else:
        descent = behind(work, _by_descent, algorithm, X, Y, sizes, start, l2, optimizer, rest)
    if file is not None:
        file.restore(descent)
    descent.load()  # before a bar's clock starts
    with contextlib.ExitStack() as stack:
        watchers: list[Watcher] = []
        if progress:
            watchers.append(stack.enter_context(ProgressBar(descent.done, epochs)))
        last = run(descent, epochs, WORDS, watchers, file, partial(divergence, descent, net, optimizer))
    doubtful.explain_costs(descent.costs)
    about = {"optimizer": repr(optimizer), "l2": l2, "batch_size": batch_size, "epochs": descent.done, "seed": seed}
    return Trained(
        descent.kept(last),
        descent.costs,
        descent.scores,
        descent.done,
        None if patience is None else descent.best_epoch,
        descent.finished,
        sizes,
        hidden,
        output,
        optimizer,
        about,
    )


def checked_rule(optimizer: Any, l2: Any) -> float:
    """Check the rule, and return l2."""
    if type(optimizer) not in OPTIMIZERS.values():
        known = ", ".join(kind.__name__ for kind in OPTIMIZERS.values())
        raise TypeError(f"optimizer is {optimizer!r}; expected one of {known}, such as Adam(learning_rate=0.001)")
    if (number := arguments.real("l2", l2)) < 0:
        raise ValueError(f"l2 is {number}; expected a number from 0 on")
    return float(number)


def _validation(validation: Any, net: Net, sizes: list[int], m: int) -> tuple[int, dict[str, np.ndarray]]:
    """How many examples are to be set aside, and the others that are given, by the names that errors call them."""
    if validation is None:
        return 0, {}
    if isinstance(validation, (tuple, list)):
        if len(validation) != 2:
            raise ValueError(f"validation has entries: {len(validation)}; expected (X, Y), or a part of the examples")
        X = arguments.examples("validation's X", validation[0], sizes[0])
        Y = net.target.labels("validation's Y", validation[1], sizes[-1], X.shape[1])
        return 0, {"validation's X": X, "validation's Y": Y}
    part = arguments.real("validation", validation)
    if not 0 < part < 1:
        raise ValueError(f"validation is {part:g}; expected (X, Y), or a part of the examples between 0 and 1")
    if not 0 < (count := round(m * part)) < m:
        raise ValueError(f"validation is {part:g}, {count} of {m} examples; expected one or more on either side")
    return count, {}


def _columns(X: np.ndarray, Y: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return X[:, which], Y[:, which]


def dtype_of(X: np.ndarray, start: Mapping[str, np.ndarray] | None) -> np.dtype[Any]:
    """The dtype of the training."""
    dtype = np.result_type(X, *([] if start is None else start.values()))
    if dtype.kind in "biu":
        return np.dtype(np.float64)
    if dtype.char not in "fd":
        raise ValueError(f"X and parameters make {dtype}; expected float32 or float64")
    return dtype


def called(hidden: Hidden) -> str:
    return f"{hidden.name} {hidden.slope!r}" if hidden.slope else hidden.name


def _by_batches(
    X: np.ndarray,
    Y: np.ndarray,
    sizes: list[int],
    start: dict[str, np.ndarray],
    l2: float,
    batch_size: int | None,
    optimizer: Optimizer,
    order: np.random.Generator | None,
    rest: tuple[Any, ...],
) -> MiniBatches:
    net, *_ = rest
    if batch_size is not None:
        X = np.asfortranarray(X)  # an example of a batch lies in one piece
    engine = Batches(
        X, Y, sizes, start, hidden=net.hidden, output=net.output, optimizer=optimizer, l2=l2, batch_size=batch_size
    )
    return MiniBatches(engine, optimizer.learning_rate, order, *rest)


def _by_descent(
    algorithm: str,
    X: np.ndarray,
    Y: np.ndarray,
    sizes: list[int],
    start: dict[str, np.ndarray],
    l2: float,
    optimizer: Optimizer,
    rest: tuple[Any, ...],
) -> FullBatches:
    net, *_ = rest
    functions = {"hidden": net.hidden, "output": net.output}
    engine: Direct
    if type(optimizer) is not GradientDescent or l2:
        engine = GramRule(X, Y, sizes, start, optimizer, l2, **functions)
    else:
        engine = (Gram if algorithm == "gram" else Direct)(X, Y, sizes, start, optimizer.learning_rate, **functions)
    return FullBatches(engine, *rest)


def divergence(descent: Descent, net: Net, optimizer: Optimizer, parameters: dict[str, np.ndarray]) -> FloatingPointError:
    what = f"epoch {descent.done + 1}"
    if net.output is OUTPUT and (outside := doubtful.labels_outside(descent.Y)):
        return not_finite(what, outside, "labels in [0, 1]: with others the cost has no minimum", parameters)
    return not_finite(
        what, repr(optimizer), "a smaller learning_rate, smaller numbers in X, or a start with smaller weights", parameters
    )
