"""exp, log, sigmoid, relu and their slopes: distance from the exact value over the whole range of both dtypes.

Exact means: in float64 for float32, in extended precision for float64.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.activations import SIGMOID as SIGMOID_ROW
from fastbackprop.kernels.activations import _POWERS
from fastbackprop.testing import (
    assert_same_bits,
    assert_within_bound,
    unit_roundoff,
)

from .support import probes
from .support.probes import DTYPES, RELU, SIGMOID

LOG_ULP = 2
EXP_ULP = 2  # what sigmoid's 4 leave to exp: 1 + e and the quotient round too

pytestmark = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant <= np.finfo("d").nmant, reason="no type here is wider than float64"
)


def formula(which, z, activation=RELU, da=None):
    result = np.full_like(z, np.nan)
    probes.formula[z.dtype.char](which, activation, z if da is None else da, z, result)
    return result


def sigmoid(z):
    return formula(probes.ACTIVATE, z, SIGMOID)


def exact_exp(x):
    """exp(-|x|) in a wider type, whose exponent also reaches below the dtype's subnormals."""
    with np.errstate(under="ignore"):
        return np.exp(-np.abs(x.astype("d" if x.dtype == "f" else np.longdouble)))


def exact_sigmoid(z):
    e = exact_exp(z)
    return np.where(z < 0, e, 1) / (1 + e)


def exact_slope(z):
    e = exact_exp(z)
    return e / (1 + e) ** 2


def ulp(exact, dtype):
    """Unit in the last place of the correctly rounded value."""
    with np.errstate(under="ignore"):
        return np.spacing(np.abs(exact.astype(dtype))).astype(np.longdouble)


def logarithm(x):
    result = np.full_like(x, np.nan)
    probes.logarithm["d"](x, result)
    return result


def check(z):
    """exp, sigmoid and its slope, at each of `z`."""
    dtype = z.dtype
    assert_within_bound(formula(probes.EXP, -np.abs(z)), exact_exp(z), EXP_ULP * ulp(exact_exp(z), dtype))
    exact = exact_sigmoid(z)
    assert_within_bound(sigmoid(z), exact, SIGMOID_ROW.ulp * ulp(exact, dtype))
    # Of its own size, not only of the largest slope: in the tails nothing cancels. Below the normal numbers, 2 ulp.
    slope, exact = formula(probes.SLOPE, z), exact_slope(z)
    u = unit_roundoff(z)
    bound = np.maximum(SIGMOID_ROW.backward_u * u * exact, EXP_ULP * np.finfo(dtype).smallest_subnormal)
    assert_within_bound(slope, exact, bound)
    assert_same_bits(formula(probes.SLOPE, -z), slope)


def samples(dtype, count):
    """Numbers of every magnitude, dense where sigmoid moves, at the ends of exp's range and of its normal results."""
    info, rng = np.finfo(dtype), np.random.default_rng(0)
    lowest = float(np.log(info.smallest_subnormal.astype("d")))
    tiniest = float(np.log(info.tiny.astype("d")))
    parts = [
        rng.uniform(-1, 1, count),
        rng.uniform(-40, 40, count),
        rng.uniform(1.1 * lowest, -1.1 * lowest, count),
        rng.uniform(lowest - 2, tiniest + 2, count),
        np.ldexp(rng.choice([-1.0, 1.0], count), rng.integers(info.minexp - info.nmant, info.maxexp, count)),
    ]
    # Where the range reduction changes its integer: at odd multiples of log(2) / 2, and on both sides of them.
    corners = np.log(2) * (np.arange(-1100, 1100) + 0.5)
    parts += [corners, np.nextafter(corners.astype(dtype), dtype(0)), np.nextafter(corners.astype(dtype), dtype("inf"))]
    return np.concatenate(parts).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_bounds_over_the_whole_range(dtype):
    check(samples(dtype, 100_000))


@pytest.mark.plain
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_bounds_at_a_few_numbers(dtype):
    check(samples(dtype, 30)[::5].copy())


def test_the_bounds_at_every_float32_between_two_powers_of_two():
    for low, high in ((0.5, 1), (-8, -4)):
        first, last = (int(np.float32(x).view(np.uint32)) for x in (low, high))
        bits = np.arange(min(first, last), max(first, last), 7, dtype=np.uint32)
        check(bits.view(np.float32))


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20))
def test_the_bounds_at_any_float64(numbers):
    check(np.array(numbers))


@given(st.lists(st.floats(allow_nan=False, width=32), min_size=1, max_size=20))
def test_the_bounds_at_any_float32(numbers):
    check(np.array(numbers, np.float32))


def check_log(x):
    exact = np.log(x.astype(np.longdouble))
    assert_within_bound(logarithm(x), exact, LOG_ULP * ulp(exact, "d"))


def positive_samples(count):
    """Numbers of every magnitude, those about 1, where log is small, and about where the reduction changes its power."""
    info, rng = np.finfo("d"), np.random.default_rng(0)
    parts = [
        np.ldexp(rng.uniform(0.5, 1, count), rng.integers(info.minexp - info.nmant, info.maxexp, count)),
        rng.uniform(0, 3, count),
        1 + rng.uniform(-1, 1, count) * np.exp2(rng.integers(-53, 0, count)),
        np.sqrt(0.5) * (1 + rng.uniform(-1, 1, count) * np.exp2(rng.integers(-53, 0, count))),
        np.array([info.smallest_subnormal, info.tiny, np.nextafter(info.tiny, 0), info.max, 1.0]),
    ]
    x = np.concatenate(parts)
    return x[x > 0]


def test_the_bound_of_log_over_the_whole_range():
    check_log(positive_samples(100_000))


@pytest.mark.plain
def test_the_bound_of_log_at_a_few_numbers():
    check_log(positive_samples(20))


@given(st.lists(st.floats(0, allow_infinity=False, exclude_min=True), min_size=1, max_size=20))
def test_the_bound_of_log_at_any_number(numbers):
    check_log(np.array(numbers))


@pytest.mark.plain
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy warns of a division by 0 on the plain twins
def test_log_where_it_has_no_finite_value():
    inf, nan = np.inf, np.nan
    x = np.array([0.0, -0.0, inf, 1.0, -1.0, -inf, nan, -5e-324])
    np.testing.assert_array_equal(logarithm(x), [-inf, -inf, inf, 0, nan, nan, nan, nan])


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_zeros_infinities_and_nan(dtype):
    def values(*numbers):
        return np.array(numbers, dtype)

    def check(actual, *expected):
        nan = np.isnan(expected)
        assert_same_bits(actual[~nan], values(*expected)[~nan])
        assert np.isnan(actual[nan]).all()

    nan, inf = np.nan, np.inf
    z, da = values(0.0, -0.0, inf, -inf, nan), values(3, 3, 3, 3, 3)
    check(formula(probes.EXP, values(0.0, -0.0, -inf, nan)), 1, 1, 0, nan)
    check(sigmoid(z), 0.5, 0.5, 1, 0, nan)
    check(formula(probes.SLOPE, z), 0.25, 0.25, 0, 0, nan)
    check(formula(probes.ACTIVATE, z, RELU), 0, 0, inf, 0, nan)
    check(formula(probes.GRADIENT, z, RELU, da), 0, 0, 3, 0, 3)
    check(formula(probes.GRADIENT, z, SIGMOID, da), 0.75, 0.75, 0, 0, nan)


@pytest.mark.plain
@given(st.lists(st.floats(width=32), min_size=1, max_size=10), st.sampled_from(DTYPES))
def test_relu_and_its_mask_are_exact(numbers, dtype):
    z = np.array(numbers, dtype)
    da = np.arange(1, 1 + z.size, dtype=dtype)
    assert_same_bits(formula(probes.ACTIVATE, z, RELU), np.where(z <= 0, 0, z).astype(dtype))
    assert_same_bits(formula(probes.GRADIENT, z, RELU, da), np.where(z <= 0, 0, da).astype(dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_nan_stays_one_whatever_bits_it_carries(dtype):
    bits = np.dtype(dtype).itemsize * 8
    quiet, payload = int(np.array(np.nan, dtype).view(f"u{bits // 8}")), np.random.default_rng(0)
    z = np.array([quiet | int(p) for p in payload.integers(1, 2**20, 500)], f"u{bits // 8}").view(dtype)
    for either in (z, -z):
        assert np.isnan(sigmoid(either)).all()
        assert np.isnan(formula(probes.SLOPE, either)).all()
        assert np.isnan(formula(probes.EXP, either)).all()


def test_the_polynomial_of_exp_is_as_near_as_it_says():
    """In exact arithmetic, against Taylor's series."""
    for char, limit in (("d", 2e-17), ("f", 1.2e-8)):
        for r in (Fraction(3466, 10_000) * i / 50 for i in range(-50, 51)):
            p = Fraction(0)
            for c in _POWERS[char]:
                p = p * r + Fraction(float(np.float64(c)))
            exact = sum(r**k / math.factorial(k) for k in range(25))
            assert abs(p - exact) <= Fraction(limit) * exact
