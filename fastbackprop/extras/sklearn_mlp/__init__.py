"""scikit-learn's `MLPClassifier` and `MLPRegressor` with the training compiled. They need scikit-learn, the extra ``sklearn``.

Everything but the epochs themselves, and the look at labels, is scikit-learn's own code: checks, start, shuffling, early
stopping, schedules, messages.
"""

from __future__ import annotations

from typing import Any

from fastbackprop.extras import missing

try:
    from sklearn import neural_network
except ImportError as error:
    raise missing("fastbackprop.extras.sklearn_mlp", "sklearn") from error

from fastbackprop.extras.sklearn_mlp.internals import module
from fastbackprop.extras.sklearn_mlp.labels import validated
from fastbackprop.extras.sklearn_mlp.solvers import Compiled

__all__ = ["MLPClassifier", "MLPRegressor", "patch_sklearn", "unpatch_sklearn"]


class MLPClassifier(Compiled, module.MLPClassifier):
    """`sklearn.neural_network.MLPClassifier`, trained by compiled code.

    Parameters, attributes, methods, messages and random numbers are scikit-learn's, whose documentation holds here too. What
    the kernels do not cover runs scikit-learn's code, and the logger ``fastbackprop`` says so, and why, at DEBUG.

    Examples
    --------
    >>> from fastbackprop.extras.sklearn_mlp import MLPClassifier
    >>> X = np.random.RandomState(1).randn(400, 2)
    >>> model = MLPClassifier((8,), learning_rate_init=0.05, tol=1e-3, random_state=1).fit(X, X[:, 0] * X[:, 1] > 0)
    >>> bool(model.score(X, X[:, 0] * X[:, 1] > 0) > 0.97)
    True
    """

    def _validate_input(self, *arguments: Any, **keywords: Any) -> Any:
        return validated(super()._validate_input, *arguments, **keywords)


class MLPRegressor(Compiled, module.MLPRegressor):
    """`sklearn.neural_network.MLPRegressor`, trained by compiled code.

    Parameters, attributes, methods, messages and random numbers are scikit-learn's, whose documentation holds here too. What
    the kernels do not cover, like ``loss="poisson"``, runs scikit-learn's code, and the logger ``fastbackprop`` says so, and
    why, at DEBUG.

    Examples
    --------
    >>> from fastbackprop.extras.sklearn_mlp import MLPRegressor
    >>> X = np.random.RandomState(1).randn(400, 2)
    >>> model = MLPRegressor(hidden_layer_sizes=(8,), learning_rate_init=0.05, tol=1e-3, random_state=1)
    >>> model = model.fit(X, X[:, 0] * X[:, 1])
    >>> bool(model.score(X, X[:, 0] * X[:, 1]) > 0.97)
    True
    """


_OURS = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}


def patch_sklearn() -> None:
    """Have `sklearn.neural_network` hold the classes of this module, for imports and look-ups from now on.

    Names that were imported before stay scikit-learn's. The module that defines its classes stays as it is, so that models of
    scikit-learn's classes can still be pickled.
    """
    vars(neural_network).update(_OURS)


def unpatch_sklearn() -> None:
    """Have `sklearn.neural_network` hold scikit-learn's own classes again."""
    vars(neural_network).update({name: getattr(module, name) for name in _OURS})
