"""Output layers of general training, in NumPy: what the last layer returns, its cost, and the cost's gradient.

An output is an activation together with a cost, matched so that ``dZ_L = A_L - Y``. Each row of ``OUTPUTS`` is a pair of
functions: ``value(Z)`` returns ``A_L``, and ``losses(Z, Y)`` returns one loss an example, a sum over the n_L rows.
Cross-entropy is taken from the logits ``Z_L``, so that its logarithms are finite wherever Z is.
"""

import numpy as np

from fastbackprop import reference


def sigmoid(Z):
    """``A = 1 / (1 + exp(-Z))``: each row is a probability of its own."""
    A, _ = reference.sigmoid(Z)
    return A


def sigmoid_losses(Z, Y):
    """``-sum(Y log(A) + (1 - Y) log(1 - A))`` over the rows, with ``-log(A) = log(1 + exp(-Z))``."""
    return np.sum(Y * np.logaddexp(0, -Z) + (1 - Y) * np.logaddexp(0, Z), axis=0)


def shifted(Z):
    """Z less the largest of its column, which changes neither of the two below: exp does not overflow."""
    return Z - np.max(Z, axis=0, keepdims=True)


def softmax(Z):
    """``A = exp(Z) / sum(exp(Z))``, the sum over the rows: a column is one distribution over the classes."""
    E = np.exp(shifted(Z))
    return E / np.sum(E, axis=0, keepdims=True)


def log_softmax(Z):
    """``log(A) = Z - log(sum(exp(Z)))``, finite where A is too small for a number."""
    Z = shifted(Z)
    return Z - np.log(np.sum(np.exp(Z), axis=0, keepdims=True))


def softmax_losses(Z, Y):
    """``-sum(Y log(A))`` over the rows; a column of Y is one-hot, or a distribution."""
    return -np.sum(Y * log_softmax(Z), axis=0)


def identity(Z):
    """``A = Z``."""
    return Z


def identity_losses(Z, Y):
    """``sum((A - Y)^2) / 2`` over the rows."""
    return np.sum((Z - Y) ** 2, axis=0) / 2


OUTPUTS = {
    "sigmoid": (sigmoid, sigmoid_losses),
    "softmax": (softmax, softmax_losses),
    "identity": (identity, identity_losses),
}


def functions_of(output):
    """The functions of an output, value and losses."""
    if output not in tuple(OUTPUTS):
        raise ValueError(f"output is {output!r}; known ones are {', '.join(map(repr, OUTPUTS))}")
    return OUTPUTS[output]


def total(m, weights):
    """What a sum over m examples is divided by for its mean: m, or the sum of their weights."""
    if weights is None:
        return m
    if not (summed := np.sum(weights)) > 0:
        raise ValueError(f"weights sum to {summed}; expected a positive sum, also in each batch")
    return summed


def cost(output, Z, Y, weights=None):
    """The mean of the losses over the examples, a 0-d array: ``sum(w * losses) / sum(w)`` with weights w."""
    _, losses = functions_of(output)
    each = losses(Z, Y)
    return np.sum(each if weights is None else weights * each) / total(Z.shape[1], weights)


def gradient(A, Y, weights=None):
    """``dZ_L = A_L - Y``; with weights each example's column times its weight."""
    dZ = A - Y
    return dZ if weights is None else weights * dZ
