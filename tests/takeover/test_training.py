"""The compiled run of a model's loop: it does what the model's own code does, on any data."""

import importlib
import signal
import sys
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest

from fastbackprop.algorithms import Gram
from fastbackprop.kernels import jit

from ..support.loops import GIVEN, HEAD, NO_START, TAKES, UPDATES, X, Y, matrix, rng, start, training
from ..support.taken import OWN, assert_as_own, changed, counted, namespace, taken, with_loop

NUMPY_2 = int(np.__version__.partition(".")[0]) >= 2


# ----------------------------------------------------------------------------------------------------- data of any kind


BETWEEN = rng.random((1, 70)).round(2)
DATA: dict[str, tuple[Any, Any, Any, bool]] = {
    "float64": (X, Y, float, True),
    "Fortran order": (np.asfortranarray(X), Y, float, True),
    "a view": (np.repeat(X, 2, axis=0)[::2], np.repeat(Y, 2, axis=1)[:, ::2], float, True),
    "backwards": (X[:, ::-1], Y[:, ::-1], float, True),
    "float32": (X.astype("f4"), Y.astype("f4"), "f4", True),
    "float32, wide parameters": (X.astype("f4"), Y, float, True),
    "float32, labels of float64": (X.astype("f4"), Y, "f4", False),
    "float32, labels of int64": (X.astype("f4"), Y.astype(int), "f4", False),
    "float32, labels of bool": (X.astype("f4"), Y.astype(bool), "f4", False),
    "float32, labels of uint8": (X.astype("f4"), Y.astype("u1"), "f4", True),
    "whole numbers": ((4 * X).astype(int), Y, float, True),
    "bytes": ((4 * abs(X)).astype("u1"), Y.astype("u1"), float, True),
    "labels of int": (X, Y.astype(int), float, True),
    "labels of bool": (X, Y.astype(bool), float, True),
    "labels of uint8": (X, Y.astype("u1"), float, True),
    "labels between": (X, BETWEEN, float, True),
    "read-only": (X.copy(), Y.copy(), float, True),
    "other byte order": (X.astype(">f8"), Y.astype(">f8"), float, True),
    "one example": (X[:, :1], Y[:, :1], float, True),
    "nan in X": (np.where(X > 2, np.nan, X), Y, float, False),
    "inf in X": (np.where(X > 2, np.inf, X), Y, float, False),
    "nan in Y": (X, np.where(Y == 1, np.nan, Y), float, False),
    "labels outside": (X, 2 * Y, float, False),
    "labels -1 and 1": (X, 2 * Y - 1, float, False),
    "Y a vector": (X, Y[0], float, False),
    "Y a column": (X, Y.T, float, False),
    "Y too long": (X, np.hstack([Y, Y]), float, False),
    "X a list": (X.tolist(), Y, float, False),
    "X a matrix": (matrix(X), Y, float, False),
    "Y a matrix": (X, matrix(Y), float, False),
    "X a masked array": (np.ma.array(X), Y, float, False),
    "X of objects": (X.astype(object), Y, float, False),
    "X of another size": (X[:4], Y, float, False),
    "X of float16": (X.astype("f2"), Y, "f2", False),
    "longdouble": (X.astype("g"), Y.astype("g"), "g", False),
    "complex": (X.astype(complex), Y, float, False),
    "no examples": (X[:, :0], Y[:, :0], float, False),
}
DATA["read-only"][0].flags.writeable = DATA["read-only"][1].flags.writeable = False


@pytest.mark.parametrize("name", DATA)
def test_data_of_any_kind(name):
    x, y, dtype, compiled = DATA[name]
    tolerance = (1e-4, 1e-5) if np.dtype(dtype) == np.float32 else (1e-9, 1e-12)

    def call(space):
        return space["L_layer_model"](x, y, start(6, 4, 1, dtype=dtype), 0.2, 250)

    iterations = assert_as_own(GIVEN, call, *tolerance)
    if NUMPY_2 or np.dtype(dtype) != np.float32:  # before NumPy 2 a float32 cost divided by an int is float64: as it stands
        assert (iterations > 200) == compiled, iterations


class Frame:
    """A table that works as an array does in a formula, and is none."""

    __array_priority__ = 1000

    def __init__(self, values):
        self.values, self.T, self.shape = values, values.T, values.shape

    def __rmatmul__(self, other):
        return other @ self.values

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_a_table():
    assert not assert_as_own(GIVEN, training(Frame(X)))


@pytest.mark.parametrize("iterations", [0, 1, 2, 3, 4, 100, 101])
def test_numbers_of_iterations(iterations):
    text = changed(("    return parameters\n\n\ndef L_layer", "    return parameters\n\n\ndef L_layer"), text=GIVEN)
    text = text[: text.rindex("    return parameters")] + "    return parameters, costs\n"
    assert_as_own(text, training(iterations=iterations, print_cost=True))


@pytest.mark.parametrize(
    "rate", [0.1, 1, np.float64(0.1), np.float32(0.1), np.array(0.1), np.array([0.1]), 0, True, -0.05, np.int64(1)]
)
def test_learning_rates(rate):
    assert_as_own(GIVEN, training(rate=rate, iterations=60))


@pytest.mark.parametrize("rate", ["0.1", None, [0.1], float("nan"), 10**400, 1j])
def test_learning_rates_that_are_none(rate):
    assert_as_own(GIVEN, training(rate=rate, iterations=60))


def test_a_rate_by_keyword_and_defaults():
    text = changed(
        ("update_parameters(parameters, grads, learning_rate)\n        if", "update_parameters(grads=grads, learning_rate=0.1, "
         "parameters=parameters)\n        if"),
        text=GIVEN,
    )  # fmt: skip
    assert assert_as_own(text, lambda space: space["L_layer_model"](X, Y, start(6, 1), num_iterations=90)) > 50


@pytest.mark.parametrize("sizes", [(6, 1), (6, 4, 1), (6, 5, 4, 3, 1), (6, 1, 1)])
def test_nets_of_any_depth(sizes):
    assert assert_as_own(GIVEN, training(sizes=sizes)) > 200


def test_an_output_of_two_units():
    assert not assert_as_own(GIVEN, training(Y=np.vstack([Y, 1 - Y]), sizes=(6, 4, 2)))


# ------------------------------------------------------------------------------- outputs of 0 and 1, and what diverges


@pytest.mark.parametrize(
    ("scale", "rate", "iterations"),
    [(60, 0.1, 50), (0.5, 80.0, 300), (0.5, 1e4, 60), (0.5, 1e300, 60), (3, 5.0, 400), (1e160, 0.1, 30), (0.5, 20.0, 1000)],
)
@pytest.mark.parametrize("printing", [False, True])
def test_saturation_and_divergence_end_as_their_own_code_does(scale, rate, iterations, printing):
    text = changed(("i % 100", "i % 10"), text=GIVEN)

    def call(space):
        return space["L_layer_model"](X, Y, start(6, 4, 1, scale=scale), rate, iterations, printing)

    assert_as_own(text, call, 1e-6, 1e-9)


def test_outputs_that_come_to_1_in_the_course_of_a_training():
    x = np.hstack([np.full((1, 20), 3.0), np.full((1, 20), -3.0)])
    y = (x > 0).astype(float)

    def call(space):
        return space["L_layer_model"](x, y, start(1, 1, scale=0.1), 4000.0, 400, True)

    assert_as_own(GIVEN, call)


@pytest.mark.parametrize("settings", [{"all": "raise"}, {"over": "raise"}, {"under": "warn"}, {"divide": "print"}])
def test_numpys_errors_are_raised(settings):
    def call(space):
        with np.errstate(**settings):
            return space["L_layer_model"](X * 100, Y, start(6, 4, 1), 50.0, 200, True)

    assert_as_own(GIVEN, call)


# ------------------------------------------------------------------------------------------------------- both algorithms


def wide(dtype=float):
    x = rng.standard_normal((300, 20)).astype(dtype)
    return x, (x[:1] > 0).astype(dtype)


@pytest.mark.parametrize("dtype", [float, "f4"])
@pytest.mark.parametrize(
    "besides", ["", "        if i % 10 == 0:\n            print(f\"{np.abs(parameters['W1']).sum():.3f}\")\n"]
)
def test_gram_descent(dtype, besides, monkeypatch):
    x, y = wide(dtype)
    made = []
    begin = Gram.begin

    def noted(self, start):
        made.append(self)
        begin(self, start)

    monkeypatch.setattr(Gram, "begin", noted)
    text = changed(TAKES, NO_START, text=with_loop(HEAD + "        if i % 10 == 0:\n            costs.append(cost)\n" + besides,
                                                   "    return parameters, costs\n"))  # fmt: skip

    def call(space):
        return space["L_layer_model"](x, y, start(300, 5, 1, dtype=dtype, scale=0.05), 0.05, 200)

    tolerance = (2e-3, 1e-5) if dtype == "f4" else (1e-9, 1e-12)
    iterations = assert_as_own(text, call, *tolerance)
    assert iterations > 150 or not (NUMPY_2 or dtype is float)  # as above
    assert made


def test_x_that_changes_under_gram_descent():
    x, y = wide()
    text = changed(TAKES, NO_START, text=with_loop(HEAD + "        if i == 40:\n            np.multiply(X, 1.5, out=X)\n"))

    def call(space):
        return space["L_layer_model"](x.copy(), y, start(300, 5, 1, scale=0.05), 0.05, 200)

    assert 20 < assert_as_own(text, call) < 60


# ----------------------------------------------------------------------------------------------- the functions change


@pytest.mark.parametrize(
    "later",
    [
        "def compute_cost(AL, Y):\n    return np.array(5.0)\n",
        "def L_model_backward(AL, Y, caches):\n    return {f'd{k}{l}': 0.1 for k in 'Wb' for l in (1, 2)}\n",
        "def update_parameters(parameters, grads, learning_rate):\n    return parameters\n",
        "def print(*args):\n    costs_seen.append(args)\n\n\ncosts_seen = []\n",
    ],
)
def test_a_function_that_is_defined_once_more(later):
    def call(space):
        exec(later, space)
        result = space["L_layer_model"](X, Y, [6, 4, 1], 0.2, 150, True)
        return result, space.get("costs_seen")

    own, (space, _) = namespace(OWN), taken(OWN)
    results = []
    for names in (own, space):
        np.random.seed(1)
        results.append(call(names))
    (expected, said), (actual, said_too) = results
    assert said == said_too or len(said) == len(said_too)
    for key in expected:
        np.testing.assert_allclose(actual[key], expected[key], rtol=1e-9, atol=1e-13)


# ----------------------------------------------------------------------------------------------------------- two layers

TWO_LAYERS = """

def two_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    np.random.seed(1)
    grads = {}
    costs = []
    (n_x, n_h, n_y) = layers_dims
    parameters = initialize_parameters_deep([n_x, n_h, n_y])
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]
    first = W1
    for i in range(0, num_iterations):
        A1, cache1 = linear_activation_forward(X, W1, b1, "relu")
        A2, cache2 = linear_activation_forward(A1, W2, b2, "sigmoid")
        cost = compute_cost(A2, Y)
        dA2 = - (np.divide(Y, A2) - np.divide(1 - Y, 1 - A2))
        dA1, dW2, db2 = linear_activation_backward(dA2, cache2, "sigmoid")
        dA0, dW1, db1 = linear_activation_backward(dA1, cache1, "relu")
        grads['dW1'] = dW1
        grads['db1'] = db1
        grads['dW2'] = dW2
        grads['db2'] = db2
        parameters = update_parameters(parameters, grads, learning_rate)
        W1 = parameters["W1"]
        b1 = parameters["b1"]
        W2 = parameters["W2"]
        b2 = parameters["b2"]
        if print_cost and i % 100 == 0:
            print("Cost after iteration {}: {}".format(i, np.squeeze(cost)))
        if print_cost and i % 100 == 0:
            costs.append(cost)
    return parameters, W1, b2, first, grads, costs
"""


@pytest.mark.parametrize("iterations", [0, 1, 2, 350])
def test_two_layers(iterations):
    def call(space):
        return space["two_layer_model"](X, Y, (6, 5, 1), 0.3, iterations, True)

    compiled = assert_as_own(OWN + TWO_LAYERS, call)
    assert (compiled > 300) == (iterations == 350)


def test_two_layers_of_a_net_that_has_three():
    text = changed(
        ("    first = W1\n", "    first = W1\n    parameters['W3'] = parameters['b3'] = np.ones((1, 1))\n"), text=TWO_LAYERS
    )
    assert_as_own(OWN + text, lambda space: space["two_layer_model"](X, Y, (6, 5, 1), 0.3, 50))


# ----------------------------------------------------------------------------------------------------------- interrupts


@pytest.mark.skipif(not hasattr(signal, "setitimer") or not jit.JIT, reason="nothing to interrupt")
@pytest.mark.parametrize("besides", ["", "        if i % 1000 == 0:\n            costs.append(cost)\n"])
def test_an_interrupt_ends_a_long_training_and_the_model_serves_afterwards(besides):
    x = rng.standard_normal((50, 2000))
    y = (x[:1] > 0).astype(float)
    text = with_loop(HEAD + besides)
    space, _ = taken(text)
    space["L_layer_model"](x, y, [50, 20, 1], 0.01, 20)
    seen = []

    def interrupt(number, frame):
        seen.append(time.perf_counter())
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    threads = threading.active_count()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            space["L_layer_model"](x, y, [50, 20, 1], 0.01, 10**8)
        waited = time.perf_counter() - seen[0]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert waited < 2  # 0.2 s where nothing else runs
    assert threading.active_count() == threads
    own = namespace(text)
    results = []
    for names in (own, space):
        np.random.seed(4)
        results.append(names["L_layer_model"](x, y, [50, 20, 1], 0.01, 30))
    for key, value in results[0].items():
        np.testing.assert_allclose(results[1][key], value, rtol=1e-9, atol=1e-13)


@pytest.mark.skipif(not hasattr(signal, "setitimer") or not jit.JIT, reason="nothing to interrupt")
@pytest.mark.parametrize("shape", [(50, 2000), (3000, 100)])
@pytest.mark.parametrize("update", ["bound", "in place", "copied"])
def test_the_parameters_that_were_passed_hold_what_an_interrupt_leaves(shape, update):
    x = rng.standard_normal(shape)
    y = (x[:1] > 0).astype(float)
    space, row = taken(changed(*UPDATES[update], text=GIVEN))
    assert row.verdict == "taken over"
    passed = start(shape[0], 20, 1, scale=0.02)
    first = {key: value.copy() for key, value in passed.items()}

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with pytest.raises(KeyboardInterrupt):
            space["L_layer_model"](x, y, passed, 0.001, 10**8)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    for key, value in passed.items():
        assert np.isfinite(value).all()
        assert (value == first[key]).all() == (update == "copied")


def test_functions_of_a_helper_module(tmp_path, monkeypatch):
    (tmp_path / "own_steps.py").write_text(OWN[: OWN.index("def L_layer_model")], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    names = ("initialize_parameters_deep", "L_model_forward", "L_model_backward", "compute_cost", "update_parameters")
    model = OWN[OWN.index("def L_layer_model") :]
    for name in names:
        model = model.replace(f"{name}(", f"dnn.{name}(")
    text = "import own_steps as dnn\n\n\n" + model

    def call(space):
        return space["L_layer_model"](X, Y, [6, 4, 1], 0.2, 150, True), space["L_layer_model"](X * 60, Y, [6, 1], 9.0, 60)

    assert assert_as_own(text, call) > 100

    def changing(space):
        own_steps: Any = importlib.import_module("own_steps")
        kept = own_steps.update_parameters
        own_steps.update_parameters = lambda parameters, grads, learning_rate: parameters
        try:
            return space["L_layer_model"](X, Y, [6, 4, 1], 0.2, 150, True)
        finally:
            own_steps.update_parameters = kept

    assert not assert_as_own(text, changing)
    sys.modules.pop("own_steps")


def test_warnings_are_theirs():
    """None where their own code has none."""
    space, _ = taken(GIVEN)
    with warnings.catch_warnings(), counted() as iterations:
        warnings.simplefilter("error")
        training()(space)
    assert sum(iterations) > 200
