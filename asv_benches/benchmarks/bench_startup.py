"""The start of a new process: the import, and the first call of a function with a cold and with a warm disk cache."""

import os
import subprocess
import sys
import tempfile

PROGRAM = """
import time
import numpy as np
import fastbackprop as bp
X = np.random.default_rng(0).standard_normal((2, 400))
W, b, A, Y = np.ones((3, 2)), np.zeros((3, 1)), np.full((1, 400), 0.3), (X[:1] > 0) * 1.0
start = time.perf_counter()
bp.{call}
print(time.perf_counter() - start)
"""
CALLS = {
    "sigmoid": "sigmoid(X)",
    "compute_cost": "compute_cost(A, Y)",
    "linear_activation_forward": "linear_activation_forward(X, W, b, 'relu')",
    "L_layer_model, direct": "L_layer_model(X, Y, [2, 4, 1], num_iterations=1, algorithm='direct')",
}


def _first_call(call, disk_cache):
    """Seconds of the first call of a new process that keeps its machine code in the folder ``disk_cache``."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": disk_cache}
    program = PROGRAM.format(call=CALLS[call])
    process = subprocess.run([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, check=True)
    return float(process.stdout)


class Import:
    number = 1  # a second import in the same process costs nothing

    def timeraw_fastbackprop(self):
        return "import fastbackprop"


class FirstCall:
    params = (tuple(CALLS), ("cold", "warm"))
    param_names = ("call", "disk_cache")
    unit = "s"

    def track_seconds(self, call, disk_cache):
        with tempfile.TemporaryDirectory() as folder:
            if disk_cache == "warm":
                _first_call(call, folder)
            return _first_call(call, folder)
