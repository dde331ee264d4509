"""Scaling of features: fitted on the examples to train on, kept in the model, applied to what is predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput

KINDS = ("none", "standard", "minmax", "255")
FITTED = ("standard", "minmax")  # these have a shift and a divisor a feature


@dataclass(frozen=True)
class Scaling:
    """``(X - shift) / divisor``, both (n_0, 1); ``X / 255``; or X."""

    kind: str
    shift: NDArray[np.float64] | None = None
    divisor: NDArray[np.float64] | None = None

    def __call__(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """X scaled; X itself for "none"."""
        if self.kind == "255":
            return X / 255
        if self.shift is None or self.divisor is None:
            return X
        with np.errstate(over="ignore"):
            scaled = (X - self.shift) / self.divisor
        if not np.isfinite(scaled).all():
            row = int(np.argmin(np.isfinite(scaled).all(axis=1)))
            raise BadInput(f"feature {row + 1} is too large to be scaled")
        return scaled


def fit(kind: str, X: NDArray[np.float64]) -> Scaling:
    """The scaling of X: "standard" makes each feature's mean 0 and deviation 1, "minmax" its range 0 to 1.

    A constant feature becomes 0.
    """
    if kind not in FITTED:
        return Scaling(kind)
    low, high = X.min(axis=1, keepdims=True), X.max(axis=1, keepdims=True)
    if kind == "minmax":
        return fitted(kind, low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        return fitted(kind, low, high, X.mean(axis=1, keepdims=True), X.std(axis=1, keepdims=True))


def fitted(
    kind: str,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    mean: NDArray[np.float64] | None = None,
    deviation: NDArray[np.float64] | None = None,
) -> Scaling:
    """The scaling from what each feature's least and largest numbers are, and for "standard" its mean and deviation."""
    with np.errstate(over="ignore", invalid="ignore"):
        shift, divisor = (low, high - low) if mean is None or deviation is None else (mean, deviation)
    constant = low == high
    shift = np.where(constant, low, shift)  # a mean is rounded
    divisor = np.where(constant | (divisor == 0), 1.0, divisor)
    finite = np.isfinite(shift) & np.isfinite(divisor)
    if not finite.all():
        raise BadInput(f"feature {int(np.argmin(finite)) + 1} is too large to be scaled")
    return Scaling(kind, shift, divisor)
