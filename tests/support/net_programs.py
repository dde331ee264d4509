"""Programs that train nets of other kinds than the fourteen functions do, put together of parts, and what calls of them do."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from unittest import mock

import numpy as np

import fastbackprop as bp
from fastbackprop.algorithms import Direct
from fastbackprop.takeover.nets.engines import ByBatches, FullBatch

from .taken import Outcome, assert_same, namespace

STEPS = """import numpy as np


def g(Z):
    return np.tanh(Z)


def slope(A):
    return 1 - A**2


def output(Z):
    return 1.0 / (1.0 + np.exp(-Z))


def forward(X, parameters):
    A, cache, L = X, [X], len(parameters) // 2
    for l in range(1, L + 1):
        Z = parameters["W" + str(l)] @ A + parameters["b" + str(l)]
        A = g(Z) if l < L else output(Z)
        cache.append(A)
    return A, cache


def compute_cost(AL, Y):
    return float(-np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)))


def backward(AL, Y, cache, parameters):
    m, grads = Y.shape[1], {}
    dZ = AL - Y
    for l in range(len(parameters) // 2, 0, -1):
        grads["dW" + str(l)] = dZ @ cache[l - 1].T / m
        grads["db" + str(l)] = dZ.sum(axis=1, keepdims=True) / m
        dZ = (parameters["W" + str(l)].T @ dZ) * slope(cache[l - 1])
    return grads


def update_parameters(parameters, grads, learning_rate):
    for key in parameters:
        parameters[key] = parameters[key] - learning_rate * grads["d" + key]
    return parameters

"""

STEP = """        AL, cache = forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = backward(AL, Y, cache, parameters)
        parameters = update_parameters(parameters, grads, learning_rate)
"""

LOOP = """
def fit(X, Y, parameters, learning_rate=0.3, iterations=120):
    costs = []
    for i in range(iterations):
STEP        if i % 20 == 0:
            costs.append(cost)
            print(i, cost)
    return parameters, costs, i
"""

MODEL = STEPS + LOOP.replace("STEP", STEP)

BATCHES = """
def batches_of(X, Y, size):
    order = np.random.permutation(X.shape[1])
    return [(X[:, order[k:k + size]], Y[:, order[k:k + size]]) for k in range(0, len(order), size)]


def fit(X, Y, parameters, learning_rate=0.3, epochs=80, size=16):
    costs = []
    for i in range(epochs):
        total = 0
        for X_batch, Y_batch in batches_of(X, Y, size):
            AL, cache = forward(X_batch, parameters)
            total += compute_cost(AL, Y_batch)
            grads = backward(AL, Y_batch, cache, parameters)
            parameters = update_parameters(parameters, grads, learning_rate)
        if i % 20 == 0:
            costs.append(total)
            print(i, total)
    return parameters, costs, i
"""

MOMENTUM = [
    (
        "learning_rate):\n    for key in parameters:\n"
        '        parameters[key] = parameters[key] - learning_rate * grads["d" + key]\n'
        "    return parameters\n",
        "v, learning_rate, beta):\n    for key in parameters:\n"
        '        v["d" + key] = beta * v["d" + key] + (1 - beta) * grads["d" + key]\n'
        '        parameters[key] = parameters[key] - learning_rate * v["d" + key]\n    return parameters, v\n',
    ),
    (
        "parameters = update_parameters(parameters, grads, learning_rate)",
        "parameters, v = update_parameters(parameters, grads, v, learning_rate, beta)",
    ),
    (
        "    costs = []\n",
        '    costs, beta = [], 0.8\n    v = {"d" + key: np.zeros_like(value) for key, value in parameters.items()}\n',
    ),
    ("return parameters, costs, i", "return parameters, costs, i, v"),
]


def data(units=1, m=90):
    """X and the labels of as many units, one-hot where they are several."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((4, m))
    if units == 1:
        return X, (X[:1] + X[1:2] ** 2 > 0.5).astype(float)
    return X, np.eye(units)[:, np.argmax(X[:units], axis=0)]


def start(*sizes, scale=0.5):
    rng = np.random.default_rng(3)
    made = {}
    for l, (n_prev, n) in enumerate(itertools.pairwise(sizes), start=1):
        made[f"W{l}"] = scale * rng.standard_normal((n, n_prev))
        made[f"b{l}"] = np.zeros((n, 1))
    return made


@contextlib.contextmanager
def compiled() -> Iterator[list[int]]:
    """The lengths of the compiled stretches of iterations, or of epochs, within."""
    lengths: list[int] = []

    def counted(kind, name, length):
        made = getattr(kind, name)

        def count(self, *args):
            lengths.append(length(*args))
            return made(self, *args)

        return mock.patch.object(kind, name, count)

    with (
        counted(Direct, "stretch", lambda iterations, every: iterations),
        counted(FullBatch, "stretch", lambda iterations, every: iterations),
        counted(ByBatches, "trained", lambda order, rates: len(rates)),
    ):
        yield lengths


def both(text, call, verdict="taken over", name="fit", rtol=1e-9, atol=1e-12):
    """A call does the same with and without the patch; returns how many iterations or epochs ran compiled, and the report's
    sentence."""
    own = Outcome(call, namespace(text))
    space = namespace(text)
    (row,) = (row for row in bp.patch(space).rows if row.name == name)
    assert row.verdict == verdict, row
    with compiled() as lengths:
        ours = Outcome(call, space)
    assert ours.error == own.error
    assert own.error is None or verdict == "left" or lengths is not None
    assert ours.random == own.random
    assert [line.split()[0] for line in ours.printed.splitlines()] == [line.split()[0] for line in own.printed.splitlines()]
    assert_same(ours.result, own.result, rtol, atol)
    return sum(lengths), row.how
