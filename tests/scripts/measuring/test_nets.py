"""The nets: their examples and starts, and the least that a training takes."""

import numpy as np
import pytest

from fastbackprop.algorithms import operations
from scripts.measuring.nets import NETS, Least, Net, examples, largest_difference, least, start

SMALL = Net((2, 3, 1), 5, 7, 2)


def test_direct_descent_by_hand():
    # W1 X and dZ1 X^T, and three products of the second layer; X, Y and both weights.
    operations = 2 * 7 * (2 * 3 * 2 * 5 + 3 * 1 * 3 * 5)
    assert least(SMALL, "direct", cache_bytes=10**9) == Least(operations, 8 * (2 * 5 + 5 + 9))
    assert least(SMALL, "direct", cache_bytes=0) == Least(operations, 8 * 7 * (2 * 5 + 5 + 2 * 9))


def test_gram_descent_by_hand():
    # Half of X^T X, W1 X and S X^T once; dZ1 G and three products of the second layer.
    operations = 2 * (2 * 5 * 5 // 2 + 2 * (3 * 2 * 5) + 7 * (3 * 5 * 5 + 3 * 3 * 5))
    assert least(SMALL, "gram", cache_bytes=10**9) == Least(operations, 8 * (2 * 10 + 25 + 2 * 15 + 5 + 3))
    assert least(SMALL, "gram", cache_bytes=0) == Least(operations, 8 * (2 * 10 + 7 * (25 + 4 * 15 + 5 + 2 * 3)))


@pytest.mark.parametrize("name", NETS)
def test_algorithms_differ_by_the_operations_that_the_choice_counts(name):
    net = NETS[name]
    n_0, n_1, *_ = net.layers_dims
    difference = least(net, "direct", 0).operations - least(net, "gram", 0).operations
    counts = [operations(algorithm, n_0, n_1, net.m, net.iterations) for algorithm in ("direct", "gram")]
    assert difference == 2 * (counts[0] - counts[1])


def test_the_limit_is_the_slower_of_arithmetic_and_memory():
    assert Least(10.0, 3.0).seconds(10.0, 1.0) == 3.0
    assert Least(10.0, 3.0).seconds(2.0, 1.0) == 5.0


def test_a_slice_is_a_part_of_the_iterations():
    assert all(0 < net.slice <= net.iterations for net in NETS.values())


def test_examples_and_start_are_the_same_every_time():
    net = NETS["planar"]
    (X, Y), again = examples(net), examples(net)
    assert np.array_equal(X, again[0]) and np.array_equal(Y, again[1])
    assert (X.shape, Y.shape, set(np.unique(Y))) == ((2, 400), (1, 400), {0.0, 1.0})
    parameters = start(net.layers_dims)
    assert {key: value.shape for key, value in parameters.items()} == {"W1": (4, 2), "b1": (4, 1), "W2": (1, 4), "b2": (1, 1)}
    assert all(np.array_equal(value, parameters[key]) for key, value in start(net.layers_dims).items())


def test_differences_are_in_units_of_an_arrays_largest_entry():
    one, other = {"W1": np.array([1.0, 100.0]), "b1": np.array([2.0])}, {"W1": np.array([2.0, 100.0]), "b1": np.array([2.5])}
    assert largest_difference(one, other) == 0.2
