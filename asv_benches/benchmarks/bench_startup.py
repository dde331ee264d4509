"""What a new process pays: the import, and its first training with a cold and with a warm disk cache."""

import os
import subprocess
import sys
import tempfile

FIRST_TRAINING = """
import time
import numpy as np
import fastbackprop
X = np.random.default_rng(0).standard_normal((2, 400))
start = time.perf_counter()
fastbackprop.L_layer_model(X, X[:1] > 0, [2, 4, 1], num_iterations=1)
print(time.perf_counter() - start)
"""


def _first_training(disk_cache):
    """Seconds of the first training of a new process that keeps its machine code in the folder ``disk_cache``."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": disk_cache}
    process = subprocess.run([sys.executable, "-c", FIRST_TRAINING], env=environment, stdout=subprocess.PIPE, check=True)
    return float(process.stdout)


class Import:
    number = 1  # a second import in the same process costs nothing

    def timeraw_fastbackprop(self):
        return "import fastbackprop"


class FirstTraining:
    params = ("cold", "warm")
    param_names = ("disk_cache",)
    unit = "s"

    def track_seconds(self, disk_cache):
        with tempfile.TemporaryDirectory() as folder:
            if disk_cache == "warm":
                _first_training(folder)
            return _first_training(folder)
