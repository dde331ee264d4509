"""Momentum and weight decay on wide data: against the reference's loop, which sees W1 itself, and the promises of a descent."""

import numpy as np
import pytest

from fastbackprop.activations import HIDDEN, OUTPUTS
from fastbackprop.batches import RULES
from fastbackprop.gram_rules import GramRule
from fastbackprop.optimizers import Adam, GradientDescent, Momentum, Nesterov
from fastbackprop.reference.general import descend
from fastbackprop.testing import TRAINING_RTOL, assert_same_bits

from .test_batches import problem

LINEAR = {"gradient descent": GradientDescent(0.1), "momentum": Momentum(0.05, 0.8), "nesterov": Nesterov(0.05, 0.8)}


def descent(X, Y, sizes, start, rule="momentum", l2=0.5, hidden="relu", output="sigmoid"):
    work = GramRule(X, Y, sizes, start, LINEAR[rule], l2, hidden=HIDDEN[hidden], output=OUTPUTS[output])
    work.load()
    work.prepare()
    return work


def rows(work):
    return [work.P, work.M]


@pytest.mark.parametrize("l2", [0.0, 0.5])
@pytest.mark.parametrize("rule", LINEAR)
@pytest.mark.parametrize(
    ("hidden", "output", "sizes", "m"),
    [("relu", "sigmoid", [50, 6, 4, 2], 20), ("tanh", "softmax", [40, 3], 12), ("leaky_relu", "identity", [30, 5, 1], 9),
     ("sigmoid", "softmax", [300, 20, 3], 40), ("identity", "sigmoid", [1, 1, 1], 1)],
)  # fmt: skip
def test_the_reference(hidden, output, sizes, m, rule, l2):
    """Costs to within TRAINING_RTOL of the first: they may come close to 0, as they do where nothing decays."""
    iterations = 120
    X, Y, start = problem(sizes, m, output)
    work = descent(X, Y, sizes, start, rule, l2, hidden, output)
    costs = np.empty(iterations)
    assert work.kernel(0, iterations, 1, costs) == iterations
    parameters, expected = descend(
        X, Y, sizes, start, hidden=hidden, output=output, optimizer=LINEAR[rule], l2=l2, epochs=iterations
    )  # fmt: skip
    for key, value in work.parameters().items():
        np.testing.assert_allclose(value, parameters[key], rtol=0, atol=TRAINING_RTOL * np.max(np.abs(parameters[key])))
    np.testing.assert_allclose(costs, expected, rtol=TRAINING_RTOL, atol=TRAINING_RTOL * expected[0])


def test_2500_iterations_stay_with_the_reference():
    sizes, m, iterations = [200, 8, 1], 30, 2500
    X, Y, start = problem(sizes, m, "sigmoid")
    work = descent(X, Y, sizes, start)
    work.advance(iterations)
    parameters, costs = descend(
        X, Y, sizes, start, hidden="relu", output="sigmoid", optimizer=LINEAR["momentum"], l2=0.5, epochs=iterations
    )  # fmt: skip
    for key, value in work.parameters().items():
        np.testing.assert_allclose(value, parameters[key], rtol=0, atol=TRAINING_RTOL * np.max(np.abs(parameters[key])))
    np.testing.assert_allclose(work.costs, costs[::100], rtol=TRAINING_RTOL)


def test_costs_are_those_of_every_seventh_iteration_however_it_is_sliced(monkeypatch):
    monkeypatch.setattr(GramRule, "every", 7)
    sizes, m = [50, 6, 1], 20
    X, Y, start = problem(sizes, m, "sigmoid")
    whole, sliced = (descent(X, Y, sizes, start) for _ in range(2))
    whole.advance(40)
    for end in (10, 12, 14, 25, 40):
        sliced.advance(end)
    assert len(whole.costs) == 6
    assert sliced.costs == whole.costs


def test_the_bits_do_not_depend_on_the_threads_nor_on_slices(threads):
    sizes, m = [700, 60, 20, 2], 220
    X, Y, start = problem(sizes, m, "sigmoid")
    results = []
    for count in (1, 2, 3):
        threads(count)
        work = descent(X, Y, sizes, start, "nesterov")
        for end in (1, 7, 8) if count > 1 else (8,):
            work.advance(end)
        results.append([*rows(work), *work.parameters().values()])
    for other in results[1:]:
        assert_same_bits(other, results[0])


def test_it_resumes_from_its_arrays():
    sizes, m = [30, 5, 2], 9
    X, Y, start = problem(sizes, m, "sigmoid")
    whole, first = descent(X, Y, sizes, start), descent(X, Y, sizes, start)
    whole.advance(20)
    first.advance(8)
    second = GramRule(X, Y, sizes, None, LINEAR["momentum"], 0.5)
    for name, value in second.arrays().items():
        value[...] = first.arrays()[name]
    second.done = 8
    second.prepare()
    second.advance(20)
    assert_same_bits([*rows(second), second.parameters()["W1"]], [*rows(whole), whole.parameters()["W1"]])


def test_a_stop_and_a_divergence_leave_the_iteration_before():
    sizes, m = [30, 5, 2], 9
    X, Y, start = problem(sizes, m, "identity")
    work = descent(X, Y, sizes, start, output="identity")
    work.advance(3)
    before = [x.copy() for x in rows(work)]
    work.state[0] = 1
    work.advance(5)
    assert work.done == 3 and work.state[1] != 0 and not work.diverged
    assert_same_bits(rows(work), before)
    work.state[0], work.rate = 0, 1e300
    work.advance(10)
    assert work.diverged and 3 <= work.done < 10
    assert np.isfinite(work.P).all() and np.isfinite(work.M).all()


def test_every_linear_rule_is_here_and_adam_is_none():
    assert {type(rule) for rule in LINEAR.values()} == {rule for rule, row in RULES.items() if row.linear}
    assert not RULES[Adam].linear
