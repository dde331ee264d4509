"""exp, log, the activations and their slopes for one value: each formula stands here and nowhere else."""

from typing import Any

import numpy as np

from fastbackprop.kernels.intrinsics import MAGIC, by_dtype, exponent_of, fma, mantissa_of, times_power_of_two
from fastbackprop.kernels.jit import inner

# What kernels take for the identity, in the place of the address of an activation's routine (`elementwise.py`).
LINEAR = 0


# exp(r) for |r| <= log(2) / 2, highest power first: 1 + r + r^2 q(r), q through (exp(r) - 1 - r) / r^2 at the Chebyshev nodes.
# Relative error 2e-17 (1e-8), a sixth of the rounding error; Taylor's terms would need two more (one more) for that.
_POWERS: dict[str, tuple[Any, ...]] = {
    "d": (
        2.5100470238808523e-08, 2.762019864323475e-07, 2.7557268281679976e-06, 2.480152106407653e-05, 1.9841269863168478e-04,
        1.3888888917363079e-03, 8.333333333330039e-03, 4.166666666662383e-02, 0.16666666666666669, 0.5000000000000001, 1.0, 1.0,
    ),
    "f": tuple(map(np.float32, (1.3926249e-03, 8.363232e-03, 4.1666556e-02, 0.16666576, 0.5, 1.0, 1.0))),
}  # fmt: skip
_coefficients = by_dtype(_POWERS)

# 0 and 1 of a number's dtype.
zero_of = by_dtype({"d": 0.0, "f": np.float32(0)})
one_of = by_dtype({"d": 1.0, "f": np.float32(1)})

# log2(e), log(2) in two parts (the first with trailing zeros, so that k * high is exact), the rounding constant, and the
# argument below which exp rounds to 0.
_range = by_dtype(
    {
        "d": (1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10, MAGIC["d"], -746.0),
        "f": (np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4), MAGIC["f"], np.float32(-104.0)),
    }
)
# tanh is 1 to the last bit from there on, in either dtype.
_tanh_lowest = by_dtype({"d": -64.0, "f": np.float32(-64)})
# Below the first, exp is computed 2^n times too large, which the dtype has room for, then multiplied by 2^-n.
_tail = by_dtype({"d": (-700.0, 128.0, 2.0**-128), "f": (np.float32(-80), np.float32(64), np.float32(2.0**-64))})


@inner
def exp_of_negative(x):
    """exp(x) for x <= 0, nan for nan: exp(x) = 2^k exp(r), x = k log 2 + r; subnormal results rounded once.

    Source: range reduction after Cody and Waite, Software Manual for the Elementary Functions, 1980.
    """
    log2_e, ln2_high, ln2_low, magic, lowest = _range(x)
    tail, lift, drop = _tail(x)
    x = lowest if x < lowest else x
    t = fma(x, log2_e, magic)
    k = t - magic
    r = fma(k, -ln2_low, fma(k, -ln2_high, x))
    coefficients = _coefficients(x)
    p = coefficients[0]
    for c in coefficients[1:]:
        p = fma(p, r, c)
    e = times_power_of_two(p, t + (lift if x < tail else zero_of(x)))
    return fma(e, drop if x < tail else one_of(x), x - x)  # whatever bits a nan carries, nan - nan is one


# Coefficients of 2 atanh(s) / s in powers of s^2, highest first: |s| <= 0.1716, the first left out is below 1e-18.
_ATANH = tuple(2.0 / k for k in range(21, 0, -2))
_SQRT_HALF = 0.7071067811865476
_TINY, _TINY_SCALE, _TINY_EXPONENT = 2.2250738585072014e-308, 18014398509481984.0, 54.0


@inner
def log(x):
    """log(x) in float64: x = 2^k m, log m = 2 atanh((m - 1) / (m + 1)); at most 2 ulp from the exact value.

    It is -inf for 0, nan for negative numbers; inf and nan stay.
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
def log1p(e):
    """log(1 + e) for float64 e from 0 to 1: with u = 1 + e rounded, log(u) + (e - (u - 1)) / u; e where u is 1."""
    u = 1.0 + e
    return log(u) + (e - (u - 1.0)) / u


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
def expm1_of_negative(x):
    """exp(x) - 1 for -64 <= x <= 0, by the reduction and powers of `exp_of_negative`: 2^k (exp(r) - 1) + (2^k - 1)."""
    log2_e, ln2_high, ln2_low, magic, _ = _range(x)
    t = fma(x, log2_e, magic)
    k = t - magic
    r = fma(k, -ln2_low, fma(k, -ln2_high, x))
    coefficients = _coefficients(x)
    p = coefficients[0]
    for c in coefficients[1:-1]:
        p = fma(p, r, c)
    power = times_power_of_two(one_of(x), t)
    return fma(power, p * r, power - one_of(x))


@inner
def tanh(z):
    """-e / (2 + e) of |z|, with e = exp(-2 |z|) - 1; at most 4 ulp from the exact value."""
    x = -abs(z + z)
    lowest = _tanh_lowest(z)
    e = expm1_of_negative(lowest if x < lowest else x)
    a = -e / (one_of(z) + one_of(z) + e)
    if z == 0 or z != z:
        return z
    return -a if z < 0 else a


@inner
def tanh_slope(z):
    """1 - tanh(z)^2, as 4 s (1 - s) with s = sigmoid(2 z): no cancellation in the tails."""
    four = one_of(z) + one_of(z) + one_of(z) + one_of(z)
    return four * sigmoid_slope(z + z)


@inner
def relu(z):
    """max(0, z); nan stays nan."""
    return zero_of(z) if z <= 0 else z


@inner
def relu_mask(da, z):
    """The gradient through relu: 0 where z <= 0, else da (also where z is nan)."""
    return zero_of(da) if z <= 0 else da


@inner
def leaky_relu(z, slope):
    """z where it is above 0, else slope z; nan stays nan."""
    return slope * z if z <= 0 else z


# Gradients from A = g(Z), which a training keeps instead of Z.


@inner
def leaky_relu_gradient_of(da, a, slope):
    """The gradient through leaky relu, whose slope is at least 0: a is above 0 where z is."""
    return slope * da if a <= 0 else da


@inner
def sigmoid_gradient_of(da, a):
    """The gradient through sigmoid."""
    return da * a * (one_of(a) - a)


@inner
def tanh_gradient_of(da, a):
    """The gradient through tanh."""
    return da * (one_of(a) - a * a)


# Gradients from Z.


@inner
def sigmoid_gradient(da, z):
    """The gradient through sigmoid."""
    return da * sigmoid_slope(z)


@inner
def tanh_gradient(da, z):
    """The gradient through tanh."""
    return da * tanh_slope(z)
