"""exp, sigmoid, relu and their slopes for one value: each formula stands here and nowhere else."""

import math

import numpy as np

from fastbackprop.kernels.intrinsics import MAGIC, by_dtype, exponent_of, fma, mantissa_of, power_of_two
from fastbackprop.kernels.jit import inner

# Codes of the activations, as the kernels take them.
LINEAR, RELU, SIGMOID = 0, 1, 2


def _taylor(number, degree):
    return tuple(number(1 / math.factorial(k)) for k in range(degree, -1, -1))


# Taylor coefficients of exp, highest first: |r| <= log(2) / 2, so the first term left out is below 5e-18 (6e-9).
_coefficients = by_dtype({"d": _taylor(float, 13), "f": _taylor(np.float32, 7)})

# 0 and 1 of a number's dtype.
zero_of = by_dtype({"d": 0.0, "f": np.float32(0)})
one_of = by_dtype({"d": 1.0, "f": np.float32(1)})

# log2(e), log(2) in two parts (the first with trailing zeros, so that k * high is exact), the rounding constant, and
# the argument below which exp rounds to 0.
_range = by_dtype(
    {
        "d": (1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10, MAGIC["d"], -746.0),
        "f": (np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4), MAGIC["f"], np.float32(-104.0)),
    }
)


@inner
def exp_of_negative(x):
    """exp(x) for x <= 0 (nan gives nan): exp(x) = 2^k exp(r), x = k log 2 + r; subnormal results rounded once.

    Source: range reduction after Cody and Waite, Software Manual for the Elementary Functions, 1980.
    """
    log2_e, ln2_high, ln2_low, magic, lowest = _range(x)
    x = lowest if x < lowest else x
    k = fma(x, log2_e, magic) - magic
    r = fma(k, -ln2_low, fma(k, -ln2_high, x))
    coefficients = _coefficients(x)
    p = coefficients[0]
    for c in coefficients[1:]:
        p = fma(p, r, c)
    # 2^k in two factors: k reaches -1075, one factor only -1022.
    half = fma(k, 0.5, magic)
    rest = (k - (half - magic)) + magic
    return p * power_of_two(half) * power_of_two(rest)


# Coefficients of 2 atanh(s) / s in powers of s^2, highest first: |s| <= 0.1716, the first left out is below 1e-18.
_ATANH = tuple(2.0 / k for k in range(21, 0, -2))
_SQRT_HALF = 0.7071067811865476
_TINY, _TINY_SCALE, _TINY_EXPONENT = 2.2250738585072014e-308, 18014398509481984.0, 54.0


@inner
def log(x):
    """log(x) in float64: x = 2^k m, log m = 2 atanh((m - 1) / (m + 1)); at most 2 ulp from the exact value.

    0 gives -inf, negative numbers nan; inf and nan stay.
    """
    scaled = x * _TINY_SCALE if x < _TINY else x
    m, k = mantissa_of(scaled), exponent_of(scaled)
    k = k - _TINY_EXPONENT if x < _TINY else k
    small = m < _SQRT_HALF
    m, k = m * 2.0 if small else m, k - 1.0 if small else k
    f = m - 1.0
    s = f / (m + 1.0)
    q = s * s
    p = _ATANH[0]
    for c in _ATANH[1:-1]:
        p = fma(p, q, c)
    # log m = f - s (f - q p): the rounding error of s, times a small factor, is all that it contributes.
    tail = s * (f - q * p)
    high = k * 6.93147180369123816490e-01
    value = high + (f - (tail - k * 1.90821492927058770002e-10))
    if x > 0:
        return value if x < np.inf else x
    return -np.inf if x == 0 else np.nan


@inner
def sigmoid(z):
    """1 / (1 + exp(-z)), as exp(-|z|) / (1 + exp(-|z|)) where z < 0; at most 4 ulp from the exact value."""
    e = exp_of_negative(-abs(z))
    one = one_of(z)
    return (e if z < 0 else one) / (one + e)


@inner
def sigmoid_slope(z):
    """s (1 - s) with s = sigmoid(z), as e / (1 + e)^2 with e = exp(-|z|): no cancellation in the tails."""
    e = exp_of_negative(-abs(z))
    d = one_of(z) + e
    return e / (d * d)


@inner
def relu(z):
    """max(0, z); nan stays nan."""
    return zero_of(z) if z <= 0 else z


@inner
def relu_mask(da, z):
    """The gradient through relu: 0 where z <= 0, else da (also where z is nan)."""
    return zero_of(da) if z <= 0 else da


@inner
def activate(z, activation):
    """g(z) for the activation's code."""
    if activation == RELU:
        return relu(z)
    if activation == SIGMOID:
        return sigmoid(z)
    return z


@inner
def gradient(da, z, activation):
    """da * g'(z) for the activation's code."""
    if activation == RELU:
        return relu_mask(da, z)
    if activation == SIGMOID:
        return da * sigmoid_slope(z)
    return da
