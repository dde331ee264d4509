"""scikit-learn's parameters, moments and data in the terms of the engine, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastbackprop import activations
from fastbackprop.batches import Batches
from fastbackprop.extras.sklearn_mlp.cover import HIDDEN, OUTPUTS, clip
from fastbackprop.optimizers import Optimizer
from fastbackprop.slices import OVERHEAD_OPERATIONS

QUICK_OPERATIONS = 3 * 10**8  # multiply-adds
STEP_OPERATIONS = 8  # as many as take the time of a parameter's step
MOST_INDICES = 2**21  # of the orders of examples that are drawn at once: 16 MiB


def batches_of(
    model: Any, X: np.ndarray, y: np.ndarray, weights: np.ndarray | None, optimizer: Optimizer, batch_size: int | None
) -> Batches:
    """The training of this model, with the state of its optimizer."""
    dtype = model.coefs_[0].dtype
    batches = Batches(
        np.require(X, dtype, ["C", "A"]).T,  # an example lies in one piece
        np.require(y, dtype, ["C", "A"]).T,
        [len(model.coefs_[0]), *(len(b) for b in model.intercepts_)],
        columns(model.coefs_, model.intercepts_),
        hidden=activations.HIDDEN[HIDDEN[model.activation]],
        output=activations.OUTPUTS[OUTPUTS[model.loss, model.out_activation_]],
        optimizer=optimizer,
        l2=model.alpha,
        weights=weights,
        batch_size=batch_size,
        corrected=False,
    )
    if model.loss == "log_loss":
        batches.clip = clip(dtype)
    if hasattr(model, "_optimizer"):
        load_moments(batches, model._optimizer)
    return batches


def columns(weights: Any, biases: Any) -> dict[str, np.ndarray]:
    """``W1, b1, ...`` of scikit-learn's lists of coefficients ``(n_prev, n)`` and intercepts ``(n,)``."""
    named = {f"W{l}": W.T for l, W in enumerate(weights, 1)}
    return named | {f"b{l}": b.reshape(-1, 1) for l, b in enumerate(biases, 1)}


def rows(parameters: dict[str, np.ndarray]) -> list[np.ndarray]:
    """scikit-learn's coefficients, then its intercepts, of ``W1, b1, ...``."""
    L = len(parameters) // 2
    return [parameters[f"W{l}"].T for l in range(1, L + 1)] + [parameters[f"b{l}"][:, 0] for l in range(1, L + 1)]


def load_moments(batches: Batches, optimizer: Any) -> None:
    """Begin with the state of scikit-learn's optimizer."""
    kept = [optimizer.ms, optimizer.vs] if hasattr(optimizer, "ms") else [optimizer.velocities]
    for views, arrays in zip(batches.moments(), kept, strict=True):
        for view, array in zip(rows(views), arrays, strict=True):
            view[...] = array
    batches.t = getattr(optimizer, "t", 0)


def save(batches: Batches, trained: list[np.ndarray], optimizer: Any) -> None:
    """Leave the coefficients and intercepts, in place, and scikit-learn's optimizer as they would be after these batches."""
    for array, value in zip(trained, rows(batches.views()), strict=True):
        array[...] = value
    t = batches.t
    moments = [[np.array(value, order="C") for value in rows(views)] for views in batches.moments()]
    if hasattr(optimizer, "ms"):
        optimizer.ms, optimizer.vs = moments
        optimizer.t = t
        if t:
            optimizer.learning_rate = (
                optimizer.learning_rate_init * np.sqrt(1 - optimizer.beta_2**t) / (1 - optimizer.beta_1**t)
            )
    else:
        (optimizer.velocities,) = moments


def loss(model: Any, cost: float, penalty: float, *data: np.ndarray | None) -> np.floating[Any]:
    """The loss of X, y and perhaps weights as scikit-learn defines it: a squared error is a mean over the outputs too."""
    if model.loss != "squared_error":
        return np.float64(cost + penalty)
    kind: Any = np.result_type(*(array for array in data if array is not None)).type
    return kind(cost / model.n_outputs_ + penalty)


def quick_epochs(batches: Batches) -> int:
    """How many epochs take some hundredths of a second, for which Ctrl-C may wait: each call of the engine costs time too."""
    operations = batches.operations + batches.batches * (OVERHEAD_OPERATIONS + STEP_OPERATIONS * batches.P.size)
    return min(QUICK_OPERATIONS // operations, MOST_INDICES // batches.X.shape[1])
