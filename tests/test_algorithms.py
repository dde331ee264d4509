"""The choice of an algorithm from both sides of each of its boundaries, and the memory that each takes."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.algorithms import Direct, Gram, choose_algorithm, operations

from .support.trainings import LAYERS, PROBLEM, START, X, Y

# n_0, n_1, m: G = X^T X takes 125,000 multiply-adds, W1 X and S X^T 50,000 each; then an iteration takes 25,000 by gram
# and 100,000 by direct descent.
N_0, N_1, M = 100, 10, 50
ONCE = 125_000 + 2 * 50_000
G_BYTES = 8 * M * M


@pytest.mark.parametrize("iterations", [0, 1, 3, 1000])
def test_operations(iterations):
    assert operations("direct", N_0, N_1, M, iterations) == 100_000 * iterations
    assert operations("gram", N_0, N_1, M, iterations) == ONCE + 25_000 * iterations


@pytest.mark.parametrize(("iterations", "algorithm"), [(0, "direct"), (2, "direct"), (3, "direct"), (4, "gram")])
def test_fewer_operations(iterations, algorithm):
    """After three iterations both have taken 300,000; only then does gram descent take fewer."""
    assert choose_algorithm(N_0, N_1, M, iterations, 8, None) == algorithm


@pytest.mark.parametrize(("m", "algorithm"), [(2 * N_0 - 1, "gram"), (2 * N_0, "direct"), (2 * N_0 + 1, "direct")])
def test_at_most_twice_as_many_examples_as_features(m, algorithm):
    """In a training of any length an iteration by gram descent ceases to be cheaper there, and G to be at most 2 X."""
    assert choose_algorithm(N_0, N_1, m, 10**9, 8, None) == algorithm


@pytest.mark.parametrize(
    ("free_bytes", "algorithm"),
    [(None, "gram"), (4 * G_BYTES, "gram"), (4 * G_BYTES - 1, "direct"), (0, "direct"), (10**15, "gram")],
)
def test_at_most_a_quarter_of_the_free_memory(free_bytes, algorithm):
    assert choose_algorithm(N_0, N_1, M, 1000, 8, free_bytes) == algorithm


@pytest.mark.parametrize(("m", "algorithm"), [(N_0 - 1, "gram"), (N_0, "direct"), (N_0 + 1, "direct")])
def test_float32_has_half_the_range(m, algorithm):
    """Gram descent computes in float64, whose operations take twice the time, and G takes twice the memory beside X."""
    assert choose_algorithm(N_0, N_1, m, 10**9, 4, None) == algorithm


def test_the_gram_matrix_of_float32_takes_the_memory_of_float64():
    assert choose_algorithm(N_0, N_1, M, 1000, 4, 4 * G_BYTES) == "gram"
    assert choose_algorithm(N_0, N_1, M, 1000, 4, 4 * G_BYTES - 1) == "direct"


sizes = st.integers(1, 20_000)


@given(sizes, sizes, sizes, st.integers(0, 10**6), st.sampled_from([4, 8]), st.none() | st.integers(0, 2**40))
def test_gram_is_chosen_where_it_pays_and_fits_and_nowhere_else(n_0, n_1, m, iterations, itemsize, free_bytes):
    X_bytes, gram_bytes = n_0 * m * itemsize, 8 * m * m
    arguments = n_0, n_1, m, iterations
    pays = 8 * operations("gram", *arguments) < itemsize * operations("direct", *arguments)
    fits = gram_bytes <= 2 * X_bytes and (free_bytes is None or gram_bytes <= free_bytes / 4)
    assert choose_algorithm(*arguments, itemsize, free_bytes) == ("gram" if pays and fits else "direct")


# --------------------------------------------------------------------------------------------------------------- memory

MEMORY = """
def resident(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))

few = {{"d": X[:, :40].copy(), "f": X[:, :40].astype("f")}}[{char!r}]
start = {{key: value.astype({char!r}) for key, value in bp.initialize_parameters_deep(layers).items()}}
X, Y = X.astype({char!r}, copy=False), Y.astype({char!r})

def train(X, Y):
    bp.L_layer_model(X, Y, layers, 0.01, 3, parameters=start, algorithm="{algorithm}")

train(few, Y[:, :40])
open("/proc/self/clear_refs", "w").write("5")  # the peak is that of now
before = resident("VmRSS")
train(X, Y)
print(resident("VmHWM") - before)
"""


def peak(algorithm, layers, m, char="d"):
    """Bytes that a training takes beyond its data, at its peak."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("this system does not report the peak of a process's memory")
    problem = PROBLEM + MEMORY
    program = [sys.executable, "-c", problem.format(layers=layers, m=m, algorithm=algorithm, char=char)]
    return int(subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True).stdout)


@pytest.mark.parametrize("char", "df")
def test_gram_descent_holds_g_and_four_arrays_of_the_first_layer(char):
    """G and these are float64 for any dtype of the data."""
    n_1, m = 16, 5000
    expected = 8 * m * m + 4 * 8 * n_1 * m
    assert 8 * m * m <= peak("gram", [2000, n_1, 1], m, char) <= 1.3 * expected


@pytest.mark.parametrize("char", "df")
def test_direct_descent_of_a_narrow_net_takes_nothing_of_the_size_of_the_data(char):
    """Not even one row of m numbers, 48 MB in float64."""
    m = 6_000_000
    assert peak("direct", [3, 3, 2, 1], m, char) < 0.5 * m * np.dtype(char).itemsize


# ---------------------------------------------------------------------------------------------- the state of a descent


@pytest.mark.parametrize("kind", [Direct, Gram])
def test_a_descent_is_torn_while_a_slice_runs_and_no_longer(kind, monkeypatch):
    """An exception between what an iteration changes and the count of iterations leaves it so: it is not to be saved."""
    descent = kind(X, Y, LAYERS, START, 0.1)
    descent.prepare()
    descent.advance(3)
    assert (descent.done, descent.torn) == (3, False)

    def interrupted(*args):
        assert descent.torn
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, "kernel", interrupted)
    with pytest.raises(KeyboardInterrupt):
        descent.advance(5)
    assert (descent.done, descent.torn) == (3, True)


@pytest.mark.parametrize("kind", [Direct, Gram])
def test_a_stretch_knows_the_costs_from_its_first_iteration_on(kind):
    """The costs and parameters of one long slice, cut otherwise; other parameters restart it."""
    whole, cut = (kind(X, Y, LAYERS, START, 0.1) for _ in range(2))
    for descent in (whole, cut):
        descent.prepare()
    costs = whole.stretch(23, 1)
    assert len(costs) == 23 and whole.done == 23
    assert cut.stretch(5, 2) == [costs[0], costs[2], costs[4]]
    assert cut.stretch(7, 100) == [costs[5]]
    halfway = cut.parameters()
    assert cut.stretch(11, 3) == costs[12:23:3]
    assert cut.done == 23
    for key, value in whole.parameters().items():
        np.testing.assert_array_equal(cut.parameters()[key], value)
    cut.restart(halfway)
    np.testing.assert_allclose(cut.stretch(11, 3), costs[12:23:3], rtol=1e-12)
    for key, value in whole.parameters().items():
        np.testing.assert_allclose(cut.parameters()[key], value, rtol=1e-12)
