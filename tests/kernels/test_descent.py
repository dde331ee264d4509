"""Both compiled training loops, direct and gram: against the reference from the same start, and against each other.

A network may have any shape; where a hidden unit comes so close to 0 that rounding may turn its slope on or off, the
results may differ by more than rounding, and the example is skipped.
"""

import threading

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fastbackprop.algorithms import COST_EVERY, cost_count
from fastbackprop.kernels.blocking import BLOCK_COLUMNS, KC
from fastbackprop.kernels.descent import DIVERGED, DONE, STOPPED
from fastbackprop.testing import TRAINING_RTOL, assert_same_bits, map_arrays

from .support.probes import DTYPES, LAYOUTS
from .support.trainings import ALGORITHMS, Training, assert_close, bits, follow, problem, train

# Of the largest entry of each array. In float32 a few iterations cost a few of its 24 bits: ten are allowed for.
RTOL = {"float64": TRAINING_RTOL, "float32": 2.0**-14}


def wide(tree):
    return map_arrays(lambda x: x.astype("d"), tree)


def well_posed(layers, m, dtype, iterations, rate, seed):
    """A problem, what the reference makes of it in float64, and whether rounding leaves all slopes of relu alone."""
    X, Y, start = problem(layers, m, dtype, seed)
    parameters, costs, margin = follow(wide(X), wide(Y), wide(start), rate, iterations)
    return (X, Y, start), (parameters, costs), margin > 8 * RTOL[dtype]


def check(algorithm, layers, m, dtype, iterations, rate=0.1):
    """Check the first problem that is well-posed."""
    trials = (well_posed(layers, m, dtype, iterations, rate, seed) for seed in range(100))
    (X, Y, start), (parameters, costs) = next(trial[:2] for trial in trials if trial[2])
    assert_close(train(algorithm, X, Y, start, rate, iterations), parameters, costs, RTOL[dtype])


def check_any(algorithm, layers, m, dtype, iterations, seed):
    """Check the problem that hypothesis draws."""
    (X, Y, start), (parameters, costs), posed = well_posed(layers, m, dtype, iterations, 0.1, seed)
    assume(posed)
    assert_close(train(algorithm, X, Y, start, 0.1, iterations), parameters, costs, RTOL[dtype])


sizes = st.lists(st.integers(1, 12), min_size=1, max_size=4)


@pytest.mark.plain
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(sizes, st.integers(1, 6), st.sampled_from(DTYPES), st.integers(0, 5), st.integers(0, 99))
def test_any_small_network(algorithm, sizes, m, dtype, iterations, seed):
    check_any(algorithm, [*sizes, 1], m, dtype, iterations, seed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(st.lists(st.integers(1, 70), min_size=1, max_size=3), st.integers(1, 150), st.integers(0, 30), st.integers(0, 99))
def test_any_network(algorithm, sizes, m, iterations, seed):
    check_any(algorithm, [*sizes, 1], m, "float64", iterations, seed)


@pytest.mark.parametrize("m", [BLOCK_COLUMNS - 1, BLOCK_COLUMNS, BLOCK_COLUMNS + 1, 2 * BLOCK_COLUMNS + 1])
@pytest.mark.parametrize("layers", [(2, 4, 1), (30, 16, 8, 1), (3, 1), (300, 200, 1)])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_examples_in_several_blocks(algorithm, layers, m):
    """Each block adds to the gradients and to the cost; the last one is narrower."""
    check(algorithm, layers, m, "float64", 3, rate=0.02)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_more_features_than_are_taken_at_a_time(algorithm, dtype):
    """Gram descent checks the stop flag between pieces of X of this depth."""
    check(algorithm, (8 * KC + 5, 3, 1), 7, dtype, 4, rate=0.01)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_data_in_every_layout(algorithm, layout):
    (X, Y, start), (parameters, costs), _ = well_posed((7, 5, 1), BLOCK_COLUMNS + 3, "float64", 3, 0.1, 0)
    training = train(algorithm, LAYOUTS[layout](X), LAYOUTS[layout](Y), start, 0.1, 3)
    assert_close(training, parameters, costs)


@pytest.mark.parametrize("layers", [(3, 1), (1, 1), (1, 1, 1, 1), (6, 5, 4, 3, 2, 1), (40, 1, 9, 1)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_layer_one_unit_and_many_layers(algorithm, dtype, layers):
    for m in (1, 2, 33):
        check(algorithm, layers, m, dtype, 5)


@pytest.mark.parametrize("layers", [(3, 1), (50, 7, 3, 1), (5, 20, 1)])
def test_both_algorithms_agree_after_many_iterations(layers):
    X, Y, start = problem(layers, 40)
    direct, gram = (train(name, X, Y, start, 0.05, 2000) for name in ALGORITHMS)
    assert_close(gram, direct.parameters(), list(direct.costs))
    assert direct.costs[-1] < 0.9 * direct.costs[0]


# ------------------------------------------------------------------------------------------------ costs and slices


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_cost_of_every_hundredth_iteration_and_of_no_other(algorithm, dtype):
    X, Y, start = problem((4, 3, 1), 20, dtype)
    iterations = 2 * COST_EVERY + 2
    _, costs, _ = follow(wide(X), wide(Y), wide(start), 0.1, iterations)
    training = Training(algorithm, X, Y, start, 0.1)
    for end, recorded in ((1, 1), (COST_EVERY, 1), (COST_EVERY + 1, 2), (2 * COST_EVERY, 2), (iterations, 3)):
        training.advance(end)
        assert len(training.costs) == recorded
    np.testing.assert_allclose(training.costs, costs, rtol=RTOL[dtype])


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_cost_is_computed_in_float64(algorithm, dtype):
    """From logits that are exact in either dtype: then the cost is as exact in float32."""
    X, Y = np.array([[-3, -1, 0, 1, 2, 4, 1, 7]], dtype), np.array([[0, 0, 1, 1, 0, 1, 0.25, 1]], dtype)
    start = {"W1": np.array([[2]], dtype), "b1": np.array([[-1]], dtype)}
    z, y = 2 * X.astype("d") - 1, Y.astype("d")
    expected = np.mean(np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - y * z)
    np.testing.assert_allclose(train(algorithm, X, Y, start, 0.1, 1).costs, expected, rtol=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_slices_of_iterations_have_the_bits_of_one_run(algorithm, dtype):
    X, Y, start = problem((9, 5, 3, 1), BLOCK_COLUMNS + 7, dtype)
    whole = train(algorithm, X, Y, start, 0.1, 31)
    sliced = Training(algorithm, X, Y, start, 0.1)
    for end in (0, 1, 2, 2, 17, 31):
        sliced.advance(end)
        assert sliced.done == end
        assert sliced.state[1] == DONE
        assert_same_bits(sliced.parameters(), sliced.parameters())  # may be asked for at any time, and changes nothing
    assert_same_bits(bits(sliced), bits(whole))
    assert_same_bits(sliced.costs, whole.costs)
    assert_same_bits(sliced.parameters(), whole.parameters())


# A sweep in chunks of blocks, in few chunks, in one (wide nets share each product), with and without hidden layers; blocks that
# fit L2, as many as chunks and more.
TEAMS = [
    ((30, 16, 8, 1), 6000), ((3, 1), 300_000), ((2, 4, 1), 70_000), ((300, 200, 1), 500), ((784, 40, 1), 700),
    ((64, 64, 64, 1), 700), ((64, 64, 64, 1), 1700), ((64, 64, 64, 1), 7000), ((64, 128, 128, 1), 4500),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "m"), TEAMS, ids=str)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_team_computes_the_same_bits(algorithm, layers, m):
    """Here its helpers don't come: the caller does all chunks, which is how the work is cut that others may do."""
    if algorithm == "gram":
        m = min(m, 700)
    X, Y, start = problem(layers, m)
    alone = train(algorithm, X, Y, start, 0.1, 3)
    for members in (2, 5):
        shared = train(algorithm, X, Y, start, 0.1, 3, members)
        assert_same_bits(shared.parameters(), alone.parameters())
        assert_same_bits(shared.costs, alone.costs)


# --------------------------------------------------------------------------------------------------------- stopping


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_stop_flag_leaves_everything_as_it_was(algorithm, dtype):
    X, Y, start = problem((4, 3, 1), 20, dtype)
    training = Training(algorithm, X, Y, start, 0.1)
    training.advance(3)
    before, costs = bits(training), training.costs.copy()
    training.state[0] = 1
    training.advance(300)
    assert (training.done, training.state[1]) == (3, STOPPED)
    assert_same_bits(bits(training), before)
    assert_same_bits(training.costs, costs)
    assert not training.diverged
    training.state[0] = 0
    training.advance(10)
    assert_same_bits(bits(training), bits(train(algorithm, X, Y, start, 0.1, 10)))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_stopped_from_another_thread_it_resumes_with_the_same_bits(algorithm):
    X, Y, start = problem((9, 5, 1), 2 * BLOCK_COLUMNS)
    endless = 10**9
    training = Training(algorithm, X, Y, start, 0.1)
    worker = threading.Thread(target=training.advance, args=(endless,), daemon=True)
    worker.start()
    before = training.b[0]
    try:
        while training.b[0] == before:  # the first iteration is done
            pass
    finally:  # whatever ends the wait: the process would wait for the worker
        training.state[0] = 1
    worker.join(60)
    assert not worker.is_alive()
    assert training.state[1] == STOPPED
    assert 0 < training.done < endless
    assert len(training.costs) == cost_count(training.done)
    training.state[0] = 0
    done = training.done + 5
    training.advance(done)
    assert_same_bits(bits(training), bits(train(algorithm, X, Y, start, 0.1, done)))


# --------------------------------------------------------------------------------------------------- far from the usual


# A rate whose square is infinite in the dtype that is computed in: gram descent's is always float64.
TOO_LARGE = [("direct", "float32", 1e30), ("direct", "float64", 1e200), ("gram", "float64", 1e200)]


@pytest.mark.plain
@pytest.mark.parametrize(("algorithm", "dtype", "large"), TOO_LARGE)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy warns of an overflow on the plain twins
def test_a_rate_without_measure_stops_before_anything_is_not_finite(algorithm, dtype, large):
    X, Y, start = problem((4, 3, 2, 1), 20, dtype)
    training = Training(algorithm, X, Y, start, large)
    training.advance(50)
    assert training.diverged
    assert training.state[1] == DIVERGED
    assert 0 <= training.done < 50
    assert all(np.isfinite(x).all() for x in bits(training))
    again = Training(algorithm, X, Y, start, large)
    again.advance(training.done)
    assert again.state[1] == DONE
    assert_same_bits(bits(training), bits(again))
    again.advance(training.done + 1)
    assert again.diverged


@pytest.mark.plain
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as above
def test_what_gram_descent_sees_of_the_first_layer_stays_finite():
    """A step of W1 would be finite here, but not that of W1 X, which goes with the square of X."""
    X, Y = np.full((1, 3), 1e100), np.array([[0.0, 0.0, 1.0]])
    start = {"W1": np.zeros((1, 1)), "b1": np.zeros((1, 1))}
    training = Training("gram", X, Y, start, 1e150)
    before = bits(training)
    training.advance(5)
    assert training.diverged
    assert training.done == 0
    assert_same_bits(bits(training), before)


@pytest.mark.plain
@pytest.mark.parametrize(("algorithm", "dtype", "large"), TOO_LARGE)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as above
def test_a_bias_that_alone_would_cease_to_be_finite(algorithm, dtype, large):
    """db1 = W2 dZ2 is large, and a large step of it infinite; dW1 = 0 since X is, and A1 = b1 keeps dW2 small."""
    X, Y = np.zeros((1, 3), dtype), np.zeros((1, 3), dtype)
    start = {"W1": 1.0, "b1": 1 / large, "W2": large, "b2": 0.0}
    start = {key: np.array([[value]], dtype) for key, value in start.items()}
    training = Training(algorithm, X, Y, start, large)
    training.advance(5)
    assert training.diverged
    assert training.done == 0
    assert_same_bits(training.parameters(), start)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_largest_finite_weight_trains_on(algorithm, dtype):
    """The hidden unit is off, so that W2 = largest stays as it is, and only b2 moves."""
    X, Y = np.array([[1, 2, 3]], dtype), np.array([[1, 1, 0]], dtype)
    start = {"W1": 0.0, "b1": 0.0, "W2": np.finfo(dtype).max, "b2": 0.0}
    start = {key: np.array([[value]], dtype) for key, value in start.items()}
    training = train(algorithm, X, Y, start, 0.1, 5)
    assert (training.done, training.state[1], training.diverged) == (5, DONE, False)
    trained = training.parameters()
    assert trained["b2"] > 0
    assert_same_bits(trained | {"b2": start["b2"]}, start)


@pytest.mark.parametrize("scale", [10, 1000])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_saturated_start_trains_on(algorithm, dtype, scale):
    """All outputs are 0 or 1, some of them wrong: the cost is the logits', finite, and falls."""
    X, Y, start = problem((6, 5, 1), 60, dtype)
    start = {key: scale * value for key, value in start.items()}
    training = train(algorithm, X, Y, start, 0.05, 5 * COST_EVERY + 1)
    assert training.costs[0] > 5
    assert np.isfinite(training.costs).all()
    assert training.costs[-1] < training.costs[0]
    assert all(np.isfinite(value).all() for value in training.parameters().values())


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_parameters_of_zero(algorithm, dtype):
    """No unit of a hidden layer is on: only the last bias moves, and the first cost is log 2."""
    X, Y, start = problem((4, 3, 2, 1), 21, dtype)
    zero = {key: 0 * value for key, value in start.items()}
    training = train(algorithm, X, Y, zero, 0.1, 7)
    parameters, costs, _ = follow(wide(X), wide(Y), wide(zero), 0.1, 7)
    assert_close(training, parameters, costs, RTOL[dtype])
    assert training.costs[0] == pytest.approx(np.log(2), rel=RTOL[dtype])
    trained = training.parameters()
    assert trained["b3"] != 0
    assert not any(np.any(value) for key, value in trained.items() if key != "b3")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_labels_between_0_and_1(algorithm):
    X, Y, start = problem((4, 3, 1), 20)
    soft = 0.1 + 0.8 * Y
    parameters, costs, _ = follow(X, soft, start, 0.1, 50)
    assert_close(train(algorithm, X, soft, start, 0.1, 50), parameters, costs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_argument_is_written(algorithm, dtype):
    arrays = X, Y, start = problem((4, 3, 1), 20, dtype)
    before = map_arrays(np.copy, arrays)
    training = train(algorithm, X, Y, start, 0.1, 5)
    assert_same_bits(arrays, before)
    trained = training.parameters()
    assert not any(np.shares_memory(a, b) for a in trained.values() for b in (*start.values(), *bits(training)))
