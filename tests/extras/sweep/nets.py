"""Small data, configurations of both functions, and what each of them trains to alone."""

from typing import Any

import numpy as np

import fastbackprop as bp

rng = np.random.default_rng(0)
WIDE = rng.standard_normal((300, 24)), (rng.random((1, 24)) < 0.5).astype(float)
TALL = rng.standard_normal((3, 150)), (rng.random((1, 150)) < 0.5).astype(float)

BY_DESCENT: list[dict[str, Any]] = [
    {"layers_dims": [300, 5, 1], "learning_rate": rate, "num_iterations": 150, "seed": seed}
    for rate in (0.01, 0.1)
    for seed in (1, 2)
] + [
    {"layers_dims": [300, 4, 3, 1], "num_iterations": 101, "seed": 2**32 - 1},
    {"layers_dims": [300, 4, 1], "num_iterations": 101, "seed": 0, "algorithm": "direct"},
    {"layers_dims": [300, 1], "seed": 0, "num_iterations": 3, "algorithm": "gram"},
]
BY_TRAIN: list[dict[str, Any]] = [
    {"layers_dims": [300, 5, 1], "optimizer": bp.Momentum(0.01), "epochs": 40, "seed": 3},
    {"layers_dims": [300, 5, 1], "hidden": "tanh", "l2": 0.1, "epochs": 40, "seed": 3},
    {"layers_dims": [300, 5, 1], "hidden": bp.LeakyRelu(0.2), "optimizer": bp.Adam(0.01), "epochs": 20, "seed": 4},
    {"layers_dims": [300, 4, 1], "batch_size": 7, "epochs": 6, "seed": 5, "init": "small"},
    {"layers_dims": [300, 3, 1], "validation": 0.25, "patience": 2, "epochs": 30, "seed": 6},
    {"layers_dims": [300, 3, 1], "output": "identity", "epochs": 30, "seed": 7},
    {"layers_dims": [300, 3, 2], "output": "softmax", "epochs": 30, "seed": 8},
]


def alone(X, Y, configuration, held_out=None):
    """``parameters, costs, accuracy`` of a call of the configuration's function."""
    configuration = dict(configuration)
    if set(configuration) <= {"layers_dims", "learning_rate", "num_iterations", "algorithm", "seed", "parameters"}:
        seed = configuration.pop("seed", None)
        before = np.random.get_state()
        np.random.seed(seed)
        parameters, costs = bp.L_layer_model(X, Y, **configuration, return_costs=True)
        np.random.set_state(before)
        accuracy = None if held_out is None else float((bp.predict(held_out[0], parameters) == held_out[1]).mean())
        return parameters, costs, accuracy
    net = bp.train(X, Y, **configuration)
    return net.parameters, net.costs, None if held_out is None else net.score(*held_out)


def outcome(record):
    """The same of a record."""
    return record.parameters, record.costs, record.accuracy
