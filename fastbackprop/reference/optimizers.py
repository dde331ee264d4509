"""Update rules of general training, in NumPy: one step of one parameter W (or b) along its gradient d.

Each rule returns the new W; what it remembers from step to step is in ``state``, a dict of that parameter's own, empty before
the first step. ``fastbackprop.optimizers`` has the rules as dataclasses of the same fields, with their sources.
"""

import numpy as np


def gradient_descent(W, d, state, *, learning_rate):
    """``W <- W - learning_rate d``."""
    return W - learning_rate * d


def momentum(W, d, state, *, learning_rate, momentum):
    """``V <- momentum V - learning_rate d``, ``W <- W + V``; V begins with 0."""
    V = state["V"] = momentum * state.get("V", 0) - learning_rate * d
    return W + V


def nesterov(W, d, state, *, learning_rate, momentum):
    """``V <- momentum V - learning_rate d``, ``W <- W + momentum V - learning_rate d``; V begins with 0."""
    V = state["V"] = momentum * state.get("V", 0) - learning_rate * d
    return W + momentum * V - learning_rate * d


def adam(W, d, state, *, learning_rate, beta1, beta2, epsilon):
    """``M <- beta1 M + (1 - beta1) d``, ``V <- beta2 V + (1 - beta2) d^2``; both begin with 0. In step t = 1, 2, ...

    ``W <- W - learning_rate (M / (1 - beta1^t)) / (sqrt(V / (1 - beta2^t)) + epsilon)``.
    """
    t = state["t"] = state.get("t", 0) + 1
    M = state["M"] = beta1 * state.get("M", 0) + (1 - beta1) * d
    V = state["V"] = beta2 * state.get("V", 0) + (1 - beta2) * d**2
    M_corrected = M / (1 - beta1**t)
    V_corrected = V / (1 - beta2**t)
    return W - learning_rate * M_corrected / (np.sqrt(V_corrected) + epsilon)


# The rules by the name of their dataclass.
RULES: dict = {"GradientDescent": gradient_descent, "Momentum": momentum, "Nesterov": nesterov, "Adam": adam}


def step(optimizer, parameters, grads, state):
    """One step of all parameters ``W1, b1, ...`` along ``dW1, db1, ...``, as a new dict; ``state`` has a dict for each."""
    name = type(optimizer).__name__
    if name not in RULES:
        raise ValueError(f"optimizer is {optimizer!r}; known ones are {', '.join(RULES)}")
    return {
        key: RULES[name](W, grads[f"d{key}"], state.setdefault(key, {}), **vars(optimizer)) for key, W in parameters.items()
    }
