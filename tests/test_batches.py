"""Training by batches: against the reference's plain loop, and the promises about bits, stops and divergence."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fastbackprop import batches
from fastbackprop.activations import HIDDEN, OUTPUTS
from fastbackprop.batches import Batches
from fastbackprop.kernels.descent import STOPPED
from fastbackprop.optimizers import OPTIMIZERS, Adam, GradientDescent, Momentum, Nesterov
from fastbackprop.reference.general import cost_and_gradients, descend
from fastbackprop.team import alone
from fastbackprop.testing import TRAINING_RTOL, assert_same_bits

ROOT = Path(__file__).parents[1]
RULES = {
    "gradient descent": GradientDescent(0.1),
    "momentum": Momentum(0.05, 0.8),
    "nesterov": Nesterov(0.05, 0.8),
    "adam": Adam(0.01),
}


def test_every_rule_is_here():
    assert {type(rule) for rule in RULES.values()} == set(OPTIMIZERS.values())


def problem(sizes, m, output, dtype="float64", seed=0):
    """X, Y, start."""
    rng = np.random.default_rng(seed)
    X, n_L = rng.standard_normal((sizes[0], m)).astype(dtype), sizes[-1]
    Y: np.ndarray = rng.standard_normal((n_L, m))
    if output != "identity":
        Y = np.eye(n_L)[rng.integers(n_L, size=m)].T if output == "softmax" else rng.integers(2, size=(n_L, m))
    start = {}
    for l in range(1, len(sizes)):
        start[f"W{l}"] = (rng.standard_normal((sizes[l], sizes[l - 1])) / np.sqrt(sizes[l - 1])).astype(dtype)
        start[f"b{l}"] = (rng.standard_normal((sizes[l], 1)) / 8).astype(dtype)
    return X, np.asarray(Y, dtype), start


def work_on(X, Y, sizes, start, hidden="relu", output="sigmoid", rule="adam", **options):
    return Batches(
        X, Y, sizes, start, hidden=HIDDEN[hidden], output=OUTPUTS[output], optimizer=RULES[rule], **options
    )  # fmt: skip


def orders_of(m, epochs, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.permutation(m) for _ in range(epochs)]


def assert_close(work, parameters, costs, rtol=TRAINING_RTOL):
    for key, expected in parameters.items():
        np.testing.assert_allclose(work.views()[key], expected, rtol=0, atol=rtol * np.max(np.abs(expected)), err_msg=key)
    np.testing.assert_allclose(np.add(work.costs, work.penalties), costs, rtol=rtol, atol=0)


@pytest.mark.plain
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_kind_of_training(hidden, output, rule):
    sizes, m, epochs = [4, 5, 3], 7, 4
    X, Y, start = problem(sizes, m, output)
    orders, weights = orders_of(m, epochs), np.random.default_rng(2).uniform(0.5, 2, m)
    for options in ({}, {"l2": 0.5, "weights": weights}):
        work = work_on(X, Y, sizes, start, hidden, output, rule, batch_size=3, **options)
        assert work.advance(np.concatenate(orders), np.full(epochs, RULES[rule].learning_rate)) == work.done == epochs
        expected = descend(
            X, Y, sizes, start, hidden=hidden, output=output, optimizer=RULES[rule], batch_size=3, orders=orders, epochs=epochs,
            **options,
        )  # fmt: skip
        assert_close(work, *expected)


NETS = {"one layer": [6, 2], "narrow": [30, 16, 8, 2], "wide": [40, 200, 90, 2]}


@pytest.mark.parametrize("batch_size", [None, 1, 64, 199, 200, 1000])
@pytest.mark.parametrize("sizes", NETS.values(), ids=NETS)
def test_batches_of_any_size(sizes, batch_size):
    m, epochs = 200, 2
    X, Y, start = problem(sizes, m, "softmax")
    orders = orders_of(m, epochs)
    work = work_on(X, Y, sizes, start, "tanh", "softmax", l2=0.1, batch_size=batch_size)
    work.advance(np.concatenate(orders), np.full(epochs, 0.01))
    expected = descend(
        X, Y, sizes, start, hidden="tanh", output="softmax", optimizer=RULES["adam"], l2=0.1, batch_size=batch_size,
        orders=orders, epochs=epochs,
    )  # fmt: skip
    assert_close(work, *expected)
    assert work.t == epochs * -(-m // min(batch_size or m, m))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("batch_size", [None, 50])
def test_float32_is_no_further_from_float64_than_the_references_own(batch_size, rule):
    """Twice as far at most, and the rounding of a few values."""
    sizes, m, epochs = [20, 12, 3], 150, 5
    X, Y, start = problem(sizes, m, "softmax", "float32")
    orders = orders_of(m, epochs)
    options = {"l2": 0.1, "batch_size": batch_size}

    def reference(X, Y, start):
        kind = {"hidden": "tanh", "output": "softmax", "optimizer": RULES[rule], "orders": orders, "epochs": epochs}
        return descend(X, Y, sizes, start, **kind, **options)

    exact, _ = reference(X.astype("d"), Y.astype("d"), {key: value.astype("d") for key, value in start.items()})
    single, _ = reference(X, Y, start)
    work = work_on(X, Y, sizes, start, "tanh", "softmax", rule, **options)
    work.advance(np.concatenate(orders), np.full(epochs, RULES[rule].learning_rate))
    for key, value in work.views().items():
        assert value.dtype == np.float32
        theirs = np.max(np.abs(single[key] - exact[key]))
        assert np.max(np.abs(value - exact[key])) <= 2 * theirs + 2.0**-22 * np.max(np.abs(exact[key]))


@pytest.mark.parametrize("sizes", [[30, 16, 8, 3], [300, 250, 3]], ids=str)
@pytest.mark.parametrize("batch_size", [None, 200])
def test_the_bits_do_not_depend_on_the_threads(sizes, batch_size, threads):
    X, Y, start = problem(sizes, 700, "softmax")
    order = np.concatenate(orders_of(700, 2))
    results = []
    for count in (1, 2, 3):
        threads(count)
        work = work_on(X, Y, sizes, start, "tanh", "softmax", l2=0.1, batch_size=batch_size)
        work.advance(order, np.full(2, 0.01))
        results.append((work.P, work.M, np.array(work.costs)))
    for other in results[1:]:
        assert_same_bits(other, results[0])


@pytest.mark.parametrize("rule", RULES)
def test_epoch_by_epoch_and_from_its_moments_it_has_the_bits_of_one_run(rule):
    sizes, m = [6, 5, 2], 40
    X, Y, start = problem(sizes, m, "sigmoid")
    orders, rates = orders_of(m, 4), np.array([0.02, 0.01, 0.02, 0.005])
    whole = work_on(X, Y, sizes, start, rule=rule, batch_size=16)
    whole.advance(np.concatenate(orders), rates)
    first = work_on(X, Y, sizes, start, rule=rule, batch_size=16)
    for epoch in (0, 1):
        first.advance(orders[epoch], rates[epoch : epoch + 1])
    second = work_on(X, Y, sizes, first.parameters(), rule=rule, batch_size=16)
    for mine, theirs in zip(second.moments(), first.moments(), strict=True):
        for key in mine:
            mine[key][...] = theirs[key]
    second.t = first.t
    second.advance(np.concatenate(orders[2:]), rates[2:])
    assert_same_bits([second.P, second.M, np.array(first.costs + second.costs)], [whole.P, whole.M, np.array(whole.costs)])


@pytest.mark.parametrize("order", ["C", "F"])
def test_without_an_order_examples_are_taken_as_they_lie(order):
    sizes, m = [6, 5, 2], 40
    X, Y, start = problem(sizes, m, "sigmoid")
    work = work_on(np.array(X, order=order), np.array(Y, order=order), sizes, start, batch_size=16)
    work.advance(None, np.full(2, 0.01))
    other = work_on(X, Y, sizes, start, batch_size=16)
    other.advance(np.tile(np.arange(m), 2), np.full(2, 0.01))
    assert_same_bits(work.P, other.P)


@pytest.mark.parametrize("batch_size", [None, 16])
def test_a_stop_leaves_the_last_complete_epoch(batch_size):
    sizes, m = [6, 5, 2], 40
    X, Y, start = problem(sizes, m, "sigmoid")
    work = work_on(X, Y, sizes, start, batch_size=batch_size)
    work.state[0] = 1
    assert work.advance(None, np.full(3, 0.01)) == 0
    assert work.state[1] == STOPPED and work.stopped and not work.diverged
    assert_same_bits(work.parameters(), start)
    assert (work.done, work.t, work.costs, work.penalties) == (0, 0, [], [])
    work.state[0] = 0
    worker = threading.Thread(target=work.advance, args=(None, np.full(10**6, 1e-4)), daemon=True)
    worker.start()
    try:
        while np.array_equal(work.views()["b1"], start["b1"]):
            time.sleep(0.001)
    finally:
        work.state[0] = 1
    worker.join(60)
    assert not worker.is_alive() and 0 < work.done < 10**6
    other = work_on(X, Y, sizes, start, batch_size=batch_size)
    other.advance(None, np.full(work.done, 1e-4))
    assert_same_bits([work.P, work.M], [other.P, other.M])


@pytest.mark.plain
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy warns of an overflow on the plain twins
def test_an_epoch_that_ceases_to_be_finite_is_undone(rule, dtype):
    sizes, m = [3, 2], 8
    X, Y, start = problem(sizes, m, "identity", dtype)
    largest = float(np.finfo(dtype).max)
    work = work_on(X, Y, sizes, start, output="identity", rule=rule, batch_size=4)
    work.advance(None, np.full(1, 0.01))
    before = work.P.copy(), work.M.copy()
    with np.errstate(all="ignore"):
        done = work.advance(None, np.array([largest / 4, largest / 4, 0.01]))
    assert work.diverged and done < 3
    if done == 0:
        assert_same_bits([work.P, work.M], before)
    assert np.isfinite(work.P).all()


@pytest.mark.plain
def test_gradients_of_all_examples():
    sizes, m = [6, 5, 3], 40
    X, Y, start = problem(sizes, m, "softmax")
    weights = np.random.default_rng(2).uniform(0.5, 2, m)
    for options in ({}, {"l2": 0.5, "weights": weights}):
        work = work_on(X, Y, sizes, start, "leaky_relu", "softmax", **options)
        cost, penalty, grads = work.loss_and_gradients()
        expected = cost_and_gradients(X, Y, start, hidden="leaky_relu", output="softmax", **options)
        np.testing.assert_allclose([cost, penalty], expected[:2], rtol=1e-14)
        assert grads.keys() == expected[2].keys()
        for key, value in grads.items():
            np.testing.assert_allclose(value, expected[2][key], rtol=0, atol=1e-14)


def test_no_argument_is_written():
    sizes, m = [6, 5, 3], 40
    X, Y, start = problem(sizes, m, "softmax")
    order = np.concatenate(orders_of(m, 2))
    before = X.copy(), Y.copy(), {key: value.copy() for key, value in start.items()}, order.copy()
    work = work_on(X, Y, sizes, start, output="softmax", batch_size=16)
    work.advance(order, np.full(2, 0.01))
    assert_same_bits((X, Y, start, order), before)


def test_a_softmax_of_one_unit_is_refused():
    X, Y, start = problem([3, 1], 4, "sigmoid")
    with pytest.raises(ValueError, match="at least 2"):
        work_on(X, Y, [3, 1], start, output="softmax")


@pytest.mark.plain
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("rule", RULES)
def test_the_largest_finite_weight_trains_on(rule, dtype):
    """W1 = 0, so that A1 = 0 and W2 has gradient 0."""
    X, Y, _ = problem([1, 1, 1], 4, "sigmoid", dtype)
    largest = np.finfo(dtype).max
    zero = np.zeros((1, 1), dtype)
    work = work_on(X, Y, [1, 1, 1], {"W1": zero, "b1": zero, "W2": zero + largest, "b2": zero}, rule=rule)
    assert work.advance(None, np.full(2, 0.01)) == 2
    assert work.views()["W2"][0, 0] == largest and not work.diverged


def test_what_a_training_computes_is_all_that_is_compiled_for_it():
    """A routine a kind, each loaded when it is first asked for."""
    program = """if True:
        import numpy as np
        from fastbackprop.kernels.jit import Routine
        from tests.test_batches import problem, work_on
        X, Y, start = problem([2, 2], 3, "softmax")
        work_on(X, Y, [2, 2], start, "tanh", "softmax", "momentum").load()
        names = {routine.py_func.__name__ for routine in Routine.loaded.values()}
        assert {"tanh_chunk", "tanh_gradient_of_chunk", "softmax_output", "momentum_step"} <= names
        assert not {"leaky_relu_chunk", "sigmoid_chunk", "identity_output", "adam_step", "nesterov_step"} & names
    """
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("sizes", "m", "batch_size", "epochs", "helped"),
    [((4, 2, 1), 300, 30, 9, False), ((20, 100, 1), 20, None, 1, False), ((20, 100, 1), 600, 200, 1, True)],
    ids=["no product is shared", "too little in all", "enough"],
)
def test_helpers_are_called_where_there_is_something_to_share(monkeypatch, sizes, m, batch_size, epochs, helped):
    X, Y, start = problem(sizes, m, "sigmoid")
    called = []

    def in_team(kernel, *arguments):
        called.append(kernel)
        return alone(kernel, *arguments)

    monkeypatch.setattr(batches, "in_team", in_team)
    work = Batches(
        X, Y, sizes, start, hidden=HIDDEN["relu"], output=OUTPUTS["sigmoid"], optimizer=Adam(0.01), batch_size=batch_size
    )
    assert work.advance(None, np.full(epochs, 0.01)) == epochs
    assert bool(called) is helped
