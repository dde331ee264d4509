"""Starts and loops as the authors of recorded numbers wrote them."""

import numpy as np

import fastbackprop as bp


def train(X, Y, parameters, learning_rate, num_iterations):
    """A user's own loop over the drop-in functions; the parameters and the cost of every iteration."""
    costs = []
    for _ in range(num_iterations):
        AL, caches = bp.L_model_forward(X, parameters)
        costs.append(float(bp.compute_cost(AL, Y)))
        grads = bp.L_model_backward(AL, Y, caches)
        parameters = bp.update_parameters(parameters, grads, learning_rate)
    return parameters, costs


def start(layers, seed, scale):
    """``W_l ~ randn * scale(n_prev)`` from the legacy generator, ``b_l = 0``."""
    np.random.seed(seed)
    parameters = {}
    for l in range(1, len(layers)):
        parameters[f"W{l}"] = np.random.randn(layers[l], layers[l - 1]) * scale(layers[l - 1])
        parameters[f"b{l}"] = np.zeros((layers[l], 1))
    return parameters


def lecun(n_prev):
    return 1 / np.sqrt(n_prev)


def he(n_prev):
    return np.sqrt(2.0 / n_prev)
