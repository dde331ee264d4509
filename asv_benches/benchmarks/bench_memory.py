"""The most memory that a process takes whose training is in one of the regimes that differ in what they allocate."""

from fastbackprop.testing import SIZES, training_problem

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
        size = SIZES[REGIMES[regime]]
        X, Y, self.options["parameters"] = training_problem(size, dtype)
        self.arguments = X, Y, list(size.layers), 0.01, ITERATIONS

    def peakmem_training(self, implementation, regime, dtype):
        IMPLEMENTATIONS[implementation].L_layer_model(*self.arguments, **self.options)
