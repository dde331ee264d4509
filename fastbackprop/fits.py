"""What ``train`` is asked for, checked, and the descent that computes it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop import arguments, doubtful
from fastbackprop.activations import Hidden
from fastbackprop.algorithms import Direct, Gram, choose_algorithm
from fastbackprop.batches import RULES, Batches
from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Descent
from fastbackprop.epochs import Epochs, FullBatches, MiniBatches
from fastbackprop.gram_rules import GramRule
from fastbackprop.looping import not_finite
from fastbackprop.optimizers import OPTIMIZERS, GradientDescent, Optimizer
from fastbackprop.prediction import Net
from fastbackprop.slices import behind, check_fits, converted
from fastbackprop.starts import STARTS, drawn, split
from fastbackprop.trained import Trained


@dataclass(frozen=True)
class Fit:
    """The arguments of ``train`` beside the data, checked.

    `part` examples are set aside for validation, or `given` holds others by the names that errors call them. `batch_size` is
    None where a batch is all examples.
    """

    sizes: list[int]
    hidden: Any
    output: str
    optimizer: Optimizer
    l2: float
    batch_size: int | None
    epochs: int
    shuffle: bool
    seed: int | None
    start: dict[str, np.ndarray] | None
    init: str
    part: int
    given: dict[str, np.ndarray]
    patience: int | None

    @property
    def net(self) -> Net:
        return Net(arguments.hidden_named(self.hidden), arguments.output_named(self.output))

    @property
    def identity(self) -> dict[str, Any]:
        """What identifies the training for its checkpoint, beside its dtype and arrays."""
        return {
            **{"layers_dims": self.sizes, "hidden": _called(self.net.hidden), "output": self.output},
            **{"optimizer": repr(self.optimizer), "l2": self.l2, "batch_size": self.batch_size, "shuffle": self.shuffle},
            **{"seed": self.seed, "patience": self.patience, "set_aside": self.part},
            "init": self.init if self.start is None else None,
        }

    def numbers(self) -> dict[str, np.ndarray]:
        """What is to be finite, by the names that errors call it."""
        return self.given | {f"{key} in parameters": value for key, value in (self.start or {}).items()}

    def dtype(self, X: np.ndarray) -> np.dtype[Any]:
        """The dtype of a training on X."""
        dtype = np.result_type(X, *([] if self.start is None else self.start.values()))
        if dtype.kind in "biu":
            return np.dtype(np.float64)
        if dtype.char not in "fd":
            raise ValueError(f"X and parameters make {dtype}; expected float32 or float64")
        return dtype

    def check_fits(self, X: np.ndarray, Y: np.ndarray) -> None:
        """Check that labels are finite in the dtype of the training too."""
        check_fits(self.dtype(X), Y=Y, **self.given)

    def labels_outside(self, Y: np.ndarray) -> str | None:
        """The warning about labels that the cost does not expect, or None."""
        return doubtful.labels_outside(Y, self.net.output)

    @property
    def _otherwise(self) -> str:
        """The algorithm where gram descent is not taken."""
        plain = self.batch_size is None and type(self.optimizer) is GradientDescent and not self.l2
        return "direct" if plain else "batches"

    @property
    def _gram_may(self) -> bool:
        validated = self.part or self.given  # W1 is there only at its end
        return self.batch_size is None and RULES[type(self.optimizer)].linear and not validated

    def takes_gram(self, X: np.ndarray, free_bytes: int | None) -> bool:
        """Whether a training that begins on X takes gram descent."""
        n_0, n_1, *_ = self.sizes
        itemsize = self.dtype(X).itemsize
        return self._gram_may and choose_algorithm(n_0, n_1, X.shape[1], self.epochs, itemsize, free_bytes) == "gram"

    def descent(self, X: np.ndarray, Y: np.ndarray, file: Checkpoint | None, free_bytes: int | None) -> Epochs:
        """The training at its beginning, with what is drawn as `file` remembers it, if that is there."""
        net, sizes, dtype = self.net, self.sizes, self.dtype(X)
        entropy = self.seed if file is None or not file.found else file.recorded("entropy")
        if entropy is None:
            entropy = secrets.randbits(128)
        generator = np.random.default_rng(entropy)
        X, Y = behind(X.nbytes, converted, X, Y, dtype)
        whole, checked = (X, Y), tuple(np.asarray(values, dtype) for values in self.given.values())
        if self.part:
            held_out, left = split(X.shape[1], self.part, generator)
            checked = behind(X.nbytes, _columns, X, Y, held_out)
            X, Y = behind(X.nbytes, _columns, X, Y, left)
        start = self.start
        if start is None:
            start = behind(8 * sum(sizes) * max(sizes), drawn, sizes, self.init, generator.standard_normal)
        start = {key: np.asarray(value, dtype) for key, value in start.items()}
        algorithm = "auto" if self._gram_may else self._otherwise
        if file is not None:
            validation = [] if self.part else checked
            digests = file.digests(X=whole[:1], Y=whole[1:], validation=validation, parameters=start.values())
            algorithm = file.identify(algorithm, self.identity | {"dtype": str(dtype)} | digests)
        if algorithm == "auto":
            algorithm = "gram" if self.takes_gram(X, free_bytes) else self._otherwise
        rest = net, checked or None, self.patience, entropy
        work = X.nbytes + sum(value.nbytes for value in start.values())
        if algorithm == "batches":
            order = generator if self.shuffle and self.batch_size is not None else None
            return behind(work, self._by_batches, X, Y, start, order, rest)
        return behind(work, self._by_descent, algorithm, X, Y, start, rest)

    @property
    def _functions(self) -> dict[str, Any]:
        """What the layers compute, as engines take it."""
        return {"hidden": self.net.hidden, "output": self.net.output}

    def _by_batches(
        self,
        X: np.ndarray,
        Y: np.ndarray,
        start: dict[str, np.ndarray],
        order: np.random.Generator | None,
        rest: tuple[Any, ...],
    ) -> MiniBatches:
        optimizer, batch_size = self.optimizer, self.batch_size
        if batch_size is not None:
            X = np.asfortranarray(X)  # an example of a batch lies in one piece
        engine = Batches(X, Y, self.sizes, start, **self._functions, optimizer=optimizer, l2=self.l2, batch_size=batch_size)
        return MiniBatches(engine, optimizer.learning_rate, order, *rest)

    def _by_descent(
        self, algorithm: str, X: np.ndarray, Y: np.ndarray, start: dict[str, np.ndarray], rest: tuple[Any, ...]
    ) -> FullBatches:
        sizes, optimizer, functions = self.sizes, self.optimizer, self._functions
        engine: Direct
        if type(optimizer) is not GradientDescent or self.l2:
            engine = GramRule(X, Y, sizes, start, optimizer, self.l2, **functions)
        else:
            engine = (Gram if algorithm == "gram" else Direct)(X, Y, sizes, start, optimizer.learning_rate, **functions)
        return FullBatches(engine, *rest)

    def trained(self, descent: Epochs, last: dict[str, np.ndarray]) -> Trained:
        """What a training returns that ended with these parameters."""
        about = {"optimizer": repr(self.optimizer), "l2": self.l2, "batch_size": self.batch_size}
        return Trained(
            descent.kept(last),
            descent.costs,
            descent.scores,
            descent.done,
            None if self.patience is None else descent.best_epoch,
            descent.finished,
            self.sizes,
            self.hidden,
            self.output,
            self.optimizer,
            about | {"epochs": descent.done, "seed": self.seed},
        )

    def divergence(self, descent: Descent, parameters: dict[str, np.ndarray]) -> FloatingPointError:
        """The error of the training when its next epoch would make parameters that are not finite."""
        what = f"epoch {descent.done + 1}"
        if outside := self.labels_outside(descent.Y):
            return not_finite(what, outside, "labels in [0, 1]: with others the cost has no minimum", parameters)
        advice = "a smaller learning_rate, smaller numbers in X, or a start with smaller weights"
        return not_finite(what, repr(self.optimizer), advice, parameters)


def asked(
    X: Any,
    Y: Any,
    layers_dims: Sequence[int],
    *,
    hidden: Any,
    output: str,
    optimizer: Optimizer,
    l2: float,
    batch_size: int | None,
    epochs: int,
    shuffle: bool,
    seed: int | None,
    parameters: Mapping[str, Any] | None,
    init: str,
    validation: Any,
    patience: int | None,
) -> tuple[np.ndarray, np.ndarray, Fit]:
    """X and Y as arrays that fit, and all else; whether numbers are finite is not looked at."""
    sizes = arguments.layer_sizes("layers_dims", layers_dims)
    net = Net(arguments.hidden_named(hidden), arguments.output_named(output))
    if sizes[-1] < net.target.units:
        raise ValueError(f"layers_dims ends with {sizes[-1]}; expected {net.target.units} units or more for {output}")
    X = arguments.examples("X", X, sizes[0])
    Y = net.target.labels("Y", Y, sizes[-1], X.shape[1])
    if type(optimizer) not in OPTIMIZERS.values():
        known = ", ".join(kind.__name__ for kind in OPTIMIZERS.values())
        raise TypeError(f"optimizer is {optimizer!r}; expected one of {known}, such as Adam(learning_rate=0.001)")
    if (l2 := arguments.real("l2", l2)) < 0:
        raise ValueError(f"l2 is {l2}; expected a number from 0 on")
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
    if batch_size is not None and batch_size >= X.shape[1] - part:
        batch_size = None
    start = None if parameters is None else arguments.parameters_of("parameters", parameters, sizes)
    return X, Y, Fit(
        sizes, hidden, output, optimizer, l2, batch_size, epochs, shuffle, seed, start, init, part, given, patience
    )  # fmt: skip


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


def _called(hidden: Hidden) -> str:
    return f"{hidden.name} {hidden.slope!r}" if hidden.slope else hidden.name
