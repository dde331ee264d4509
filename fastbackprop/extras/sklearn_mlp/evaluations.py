"""Loss and gradient for SciPy's L-BFGS-B, compiled; the search itself is SciPy's, called by scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastbackprop.batches import Batches
from fastbackprop.extras.sklearn_mlp.engine import batches_of, loss, quick_epochs, rows
from fastbackprop.kernels.tasks import Task
from fastbackprop.optimizers import GradientDescent
from fastbackprop.slices import behind, wait


class Evaluations:
    """The evaluations of one fit."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.batches: Batches | None = None
        self.dP = np.empty(0)  # the gradient in the engine's order
        self.parameters: list[np.ndarray] = []  # those of the engine, in scikit-learn's order
        self.gradients: list[np.ndarray] = []
        self.quick = False

    def loss_and_gradient(
        self, packed_coef_inter: np.ndarray, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, **unused: Any
    ) -> tuple[np.floating[Any], np.ndarray]:
        """In place of `_loss_grad_lbfgs`; the model's coefs_ and intercepts_ are parts of `packed_coef_inter` afterwards."""
        model = self.model
        model._unpack(packed_coef_inter)
        if self.batches is None:
            self.batches = behind(X.nbytes, batches_of, model, X, y, sample_weight, GradientDescent(), None)
            self.batches.load()
            self.dP = np.empty_like(self.batches.P)
            self.parameters, self.gradients = rows(self.batches.views()), rows(self.batches.split(self.dP))
            self.quick = quick_epochs(self.batches) > 0
        for view, array in zip(self.parameters, [*model.coefs_, *model.intercepts_], strict=True):
            view[...] = array
        if self.quick:
            cost, penalty = self.batches.evaluate(self.dP)
        else:
            cost, penalty = wait(self.batches, Task(self.batches.evaluate, self.dP), None)  # type: ignore[arg-type]
        return loss(model, cost, penalty, X, y, sample_weight), np.concatenate([part.ravel() for part in self.gradients])
