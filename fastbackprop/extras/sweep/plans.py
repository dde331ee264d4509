"""Configurations, checked: which trainer each one means, and what it is to do."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from fastbackprop import arguments, doubtful, fits, fitting, training
from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Descent, Words
from fastbackprop.epochs import Epochs
from fastbackprop.fits import Fit
from fastbackprop.prediction import Net
from fastbackprop.slices import check_finite
from fastbackprop.starts import small_start
from fastbackprop.training import Descending

DATA = ("X", "Y")
KEPT_BACK = ("print_cost", "return_costs", "plot_cost", "progress", "checkpoint")  # what a sweep does itself
SEEDS = 2**32  # of NumPy's legacy generator


@dataclass(frozen=True)
class Plan:
    """A training of a sweep: what it was asked for, and where it stands among the others.

    `seed` is that of the legacy generator. `key` identifies the training in a folder.
    """

    number: int
    configuration: dict[str, Any]
    asked: Descending | Fit
    seed: int | None
    key: str = ""

    @property
    def words(self) -> Words:
        return training.WORDS if isinstance(self.asked, Descending) else fitting.WORDS

    @property
    def end(self) -> int:
        """How many iterations or epochs."""
        return self.asked.iterations if isinstance(self.asked, Descending) else self.asked.epochs

    @property
    def net(self) -> Net:
        return Net() if isinstance(self.asked, Descending) else self.asked.net

    @property
    def by_examples(self) -> bool:
        """Whether examples are taken one by one, so that each should lie in one piece."""
        return isinstance(self.asked, Fit) and self.asked.batch_size is not None

    def labels(self, name: str, Y: Any, m: int) -> np.ndarray:
        """Labels as the net's outputs need them."""
        return self.net.target.labels(name, Y, self.asked.sizes[-1], m)

    def descent(self, X: np.ndarray, Y: np.ndarray, file: Checkpoint | None, free_bytes: int | None) -> Descent:
        """The training at its beginning."""
        asked = self.asked
        if isinstance(asked, Fit):
            return asked.descent(X, self.labels("Y", Y, X.shape[1]), file, free_bytes)
        start = asked.start
        if start is None and (file is None or not file.found):
            start = small_start(asked.sizes, np.random.RandomState(self.seed).randn)
        return asked.descent(X, Y, start, file, free_bytes)

    def divergence(self, descent: Any, parameters: dict[str, np.ndarray]) -> FloatingPointError:
        """The error of a training whose next step would make parameters that are not finite."""
        if isinstance(self.asked, Fit):
            return self.asked.divergence(descent, parameters)
        return training.divergence(descent, parameters)

    def kept(self, descent: Descent, last: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The parameters of a training that ended with these."""
        return descent.kept(last) if isinstance(descent, Epochs) else last

    def score(self, descent: Descent, X: np.ndarray, Y: np.ndarray, parameters: dict[str, np.ndarray]) -> float | None:
        """How well examples are predicted that were held out; None when stopped."""
        X = np.asarray(X, parameters["W1"].dtype)
        labels = self.labels("validation's Y", Y, X.shape[1])
        return self.net.score(X, labels, parameters, lambda: descent.stopped)


@cache
def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    """What a trainer's configuration may have."""
    found = inspect.signature(function).parameters
    return {name: parameter for name, parameter in found.items() if name not in DATA + KEPT_BACK}


def _trainer(configuration: Mapping[str, Any]) -> Any:
    """The function that a configuration is for."""
    by_descent, by_train = _parameters(training.L_layer_model), _parameters(fitting.train)
    for name in configuration:
        if name in KEPT_BACK:
            raise TypeError(f"it has {name}; a sweep itself has progress and folder, and its records hold the costs")
        if name not in by_descent and name not in by_train:
            known = ", ".join(sorted(by_descent | by_train))
            raise TypeError(f"it has {name!r}; expected arguments of L_layer_model or of train: {known}")
    of_descent = [name for name in configuration if name not in by_train]
    of_train = [name for name in configuration if name not in by_descent and name != "seed"]
    if of_descent and of_train:
        raise TypeError(
            f"it has {', '.join(of_descent)} of L_layer_model and {', '.join(of_train)} of train; expected the arguments of one"
        )
    return fitting.train if of_train else training.L_layer_model


def _asked(X: Any, Y: Any, configuration: Mapping[str, Any]) -> tuple[np.ndarray, Descending | Fit, int | None]:
    """The labels as this training takes them, and what it is asked for."""
    trainer = _trainer(configuration)
    given = {name: p.default for name, p in _parameters(trainer).items()} | dict(configuration)
    if given["layers_dims"] is inspect.Parameter.empty:
        raise TypeError("it has no layers_dims")
    if given["parameters"] is None and given.get("seed") is None:
        raise ValueError("it has no seed; expected one, or parameters to start from")
    if trainer is fitting.train:
        _, Y, fit = fits.asked(X, Y, **given)
        check_finite(**fit.numbers())
        fit.check_fits(X, Y)
        return Y, fit, None
    seed = given.pop("seed", None)
    if seed is not None and (seed := arguments.count("seed", seed)) >= SEEDS:
        raise ValueError(f"seed is {seed}; expected a whole number below 2 ** 32")
    _, Y, descending = training.asked(X, Y, **given)
    check_finite(**descending.numbers())
    if (dtype := descending.dtype(X)).char not in "fd":
        raise ValueError(f"X and parameters make {dtype}; expected float32 or float64")
    return Y, descending, seed


def plans_of(
    X: Any, Y: Any, configurations: Any, validation: Any
) -> tuple[np.ndarray, np.ndarray, list[Plan], tuple[np.ndarray, np.ndarray] | None]:
    """X and Y as arrays, a plan for each configuration, and what is held out; errors say which configuration is meant."""
    X, Y = arguments.numbers("X", X), arguments.numbers("Y", Y)
    if isinstance(configurations, (str, bytes, Mapping)) or not isinstance(configurations, Iterable):
        raise TypeError(f"configurations is of type {type(configurations).__name__}; expected dicts, one a training")
    held_out = _held_out(validation)
    plans, outside = [], set()
    for number, configuration in enumerate(configurations):
        try:
            if not isinstance(configuration, Mapping):
                raise TypeError(f"it is of type {type(configuration).__name__}; expected a dict")
            labels, asked, seed = _asked(X, Y, configuration)
            plan = Plan(number, dict(configuration), asked, seed)
            if held_out is not None:
                arguments.examples("validation's X", held_out[0], asked.sizes[0])
                plan.labels("validation's Y", held_out[1], held_out[0].shape[1])
        except (TypeError, ValueError, KeyError) as error:
            raise type(error)(f"configurations[{number}]: {error.args[0]}") from None
        outside.add(doubtful.labels_outside(labels, plan.net.output))
        plans.append(plan)
    if not plans:
        raise ValueError("configurations has no entries; expected dicts, one a training")
    check_finite(X=X, Y=Y)
    if held_out is not None:
        check_finite(**{"validation's X": held_out[0], "validation's Y": held_out[1]})
    for message in outside - {None}:
        warnings.warn(message, UserWarning, stacklevel=3)
    return X, Y, plans, held_out


def _held_out(validation: Any) -> tuple[np.ndarray, np.ndarray] | None:
    if validation is None:
        return None
    if not isinstance(validation, (tuple, list)) or len(validation) != 2:
        raise TypeError("validation is no pair; expected (X, Y)")
    X, Y = validation
    return arguments.numbers("validation's X", X), arguments.numbers("validation's Y", Y)


def with_keys(plans: list[Plan], keys: list[str]) -> list[Plan]:
    """The plans with what identifies them."""
    return [replace(plan, key=key) for plan, key in zip(plans, keys, strict=True)]
