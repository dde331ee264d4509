"""The tables of activations and of output layers, one row each.

What an activation computes stands in `kernels/activations.py`, what an output in `kernels/outputs.py`, and both in `reference`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastbackprop import reference
from fastbackprop.kernels import activations as kernels
from fastbackprop.kernels import elementwise, layer, outputs
from fastbackprop.kernels.jit import Entry, Routine, addresses


def _same_dtype(Z):
    return np.result_type(Z)


def _float_dtype(Z):
    """The dtype of exp, and what is made of it: float16 for the smallest integers."""
    return np.promote_types(np.result_type(Z), np.float16)


class _Handed(dict[str, Any]):
    """An entry and the address of the routine that it is handed, by dtype; in two look-ups a small call took a tenth longer."""

    def __init__(self, entry: Entry, at: Mapping[str, Any]) -> None:
        super().__init__()
        self._entry, self._at = entry, at

    def __missing__(self, char: str) -> tuple[Callable[..., Any], Any]:
        return self.setdefault(char, (self._entry[char], self._at[char]))


@dataclass(frozen=True, eq=False)  # a row is equal to itself alone, and has a hash, which its tables of addresses have not
class Activation:
    """An activation g: its name, where the kernels' routines of g and of ``dA * g'(Z)`` begin, and the reference's functions.

    ``dtype(Z)`` is that of the reference's ``A = g(Z)``. The reference's backward either masks dA, which keeps its dtype, or
    multiplies it by ``g'(Z)``, of the dtype of A and spread to dA's shape. ``negates`` is True where the reference takes
    ``-Z``, which unsigned whole numbers lack.

    Bounds: ``ulp``, units in the last place of A from the correctly rounded value; ``backward_u``, ``|dZ - exact|`` in
    ``u |dA|`` with the unit roundoff u; ``steepest``, the largest ``|g'|``.
    """

    name: str
    at: Mapping[str, Any]
    gradient_at: Mapping[str, Any]
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    dtype: Callable[[Any], Any]
    ulp: int
    backward_u: int
    steepest: float
    masks: bool = False
    negates: bool = False

    @functools.cached_property
    def activate(self) -> _Handed:
        """The kernel of A = g(Z), and the routine for it."""
        return _Handed(elementwise.activation_forward, self.at)

    @functools.cached_property
    def activate_backward(self) -> _Handed:
        """The kernel of dZ = dA * g'(Z), and the routine for it."""
        return _Handed(elementwise.activation_backward, self.gradient_at)

    @functools.cached_property
    def layer(self) -> _Handed:
        """The kernel of a layer, and the routine for it."""
        return _Handed(layer.layer_forward, self.at)

    @functools.cached_property
    def layer_backward(self) -> _Handed:
        """The kernel of a layer's gradients, and the routine for it."""
        return _Handed(layer.layer_backward, self.gradient_at)

    def gradient_dtype(self, dA: Any, Z: Any) -> Any:
        """The dtype of ``dA * g'(Z)``."""
        return np.result_type(dA) if self.masks else np.result_type(dA, self.dtype(Z))

    def slope_bound(self, Z: Any) -> Any:
        """A bound of ``|g'(Z)|``, by which an error of dA is multiplied."""
        return np.where(Z > 0, self.steepest, 0.0) if self.masks else self.steepest


_NOWHERE = dict.fromkeys("df", kernels.LINEAR)
LINEAR = Activation(
    "linear", _NOWHERE, _NOWHERE, lambda Z: (Z, Z), lambda dA, cache: dA, _same_dtype, ulp=0, backward_u=0, steepest=1,
    masks=True,
)  # fmt: skip
RELU = Activation(
    "relu", elementwise.relu_chunk.at, elementwise.relu_gradient_chunk.at, reference.relu, reference.relu_backward,
    _same_dtype, ulp=0, backward_u=0, steepest=1, masks=True,
)  # fmt: skip
SIGMOID = Activation(
    "sigmoid", elementwise.sigmoid_chunk.at, elementwise.sigmoid_gradient_chunk.at, reference.sigmoid,
    reference.sigmoid_backward, _float_dtype, ulp=4, backward_u=8, steepest=0.25, negates=True,
)  # fmt: skip
TANH = Activation(
    "tanh", elementwise.tanh_chunk.at, elementwise.tanh_gradient_chunk.at, reference.tanh, reference.tanh_backward,
    _float_dtype, ulp=4, backward_u=8, steepest=1,
)  # fmt: skip

# The activations of `linear_activation_forward` and `linear_activation_backward`, by name.
ACTIVATIONS = {row.name: row for row in (RELU, SIGMOID, TANH)}


@dataclass(frozen=True)
class Hidden:
    """An activation of a training's hidden layers: the routines of g and of its gradient from A, None for the identity."""

    name: str
    activation: Routine | None
    gradient: Routine | None
    slope: float = 0.0


@dataclass(frozen=True)
class LeakyRelu:
    """The hidden activation ``z`` above 0 and ``slope z`` below.

    Source: Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, 2013.
    """

    slope: float = 0.01


LEAKY_RELU = Hidden("leaky_relu", elementwise.leaky_relu_chunk, elementwise.leaky_relu_gradient_of_chunk, slope=LeakyRelu.slope)
HIDDEN = {
    row.name: row
    for row in (
        Hidden("relu", elementwise.relu_chunk, elementwise.relu_gradient_chunk),
        Hidden("sigmoid", elementwise.sigmoid_chunk, elementwise.sigmoid_gradient_of_chunk),
        Hidden("tanh", elementwise.tanh_chunk, elementwise.tanh_gradient_of_chunk),
        Hidden("identity", None, None),
        LEAKY_RELU,
    )
}


@dataclass(frozen=True)
class Output:
    """An output layer with its cost, over its n_L rows: its routine in a training, and the labels that it expects.

    `activation` is that of the step functions, which sigmoid alone has: kernels take cost and dZ from AL there
    (`cross_entropy`, `output_gradient`).
    """

    name: str
    cost_name: str
    routine: Routine
    labels: tuple[float, float]
    activation: Activation = LINEAR


OUTPUT = Output("sigmoid", "cross-entropy", outputs.sigmoid_output, (0.0, 1.0), SIGMOID)
SOFTMAX = Output("softmax", "cross-entropy", outputs.softmax_output, (0.0, 1.0))
SQUARED = Output("identity", "squared error", outputs.identity_output, (-np.inf, np.inf))
OUTPUTS = {row.name: row for row in (OUTPUT, SOFTMAX, SQUARED)}


def layer_functions(hidden: Hidden, output: Output, char: str, *rule: Routine) -> NDArray[Any]:
    """The addresses of what layers compute, whether g is relu, then that of a rule's step, as trainings' kernels take them.

    They are compiled or loaded first.
    """
    found = addresses((hidden.activation, hidden.gradient, output.routine, None, *rule), char)
    found[3] = hidden.activation is elementwise.relu_chunk
    return found
