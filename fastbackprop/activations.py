"""The tables of activations and of output layers, one row each.

What an activation computes stands in `kernels/activations.py`, what an output in `kernels/cost.py`, and both in `reference/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop import reference
from fastbackprop.kernels import activations as kernels


def _same_dtype(Z):
    return np.result_type(Z)


def _float_dtype(Z):
    """The dtype of exp, and what is made of it: float16 for the smallest integers."""
    return np.promote_types(np.result_type(Z), np.float16)


@dataclass(frozen=True)
class Activation:
    """An activation g: its name, its code in the kernels, and the reference's functions.

    ``dtype(Z)`` is that of the reference's ``A = g(Z)``. The reference's backward either masks dA, which keeps its dtype, or
    multiplies it by ``g'(Z)``, of the dtype of A and spread to dA's shape. ``negates`` is True where the reference takes
    ``-Z``, which unsigned whole numbers lack.

    Bounds: ``ulp``, units in the last place of A from the correctly rounded value; ``backward_u``, ``|dZ - exact|`` in
    ``u |dA|`` with the unit roundoff u; ``steepest``, the largest ``|g'|``.
    """

    name: str
    code: int
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    dtype: Callable[[Any], Any]
    ulp: int
    backward_u: int
    steepest: float
    masks: bool = False
    negates: bool = False

    def gradient_dtype(self, dA: Any, Z: Any) -> Any:
        """The dtype of ``dA * g'(Z)``."""
        return np.result_type(dA) if self.masks else np.result_type(dA, self.dtype(Z))

    def slope_bound(self, Z: Any) -> Any:
        """A bound of ``|g'(Z)|``, by which an error of dA is multiplied."""
        return np.where(Z > 0, self.steepest, 0.0) if self.masks else self.steepest


LINEAR = Activation(
    "linear", kernels.LINEAR, lambda Z: (Z, Z), lambda dA, cache: dA, _same_dtype, ulp=0, backward_u=0, steepest=1, masks=True
)
RELU = Activation(
    "relu", kernels.RELU, reference.relu, reference.relu_backward, _same_dtype, ulp=0, backward_u=0, steepest=1, masks=True
)
SIGMOID = Activation(
    "sigmoid", kernels.SIGMOID, reference.sigmoid, reference.sigmoid_backward, _float_dtype, ulp=4, backward_u=8, steepest=0.25,
    negates=True,
)  # fmt: skip
TANH = Activation(
    "tanh", kernels.TANH, reference.tanh, reference.tanh_backward, _float_dtype, ulp=4, backward_u=8, steepest=1
)  # fmt: skip

# The activations of `linear_activation_forward` and `linear_activation_backward`, by name.
ACTIVATIONS = {row.name: row for row in (RELU, SIGMOID, TANH)}
BY_CODE = {row.code: row for row in (LINEAR, *ACTIVATIONS.values())}


@dataclass(frozen=True)
class Output:
    """An output layer with its cost, over its n_L rows: the activation, the reference's cost, and the labels that it expects.

    Kernels take the cost and dZ from AL (`cross_entropy`, `output_gradient`), or in a training from Z (`logits_cost`,
    `logits_gradient`).
    """

    cost_name: str
    activation: Activation
    cost: Callable[..., Any]
    labels: tuple[float, float]


OUTPUT = Output("cross-entropy", SIGMOID, reference.compute_cost, (0.0, 1.0))
