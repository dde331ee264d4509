"""The forms that people write update rules in, each with the compiled rule that computes the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop.optimizers import Adam, GradientDescent, Momentum, Optimizer

Numbers = Mapping[str, float]  # by kind: rate, momentum, beta1, beta2, epsilon

# What an update takes where its code names no such number.
USUAL = {"momentum": 0.9, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


@dataclass(frozen=True)
class Update:
    """A form of an update.

    ``step(W, d, averages, numbers, t)`` returns the new W and the new averages of one array; ``optimizer`` makes the compiled
    rule, and ``factors`` what a moment of that rule is to the user's average. ``kinds`` are the numbers that it takes.
    """

    words: str
    averages: int
    kinds: tuple[str, ...]
    step: Callable[..., tuple[Any, tuple[Any, ...]]]
    optimizer: Callable[[Numbers], Optimizer]
    factors: Callable[[Numbers], tuple[float, ...]]
    corrected: bool = True
    counts: bool = False  # whether it takes the number of the step


def _descent(W: Any, d: Any, averages: Any, n: Numbers, t: int) -> Any:
    return W - n["rate"] * d, ()


def _averaged(W: Any, d: Any, averages: Any, n: Numbers, t: int) -> Any:
    v = n["momentum"] * averages[0] + (1 - n["momentum"]) * d
    return W - n["rate"] * v, (v,)


def _summed(W: Any, d: Any, averages: Any, n: Numbers, t: int) -> Any:
    v = n["momentum"] * averages[0] + d
    return W - n["rate"] * v, (v,)


def _added(W: Any, d: Any, averages: Any, n: Numbers, t: int) -> Any:
    v = n["momentum"] * averages[0] - n["rate"] * d
    return W + v, (v,)


def _subtracted(W: Any, d: Any, averages: Any, n: Numbers, t: int) -> Any:
    v = n["momentum"] * averages[0] + n["rate"] * d
    return W - v, (v,)


def _moments(d: Any, averages: Any, n: Numbers) -> Any:
    v, s = averages
    return n["beta1"] * v + (1 - n["beta1"]) * d, n["beta2"] * s + (1 - n["beta2"]) * d**2


def _adam(W: Any, d: Any, averages: Any, n: Numbers, t: int) -> Any:
    v, s = _moments(d, averages, n)
    return W - n["rate"] * v / (1 - n["beta1"] ** t) / (np.sqrt(s / (1 - n["beta2"] ** t)) + n["epsilon"]), (v, s)


def _adam_of_rate(W: Any, d: Any, averages: Any, n: Numbers, t: int) -> Any:
    v, s = _moments(d, averages, n)
    rate = n["rate"] * np.sqrt(1 - n["beta2"] ** t) / (1 - n["beta1"] ** t)
    return W - rate * v / (np.sqrt(s) + n["epsilon"]), (v, s)


def _make_adam(n: Numbers) -> Optimizer:
    return Adam(n["rate"], n["beta1"], n["beta2"], n["epsilon"])


def _make_momentum(n: Numbers) -> Optimizer:
    return Momentum(n["rate"], n["momentum"])


def _make_averaged(n: Numbers) -> Optimizer:
    return Momentum((1 - n["momentum"]) * n["rate"], n["momentum"])


_OF_MOMENTUM, _OF_ADAM = ("rate", "momentum"), ("rate", "beta1", "beta2", "epsilon")
UPDATES = (
    Update("gradient descent", 0, ("rate",), _descent, lambda n: GradientDescent(n["rate"]), lambda n: ()),
    Update("momentum", 1, _OF_MOMENTUM, _averaged, _make_averaged, lambda n: (-n["rate"],)),
    Update("momentum", 1, _OF_MOMENTUM, _summed, _make_momentum, lambda n: (-n["rate"],)),
    Update("momentum", 1, _OF_MOMENTUM, _added, _make_momentum, lambda n: (1.0,)),
    Update("momentum", 1, _OF_MOMENTUM, _subtracted, _make_momentum, lambda n: (-1.0,)),
    Update("Adam", 2, _OF_ADAM, _adam, _make_adam, lambda n: (1.0, 1.0), counts=True),
    Update("Adam", 2, _OF_ADAM, _adam_of_rate, _make_adam, lambda n: (1.0, 1.0), corrected=False, counts=True),
)
