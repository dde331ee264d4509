"""Scaling of features whose numbers several ranks hold: the least, largest and mean are those of all examples."""

import numpy as np

from fastbackprop.bad_input import BadInput
from fastbackprop.data.scaling import FITTED, Scaling, fit, fitted
from fastbackprop.extras.mpi.ranks import Ranks


def fit_examples(ranks: Ranks, kind: str, X: np.ndarray) -> Scaling:
    """The scaling of features (n, m_r) whose examples are spread; a BadInput on all ranks."""
    if kind not in FITTED:
        return Scaling(kind)
    every = ranks.exchange((X.shape[1], X.min(axis=1, keepdims=True), X.max(axis=1, keepdims=True), _sums(X, 0.0)))
    counts, lows, highs, sums = zip(*(every or []), strict=True)
    low, high, m = np.minimum.reduce(lows), np.maximum.reduce(highs), sum(counts)
    if kind == "minmax":
        return fitted(kind, low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.add.reduce(sums) / m
        squares = ranks.exchange(_sums(X, mean, 2)) or []
        return fitted(kind, low, high, mean, np.sqrt(np.add.reduce(squares) / m))


def _sums(X: np.ndarray, mean: float | np.ndarray, power: int = 1) -> np.ndarray:
    """The sum over examples of each feature's power of its difference from the mean, a feature at a time."""
    means = np.broadcast_to(mean, (len(X), 1))
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array([[((row - mean) ** power).sum()] for row, mean in zip(X, means, strict=True)])


def fit_features(ranks: Ranks, kind: str, X: np.ndarray) -> tuple[Scaling, Scaling]:
    """The scaling of the features (n_r, m) of this rank, and that of the features of all."""

    def fit_here() -> tuple[Scaling, Scaling]:
        try:
            scaling = fit(kind, X)
        except BadInput as error:
            raise BadInput(f"of its features {error}") from None
        return scaling, scaling

    mine, every = ranks.agreed(fit_here)
    if mine.shift is None:
        return mine, mine
    return mine, Scaling(kind, *(np.concatenate([getattr(each, name) for each in every]) for name in ("shift", "divisor")))
