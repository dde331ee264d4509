"""Data, starts and models of the tests of loops that are taken over."""

import itertools
import warnings

import numpy as np

from .taken import changed

rng = np.random.default_rng(8)
X = rng.standard_normal((6, 70))
Y = (X[:1] + X[1:2] ** 2 > 0.5).astype(float)
HEAD = "    for i in range(num_iterations):\n        STEP\n"
TAKES = ("def L_layer_model(X, Y, layers_dims,", "def L_layer_model(X, Y, parameters,")
NO_START = ("    parameters = initialize_parameters_deep(layers_dims)\n", "")
GIVEN = changed(TAKES, NO_START)  # a model that takes its start

# Forms of the update, as changes of the usual one.
COPY = ("    for l in range(1, len(parameters) // 2 + 1):\n        parameters[f\"W{l}\"] = parameters[f\"W{l}\"] -",
        "    parameters = dict(parameters)\n    for l in range(1, len(parameters) // 2 + 1):\n"
        "        parameters[f\"W{l}\"] = parameters[f\"W{l}\"] -")  # fmt: skip
IN_PLACE = [
    ('parameters[f"W{l}"] = parameters[f"W{l}"] - learning_rate * grads[f"dW{l}"]',
     'parameters[f"W{l}"] -= learning_rate * grads[f"dW{l}"]'),
    ('parameters[f"b{l}"] = parameters[f"b{l}"] - learning_rate * grads[f"db{l}"]',
     'parameters[f"b{l}"] -= learning_rate * grads[f"db{l}"]'),
]  # fmt: skip
NOTHING = [
    ('grads[f"db{l}"]\n    return parameters\n', 'grads[f"db{l}"]\n'),
    ("parameters = update_parameters(parameters, grads, learning_rate)", "update_parameters(parameters, grads, learning_rate)"),
]
UPDATES = {
    "bound": [],
    "copied": [COPY],
    "in place": IN_PLACE,
    "nothing returned": NOTHING,
    "in place, nothing returned": [*IN_PLACE, NOTHING[1], ('grads[f"db{l}"]\n    return parameters\n', 'grads[f"db{l}"]\n')],
}


def start(*sizes, dtype=float, scale=0.5, seed=2):
    draw = np.random.default_rng(seed)
    parameters = {}
    for l, (n_prev, n) in enumerate(itertools.pairwise(sizes), start=1):
        parameters[f"W{l}"] = (scale * draw.standard_normal((n, n_prev))).astype(dtype)
        parameters[f"b{l}"] = (0.1 * draw.standard_normal((n, 1))).astype(dtype)
    return parameters


def training(X=X, Y=Y, sizes=(6, 4, 1), rate=0.2, iterations=250, **options):
    return lambda space: space["L_layer_model"](X, Y, start(*sizes), rate, iterations, **options)


def matrix(values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.matrix(values)
