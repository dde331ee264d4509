"""Whole trainings: the compiled one against the reference's, from the same start."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import (
    CASES,
    LAYOUTS,
    Size,
    assert_same_bits,
    assert_same_form,
    assert_within_bound,
    map_arrays,
    training_bound,
    training_problem,
)

# Deep, narrow and wide; with m below and above a tile, and on both sides of n_0.
SIZES = [
    Size((3, 1), 5),
    Size((2, 4, 1), 400),
    Size((30, 16, 8, 1), 100),
    Size((5, 4, 3, 3, 1), 33),
    Size((9, 50, 1), 7),
]
ALGORITHMS = ["direct", "gram"]


def train(module, X, Y, start, layers, iterations=2500, rate=0.05, **options):
    return module.L_layer_model(X, Y, layers, rate, iterations, parameters=start, return_costs=True, **options)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_2500_iterations(size, reference_raises):
    X, Y, start = training_problem(size)
    expected = train(reference, X, Y, start, size.layers)
    for algorithm in ALGORITHMS:
        with reference_raises():
            actual = train(bp, X, Y, start, size.layers, algorithm=algorithm)
        assert_within_bound(actual, expected, training_bound(*expected))
        assert_same_form(actual, expected)
        assert actual[1][-1] < actual[1][0]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout):
    size = Size((7, 5, 1), 19)
    X, Y, start = training_problem(size)
    expected = train(bp, X, Y, start, size.layers, iterations=150)
    X, Y, start = map_arrays(LAYOUTS[layout], (X, Y, start))
    before = [x.tobytes() for x in (X, Y, *start.values())]
    actual = train(bp, X, Y, start, size.layers, iterations=150)
    assert_within_bound(actual, expected, training_bound(*expected))
    assert_same_form(actual, expected)
    assert [x.tobytes() for x in (X, Y, *start.values())] == before


def distances(a, b):
    """Squares of the differences between all parameters, and between all costs."""
    (a, a_costs), (b, b_costs) = a, b
    parameters = sum(np.sum((a[key].astype(float) - b[key]) ** 2) for key in b)
    return np.array([parameters, np.sum((np.array(a_costs) - b_costs) ** 2)])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_float32_is_no_further_from_float64_than_twice_the_reference(size, reference_raises, saturating):
    """In the mean of some starts: from one to the next, either side's error goes up and down."""
    fast, by_reference, starts = dict.fromkeys(ALGORITHMS, np.zeros(2)), np.zeros(2), 0
    for seed in range(5):
        X, Y, start = training_problem(size, "float32", seed=seed)
        wide = map_arrays(lambda x: x.astype("d"), (X, Y, start))
        exact = train(reference, wide[0], wide[1], wide[2], size.layers, rate=0.01)
        expected = train(reference, X, Y, start, size.layers, rate=0.01)
        if not np.all(np.isfinite(expected[1])):  # the reference saturates in float32
            continue
        by_reference, starts = by_reference + distances(expected, exact), starts + 1
        for algorithm in ALGORITHMS:
            with reference_raises():
                actual = train(bp, X, Y, start, size.layers, rate=0.01, algorithm=algorithm)
            assert_same_form(actual, expected)
            fast[algorithm] = fast[algorithm] + distances(actual, exact)
    assert starts >= 3
    for algorithm in ALGORITHMS:
        assert np.all(np.sqrt(fast[algorithm]) <= 2 * np.sqrt(by_reference)), algorithm


def test_lines_printed_and_costs_are_those_of_the_reference(capsys):
    size = Size((4, 3, 1), 20)
    X, Y, start = training_problem(size)
    _, expected = train(reference, X, Y, start, size.layers, iterations=301, print_cost=True)
    lines = capsys.readouterr().out
    _, costs = train(bp, X, Y, start, size.layers, iterations=301, print_cost=True)
    assert capsys.readouterr().out == lines
    assert lines.count("\n") == 4
    assert all(type(cost) is float for cost in costs)
    assert len(costs) == len(expected) == 4
    train(bp, X, Y, start, size.layers, iterations=301)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("iterations", [0, 1, 2, 100, 101])
def test_any_number_of_iterations(iterations):
    size = Size((4, 3, 1), 20)
    X, Y, start = training_problem(size)
    expected = train(reference, X, Y, start, size.layers, iterations)
    actual = train(bp, X, Y, start, size.layers, iterations)
    assert_within_bound(actual, expected, training_bound(*expected))
    assert len(actual[1]) == len(expected[1])


def test_the_default_start_is_the_one_of_the_reference():
    size = Size((4, 3, 1), 20)
    X, Y, _ = training_problem(size)
    results = []
    for module in (reference, bp):
        np.random.seed(1)
        results.append(module.L_layer_model(X, Y, size.layers, num_iterations=0))
    expected, actual = results
    assert_within_bound(actual, expected, 0.0)


@pytest.mark.parametrize("iterations", [0, 3])
def test_the_given_start_is_copied(iterations):
    size = Size((4, 3, 1), 20)
    X, Y, start = training_problem(size)
    before = {key: value.tobytes() for key, value in start.items()}
    parameters, _ = train(bp, X, Y, start, size.layers, iterations)
    assert parameters is not start
    assert {key: value.tobytes() for key, value in start.items()} == before
    assert not any(np.shares_memory(a, b) for a in parameters.values() for b in start.values())


def test_a_tuple_of_layers_and_a_call_by_position():
    X, Y, layers, rate, _ = CASES["L_layer_model"].make(Size((3, 4, 1), 9), "float64")
    results = []
    for module in (reference, bp):
        np.random.seed(2)
        results.append(module.L_layer_model(X, Y, tuple(layers), rate, 50, False))
    expected, actual = results
    assert isinstance(actual, dict)
    assert_within_bound(actual, expected, CASES["L_layer_model"].bound(X, Y, layers, rate, 50))


def test_same_bits_from_run_to_run():
    size = Size((30, 16, 8, 1), 100)
    X, Y, start = training_problem(size)
    first, second = (train(bp, X, Y, start, size.layers, iterations=200) for _ in range(2))
    assert_same_bits(second, first)
