"""Whether the compiled training computes what a user's own code does: on their data, at their parameters."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastbackprop import reference
from fastbackprop.algorithms import Direct, Gram
from fastbackprop.network import L_model_forward

# Of the change of a layer's parameters in one iteration: rounding stays far below it, another formula does not.
_TOLERANCE = {"d": 1e-7, "f": 1e-2}
_BLOCK_BYTES = 2**24  # of activations
_LABELS = 8  # of the examples on which the cost is tried


def agrees(start: Mapping[str, np.ndarray], ours: Mapping[str, np.ndarray], theirs: Mapping[str, Any]) -> bool:
    """Whether an iteration of the user's own code made of `start` what the compiled one did."""
    if theirs.keys() != ours.keys():
        return False
    changes = {key: float(np.max(np.abs(ours[key] - start[key]))) for key in ours}
    for key, value in ours.items():
        their = theirs[key]
        if type(their) is not np.ndarray or (their.dtype, their.shape) != (value.dtype, value.shape):
            return False
        of_layer = max(changes[f"W{key[1:]}"], changes[f"b{key[1:]}"])
        rounding = 16 * np.finfo(value.dtype).eps * float(np.max(np.abs(start[key])))
        bound = _TOLERANCE[value.dtype.char] * of_layer + rounding
        if not np.max(np.abs(their - value)) <= bound:  # nan is no agreement
            return False
    return True


def cost_agrees(
    function: Callable[..., Any], names: list[str], cost: Callable[[np.ndarray], Any], Y: np.ndarray, dtype: np.dtype[Any]
) -> bool:
    """Whether a user's cost has the kind and the value of ours on labels of the training."""
    Y = Y[:, :_LABELS].copy()
    AL = np.linspace(0.2, 0.8, Y.shape[1], dtype=dtype).reshape(1, -1)
    theirs = function(**{names[0]: AL, names[1]: Y}) if names else function(AL, Y)
    ours = cost(np.array(reference.compute_cost(AL.astype(float), Y.astype(float)), dtype))
    alike = type(theirs) is type(ours) and np.shape(theirs) == np.shape(ours) and np.result_type(theirs) == np.result_type(ours)
    return alike and bool(np.allclose(theirs, ours, rtol=1e-4, atol=1e-6))


def saturated(descent: Direct) -> bool:
    """Whether an output is 0 or 1, or close to it by rounding: formulas of the course make nan of that."""
    views = descent.views()
    L = len(descent.sizes) - 1
    first = isinstance(descent, Gram)  # its V is W1 X
    layers = range(2 if first else 1, L + 1)
    net = {f"{letter}{l - layers[0] + 1}": views[f"{letter}{l}"] for l in layers for letter in "Wb"} if layers else {}
    source, m = (descent.V if isinstance(descent, Gram) else descent.X), descent.X.shape[1]
    block = max(1, _BLOCK_BYTES // (int(sum(descent.sizes)) * descent.X.itemsize))
    kind = np.finfo(descent.X.dtype)
    for j in range(0, m, block):
        A = source[:, j : j + block]
        if first:
            Z = A + views["b1"]
            A = np.maximum(Z, 0) if net else reference.sigmoid(np.clip(Z, -800, 800))[0]
        AL = L_model_forward(A, net)[0] if net else A
        if not (AL.min() > 1e3 * kind.tiny and AL.max() < 1 - 2 * kind.eps):
            return True
    return False


def content(values: np.ndarray) -> int:
    """A checksum of an array's values."""
    return zlib.crc32(np.ascontiguousarray(values if values.flags.c_contiguous else values.T).data)
