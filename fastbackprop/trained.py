"""The result of ``train``: a net that predicts, scores, and is saved for the command line."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastbackprop import arguments, doubtful
from fastbackprop.importing import importing
from fastbackprop.optimizers import Optimizer
from fastbackprop.prediction import Net


@dataclass(frozen=True, repr=False)
class Trained:
    """A trained net, as ``train`` returns it. Examples are columns.

    Attributes
    ----------
    parameters : dict
        ``W1, b1, ..., WL, bL``: after the last epoch, or with `patience` those of the best one.
    costs : list of float
        The cost before each epoch's updates; of mini-batches their mean. With `l2` the penalty is part of it.
    validation_scores : list of float
        One an epoch, as ``score`` computes it; empty without `validation`.
    epochs : int
        How many were trained.
    best_epoch : int or None
        The epoch, counted from 1, whose parameters were kept; None without `patience`.
    stopped_early : bool
        Whether `patience` ended the training.
    layers_dims, hidden, output, optimizer
        As they were passed.
    """

    parameters: dict[str, NDArray[Any]]
    costs: list[float]
    validation_scores: list[float]
    epochs: int
    best_epoch: int | None
    stopped_early: bool
    layers_dims: list[int]
    hidden: Any
    output: str
    optimizer: Optimizer
    training: dict[str, Any] = field(default_factory=dict)  # its other options, for people to read; JSON values

    def __repr__(self) -> str:
        parts = [f"epochs: {self.epochs}"]
        if self.costs:
            parts.append(f"last cost {self.costs[-1]:.6g}")
        if self.validation_scores:
            at = self.epochs if self.best_epoch is None else self.best_epoch
            score = self.validation_scores[at - 1]
            parts.append(f"validation score {score:.6g}" + ("" if self.best_epoch is None else f" in epoch {at}, the best"))
        if self.stopped_early:
            parts.append("stopped early")
        return f"Trained({self.layers_dims}, {self.hidden!r}, {self.output!r}, {self.optimizer!r}; {', '.join(parts)})"

    @property
    def _net(self) -> Net:
        return Net(arguments.hidden_named(self.hidden), arguments.output_named(self.output))

    def _examples(self, X: ArrayLike) -> NDArray[Any]:
        """X in the dtype of the parameters."""
        return np.asarray(arguments.examples("X", X, self.layers_dims[0]), self.parameters["W1"].dtype)

    def _labelled(self, X: ArrayLike, Y: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        X = self._examples(X)
        return X, self._net.target.labels("Y", Y, self.layers_dims[-1], X.shape[1])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """What the outputs mean.

        Parameters
        ----------
        X : array (n_0, m)

        Returns
        -------
        array
            For sigmoid (n_L, m), int64: 1 where an output exceeds 0.5. For softmax (1, m), int64: the class of the largest
            output. For identity (n_L, m): the outputs.

        Raises
        ------
        TypeError, ValueError
            X holds no real numbers, or is not (n_0, m).
        """
        net = self._net
        return net.target.answer(net.outputs(self._examples(X), self.parameters))

    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """The outputs as probabilities, (n_L, m): of each unit's 1 for sigmoid, of each class for softmax.

        Parameters
        ----------
        X : array (n_0, m)

        Returns
        -------
        array (n_L, m)

        Raises
        ------
        TypeError, ValueError
            X holds no real numbers, or is not (n_0, m).
        AttributeError
            The output is identity, whose values are no probabilities.
        """
        net = self._net
        if not net.target.probabilities:
            raise AttributeError(f"predict_proba needs probabilities; the output is {self.output!r}: use predict")
        return net.outputs(self._examples(X), self.parameters)

    def score(self, X: ArrayLike, Y: ArrayLike) -> float:
        """How well examples are predicted: the part of right answers, for sigmoid those of which every unit is right.

        For identity it is the negative mean squared error, which is defined for any labels, and larger where it is better.

        Parameters
        ----------
        X : array (n_0, m)
        Y : array
            Labels as ``train`` takes them.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            X or Y hold no real numbers, or are of other shapes.
        """
        score = self._net.score(*self._labelled(X, Y), self.parameters)
        return math.nan if score is None else score

    def cost(self, X: ArrayLike, Y: ArrayLike) -> float:
        """The cost of examples at the parameters, without the penalty of `l2`.

        Parameters
        ----------
        X : array (n_0, m)
        Y : array
            Labels as ``train`` takes them.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            X or Y hold no real numbers, or are of other shapes.

        Warns
        -----
        RuntimeWarning
            A cost that is not finite, of examples that are.
        """
        X, Y = self._labelled(X, Y)
        cost = self._net.cost(X, Y, self.parameters)
        doubtful.explain_examples_cost(cost, X, Y)
        return cost

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a model file, which ``fastbackprop predict`` reads; a file of that name is replaced, whole or not at all.

        Parameters
        ----------
        path : str or path

        Raises
        ------
        OSError
            It cannot be written.
        """
        with importing:
            from fastbackprop.data.classes import Classes
            from fastbackprop.data.scaling import Scaling
            from fastbackprop.model_file import Model, save_model

        n = self.layers_dims[-1]
        classes = {"sigmoid": Classes((0, 1)) if n == 1 else None, "softmax": Classes(tuple(range(n)))}.get(self.output)
        hidden, output = arguments.hidden_named(self.hidden), arguments.output_named(self.output)
        scaling = Scaling("none")
        model = Model(self.layers_dims, self.parameters, scaling, classes, None, None, self.training, hidden, output)
        save_model(Path(path), model)
