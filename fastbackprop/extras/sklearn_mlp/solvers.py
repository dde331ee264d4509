"""The methods of scikit-learn's models that run compiled here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fastbackprop.extras.sklearn_mlp.cover import obstacle
from fastbackprop.extras.sklearn_mlp.epochs import Epochs
from fastbackprop.extras.sklearn_mlp.evaluations import Evaluations
from fastbackprop.extras.sklearn_mlp.internals import METHODS, MOVED, Base, arguments_of, say_moved
from fastbackprop.slices import running

logger = logging.getLogger("fastbackprop")


class Compiled:
    """What stands before scikit-learn's class: each method takes what scikit-learn's takes, and does what it does."""

    _training: Epochs | Evaluations | None = None  # while a fit runs

    def _fit_stochastic(self, *arguments: Any, **keywords: Any) -> None:
        if self._covered("_fit_stochastic", arguments, keywords):
            training = Epochs(self, arguments_of("_fit_stochastic", *arguments, **keywords)["incremental"])
            self._train(training, training.run, arguments, keywords)
        else:
            super()._fit_stochastic(*arguments, **keywords)  # type: ignore[misc]

    def _fit_lbfgs(self, *arguments: Any, **keywords: Any) -> None:
        fit = super()._fit_lbfgs  # type: ignore[misc]
        if self._covered("_fit_lbfgs", arguments, keywords):
            self._train(Evaluations(self), fit, arguments, keywords)
        else:
            fit(*arguments, **keywords)

    def _train(
        self, training: Epochs | Evaluations, fit: Callable[..., None], arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> None:
        """Fit, while the two methods below ask this training."""
        try:
            self._training = training
            fit(*arguments, **keywords)
        finally:
            vars(self).pop("_training", None)
            running.pop(training.batches, None)  # type: ignore[call-overload]

    def _backprop(self, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(self._training, Epochs) and not self._training.plain:
            return self._training.epoch(**arguments_of("_backprop", *arguments, **keywords))
        return super()._backprop(*arguments, **keywords)  # type: ignore[misc]

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
