"""The optimizers of the second course's training, each as the notebooks' step and as the compiled rule that does the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastbackprop.batches import Batches
from fastbackprop.compat._compiled import Parameters
from fastbackprop.compat._optimizers import (
    initialize_adam,
    initialize_velocity,
    update_parameters_with_adam,
    update_parameters_with_gd,
    update_parameters_with_momentum,
)
from fastbackprop.optimizers import Adam, GradientDescent, Momentum, Optimizer


@dataclass(frozen=True)
class Numbers:
    """The numbers of all optimizers."""

    learning_rate: float
    beta: float
    beta1: float
    beta2: float
    epsilon: float


class Update:
    """Gradient descent: the parameters, and the step that changes them. Others keep averages of gradients too.

    ``rule`` is None for numbers that the compiled rule does not take, a rate below 0 or an average that forgets nothing.
    """

    def __init__(self, parameters: Parameters, numbers: Numbers) -> None:
        self.parameters, self.numbers = parameters, numbers
        try:
            self.rule: Any = self.compiled_rule()
        except ValueError:
            self.rule = None

    def compiled_rule(self) -> Optimizer:
        return GradientDescent(self.numbers.learning_rate)

    def step(self, grads: Any) -> None:
        """The notebooks' step."""
        update_parameters_with_gd(self.parameters, grads, self.numbers.learning_rate)

    def write(self, state: Batches) -> None:
        """Have the compiled training go on from here."""
        for key, value in state.views().items():
            value[...] = self.parameters[key]

    def read(self, state: Batches) -> None:
        """Go on from where the compiled training is."""
        self.parameters.update(state.parameters())


class MomentumUpdate(Update):
    """Momentum: the rule's velocity is the notebooks' average v times ``-learning_rate``."""

    def __init__(self, parameters: Parameters, numbers: Numbers) -> None:
        super().__init__(parameters, numbers)
        self.v = initialize_velocity(parameters)

    def compiled_rule(self) -> Optimizer:
        return Momentum((1 - self.numbers.beta) * self.numbers.learning_rate, self.numbers.beta)

    def step(self, grads: Any) -> None:
        update_parameters_with_momentum(self.parameters, grads, self.v, self.numbers.beta, self.numbers.learning_rate)

    def write(self, state: Batches) -> None:
        super().write(state)
        (velocity,) = state.moments()
        for key, value in velocity.items():
            value[...] = -self.numbers.learning_rate * self.v[f"d{key}"]

    def read(self, state: Batches) -> None:
        super().read(state)
        if self.numbers.learning_rate:  # without it parameters stay as they are, whatever v is
            (velocity,) = state.moments()
            self.v = {f"d{key}": value / -self.numbers.learning_rate for key, value in velocity.items()}


class AdamUpdate(Update):
    """Adam."""

    def __init__(self, parameters: Parameters, numbers: Numbers) -> None:
        super().__init__(parameters, numbers)
        self.v, self.s = initialize_adam(parameters)
        self.t = 0

    def compiled_rule(self) -> Optimizer:
        numbers = self.numbers
        return Adam(numbers.learning_rate, numbers.beta1, numbers.beta2, numbers.epsilon)

    def step(self, grads: Any) -> None:
        numbers, self.t = self.numbers, self.t + 1
        update_parameters_with_adam(
            self.parameters, grads, self.v, self.s, self.t,
            numbers.learning_rate, numbers.beta1, numbers.beta2, numbers.epsilon,
        )  # fmt: skip

    def write(self, state: Batches) -> None:
        super().write(state)
        state.t = self.t
        for average, moment in zip((self.v, self.s), state.moments(), strict=True):
            for key, value in moment.items():
                value[...] = average[f"d{key}"]

    def read(self, state: Batches) -> None:
        super().read(state)
        self.t = state.t
        self.v, self.s = ({f"d{key}": value.copy() for key, value in moment.items()} for moment in state.moments())


UPDATES = {"gd": Update, "momentum": MomentumUpdate, "adam": AdamUpdate}
