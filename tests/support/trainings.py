"""A small training, as a user calls it, and the program of a larger one for separate processes."""

from typing import Any

import numpy as np

import fastbackprop as bp
from fastbackprop.testing import CASES, Size

SIZE = Size((9, 4, 1), 6)
LAYERS = list(SIZE.layers)
X, START = CASES["L_model_forward"].make(SIZE, "float64", "read-only")
Y = np.array([[0, 1, 0, 0, 1, 1]])


def train(iterations: Any = 250, X=X, Y=Y, layers: Any = LAYERS, rate: Any = 0.1, module=bp, **options) -> Any:
    options = {"parameters": START, "return_costs": True} | options
    return module.L_layer_model(X, Y, layers, rate, iterations, **options)


def drawn():
    """The state of NumPy's global generator."""
    state = np.random.get_state(legacy=False)["state"]
    return state["key"].tolist(), state["pos"]


PROBLEM = """
import signal
import numpy as np
import fastbackprop as bp
layers, m = {layers}, {m}
rng = np.random.default_rng(0)
X = rng.standard_normal((layers[0], m))
Y = X[:1] > 0
def train(iterations, **options):
    np.random.seed(1)
    return bp.L_layer_model(X, Y, layers, 0.01, iterations, algorithm="{algorithm}", return_costs=True, **options)
"""
