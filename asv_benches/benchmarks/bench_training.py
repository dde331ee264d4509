"""Trainings: ``L_layer_model``, and a user's own loop over the single functions."""

from itertools import pairwise

import numpy as np

from fastbackprop.testing import CASES, SIZES

from .table import DTYPES, IMPLEMENTATIONS, Prepared

# Enough that a call's fixed costs weigh as in real trainings, while the reference needs no more than seconds.
ITERATIONS = {"one": 10_000, "planar": 10_000, "table": 5_000, "digits": 100, "pictures": 500, "square": 10}
NETS = CASES["L_layer_model"].sizes


class _Net(Prepared):
    """Examples, and a net to start from."""

    def prepare(self, implementation, size, dtype):
        self.module = IMPLEMENTATIONS[implementation]
        self.X, self.Y, self.layers_dims, self.learning_rate, _ = CASES["L_layer_model"].make(size, dtype)
        rng = np.random.default_rng(1)
        self.parameters = {}
        for l, (n_prev, n) in enumerate(pairwise(self.layers_dims), start=1):
            self.parameters[f"W{l}"] = (rng.standard_normal((n, n_prev)) / np.sqrt(n_prev)).astype(dtype)
            self.parameters[f"b{l}"] = np.zeros((n, 1), dtype)


class Training(_Net):
    """One call of ``L_layer_model``."""

    params = (tuple(IMPLEMENTATIONS), tuple(f"{size}/{ITERATIONS[size]}" for size in NETS), DTYPES)
    param_names = ("implementation", "size/iterations", "dtype")
    algorithm = "auto"

    def prepare(self, implementation, training, dtype):
        size, _, iterations = training.partition("/")
        super().prepare(implementation, size, dtype)
        self.arguments = self.X, self.Y, self.layers_dims, self.learning_rate, int(iterations)
        self.options: dict[str, object] = {"parameters": self.parameters}
        if implementation == "fast":
            self.options["algorithm"] = self.algorithm

    def call(self, *parameters):
        self.module.L_layer_model(*self.arguments, **self.options)

    def time_training(self, *parameters):
        self.call()


class DirectTraining(Training):
    """Direct descent where gram descent may pay: the kernels without its mathematics."""

    wide = tuple(size for size in NETS if SIZES[size].m < 2 * SIZES[size].layers[0])
    params = (tuple(IMPLEMENTATIONS), tuple(f"{size}/{ITERATIONS[size]}" for size in wide), DTYPES)
    algorithm = "direct"


class OwnLoop(_Net):
    """One turn of a loop as users write it."""

    params = (tuple(IMPLEMENTATIONS), NETS, DTYPES)
    param_names = ("implementation", "size", "dtype")

    def call(self, *parameters):
        AL, caches = self.module.L_model_forward(self.X, self.parameters)
        self.module.compute_cost(AL, self.Y)
        grads = self.module.L_model_backward(AL, self.Y, caches)
        self.module.update_parameters(dict(self.parameters), grads, self.learning_rate)

    def time_iteration(self, *parameters):
        self.call()
