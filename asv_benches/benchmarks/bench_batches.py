"""General training: epochs by mini-batches, whole trainings by gram descent, and one gradient; the reference is `general`."""

import importlib
from typing import Any

import numpy as np

from fastbackprop.testing import CASES, SIZES

from .table import DTYPES, IMPLEMENTATIONS, Prepared

# So small that parameters stay where they are: call after call has the same work.
LEARNING_RATE = 1e-12
# What differs from relu, a sigmoid output, Adam and batches of 200 examples. A rule is its class and its learning rate.
KINDS: dict[str, dict[str, Any]] = {
    "adam": {},
    "gradient descent": {"rule": "GradientDescent"},
    "momentum": {"rule": "Momentum"},
    "nesterov": {"rule": "Nesterov"},
    "adam, l2": {"l2": 0.1},
    "adam, batches of 32": {"batch_size": 32},
    "adam, full batch": {"batch_size": None},
    "adam, tanh": {"hidden": "tanh"},
    "adam, sigmoid": {"hidden": "sigmoid"},
    "adam, leaky_relu": {"hidden": "leaky_relu"},
    "adam, identity": {"hidden": "identity"},
    "adam, squared error": {"output": "identity"},
    "adam, softmax": {"output": "softmax"},
}
GRAM_KINDS: dict[str, dict[str, Any]] = {
    "momentum": {"rule": "Momentum"},
    "nesterov": {"rule": "Nesterov"},
    "gradient descent, l2": {"rule": "GradientDescent", "l2": 0.1},
    "momentum, l2": {"rule": "Momentum", "l2": 0.1},
}
GRAM_ITERATIONS = {"one": 100, "pictures": 500}


class _General(Prepared):
    """A problem, and what a training of its kind computes."""

    def of_kind(self, implementation, size, dtype, *, rule="Adam", hidden="relu", output="sigmoid", l2=0.0, batch_size=200):
        (*_, n_L), m = self.layers_dims, _ = SIZES[size]
        if output == "softmax" and n_L < 2:
            raise NotImplementedError(f"{size} has one output")
        # X as rows of examples, transposed: batches gather examples that lie in one piece.
        self.X, self.start = CASES["L_model_forward"].make(size, dtype, "Fortran")
        rng = np.random.default_rng(1)
        classes = rng.integers(n_L, size=m)
        self.Y = np.eye(n_L)[:, classes] if output == "softmax" else rng.integers(2, size=(n_L, m))
        self.Y = np.asfortranarray(self.Y.astype(dtype))
        # Here, since asv measures commits that lack these modules; what they lack fails in the set-up, and nothing else.
        self.optimizer = getattr(importlib.import_module("fastbackprop.optimizers"), rule)(LEARNING_RATE)
        self.computed = {"hidden": hidden, "output": output}
        if implementation == "fast":
            tables = importlib.import_module("fastbackprop.activations")
            self.computed = {"hidden": tables.HIDDEN[hidden], "output": tables.OUTPUTS[output]}
            self.module = importlib.import_module("fastbackprop.batches")
        else:
            self.module = importlib.import_module("fastbackprop.reference.general")
        self.l2, self.batch_size, self.order = l2, batch_size, rng.permutation(m)

    def descend(self, epochs, orders):
        """The reference's training."""
        self.module.descend(
            self.X, self.Y, self.layers_dims, self.start, **self.computed, optimizer=self.optimizer, l2=self.l2,
            batch_size=self.batch_size, orders=orders, epochs=epochs,
        )  # fmt: skip

    def batches(self):
        """The fast side's."""
        return self.module.Batches(
            self.X, self.Y, list(self.layers_dims), self.start, **self.computed, optimizer=self.optimizer, l2=self.l2,
            batch_size=self.batch_size,
        )  # fmt: skip


class Epoch(_General):
    """An epoch in an order of its own, of a training that continues."""

    params = (tuple(IMPLEMENTATIONS), tuple(KINDS), ("table", "classes", "digits"), DTYPES)
    param_names = ("implementation", "kind", "size", "dtype")

    def prepare(self, implementation, kind, size, dtype):
        self.of_kind(implementation, size, dtype, **KINDS[kind])
        self.work = self.batches() if implementation == "fast" else None
        self.rates = np.array([LEARNING_RATE])

    def call(self, *parameters):
        if self.work is None:
            self.descend(1, [self.order])
        else:
            self.work.advance(self.order, self.rates)

    def time_epoch(self, *parameters):
        self.call()


class GramRules(_General):
    """A whole training by full batches, by gram descent with momentum or with weight decay."""

    params = (tuple(IMPLEMENTATIONS), tuple(GRAM_KINDS), tuple(f"{size}/{n}" for size, n in GRAM_ITERATIONS.items()), DTYPES)
    param_names = ("implementation", "kind", "size/iterations", "dtype")

    def prepare(self, implementation, kind, training, dtype):
        size, _, iterations = training.partition("/")
        self.of_kind(implementation, size, dtype, batch_size=None, **GRAM_KINDS[kind])
        self.implementation, self.iterations = implementation, int(iterations)

    def call(self, *parameters):
        if self.implementation == "reference":
            self.descend(self.iterations, None)
            return
        work = importlib.import_module("fastbackprop.gram_rules").GramRule(
            self.X, self.Y, list(self.layers_dims), self.start, self.optimizer, self.l2, **self.computed
        )
        work.load()
        work.prepare()
        work.advance(self.iterations)
        work.parameters()

    def time_training(self, *parameters):
        self.call()


class Gradient(_General):
    """Cost and gradients of all examples: tanh, squared error."""

    params = (tuple(IMPLEMENTATIONS), ("small", "table", "digits"), DTYPES)
    param_names = ("implementation", "size", "dtype")

    def prepare(self, implementation, size, dtype):
        self.of_kind(implementation, size, dtype, hidden="tanh", output="identity", batch_size=None)
        self.work = self.batches() if implementation == "fast" else None

    def call(self, *parameters):
        if self.work is None:
            self.module.cost_and_gradients(self.X, self.Y, self.start, **self.computed)
        else:
            self.work.loss_and_gradients()

    def time_gradient(self, *parameters):
        self.call()
