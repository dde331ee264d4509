"""L_layer_model as users call it, by each algorithm: its output, results, log, side effects and refusals; and Ctrl-C."""

import logging
import os
import signal
import subprocess
import sys
import threading
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastbackprop as bp
from fastbackprop import looping, reference, slices
from fastbackprop.testing import TRAINING_RTOL, assert_same_bits, assert_within_bound, map_arrays

from .support import arguments, trainings
from .support.trainings import LAYERS, START, X, Y, train

ALGORITHMS = ("auto", "direct", "gram")


def assert_close(actual, expected):
    (parameters, costs), (expected_parameters, expected_costs) = actual, expected
    bound = map_arrays(lambda x: TRAINING_RTOL * np.max(np.abs(x)), expected_parameters)
    assert_within_bound(parameters, expected_parameters, bound)
    assert_within_bound(costs, expected_costs, [TRAINING_RTOL * cost for cost in expected_costs])


# ------------------------------------------------------------------------------------------------- printed and returned


@pytest.mark.parametrize("iterations", [0, 1, 100, 101, 250])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_lines_are_printed_as_the_reference_prints_them(algorithm, iterations, capsys):
    expected = train(iterations, module=reference, print_cost=True)
    lines = capsys.readouterr().out
    actual = train(iterations, print_cost=True, algorithm=algorithm)
    assert capsys.readouterr().out == lines
    assert lines.count("Cost after iteration") == -(-iterations // 100)
    assert_close(actual, expected)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_nothing_is_printed_otherwise_and_the_result_is_the_same(algorithm, capsys):
    printed = train(print_cost=True, algorithm=algorithm)
    capsys.readouterr()
    silent = train(algorithm=algorithm)
    assert capsys.readouterr() == ("", "")
    assert_same_bits(silent, printed)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_costs_are_returned_only_when_asked_for(algorithm):
    parameters = train(return_costs=False, algorithm=algorithm)
    assert isinstance(parameters, dict)
    again, costs = train(algorithm=algorithm)
    assert_same_bits(parameters, again)
    assert list(parameters) == ["W1", "b1", "W2", "b2"]
    assert [type(cost) for cost in costs] == [float] * 3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_start_is_copied_and_everything_left_as_it_was(algorithm):
    X_, Y_, start = map_arrays(np.copy, (X, Y, START))
    for iterations in (0, 3):
        parameters, _ = train(iterations, X_, Y_, parameters=start, algorithm=algorithm)
        assert_same_bits((X_, Y_, start), (X, Y, dict(START)))
        assert parameters is not start
        assert not any(np.shares_memory(a, b) for a in parameters.values() for b in start.values())
    untouched, costs = train(0, parameters=start, algorithm=algorithm)
    assert_same_bits(untouched, dict(START))
    assert costs == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_without_a_start_the_references_is_drawn(algorithm):
    np.random.seed(3)
    expected = train(150, module=reference, parameters=None)
    np.random.seed(3)
    assert_close(train(150, parameters=None, algorithm=algorithm), expected)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_bits_each_time_and_in_several_threads_at_once(algorithm):
    first, results = train(algorithm=algorithm), []
    threads = [threading.Thread(target=lambda: results.append(train(algorithm=algorithm))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 4
    for result in results:
        assert_same_bits(result, first)


# ------------------------------------------------------------------------------------------------ what may be passed in


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_float32_is_trained_in_float32(algorithm):
    X_, start = map_arrays(lambda x: x.astype("f"), (X, START))
    for labels in (Y, Y.astype("f"), Y.astype("d"), Y.astype(bool)):
        parameters, costs = train(5, X_, labels, parameters=start, algorithm=algorithm)
        assert {value.dtype.char for value in parameters.values()} == {"f"}
        assert [type(cost) for cost in costs] == [float]
    expected, _ = train(5, module=reference)
    # Five iterations in float32: 2^-24 of the largest entry, and room for the five.
    bound = map_arrays(lambda x: 2.0**-20 * np.max(np.abs(x)), expected)
    assert_within_bound(parameters, expected, bound)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_wider_of_data_and_parameters(dtype):
    for x, start in ((X.astype("f"), START), (X, map_arrays(lambda p: p.astype("f"), START))):
        parameters, _ = train(5, x.astype(dtype), parameters=map_arrays(lambda p: p.astype("d"), start))
        assert {value.dtype.char for value in parameters.values()} == {"d"}


@pytest.mark.parametrize("labels", [Y.astype(t) for t in (bool, "int8", "uint8", "int64", "f", "d")], ids=lambda y: y.dtype)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_labels_of_any_kind(algorithm, labels):
    assert_same_bits(train(Y=labels, algorithm=algorithm), train(algorithm=algorithm))


def test_numbers_of_numpy_and_lists():
    expected = train()
    assert_same_bits(train(np.int32(250), layers=np.array(LAYERS), rate=np.float64(0.1)), expected)
    assert_same_bits(train(250, X.tolist(), Y.tolist(), tuple(LAYERS), np.array(0.1)), expected)


def test_integer_data_is_trained_in_float64():
    whole = np.round(4 * X).astype(int)
    assert_same_bits(train(20, whole), train(20, whole.astype("d")))


def test_what_the_kernels_do_not_cover_the_reference_serves_and_says_so(caplog, capsys):
    caplog.set_level(logging.DEBUG, logger="fastbackprop")
    wide, start = X.astype(np.longdouble), map_arrays(lambda x: x.astype(np.longdouble), START)
    if wide.dtype == X.dtype:
        pytest.skip("longdouble is float64 here")
    expected = reference.L_layer_model(wide, Y, LAYERS, 0.1, 101, True, parameters=start, return_costs=True)
    lines = capsys.readouterr().out
    assert_same_bits(train(101, wide, print_cost=True, parameters=start), expected)
    assert capsys.readouterr().out == lines
    assert [r.levelname for r in caplog.records if "reference" in r.getMessage()] == ["DEBUG"]


@pytest.mark.parametrize(("asked", "m", "taken"), [("auto", 6, "gram"), ("auto", 60, "direct"), ("direct", 6, "direct")])
def test_the_choice_of_algorithm_is_logged(asked, m, taken, caplog):
    caplog.set_level(logging.INFO, logger="fastbackprop")
    train(1000, np.tile(X, m // 6), np.tile(Y, m // 6), algorithm=asked)
    (record,) = [r for r in caplog.records if r.name == "fastbackprop" and r.levelname == "INFO"]
    assert taken in record.getMessage()


# -------------------------------------------------------------------------------------------------------------- refused

ONES = np.ones((1, 6))
REFUSED: dict[str, tuple[type[Exception], dict[str, Any], tuple[str, ...]]] = {
    "an unknown algorithm": (ValueError, {"algorithm": "fast"}, ("'fast'", "'auto'", "'direct'", "'gram'")),
    "no algorithm": (ValueError, {"algorithm": None}, ("None", "'auto'")),
    "iterations below 0": (ValueError, {"num_iterations": -1}, ("num_iterations", "-1")),
    "a fraction of iterations": (TypeError, {"num_iterations": 2.5}, ("num_iterations", "2.5")),
    "a rate of two": (ValueError, {"learning_rate": [0.1, 0.2]}, ("learning_rate", "(2,)")),
    "a complex rate": (TypeError, {"learning_rate": 1j}, ("learning_rate", "complex")),
    "labels on end": (ValueError, {"Y": Y.T}, ("Y", "(6, 1)", "(1, 6)")),
    "too few labels": (ValueError, {"Y": Y[:, :5]}, ("Y", "(1, 5)", "(1, 6)")),
    "other features": (ValueError, {"X": X[:8]}, ("X", "(8, 6)", "9")),
    "no examples": (ValueError, {"X": X[:, :0], "Y": Y[:, :0]}, ("X", "(9, 0)")),
    "nan in X": (ValueError, {"X": X * np.nan}, ("X", "finite")),
    "inf in Y": (ValueError, {"Y": Y + np.inf}, ("Y", "finite")),
    "two outputs": (ValueError, {"layers_dims": [9, 4, 2]}, ("layers_dims", "2")),
    "a layer of none": (ValueError, {"layers_dims": [9, 0, 1]}, ("layers_dims", "0")),
    "text for X": (TypeError, {"X": X.astype(str)}, ("X", "<U")),
    "a missing key": (KeyError, {"parameters": {k: v for k, v in START.items() if k != "b2"}}, ("b2", "layer 2")),
    "a misshapen W": (ValueError, {"parameters": {**START, "W2": ONES}}, ("W2", "(1, 6)", "(1, 4)")),
    "nan in a W": (ValueError, {"parameters": {**START, "W2": np.full((1, 4), np.nan)}}, ("W2", "4", "finite")),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_meaningless_is_refused(case, capsys):
    kind, changed, fragments = REFUSED[case]
    usual: dict[str, Any] = {
        "X": X,
        "Y": Y,
        "layers_dims": LAYERS,
        "num_iterations": 3,
        "print_cost": True,
        "parameters": START,
    }
    with pytest.raises(kind) as caught:
        bp.L_layer_model(**(usual | changed))
    assert type(caught.value) is kind
    assert [fragment for fragment in fragments if fragment not in str(caught.value)] == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_labels_beyond_0_and_1_are_warned_of_where_the_user_wrote_it(algorithm):
    with pytest.warns(UserWarning, match=r"\[0, 1\]") as caught:
        train(2, Y=2 * Y - 1, algorithm=algorithm)
    (warning,) = caught
    assert warning.filename == trainings.__file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(2, Y=Y * 0.7 + 0.1, algorithm=algorithm)


@pytest.mark.parametrize("labels", [[-1, 1, -1, 1, 1], [1, 2, 1, 2, 2], [0, 0.5, 1.5, 1, 0]])
def test_training_warns_of_labels_outside_0_1(labels):
    with pytest.warns(UserWarning, match=r"Y.*\[0, 1\]"):
        bp.L_layer_model(arguments.X, np.array([labels], float), arguments.LAYERS, num_iterations=1)


@pytest.mark.parametrize("labels", [[0, 1, 0, 1, 1], [0.1, 0.9, 0.5, 0, 1]])
def test_training_takes_labels_within_0_1_in_silence(labels):
    bp.L_layer_model(arguments.X, np.array([labels]), arguments.LAYERS, num_iterations=1)  # a warning would be an error


# ------------------------------------------------------------------------------------------------------------ diverging


@pytest.mark.parametrize("print_cost", [False, True])
@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_a_training_that_diverges_keeps_the_last_finite_parameters(algorithm, print_cost, capsys):
    options = {"parameters": START, "algorithm": algorithm}
    with pytest.raises(FloatingPointError, match=r"iteration \d+ .*learning_rate") as caught:
        bp.L_layer_model(X, Y, LAYERS, 1e200, 1000, print_cost, **options)
    last = vars(caught.value)["parameters"]
    done = int(str(caught.value).split()[1])
    assert all(np.isfinite(value).all() for value in last.values())
    assert_same_bits(last, bp.L_layer_model(X, Y, LAYERS, 1e200, done, **options))
    assert capsys.readouterr().out.count("Cost after iteration 0: ") == (print_cost and done > 0)


@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_float32_ends_where_float32_does(algorithm):
    """Gram descent, which computes in float64, returns parameters that are finite in the dtype of the data too."""
    X_, start = map_arrays(lambda x: x.astype("f"), (X, START))
    for iterations in range(1, 20):
        try:
            parameters = bp.L_layer_model(X_, Y, LAYERS, 1e30, iterations, parameters=start, algorithm=algorithm)
        except FloatingPointError as error:
            parameters = vars(error)["parameters"]
        assert {value.dtype.char for value in parameters.values()} == {"f"}
        assert all(np.isfinite(value).all() for value in parameters.values())


@pytest.mark.parametrize("options", [{}, {"print_cost": True}, {"checkpoint": "training.npz"}], ids=str)
@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_a_training_that_diverges_says_where_and_what_to_try(algorithm, options, tmp_path, monkeypatch):
    """The iteration and the last finite parameters are the same with any watchers."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FloatingPointError, match="Try a smaller learning_rate") as caught:
        train(rate=1e200, algorithm=algorithm, **options)
    words = str(caught.value).split()
    assert words[0] == "iteration"
    assert "(learning_rate 1e+200)" in str(caught.value)
    done, last = int(words[1]), vars(caught.value)["parameters"]
    assert all(np.isfinite(value).all() for value in last.values())
    assert_same_bits(last, train(done, rate=1e200, algorithm=algorithm)[0])
    with pytest.raises(FloatingPointError, match=f"iteration {done} "):
        train(done + 1, rate=1e200, algorithm=algorithm)


@pytest.mark.parametrize(("dtype", "rate"), [("float32", 1e20), ("float64", 1e150)])
def test_a_training_that_diverges_stops_and_keeps_the_last_finite_parameters(dtype, rate):
    twice = np.concatenate([arguments.X, arguments.X], axis=1).astype(dtype)
    contradiction = np.repeat([[0, 1]], 5, axis=1).astype(dtype)  # each example with both labels: no step is small
    start = {key: value.astype(dtype) for key, value in arguments.PARAMETERS.items()}
    with pytest.raises(FloatingPointError, match=r"iteration \d+ .*learning_rate") as caught:
        bp.L_layer_model(twice, contradiction, arguments.LAYERS, rate, 1000, parameters=start)
    last, iteration = vars(caught.value)["parameters"], int(str(caught.value).split()[1])
    assert all(np.all(np.isfinite(value)) for value in last.values())
    assert iteration > 0
    assert_same_bits(last, bp.L_layer_model(twice, contradiction, arguments.LAYERS, rate, iteration, parameters=start))


@pytest.mark.parametrize("algorithm", ["direct", "gram"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_largest_finite_number_is_finite(dtype, algorithm):
    """A weight that no input reaches stays as it is, however large."""
    largest = np.finfo(dtype).max
    start = {"W1": np.array([[largest, -largest]], dtype), "b1": np.zeros((1, 1), dtype)}
    X, Y = np.zeros((2, 4), dtype), np.array([[0, 1, 1, 1]])
    trained = bp.L_layer_model(X, Y, [2, 1], 0.1, 3, parameters=start, algorithm=algorithm)
    np.testing.assert_array_equal(trained["W1"], start["W1"])
    assert trained["b1"] > 0
    start = {"W1": np.zeros((1, 2), dtype), "b1": np.array([[largest]], dtype)}  # an output of 1, of which the gradient is 0
    trained = bp.L_layer_model(X, np.ones((1, 4)), [2, 1], 0.1, 3, parameters=start, algorithm=algorithm)
    assert trained["b1"] == largest


def test_a_training_that_diverges_for_its_labels_names_them():
    """With a label outside [0, 1] the cost has no minimum: its gradient drives the output on for ever."""
    with (
        pytest.warns(UserWarning, match="labels from -1"),
        pytest.raises(FloatingPointError, match=r"labels from -1.* to 1.*\[0, 1\]") as caught,
    ):
        bp.L_layer_model(arguments.X, [[-1, 1, -1, 1, 1]], arguments.LAYERS, 1e150, 1000, parameters=arguments.PARAMETERS)
    assert "learning_rate" not in str(caught.value)


# --------------------------------------------------------------------------------------------------------------- slices


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_slices_change_no_bit(algorithm, dtype, monkeypatch, capsys):
    data, start = map_arrays(lambda x: x.astype(dtype), (X, START))

    def run(**options):
        return bp.L_layer_model(data, Y, LAYERS, 0.1, 250, parameters=start, return_costs=True, algorithm=algorithm, **options)

    whole = run()
    for seconds in (0, 1e-4):  # one iteration a slice, some
        monkeypatch.setattr(looping, "SLICE_SECONDS", seconds)
        assert_same_bits(run(print_cost=True), whole)


@given(st.integers(1, 10**6), st.floats(1e-9, 100))
def test_a_slice_takes_about_as_long_as_it_should(length, seconds):
    """It follows the time of an iteration now, with at most 16 times as many as before: a measurement may be a lucky one."""
    wanted = slices.SLICE_SECONDS
    following = slices.next_length(length, seconds, wanted)
    assert 1 <= following <= min(16 * length, slices.MOST_ITERATIONS)
    if following > 1:
        assert following * seconds / length <= wanted * (1 + 1e-9)
    if following < min(16 * length, slices.MOST_ITERATIONS):
        assert (following + 1) * seconds / length >= wanted * (1 - 1e-9)


def test_a_slice_that_took_no_time_on_the_clock_is_followed_by_a_longer_one():
    assert slices.next_length(3, 0.0, slices.SLICE_SECONDS) == 48


# --------------------------------------------------------------------------------------------------------------- Ctrl-C

ENDLESS = """
import numpy as np
import fastbackprop as bp
X = np.random.randn(200, {m})
bp.L_layer_model(X, (X[:1] > 0), [200, 100, 1], 0.01, 10**8, True, algorithm="{algorithm}")
"""


@pytest.mark.skipif(os.name != "posix", reason="a console's Ctrl-C cannot be sent to one process alone here")
@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_ctrl_c_ends_a_training(algorithm):
    """The signal is sent when the first cost has been printed: most of the time is spent in the kernel then."""
    program = [sys.executable, "-u", "-c", ENDLESS.format(algorithm=algorithm, m=3000)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Cost after iteration 0: ")
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT
