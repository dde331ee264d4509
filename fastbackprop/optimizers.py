"""Update rules, one frozen dataclass each: how a gradient d changes a parameter W.

d is ``dW + (l2 / m) W`` for weights, with the batch's m examples, and db for biases. The formulas stand in
``kernels/update.py``, and in NumPy in ``reference/optimizers.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from fastbackprop import arguments


@dataclass(frozen=True)
class Optimizer:
    """What all update rules have: a learning rate; their numbers are checked as they are made."""

    learning_rate: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = arguments.real(field.name, getattr(self, field.name))
            if field.name in ("learning_rate", "epsilon"):
                if not 0 <= value < float("inf"):
                    raise ValueError(f"{field.name} is {value!r}; expected a finite number, at least 0")
            elif not 0 <= value < 1:
                raise ValueError(f"{field.name} is {value!r}; expected a number from 0 to below 1")
            object.__setattr__(self, field.name, value)


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Gradient descent: ``W <- W - learning_rate d``."""

    learning_rate: float = 0.0075


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Gradient descent with momentum: ``V <- momentum V - learning_rate d``, ``W <- W + V``; V begins with 0.

    Source: Polyak, Some methods of speeding up the convergence of iteration methods, 1964. Where the velocity is an average,
    ``V <- beta V + (1 - beta) d`` and ``W <- W - alpha V``, learning_rate is ``(1 - beta) alpha`` here.
    """

    learning_rate: float = 0.01
    momentum: float = 0.9


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Nesterov's momentum: ``V <- momentum V - learning_rate d``, ``W <- W + momentum V - learning_rate d``.

    Source: Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep learning, 2013.
    """

    learning_rate: float = 0.01
    momentum: float = 0.9


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: ``M <- beta1 M + (1 - beta1) d``, ``V <- beta2 V + (1 - beta2) d^2``, in batch t

    ``W <- W - learning_rate (M / (1 - beta1^t)) / (sqrt(V / (1 - beta2^t)) + epsilon)``.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 1.
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8


# By the names that the command line has for them.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "gradient_descent": GradientDescent,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adam": Adam,
}


def name_of(optimizer: Optimizer) -> str:
    """The name of its rule."""
    return next(name for name, kind in OPTIMIZERS.items() if kind is type(optimizer))
