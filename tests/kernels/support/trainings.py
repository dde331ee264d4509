"""Trainings for the tests of the compiled loops: data with a rule to learn, and the reference's way through them."""

import numpy as np

from fastbackprop import reference
from fastbackprop.algorithms import COST_EVERY, Direct, Gram
from fastbackprop.testing import CASES, TRAINING_RTOL, Size, assert_within_bound, map_arrays

from .probes import mailboxes

ALGORITHMS = {"direct": Direct, "gram": Gram}


def problem(layers, m, dtype="float64", seed=0):
    """X, Y, start: labels by a rule, so that descent is well-posed."""
    X, start = CASES["L_model_forward"].make(Size(tuple(layers), m), dtype, seed=seed)
    rule = np.random.default_rng(seed + 1).standard_normal(layers[0])
    Y = (rule @ X + 0.2 > 0).astype(dtype).reshape(1, m)
    return X, Y, start


class Training:
    """A training, prepared, with a team whose helpers never come."""

    def __init__(self, algorithm, X, Y, start, rate, members=1):
        layers = [X.shape[0], *(len(start[f"b{l}"]) for l in range(1, len(start) // 2 + 1))]
        self.descent = ALGORITHMS[algorithm](X, Y, layers, start, rate)
        self.descent.call = lambda kernel, *arguments: kernel(*arguments, *mailboxes(members))
        self.descent.prepare()

    def __getattr__(self, name):
        return getattr(self.descent, name)


def train(algorithm, X, Y, start, rate, iterations, members=1):
    """A training that has done all its iterations."""
    training = Training(algorithm, X, Y, start, rate, members)
    training.advance(iterations)
    assert training.done == iterations
    assert not training.diverged
    return training


def follow(X, Y, start, rate, iterations):
    """The reference's parameters and costs, and how close to 0 any hidden unit came: there relu's slope jumps."""
    parameters, costs, margin = dict(start), [], np.inf
    for i in range(iterations):
        AL, caches = reference.L_model_forward(X, parameters)
        margin = min([margin, *(np.min(np.abs(Z)) for _, Z in caches[:-1])])
        if i % COST_EVERY == 0:
            costs.append(float(reference.compute_cost(AL, Y)))
        parameters = reference.update_parameters(parameters, reference.L_model_backward(AL, Y, caches), rate)
    return parameters, costs, margin


def bits(training):
    """The bits of all that an iteration changes."""
    changing = [training.W, training.b] + ([training.V, training.S] if training.name == "gram" else [])
    return [x.copy() for x in changing]


def assert_close(training, parameters, costs, rtol=TRAINING_RTOL):
    """Parameters within `rtol` of the largest of each array, costs of their size."""
    expected = map_arrays(lambda x: x.astype("d"), parameters)
    bound = map_arrays(lambda x: rtol * np.max(np.abs(x), initial=rtol), expected)
    assert_within_bound(training.parameters(), expected, bound)
    assert_within_bound(list(training.costs), costs, [rtol * max(cost, rtol) for cost in costs])
