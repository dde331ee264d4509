"""How far results are from exact ones and from the reference's."""

from decimal import Decimal, localcontext

import numpy as np

import fastbackprop
from fastbackprop import reference
from fastbackprop.testing import SIZES, training_problem
from scripts.measuring.nets import largest_difference

from .table import DTYPES

COUNT = 2_000  # of numbers on each of two scales
ITERATIONS, LEARNING_RATE = 2_500, 0.05


class Sigmoid:
    """The largest error where the result is a normal number, from numbers that are nearly 0 to those where it saturates."""

    params = DTYPES
    param_names = ("dtype",)
    unit = "ulp"

    def setup(self, dtype):
        rng = np.random.default_rng(0)
        least = np.log(np.finfo(dtype).tiny)
        magnitudes = 10 ** rng.uniform(-8, 1, COUNT) * rng.choice((-1, 1), COUNT)
        self.Z = np.concatenate([magnitudes, rng.uniform(least, 40, COUNT)]).astype(dtype).reshape(1, -1)
        with localcontext() as context:
            context.prec = 40
            self.exact = [1 / (1 + (-Decimal(z)).exp()) for z in self.Z.ravel().tolist()]

    def track_largest_error(self, dtype):
        A, _ = fastbackprop.sigmoid(self.Z)
        results = zip(A.ravel().tolist(), np.spacing(A).ravel().tolist(), self.exact, strict=True)
        return float(max(abs(Decimal(a) - exact) / Decimal(ulp) for a, ulp, exact in results))


class Training:
    """The largest difference of a parameter after 2,500 iterations from the same start."""

    params = (("planar", "table", "pictures"), ("direct", "gram"))
    param_names = ("size", "algorithm")
    unit = "of the array's largest entry"

    def setup(self, size, algorithm):
        X, Y, start = training_problem(SIZES[size])
        self.arguments = X, Y, list(SIZES[size].layers), LEARNING_RATE, ITERATIONS
        self.expected = reference.L_layer_model(*self.arguments, parameters=start)
        self.options = {"parameters": start, "algorithm": algorithm}

    def track_distance(self, size, algorithm):
        return largest_difference(fastbackprop.L_layer_model(*self.arguments, **self.options), self.expected)
