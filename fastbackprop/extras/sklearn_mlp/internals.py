"""What is used of scikit-learn's internals, and whether the installed version has it as it is known here."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import numpy as np
import sklearn
from sklearn.neural_network import _multilayer_perceptron as module

logger = logging.getLogger("fastbackprop")

Base = module.BaseMultilayerPerceptron

# The parameters of its methods after self. Versions below 1.7 have no sample_weight.
PARAMETERS = {
    "_fit_stochastic": "X y sample_weight activations deltas coef_grads intercept_grads layer_units incremental",
    "_fit_lbfgs": "X y sample_weight activations deltas coef_grads intercept_grads layer_units",
    "_backprop": "X y sample_weight activations deltas coef_grads intercept_grads",
    "_loss_grad_lbfgs": "packed_coef_inter X y sample_weight activations deltas coef_grads intercept_grads",
}
# What its loop of epochs calls and keeps, beside its parameters.
LOOP = {
    "shuffle", "gen_batches", "_safe_indexing", "_backprop", "_random_state", "_optimizer", "update_params", "iteration_ends",
    "trigger_stopping", "_update_no_improvement_count", "_no_improvement_count", "n_iter_no_change", "max_iter", "t_",
}  # fmt: skip
# The loop calls these of the model, or they call each other: where a subclass has its own, scikit-learn's loop calls that.
METHODS = (
    "_fit_stochastic", "_fit_lbfgs", "_backprop", "_loss_grad_lbfgs", "_forward_pass", "_compute_loss_grad", "_unpack",
    "_update_no_improvement_count",
)  # fmt: skip
STATE = {
    "AdamOptimizer": {"learning_rate_init", "learning_rate", "beta_1", "beta_2", "epsilon", "t", "ms", "vs"},
    "SGDOptimizer": {"learning_rate_init", "learning_rate", "lr_schedule", "momentum", "nesterov", "power_t", "velocities"},
}

PARAMETERS_FOUND: dict[str, list[str]] = {}  # those of the installed version


def is_plain(function: Any) -> bool:
    """Whether `with_names` can do it: a function of scikit-learn's module that no decorator stands before."""
    return type(function) is FunctionType and function.__globals__ is vars(module) and not function.__closure__


def look() -> str | None:
    """Why scikit-learn's internals are not those that are known here, or None."""
    try:
        for name, known in PARAMETERS.items():
            found = list(inspect.signature(getattr(Base, name)).parameters)[1:]
            if found not in (known.split(), [word for word in known.split() if word != "sample_weight"]):
                return f"{name} has parameters {', '.join(found)}"
            PARAMETERS_FOUND[name] = found
        loop = Base._fit_stochastic
        if not is_plain(loop):
            return "_fit_stochastic is no plain function of its module"
        if lost := LOOP - {*loop.__code__.co_names}:
            return f"_fit_stochastic does without {', '.join(sorted(lost))}"
        for owner, names in ((Base, METHODS), (module, ("gen_batches", "_safe_indexing"))):
            for name in names:
                getattr(owner, name)
        for name, known_state in STATE.items():
            if vars(getattr(module, name)([np.zeros(1)])).keys() != known_state:
                return f"{name} has other attributes"
        ours, theirs = np.random.RandomState(5), np.random.RandomState(5)
        indices = np.arange(9)[::-1]
        if not np.array_equal(indices[permutation(ours, 9)], module.shuffle(indices, random_state=theirs)):
            return "shuffle draws other numbers"
    except (AttributeError, TypeError, ValueError) as error:
        return str(error)
    return None


def permutation(random: np.random.RandomState, n: int) -> np.ndarray:
    """What scikit-learn's `shuffle` draws, which returns ``indices[permutation]``."""
    drawn = np.arange(n)
    random.shuffle(drawn)
    return drawn


MOVED = look()
_said = False


def say_moved() -> None:
    """The one warning of a scikit-learn whose internals are not those that are known here."""
    global _said
    if not _said:
        _said = True
        logger.warning(
            "sklearn_mlp: scikit-learn's own code trains, since version %s has other internals than those known here: %s",
            sklearn.__version__, MOVED,
        )  # fmt: skip


def arguments_of(name: str, *arguments: Any, **keywords: Any) -> dict[str, Any]:
    """The arguments of a call of one of `PARAMETERS`, by name; sample_weight is None where a version has none."""
    return {"sample_weight": None, **dict(zip(PARAMETERS_FOUND[name], arguments, strict=False)), **keywords}


def with_names(function: Any, names: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """A method of scikit-learn's module, in which these names stand for these functions or classes."""
    vars(module).setdefault("__warningregistry__", {})  # shared, so that a warning is shown as often as by the original
    renamed = FunctionType(function.__code__, {**vars(module), **names}, function.__name__, function.__defaults__)
    renamed.__kwdefaults__ = function.__kwdefaults__
    return renamed
