"""The most memory that a process takes whose training is in one of the regimes that differ in what they allocate."""

import importlib

import numpy as np

from fastbackprop.testing import SIZES
from scripts.measuring.nets import LEARNING_RATE, start

from .new_process import run
from .table import DTYPES, IMPLEMENTATIONS

# Blocks of narrow nets, products of wide layers, X^T X: sizes at which X alone is some ten or hundred megabytes.
REGIMES = {"direct, wide": "wide", "direct, narrow": "million", "gram": "many"}
# The same for `train` and the reference's general descent: the optimizer, and examples a batch.
GENERAL_REGIMES = {"batches": ("million", "Adam", 200), "gram, momentum": ("many", "Momentum", None)}
ITERATIONS = 2  # what a training allocates it allocates at once, or in the first iteration
COMPILE = """
import fastbackprop as bp
from fastbackprop.testing import Size, training_problem
X, Y, start = training_problem(Size((3, 2, 1), 2), {!r})
bp.L_layer_model(X, Y, [3, 2, 1], 0.01, 1, parameters=start, algorithm={!r})
"""
COMPILE_GENERAL = """
import fastbackprop as bp
from fastbackprop.testing import Size, training_problem
X, Y, start = training_problem(Size(({}, 2, 1), 2), {!r})
bp.train(X, Y, [len(X), 2, 1], optimizer=bp.{}(), batch_size={}, epochs=1, parameters=start, shuffle=False)
"""


def problem(size, dtype):
    """X, Y, layers_dims and a start, with nothing of the size of X beside it: it would be the peak."""
    layers, m = SIZES[size]
    X = np.random.default_rng(0).standard_normal((layers[0], m), dtype)
    return X, (X[:1] > 0).astype(dtype), list(layers), {key: value.astype(dtype) for key, value in start(layers).items()}


class Memory:
    params = (tuple(IMPLEMENTATIONS), tuple(REGIMES), DTYPES)
    param_names = ("implementation", "regime", "dtype")

    def setup(self, implementation, regime, dtype):
        self.options = {}
        if implementation == "fast":
            self.options["algorithm"] = regime.partition(",")[0]
            run(COMPILE.format(dtype, self.options["algorithm"]))  # in another process: the compiler takes memory too
        X, Y, layers, self.options["parameters"] = problem(REGIMES[regime], dtype)
        self.arguments = X, Y, layers, LEARNING_RATE, ITERATIONS

    def peakmem_training(self, implementation, regime, dtype):
        IMPLEMENTATIONS[implementation].L_layer_model(*self.arguments, **self.options)


class GeneralMemory:
    params = (tuple(IMPLEMENTATIONS), tuple(GENERAL_REGIMES), DTYPES)
    param_names = ("implementation", "regime", "dtype")

    def setup(self, implementation, regime, dtype):
        size, rule, self.batch_size = GENERAL_REGIMES[regime]
        if implementation == "fast":
            run(COMPILE_GENERAL.format(SIZES[size].layers[0], dtype, rule, self.batch_size))
        self.X, self.Y, self.layers_dims, self.start = problem(size, dtype)
        self.optimizer = getattr(importlib.import_module("fastbackprop.optimizers"), rule)(LEARNING_RATE)

    def peakmem_training(self, implementation, regime, dtype):
        same = {"optimizer": self.optimizer, "batch_size": self.batch_size, "epochs": ITERATIONS}
        if implementation == "fast":
            train = importlib.import_module("fastbackprop").train
            train(self.X, self.Y, self.layers_dims, parameters=self.start, shuffle=False, **same)
        else:
            kinds = {"hidden": "relu", "output": "sigmoid"}
            descend = importlib.import_module("fastbackprop.reference.general").descend
            descend(self.X, self.Y, self.layers_dims, self.start, **kinds, **same)
