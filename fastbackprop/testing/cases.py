"""The one table of cases: how each public function is called, and how far its results may be from another's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop.activations import ACTIVATIONS, SIGMOID
from fastbackprop.testing import bounds
from fastbackprop.testing.drawn import LAYOUTS, SIZES, TIMED, Draw, Size
from fastbackprop.testing.trees import map_arrays


@dataclass(frozen=True)
class Case:
    """How one public function is called, and how far its results may be from another implementation's.

    ``family`` is the module of the benchmarks that times it; ``sizes`` are the names in ``SIZES`` at which it is timed;
    ``activations`` are those that it takes as its last argument (empty for a function without that argument).
    """

    family: str
    arguments: Callable[[Draw], tuple]
    error: Callable[..., Any]
    activations: tuple[str, ...] = ()
    sizes: tuple[str, ...] = TIMED

    def make(self, size: str | Size, dtype: Any, layout: str = "C", seed: int = 0, activation: str | None = None) -> tuple:
        """Positional arguments, equal ones for equal requests; ``size`` is a name in ``SIZES`` or a ``Size``.

        ``activation`` defaults to the first of ``activations``; ValueError for one that the function does not take.
        """
        if activation is None and self.activations:
            activation = self.activations[0]
        elif activation is not None and activation not in self.activations:
            raise ValueError(f"activation is {activation!r}; this function takes {self.activations}")
        size = SIZES[size] if isinstance(size, str) else size
        draw = Draw(np.random.default_rng(seed), size, np.dtype(dtype), activation)
        return map_arrays(LAYOUTS[layout], self.arguments(draw))

    def bound(self, *args) -> Any:
        """Largest difference between two correct results of a call with ``args``, in the shape of the result."""
        with np.errstate(all="ignore"):  # the reference's formulas warn where they saturate
            return _twice(self.error(*args))


def _model_backward_arguments(draw):
    AL, caches = draw.forward()
    return AL, draw.Y(), caches


def _twice(tree):
    if isinstance(tree, dict):
        return {key: _twice(value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(_twice(value) for value in tree)
    return 2 * tree


def _exact(*args):
    return 0.0


CASES = {
    "sigmoid": Case("activations", lambda d: (d.Z(),), lambda Z: (bounds.activated(SIGMOID, Z), 0.0)),
    "relu": Case("activations", lambda d: (d.Z(),), _exact),
    "sigmoid_backward": Case("activations", lambda d: (d.dA(), d.Z()), partial(bounds.activated_backward, SIGMOID)),
    "relu_backward": Case("activations", lambda d: (d.dA(), d.Z()), _exact),
    "initialize_parameters_deep": Case("network", lambda d: (list(d.layers),), _exact),
    "linear_forward": Case("layers", lambda d: d.linear_cache(), lambda A, W, b: (bounds.linear_forward(A, W, b), 0.0)),
    "linear_activation_forward": Case(
        "layers", lambda d: (*d.linear_cache(), d.activation), bounds.linear_activation_forward, activations=tuple(ACTIVATIONS)
    ),
    "L_model_forward": Case("network", lambda d: (d.X(), d.parameters()), bounds.model_forward),
    "compute_cost": Case("network", lambda d: (d.AL(), d.Y()), bounds.cost),
    "linear_backward": Case("layers", lambda d: (d.dA(), d.linear_cache()), bounds.linear_backward),
    "linear_activation_backward": Case(
        "layers",
        lambda d: (d.dA(), (d.linear_cache(), d.Z()), d.activation),
        bounds.linear_activation_backward,
        activations=tuple(ACTIVATIONS),
    ),
    "L_model_backward": Case("network", _model_backward_arguments, bounds.model_backward),
    "update_parameters": Case("network", lambda d: (d.parameters(), d.grads(), 0.0075), bounds.update),
    "L_layer_model": Case("training", lambda d: (d.X(), d.Y(), list(d.layers), 0.0075, 10), bounds.training),
}


def training_problem(size: Size, dtype: Any = "float64", layout: str = "C", seed: int = 0) -> tuple:
    """``X, Y, parameters`` for a training: labels by a rule with exceptions, so that descent is well-posed."""
    rng = np.random.default_rng(seed)
    X, start = CASES["L_model_forward"].make(size, dtype, layout, seed)
    Y = ((rng.standard_normal(size.layers[0]) @ X > 0) ^ (rng.random(size.m) < 0.2)).astype(dtype).reshape(1, -1)
    return X, Y, start


def require_cases(names):
    """Raise LookupError naming those of ``names`` that have no entry in ``CASES``."""
    missing = sorted(set(names) - set(CASES))
    if missing:
        raise LookupError(f"public functions without a case in fastbackprop.testing.CASES: {', '.join(missing)}")


require_cases(fastbackprop.__all__)
