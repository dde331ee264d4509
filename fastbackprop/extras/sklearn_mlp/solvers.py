"""The methods of scikit-learn's models that run compiled here."""

from __future__ import annotations

import logging
from typing import Any

from fastbackprop.extras.sklearn_mlp.cover import obstacle
from fastbackprop.extras.sklearn_mlp.epochs import Epochs
from fastbackprop.extras.sklearn_mlp.evaluations import Evaluations
from fastbackprop.extras.sklearn_mlp.internals import METHODS, MOVED, Base, arguments_of, say_moved

logger = logging.getLogger("fastbackprop")


class Compiled:
    """What stands before scikit-learn's class: each method takes what scikit-learn's takes, and does what it does."""

    # The training in progress; only while a fit runs.
    _training: Epochs | Evaluations | None = None

    def _fit_stochastic(self, *arguments: Any, **keywords: Any) -> None:
        if not self._covered("_fit_stochastic", arguments, keywords):
            super()._fit_stochastic(*arguments, **keywords)  # type: ignore[misc]
            return
        try:
            self._training = training = Epochs(self, arguments_of("_fit_stochastic", *arguments, **keywords)["incremental"])
            training.run(*arguments, **keywords)
        finally:
            self._training = None
            del self._training

    def _backprop(self, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(self._training, Epochs) and not self._training.plain:
            return self._training.epoch(**arguments_of("_backprop", *arguments, **keywords))
        return super()._backprop(*arguments, **keywords)  # type: ignore[misc]

    def _fit_lbfgs(self, *arguments: Any, **keywords: Any) -> None:
        if not self._covered("_fit_lbfgs", arguments, keywords):
            super()._fit_lbfgs(*arguments, **keywords)  # type: ignore[misc]
            return
        try:
            self._training = Evaluations(self)
            super()._fit_lbfgs(*arguments, **keywords)  # type: ignore[misc]
        finally:
            self._training = None
            del self._training

    def _loss_grad_lbfgs(self, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(self._training, Evaluations):
            return self._training.loss_and_gradient(**arguments_of("_loss_grad_lbfgs", *arguments, **keywords))
        return super()._loss_grad_lbfgs(*arguments, **keywords)  # type: ignore[misc]

    def _covered(self, name: str, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> bool:
        """Whether this training runs compiled; if not, the log has the reason."""
        if MOVED:
            say_moved()
            return False
        why = obstacle(self, OWN, arguments_of(name, *arguments, **keywords))
        if why:
            logger.debug("%s: scikit-learn's code trains, since %s", type(self).__name__, why)
        return not why


# Where a model has another method, that is a subclass's.
OWN = {name: vars(Compiled).get(name, getattr(Base, name, None)) for name in METHODS}
