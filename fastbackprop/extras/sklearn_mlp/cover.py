"""What of scikit-learn's trainings the kernels cover, in their terms; of all else the reason why scikit-learn's code runs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from fastbackprop.extras.sklearn_mlp.internals import module
from fastbackprop.optimizers import Adam, Momentum, Nesterov, Optimizer

HIDDEN = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
OUTPUTS = {("log_loss", "softmax"): "softmax", ("log_loss", "logistic"): "sigmoid", ("squared_error", "identity"): "identity"}


def obstacle(model: Any, methods: Mapping[str, Any], given: Mapping[str, Any]) -> str | None:
    """Why the kernels cannot train this model on these data; `methods` are those that the model should have."""
    X, y = given["X"], given["y"]
    if changed := [name for name, own in methods.items() if _function(model, name) is not own]:
        return f"{type(model).__name__} has its own {', '.join(changed)}"
    if type(X) is not np.ndarray or X.dtype.char not in "fd":
        return f"X is of type {type(X).__name__} and dtype {X.dtype}"
    if model.activation not in HIDDEN or (model.loss, model.out_activation_) not in OUTPUTS:
        return f"activation {model.activation!r}, loss {model.loss!r} and output {model.out_activation_!r} are not all known"
    units = given["layer_units"]
    expected = [*pairwise(units), *((n,) for n in units[1:])]
    if [np.shape(array) for array in (*model.coefs_, *model.intercepts_)] != expected:
        return f"coefs_ and intercepts_ are not of shapes {expected}"
    if not all(type(array) is np.ndarray and array.flags.writeable for array in (*model.coefs_, *model.intercepts_)):
        return "not all coefs_ and intercepts_ are writable arrays"
    if {array.dtype for array in (*model.coefs_, *model.intercepts_)} != {X.dtype}:
        return f"not all coefs_ and intercepts_ are of X's dtype, {X.dtype}"
    if type(model._random_state) is not np.random.RandomState:
        return f"the random state is a {type(model._random_state).__name__}"
    if y.dtype.char not in "?fd" and y.dtype.kind not in "iu":
        return f"y is of dtype {y.dtype}"
    with np.errstate(over="ignore"):
        if y.dtype.itemsize > X.dtype.itemsize and not np.isfinite(y.astype(X.dtype)).all():
            return f"y does not fit {X.dtype}"
    if model.out_activation_ == "softmax" and not (y.sum(axis=1) == 1).all():
        return "an example is not of one class"
    return None


def _function(owner: Any, name: str) -> Any:
    method = getattr(owner, name)
    return getattr(method, "__func__", method)


def optimizer_of(model: Any) -> Optimizer | str:
    """The update rule of the model's optimizer, or why there is none."""
    theirs = model._optimizer
    params = [*model.coefs_, *model.intercepts_]
    if type(theirs) is module.AdamOptimizer:
        moments: tuple[Any, ...] = theirs.ms, theirs.vs
    elif type(theirs) is module.SGDOptimizer:
        moments = (theirs.velocities,)
    else:
        return f"the optimizer is of type {type(theirs).__name__}"
    if any([np.shape(array) for array in arrays] != [array.shape for array in params] for arrays in moments):
        return "the optimizer's state has other shapes than coefs_ and intercepts_"
    try:
        if type(theirs) is module.AdamOptimizer:
            return Adam(theirs.learning_rate_init, theirs.beta_1, theirs.beta_2, theirs.epsilon)
        return (Nesterov if theirs.nesterov else Momentum)(theirs.learning_rate, theirs.momentum)
    except (TypeError, ValueError) as error:
        return str(error)


def clip(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Bounds of a cross-entropy whose probabilities are clipped to ``[eps, 1 - eps]``."""
    eps = float(np.finfo(dtype).eps)
    return float(-np.log1p(-eps)), float(-np.log(eps))
