"""sigmoid and relu value by value: ulps from the correctly rounded result, over the whole range of both dtypes."""

import mpmath
import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.activations import SIGMOID as SIGMOID_ROW
from fastbackprop.testing import (
    LAYOUTS,
    assert_same_bits,
    assert_within_bound,
    unit_roundoff,
)

DTYPES = ["float32", "float64"]


def exact(function, z):
    """``function`` of each entry of ``z`` at 120 bits, rounded to longdouble."""
    scale = mpmath.mpf(2) ** 600  # mpf converts to float64 only: in two parts, away from its subnormals
    result = np.empty(z.shape, np.longdouble)
    with mpmath.workprec(120):
        for i in np.ndindex(*z.shape):
            value = scale * function(mpmath.mpf(float(np.clip(z[i], -2000, 2000))))  # beyond, both functions are 0 or 1
            high = float(value)
            result[i] = np.ldexp(np.longdouble(high) + float(value - high), -600)
    return result


def exact_sigmoid(z):
    return exact(lambda x: 1 / (1 + mpmath.exp(-x)), z)


def exact_slope(z):
    return exact(lambda x: mpmath.exp(-abs(x)) / (1 + mpmath.exp(-abs(x))) ** 2, z)


def whole_range(dtype, rng, count=700):
    """Numbers of every magnitude, dense where sigmoid moves, at the ends of exp's range and among the subnormals."""
    info = np.finfo(dtype)
    lowest = float(np.log(info.smallest_subnormal.astype("d")))  # where exp rounds to 0: -745.1 or -103.9
    tiniest = float(np.log(info.tiny.astype("d")))  # where its result becomes subnormal
    parts = [
        rng.uniform(-40, 40, count),
        rng.uniform(1.1 * lowest, -1.1 * lowest, count),
        rng.uniform(lowest - 2, tiniest + 2, count),
        np.ldexp(rng.choice([-1.0, 1.0], count), rng.integers(info.minexp - info.nmant, info.maxexp, count)),
        np.log(2) * (np.arange(-130, 130) + 0.5),  # where the range reduction changes its integer
    ]
    return np.concatenate(parts).astype(dtype).reshape(1, -1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_is_within_4_ulp_over_the_whole_range(dtype, rng, reference_raises):
    Z = whole_range(dtype, rng)
    with reference_raises():
        A, _ = bp.sigmoid(Z)
    expected = exact_sigmoid(Z)
    assert A.dtype == dtype
    assert_within_bound(A, expected, SIGMOID_ROW.ulp * np.spacing(expected.astype(dtype)))


def test_sigmoid_is_within_4_ulp_on_a_dense_grid_of_float32(reference_raises):
    Z = np.linspace(-110, 110, 1_000_003, dtype="f").reshape(1, -1)
    with reference_raises():
        A, _ = bp.sigmoid(Z)
    expected, _ = reference.sigmoid(Z.astype("d"))
    assert_within_bound(A, expected, SIGMOID_ROW.ulp * np.spacing(expected.astype("f")))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_backward_keeps_its_bound_over_the_whole_range(dtype, rng, reference_raises):
    Z = whole_range(dtype, rng)
    dA = rng.standard_normal(Z.shape).astype(dtype)
    with reference_raises():
        dZ = bp.sigmoid_backward(dA, Z)
    assert dZ.dtype == dtype
    bound = SIGMOID_ROW.backward_u * unit_roundoff(dA) * np.abs(dA)
    assert_within_bound(dZ, dA.astype(np.longdouble) * exact_slope(Z), bound)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_on_a_few_numbers(dtype, rng):
    Z = whole_range(dtype, rng, count=20)
    dA = rng.standard_normal(Z.shape).astype(dtype)
    expected = exact_sigmoid(Z)
    assert_within_bound(bp.sigmoid(Z)[0], expected, SIGMOID_ROW.ulp * np.spacing(expected.astype(dtype)))
    bound = SIGMOID_ROW.backward_u * unit_roundoff(dA) * np.abs(dA)
    assert_within_bound(bp.sigmoid_backward(dA, Z), dA.astype(np.longdouble) * exact_slope(Z), bound)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(dtype):
    Z = np.array([[0.0, -0.0, np.inf, -np.inf, np.nan]], dtype)
    ones = np.ones_like(Z)
    assert_within_bound(bp.sigmoid(Z)[0], np.array([[0.5, 0.5, 1.0, 0.0, np.nan]], dtype), 0.0)
    assert_within_bound(bp.sigmoid_backward(ones, Z), np.array([[0.25, 0.25, 0.0, 0.0, np.nan]], dtype), 0.0)
    assert_within_bound(bp.relu(Z)[0], np.array([[0.0, 0.0, np.inf, 0.0, np.nan]], dtype), 0.0)
    assert_within_bound(bp.relu_backward(ones, Z), np.array([[0.0, 0.0, 1.0, 0.0, 1.0]], dtype), 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_non_finite_gradients_pass_as_in_the_reference(dtype):
    Z = np.array([[-1.0, 1.0, -1.0, 1.0, -1.0, 1.0, np.nan]], dtype)
    dA = np.array([[np.nan, np.nan, np.inf, np.inf, -np.inf, -np.inf, 3.0]], dtype)
    for name in ("relu_backward", "sigmoid_backward"):
        assert_within_bound(getattr(bp, name)(dA, Z), getattr(reference, name)(dA, Z), 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_relu_is_exact_down_to_subnormals(layout, dtype, rng):
    Z = whole_range(dtype, rng)
    dA = rng.standard_normal(Z.shape).astype(dtype)
    A, _ = bp.relu(LAYOUTS[layout](Z))
    assert_same_bits(A + 0, np.where(Z > 0, Z, 0).astype(dtype))
    assert_same_bits(bp.relu_backward(LAYOUTS[layout](dA), LAYOUTS[layout](Z)), np.where(Z > 0, dA, 0).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_is_monotonic_in_the_tails_and_symmetric(dtype):
    Z = np.linspace(-120, -20, 1001, dtype=dtype).reshape(1, -1)
    A, _ = bp.sigmoid(Z)
    assert np.all(A[:, 1:] >= A[:, :-1])
    assert np.all(A[Z > -87] > 0)
    # sigmoid(-z) = 1 - sigmoid(z), and the slope is even.
    assert_within_bound(bp.sigmoid(-Z)[0], 1 - A, 2 * SIGMOID_ROW.ulp * unit_roundoff(Z))
    ones = np.ones_like(Z)
    assert_same_bits(bp.sigmoid_backward(ones, Z), bp.sigmoid_backward(ones, -Z))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (0,), (5,), (2, 3, 4)])
@pytest.mark.parametrize("name", ["sigmoid", "relu", "sigmoid_backward", "relu_backward"])
def test_elementwise_functions_take_any_shape_and_empty_arrays(name, shape, dtype, rng):
    args = [rng.standard_normal(shape).astype(dtype) for _ in range(2 if name.endswith("backward") else 1)]
    actual, expected = (getattr(module, name)(*args) for module in (bp, reference))
    if not name.endswith("backward"):
        assert actual[1] is args[0]
        actual, expected = actual[0], expected[0]
    assert actual.dtype == dtype
    assert_within_bound(actual, expected, 16 * unit_roundoff(*args) * max(1.0, np.max(np.abs(args[0]), initial=0)))
