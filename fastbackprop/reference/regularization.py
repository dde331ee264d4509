"""L2 regularization, in NumPy: a penalty on the weights of all layers, not on the biases."""

import numpy as np


def l2_penalty(parameters, l2, m):
    """``l2 / (2 m) * sum(W^2)`` over the weights of all layers; m is the number of examples, or the sum of their weights."""
    L = len(parameters) // 2
    return l2 / (2 * m) * sum(np.sum(parameters[f"W{l}"] ** 2) for l in range(1, L + 1))


def l2_gradient(W, l2, m):
    """What the penalty adds to dW: ``l2 / m * W``."""
    return l2 / m * W
