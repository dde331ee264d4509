"""Calls that a new process makes first, with the folder in which it keeps its machine code."""

import os
import subprocess
import sys

PREPARATION = """
import numpy as np
import fastbackprop as bp
X = np.random.default_rng(0).standard_normal((2, 400))
W, b, A, Y = np.ones((3, 2)), np.zeros((3, 1)), np.full((1, 400), 0.3), (X[:1] > 0) * 1.0
"""
CALLS = {
    "sigmoid": "bp.sigmoid(X)",
    "compute_cost": "bp.compute_cost(A, Y)",
    "linear_activation_forward": "bp.linear_activation_forward(X, W, b, 'relu')",
    "L_layer_model, direct": "bp.L_layer_model(X, Y, [2, 4, 1], num_iterations=1, algorithm='direct')",
}


def run(program: str, disk_cache: str | None = None) -> None:
    """Run a program in a new process, which keeps its machine code in the folder ``disk_cache``."""
    folder = {} if disk_cache is None else {"NUMBA_CACHE_DIR": disk_cache}
    subprocess.run([sys.executable, "-c", program], env=os.environ | folder, stdout=subprocess.DEVNULL, check=True)
