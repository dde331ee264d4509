"""The whole network's functions: keys that are missing, updates that change nothing or all, rates, and predictions."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.testing import assert_same_bits

from .support.arguments import GRADS, LAYERS, PARAMETERS, B, X, Y, refusing, untyped

# --------------------------------------------------------------------------------------------------------- missing keys


def without(tree, key):
    return {k: v for k, v in tree.items() if k != key}


MORE = {"other": None}  # keeps the number of keys, from which the number of layers follows
MISSING = {
    "L_model_forward: W2": (lambda: bp.L_model_forward(X, without(PARAMETERS, "W2") | MORE), "W2", "layer 2"),
    "L_model_forward: b1": (lambda: bp.L_model_forward(X, without(PARAMETERS, "b1") | MORE), "b1", "layer 1"),
    "update_parameters: W1": (
        lambda: bp.update_parameters(without(PARAMETERS, "W1") | MORE, GRADS, 0.1),
        *("W1", "layer 1"),
    ),
    "update_parameters: dW2": (
        lambda: bp.update_parameters(dict(PARAMETERS), without(GRADS, "dW2"), 0.1),
        *("dW2", "layer 2"),
    ),
    "update_parameters: db1": (
        lambda: bp.update_parameters(dict(PARAMETERS), without(GRADS, "db1"), 0.1),
        *("db1", "layer 1"),
    ),
    "L_layer_model": (
        lambda: bp.L_layer_model(X, Y, LAYERS, parameters=without(PARAMETERS, "b2")),
        *("b2", "layer 2"),
    ),
}
# Parameters in which a W or b has no partner, the key that is missing, and its layer.
W3 = {"W3": np.ones((1, 1))}
WITHOUT_PARTNER: dict[str, tuple[dict[str, Any], str, str]] = {
    "W1, b1, W2": (without(PARAMETERS, "b2"), "b2", "layer 2"),
    "W1, b1, b2": (without(PARAMETERS, "W2"), "W2", "layer 2"),
    "W2 first": ({"W2": PARAMETERS["W2"], **without(without(PARAMETERS, "b2"), "W2")}, "b2", "layer 2"),
    "W1, b1, W2, b2, W3": (PARAMETERS | W3, "b3", "layer 3"),
    "W1, b1, W2, b2, b7": (PARAMETERS | {"b7": np.ones((1, 1))}, "W7", "layer 7"),
    "W1, b1, W3, b3": (without(without(PARAMETERS, "W2"), "b2") | W3 | {"b3": B}, "W2", "layer 2"),
    "W1, b1, W2, b2, W3, other": (PARAMETERS | W3 | MORE, "b3", "layer 3"),
}


@pytest.mark.parametrize("case", WITHOUT_PARTNER)
@pytest.mark.parametrize("taker", ["L_model_forward", "predict"])
def test_a_parameter_without_its_partner(taker, case):
    parameters, *fragments = WITHOUT_PARTNER[case]
    with refusing(KeyError, "parameters", *fragments):
        getattr(bp, taker)(X, parameters)


@pytest.mark.parametrize("case", WITHOUT_PARTNER)
def test_training_refuses_a_parameter_without_its_partner(case):
    parameters, *fragments = WITHOUT_PARTNER[case]
    with refusing(KeyError, "parameters", *fragments):
        bp.L_layer_model(X, Y, LAYERS, parameters=parameters, num_iterations=1)


def test_entries_that_are_no_layers_are_allowed():
    expected, _ = bp.L_model_forward(X, PARAMETERS)
    trained = bp.L_layer_model(X, Y, LAYERS, parameters=PARAMETERS, num_iterations=3)
    for key in ("velocity", "W", "b0", "W01", "dW3", "W3_old", 3, None):
        more = {**PARAMETERS, key: np.ones(1)}
        assert_same_bits(bp.L_model_forward(X, more)[0], expected)
        assert_same_bits(bp.L_layer_model(X, Y, LAYERS, parameters=more, num_iterations=3), trained)


@pytest.mark.parametrize("case", MISSING)
def test_a_missing_key(case):
    call, *fragments = MISSING[case]
    with refusing(KeyError, *fragments):
        call()


@pytest.mark.parametrize(
    ("grads", "kind"),
    [
        (without(GRADS, "db2"), KeyError),
        ({**GRADS, "dW2": np.ones((7, 7))}, ValueError),
        ({**GRADS, "db2": np.array([["a"]])}, TypeError),
    ],
)
def test_a_refused_update_changes_nothing(grads, kind):
    """The fault is in the last layer; the first is unchanged."""
    parameters = dict(PARAMETERS)
    with pytest.raises(kind):
        bp.update_parameters(parameters, grads, 0.1)
    assert list(parameters) == list(PARAMETERS)
    assert all(parameters[key] is PARAMETERS[key] for key in PARAMETERS)


# -------------------------------------------------------------------------------------------------------------- the rate

NO_RATES = {
    "beyond a float": (10**400, ValueError, "a whole number of 1329 bits"),
    "below": (-(10**400), ValueError, "a whole number of 1329 bits"),
    "None": (None, TypeError, "None"),
    "text": ("0.1", TypeError, "<U3"),
    "a fraction": (Fraction(1, 3), TypeError, "Fraction"),
    "complex": (0.1j, TypeError, "complex128"),
}


@pytest.mark.parametrize("case", NO_RATES)
def test_a_learning_rate_that_is_no_float(case):
    rate, kind, fragment = NO_RATES[case]
    for dtype in ("float32", "float64", "longdouble"):
        parameters = {key: value.astype(dtype) for key, value in PARAMETERS.items()}
        with refusing(kind, "learning_rate", fragment):
            untyped.update_parameters(parameters, GRADS, rate)
    with refusing(kind, "learning_rate", fragment):
        untyped.L_layer_model(X, Y, LAYERS, rate)


@pytest.mark.parametrize("rate", [np.nan, np.inf, -np.inf, np.array([0.1])])
def test_training_refuses_a_learning_rate_that_is_no_finite_number(rate):
    with refusing(ValueError, "learning_rate", "(1,)" if np.ndim(rate) else str(rate)):
        bp.L_layer_model(X, Y, LAYERS, rate)


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
def test_a_whole_number_of_any_size_is_a_learning_rate(dtype):
    parameters, grads = ({key: x.astype(dtype) for key, x in tree.items()} for tree in (PARAMETERS, GRADS))
    for rate in (2**70, 2**63, -(2**64)):
        expected = bp.update_parameters(dict(parameters), grads, float(rate))
        assert_same_bits(bp.update_parameters(dict(parameters), grads, rate), expected)
    tiny = 1e-25 * X
    expected = bp.L_layer_model(tiny, Y, LAYERS, 2.0**70, 1, parameters=PARAMETERS)
    assert_same_bits(bp.L_layer_model(tiny, Y, LAYERS, 2**70, 1, parameters=PARAMETERS), expected)


# ----------------------------------------------------------------------------------------------------------- predictions


def test_predict():
    prediction = bp.predict(X, PARAMETERS)
    expected, _ = bp.L_model_forward(X, PARAMETERS)
    assert prediction.shape == (1, 5)
    assert prediction.dtype == np.int64
    np.testing.assert_array_equal(prediction, expected > 0.5)
    for threshold in (0.0, 0.2, float(expected[0, 2]), 1.0):
        np.testing.assert_array_equal(bp.predict(X, PARAMETERS, threshold=threshold), expected > threshold)
    with pytest.raises(TypeError):
        bp.predict(X, PARAMETERS, 0.2)


@pytest.mark.parametrize("kind", ["float64", "int64", "bool", "float32"])
def test_predict_as_the_helper_modules_call_it(kind, capsys):
    """Three positions: the accuracy is printed with their expression, to the digit, and floats are returned."""
    predicted = bp.predict(X, PARAMETERS).astype(float)
    y = predicted.copy()
    for wrong in range(6):
        y[0, :wrong] = 1 - predicted[0, :wrong]
        labels = y.astype(kind)
        for taken in (labels, labels[0]):
            result = bp.predict(X, taken, PARAMETERS)
            assert capsys.readouterr().out == "Accuracy: " + str(np.sum((predicted == labels) / 5)) + "\n"
            assert_same_bits(result, predicted)
    assert_same_bits(bp.predict(X, y.tolist(), parameters=PARAMETERS, threshold=0.0), np.ones((1, 5)))
    assert capsys.readouterr().out == "Accuracy: " + str(np.sum((y == 1) / 5)) + "\n"


def test_predict_by_name(capsys):
    assert_same_bits(bp.predict(X, parameters=PARAMETERS), bp.predict(X, PARAMETERS))
    assert capsys.readouterr().out == ""
    assert_same_bits(bp.predict(X=X, y=Y, parameters=PARAMETERS), bp.predict(X, Y, PARAMETERS))
    assert capsys.readouterr().out.count("Accuracy: ") == 2


WIDE = {"W1": np.ones((2, 3)), "b1": np.zeros((2, 1))}
FLAT = {"W1": np.ones((1, 3)), "b1": np.zeros(1)}  # with it NumPy makes one output of one example
MIXED_UP: dict[str, tuple[Any, ...]] = {
    "labels last": (lambda: untyped.predict(X, PARAMETERS, Y), TypeError, "predict(X, y, parameters)"),
    "a threshold last": (lambda: untyped.predict(X, PARAMETERS, 0.2), TypeError, "threshold=..."),
    "no parameters": (lambda: untyped.predict(X, Y), TypeError, "parameters is an array of shape (1, 5)"),
    "nothing but X": (lambda: untyped.predict(X), TypeError, "parameters is None"),
    "labels first": (lambda: untyped.predict(Y, X, PARAMETERS), ValueError, "X has shape (1, 5)"),
    "parameters first": (lambda: untyped.predict(PARAMETERS, X, Y), TypeError, "parameters is an array of shape (1, 5)"),
    "labels on end": (
        lambda: untyped.predict(X, Y.T, PARAMETERS),
        ValueError,
        "y has shape (5, 1)",
        "np.asarray(y).reshape(1, -1)",
    ),
    "labels of others": (lambda: untyped.predict(X, Y[:, 1:], PARAMETERS), ValueError, "y has shape (1, 4)", "(1, 5)"),
    "one example flat": (lambda: untyped.predict(X[:, 0], Y[:, 0], FLAT), ValueError, "X has shape (3,)", "(n_0, m)"),
    "labels that are text": (lambda: untyped.predict(X, ["no"] * 5, PARAMETERS), TypeError, "y is of dtype"),
    "two outputs": (lambda: untyped.predict(X, Y, WIDE), ValueError, "2 outputs", "expects 1"),
}


@pytest.mark.parametrize("case", MIXED_UP)
def test_predict_refuses_a_mix_up(case, capsys):
    call, error, *fragments = MIXED_UP[case]
    with refusing(error, *fragments):
        call()
    assert capsys.readouterr().out == ""
