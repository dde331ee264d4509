"""Hidden activations of general training, in NumPy: ``A = g(Z)``, and the gradient from A.

Each row of ``HIDDEN`` is a pair of functions: ``forward(Z)`` returns A, and ``gradient(dA, A)`` returns ``dZ = dA * g'(Z)``,
where ``g'(Z)`` is expressed by A. A slope at the kink ``Z = 0`` is that of the left side.
"""

import numpy as np

from fastbackprop import reference


def relu(Z):
    """``A = max(0, Z)``."""
    A, _ = reference.relu(Z)
    return A


def relu_gradient(dA, A):
    """``dZ = dA`` where ``A > 0``, 0 where ``A <= 0``: A has the sign of Z, or is 0."""
    return reference.relu_backward(dA, A)


def sigmoid(Z):
    """``A = 1 / (1 + exp(-Z))``."""
    A, _ = reference.sigmoid(Z)
    return A


def sigmoid_gradient(dA, A):
    """``dZ = dA * A * (1 - A)``."""
    return dA * A * (1 - A)


def tanh(Z):
    """``A = tanh(Z)``."""
    A, _ = reference.tanh(Z)
    return A


def tanh_gradient(dA, A):
    """``dZ = dA * (1 - A^2)``."""
    return dA * (1 - A * A)


def identity(Z):
    """``A = Z``."""
    return Z


def identity_gradient(dA, A):
    """``dZ = dA``."""
    return dA


def leaky_relu(Z, slope=0.01):
    """``A = Z`` where ``Z > 0``, ``slope * Z`` where ``Z <= 0``; the slope is at least 0."""
    return np.where(Z <= 0, slope * Z, Z)


def leaky_relu_gradient(dA, A, slope=0.01):
    """``dZ = dA`` where ``A > 0``, ``slope * dA`` where ``A <= 0``: with a slope of at least 0, A is positive where Z is."""
    return np.where(A <= 0, slope * dA, dA)


HIDDEN = {
    "relu": (relu, relu_gradient),
    "sigmoid": (sigmoid, sigmoid_gradient),
    "tanh": (tanh, tanh_gradient),
    "identity": (identity, identity_gradient),
    "leaky_relu": (leaky_relu, leaky_relu_gradient),
}


def functions_of(hidden):
    """Forward and gradient of a hidden activation: a name in ``HIDDEN``, or a ``LeakyRelu`` with its slope."""
    if type(hidden).__name__ == "LeakyRelu":
        slope = hidden.slope
        if not slope >= 0:
            raise ValueError(f"slope is {slope!r}; expected a number, at least 0: else A does not determine the sign of Z")
        return lambda Z: leaky_relu(Z, slope), lambda dA, A: leaky_relu_gradient(dA, A, slope)
    if hidden not in tuple(HIDDEN):
        raise ValueError(f"hidden is {hidden!r}; known ones are {', '.join(map(repr, HIDDEN))}, or LeakyRelu(slope)")
    return HIDDEN[hidden]
