"""scikit-learn's `MLPClassifier` and `MLPRegressor` with the training compiled. They need scikit-learn, the extra ``sklearn``.

Everything but the epochs themselves is scikit-learn's own code: checks, start, shuffling, early stopping, schedules, messages.
"""

from __future__ import annotations

from typing import Any

from fastbackprop.extras import missing

try:
    from sklearn import neural_network
except ImportError as error:
    raise missing("fastbackprop.extras.sklearn_mlp", "sklearn") from error

from fastbackprop.extras.sklearn_mlp.internals import SCIKIT_LEARN
from fastbackprop.extras.sklearn_mlp.solvers import Compiled

__all__ = ["MLPClassifier", "MLPRegressor", "patch_sklearn", "unpatch_sklearn"]


class MLPClassifier(Compiled, SCIKIT_LEARN["MLPClassifier"]):  # type: ignore[misc]
    """`sklearn.neural_network.MLPClassifier`, trained by compiled code.

    Parameters, attributes, methods, messages and random numbers are scikit-learn's, whose documentation holds here too. What
    the kernels do not cover runs scikit-learn's code, and the logger ``fastbackprop`` says so, and why, at DEBUG.

    Examples
    --------
    >>> from fastbackprop.extras.sklearn_mlp import MLPClassifier
    >>> X = np.random.RandomState(1).randn(400, 2)
    >>> model = MLPClassifier((8,), learning_rate_init=0.05, random_state=1).fit(X, X[:, 0] * X[:, 1] > 0)
    >>> model.score(X, X[:, 0] * X[:, 1] > 0) > 0.97
    True
    """


class MLPRegressor(Compiled, SCIKIT_LEARN["MLPRegressor"]):  # type: ignore[misc]
    """`sklearn.neural_network.MLPRegressor`, trained by compiled code.

    Parameters, attributes, methods, messages and random numbers are scikit-learn's, whose documentation holds here too. What
    the kernels do not cover, like ``loss="poisson"``, runs scikit-learn's code, and the logger ``fastbackprop`` says so, and
    why, at DEBUG.

    Examples
    --------
    >>> from fastbackprop.extras.sklearn_mlp import MLPRegressor
    >>> X = np.random.RandomState(1).randn(400, 2)
    >>> model = MLPRegressor((8,), learning_rate_init=0.05, random_state=1).fit(X, X[:, 0] * X[:, 1])
    >>> model.score(X, X[:, 0] * X[:, 1]) > 0.97
    True
    """


OURS: dict[str, Any] = {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}


def patch_sklearn() -> None:
    """Have `sklearn.neural_network` hold the classes of this module, for imports and look-ups from now on.

    Names that were imported before stay scikit-learn's. The module that defines its classes stays as it is, so that models of
    scikit-learn's classes can still be pickled.
    """
    vars(neural_network).update(OURS)


def unpatch_sklearn() -> None:
    """Have `sklearn.neural_network` hold scikit-learn's own classes again."""
    vars(neural_network).update(SCIKIT_LEARN)
