"""The most memory that a process takes whose training is in one of the regimes that differ in what they allocate."""

import numpy as np

from fastbackprop.testing import SIZES
from scripts.measuring.nets import LEARNING_RATE, start

from .new_process import run
from .table import DTYPES, IMPLEMENTATIONS

# Blocks of narrow nets, products of wide layers, X^T X: sizes at which X alone is some ten or hundred megabytes.
REGIMES = {"direct, wide": "wide", "direct, narrow": "million", "gram": "many"}
ITERATIONS = 2  # what a training allocates it allocates at once, or in the first iteration
COMPILE = """
import fastbackprop as bp
from fastbackprop.testing import Size, training_problem
X, Y, start = training_problem(Size((3, 2, 1), 2), {!r})
bp.L_layer_model(X, Y, [3, 2, 1], 0.01, 1, parameters=start, algorithm={!r})
"""


class Memory:
    params = (tuple(IMPLEMENTATIONS), tuple(REGIMES), DTYPES)
    param_names = ("implementation", "regime", "dtype")

    def setup(self, implementation, regime, dtype):
        self.options = {}
        if implementation == "fast":
            self.options["algorithm"] = regime.partition(",")[0]
            run(COMPILE.format(dtype, self.options["algorithm"]))  # in another process: the compiler takes memory too
        layers, m = SIZES[REGIMES[regime]]
        # Nothing of the size of X beside it: it would be the peak.
        X = np.random.default_rng(0).standard_normal((layers[0], m), dtype)
        self.options["parameters"] = {key: value.astype(dtype) for key, value in start(layers).items()}
        self.arguments = X, (X[:1] > 0).astype(dtype), list(layers), LEARNING_RATE, ITERATIONS

    def peakmem_training(self, implementation, regime, dtype):
        IMPLEMENTATIONS[implementation].L_layer_model(*self.arguments, **self.options)
