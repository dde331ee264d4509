"""The deliberate differences between the fast version and the reference: one test a row of the table.

Each shows both sides, so that a difference that is gone, or a new one, is noticed.
"""

import mpmath
import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.activations import SIGMOID as SIGMOID_ROW
from fastbackprop.testing import CASES, Size, assert_within_bound, map_arrays, unit_roundoff

DTYPES = ["float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_cost_of_a_certain_and_right_output_is_zero(dtype):
    """A term 0 * log 0: nan in the reference, with NumPy's warnings, 0 in the fast version, without any."""
    right = np.array([[0, 1, 0.5]], dtype), np.array([[0, 1, 1]], dtype)
    with pytest.warns(RuntimeWarning):
        assert np.isnan(reference.compute_cost(*right))
    assert_within_bound(bp.compute_cost(*right), np.log(2) / 3, 4 * unit_roundoff(*right))
    assert bp.compute_cost(np.array([[0.0, 1.0]], dtype), np.array([[0, 1]], dtype)) == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_cost_of_a_certain_and_wrong_output_stays_infinite(dtype):
    # With a label in between, only one of the terms can vanish.
    for AL, Y in (([[0, 0.5]], [[1, 0]]), ([[1, 0.5]], [[0, 1]]), ([[1.0]], [[0.5]])):
        for module in (bp, reference):
            with pytest.warns(RuntimeWarning):
                assert module.compute_cost(np.array(AL, dtype), np.array(Y, dtype)) == np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradient_of_a_certain_output_is_its_limit(dtype, reference_raises):
    """AL exactly 0 or 1: 0/0 or inf * 0 in the reference, dZ = AL - Y in the fast version."""
    A_prev, W, b = CASES["linear_forward"].make(Size((3, 1), 6), dtype)
    Z = np.array([[-800, 900, -1000, 1000, 0.5, -1]], dtype)
    AL = np.array([[0, 1, 0, 1, 0.6, 0.3]], dtype)
    Y = np.array([[0, 1, 1, 0, 1, 0]], dtype)
    caches = [((A_prev, W, b), Z)]
    with pytest.warns(RuntimeWarning):
        assert np.isnan(reference.L_model_backward(AL, Y, caches)["db1"])
    inner = slice(4, 6)  # there, the formula
    dZ = np.array([[0, 0, -1, 1, 0, 0]], dtype)
    dA = -(Y[:, inner] / AL[:, inner] - (1 - Y[:, inner]) / (1 - AL[:, inner]))
    dZ[:, inner] = reference.sigmoid_backward(dA, Z[:, inner])
    expected = reference.linear_backward(dZ, caches[0][0])
    with reference_raises():
        grads = bp.L_model_backward(AL, Y, caches)
    tolerance = 100 * unit_roundoff(AL)  # sums of 6 terms of about 1
    assert_within_bound((grads["dA0"], grads["dW1"], grads["db1"]), expected, tolerance)


@pytest.mark.parametrize(("dtype", "z"), [("float32", 9.0), ("float32", 30.0), ("float64", 30.0), ("float64", 300.0)])
def test_tails_of_sigmoid_and_its_slope_are_right(dtype, z):
    """1 - s cancels in the reference (relative error 1e-3 at 30, all of it from 37 on) and exp overflows beyond 709."""
    ones = np.ones((1, 2), dtype)
    Z = np.array([[-z, z]], dtype)
    with mpmath.workprec(100):
        e = mpmath.exp(-mpmath.mpf(z))
        s, slope = float(e / (1 + e)), float(e / (1 + e) ** 2)
    u = unit_roundoff(ones)
    A, _ = bp.sigmoid(Z)
    assert_within_bound(A[:, :1], np.array([[s]]), 2 * SIGMOID_ROW.ulp * u * s)
    assert_within_bound(bp.sigmoid_backward(ones, Z), np.array([[slope, slope]]), 16 * u * slope)
    assert abs(reference.sigmoid_backward(ones, Z)[0, 1] - slope) > 16 * u * slope


def test_sigmoid_continues_into_the_subnormals():
    Z = np.array([[-710.0, -744.0]])
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert np.all(reference.sigmoid(Z)[0] == 0)
    assert np.all(bp.sigmoid(Z)[0] > 0)


def test_training_continues_after_saturation():
    """The reference's cost and parameters become nan once AL is exactly 1; the fast training uses AL - Y and logits."""
    X, Y = np.array([[30.0, -20.0, 2.0, -40.0]]), np.array([[1.0, 0.0, 0.0, 0.0]])
    start = {"W1": np.array([[2.0]]), "b1": np.array([[0.0]])}  # sigmoid(60) is 1, and its label is 1
    args = X, Y, [1, 1], 0.5, 400
    with pytest.warns(RuntimeWarning):
        expected, expected_costs = reference.L_layer_model(*args, parameters=dict(start), return_costs=True)
    assert np.isnan(expected_costs[-1])
    assert np.isnan(expected["W1"])
    parameters, costs = bp.L_layer_model(*args, parameters=dict(start), return_costs=True)
    assert np.all(np.isfinite(costs))
    assert all(np.all(np.isfinite(value)) for value in parameters.values())
    assert costs[-1] < costs[0]


@pytest.mark.parametrize("labels", ["int64", "bool", "uint8"])
def test_training_keeps_the_dtype_of_its_data(labels):
    """Labels of integers or bool widen everything to float64 in the reference, nothing in the fast training."""
    X, Y, layers, rate, iterations = CASES["L_layer_model"].make(Size((3, 4, 1), 7), "float32")
    _, start = CASES["L_model_forward"].make(Size((3, 4, 1), 7), "float32")
    Y = Y.astype(labels)
    expected = reference.L_layer_model(X, Y, layers, rate, iterations, parameters=dict(start))
    actual = bp.L_layer_model(X, Y, layers, rate, iterations, parameters=dict(start))
    assert {value.dtype for value in actual.values()} == {np.dtype("float32")}
    if labels != "uint8":  # the reference keeps float32 with uint8 labels
        assert {value.dtype for value in expected.values()} == {np.dtype("float64")}
    # The default start is float64, and so is the training from it.
    np.random.seed(0)
    assert {value.dtype for value in bp.L_layer_model(X, Y, layers, rate, 2).values()} == {np.dtype("float64")}


def test_a_flat_bias_is_refused():
    """b of shape (n,): NumPy adds it along the wrong axis when n == m."""
    A, W, b = CASES["linear_forward"].make(Size((2, 3), 3), "float64")
    flat = b.ravel()
    wrong, _ = reference.linear_forward(A, W, flat)
    right, _ = reference.linear_forward(A, W, b)
    assert not np.allclose(wrong, right)
    for call in (
        lambda: bp.linear_forward(A, W, flat),
        lambda: bp.linear_activation_forward(A, W, flat, "relu"),
        lambda: bp.L_model_forward(A, {"W1": W, "b1": flat}),
    ):
        with pytest.raises(ValueError, match=r"b.*\(3,\).*\(3, 1\)"):
            call()


def test_what_numpy_would_spread_a_result_for_is_refused():
    A, W, b = CASES["linear_forward"].make(Size((2, 3), 4), "float64")
    Z, _ = reference.linear_forward(A, W, b)
    assert reference.sigmoid_backward(Z[:1], Z).shape == (3, 4)
    with pytest.raises(ValueError, match=r"dA has shape \(1, 4\), Z has shape \(3, 4\)"):
        bp.sigmoid_backward(Z[:1], Z)
    assert reference.update_parameters({"W1": W[:1], "b1": b}, {"dW1": W, "db1": b}, 0.1)["W1"].shape == (3, 2)
    with pytest.raises(ValueError, match=r"W1 has shape \(1, 2\), dW1 has shape \(3, 2\)"):
        bp.update_parameters({"W1": W[:1], "b1": b}, {"dW1": W, "db1": b}, 0.1)


def test_a_layer_without_its_bias_is_refused():
    """The reference ignores W2: layer 1 is its output layer."""
    X, parameters = CASES["L_model_forward"].make(Size((2, 3, 1), 4), "float64")
    del parameters["b2"]
    assert reference.L_model_forward(X, parameters)[0].shape == (3, 4)
    with pytest.raises(KeyError, match="parameters lacks 'b2', which layer 2 needs"):
        bp.L_model_forward(X, parameters)


def test_infinities_pass_in_silence():
    """A warning would be an error here."""
    W, b, dZ = np.full((1, 1), 1e308), np.zeros((1, 1)), np.full((1, 2), 1e308)
    for name, args in (
        ("linear_backward", (dZ, (0 * dZ, b, b))),
        ("update_parameters", ({"W1": W, "b1": b}, {"dW1": -W, "db1": b}, 10.0)),
    ):
        make = lambda args=args: map_arrays(np.copy, args)  # noqa: E731
        with pytest.warns(RuntimeWarning, match="overflow"):
            expected = getattr(reference, name)(*make())
        assert_within_bound(getattr(bp, name)(*make()), expected, 0.0)
