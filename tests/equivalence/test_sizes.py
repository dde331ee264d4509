"""Every tile edge: products within the bound of exact sums, and exactly right on whole numbers."""

import itertools
import math

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.testing import LAYOUTS, assert_same_bits, assert_within_bound, product_bound

DTYPES = ["float32", "float64"]
# Around the multiples of all register tiles: 4, 6 or 8 rows, 2 to 4 or 12 columns of vectors of 2 to 16 numbers.
EDGES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 23, 24, 25, 33, 47, 48, 49)
# All pairs (n, n_prev), (n_prev, m) and, in the second half of them, (n, m) of edges: a Latin square, twice.
SIZES = [
    (n, EDGES[(i + shift * j) % len(EDGES)], m)
    for shift in (1, 7)
    for (i, n), (j, m) in itertools.product(enumerate(EDGES), repeat=2)
]
LONG = [(5, 700, 3), (700, 5, 3), (3, 5, 700), (130, 257, 129), (1, 1031, 1), (65, 1, 513)]  # beyond the cache blocks


def whole(rng, shape, dtype):
    return rng.integers(-8, 9, shape).astype(dtype)


def check_whole_numbers(n, n_prev, m, dtype, rng, layout):
    """All sums stay below 2^24, so both dtypes hold every one of them exactly, in any order of addition."""
    A_prev, W = whole(rng, (n_prev, m), dtype), whole(rng, (n, n_prev), dtype)
    b, dZ = whole(rng, (n, 1), dtype), whole(rng, (n, m), dtype)
    i8 = {name: x.astype(np.int64) for name, x in {"A": A_prev, "W": W, "b": b, "dZ": dZ}.items()}
    Z = (i8["W"] @ i8["A"] + i8["b"]).astype(dtype)
    cache = LAYOUTS[layout](A_prev), LAYOUTS[layout](W), LAYOUTS[layout](b)

    actual, _ = bp.linear_forward(*cache)
    assert_same_bits(actual + 0, Z)
    A, (_, Z_cached) = bp.linear_activation_forward(*cache, "relu")
    assert_same_bits((A + 0, Z_cached + 0), (np.maximum(Z, 0), Z))

    dA_prev, dW, db = bp.linear_backward(LAYOUTS[layout](dZ), cache)
    assert_same_bits(dA_prev + 0, (i8["W"].T @ i8["dZ"]).astype(dtype))
    check_mean(dW, i8["dZ"], i8["A"].T, m)
    check_mean(db, i8["dZ"], np.ones((m, 1), int), m)

    # relu's mask is exact too: Z is whole, with zeros.
    Z = whole(rng, (n, m), dtype)
    masked = np.where(Z > 0, i8["dZ"], 0)
    dA_prev, dW, db = bp.linear_activation_backward(LAYOUTS[layout](dZ), (cache, LAYOUTS[layout](Z)), "relu")
    assert_same_bits(dA_prev + 0, (i8["W"].T @ masked).astype(dtype))
    check_mean(dW, masked, i8["A"].T, m)
    check_mean(db, masked, np.ones((m, 1), int), m)


def check_mean(actual, dZ, A_T, m):
    """``dZ A^T / m``: exact where m is a power of 2; else the bound, as each partial sum may be divided by itself."""
    bound = product_bound(dZ.astype(actual.dtype), A_T.astype(actual.dtype), extra_terms=1) / m
    assert_within_bound(actual, (dZ @ A_T).astype(np.longdouble) / m, bound if m & (m - 1) else 0.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", ["C", "Fortran", "reversed"])
def test_whole_numbers_at_every_edge(layout, dtype, rng):
    for n, n_prev, m in SIZES if layout == "C" else SIZES[::5]:
        check_whole_numbers(n, n_prev, m, dtype, rng, layout)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", LONG)
def test_whole_numbers_on_long_sides(size, dtype, rng):
    n, n_prev, m = size
    for layout in ("C", "Fortran"):
        check_whole_numbers(n, n_prev, m, dtype, rng, layout)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_whole_numbers_on_tiny_arrays(dtype, rng):
    for n, n_prev, m in ((1, 1, 1), (2, 3, 1), (3, 1, 2), (9, 2, 4), (2, 5, 9), (1, 2, 17)):
        for layout in ("C", "Fortran"):
            check_whole_numbers(n, n_prev, m, dtype, rng, layout)


def exact_product(A, B):
    """``A @ B`` with every sum rounded once, to float64 (float32 products are exact in float64, and float64 ones are
    split into a float64 and its error, so that math.fsum sees exact terms)."""
    A, B = A.astype(float), B.astype(float)
    C = np.empty((A.shape[0], B.shape[1]))
    for i, j in np.ndindex(*C.shape):
        p, e = two_products(A[i], B[:, j])
        C[i, j] = math.fsum(itertools.chain(p, e))
    return C


def two_products(a, b):
    """``p + e == a * b`` exactly, p = fl(a * b). Source: Dekker, A floating-point technique for extending the available
    precision, 1971."""

    def split(x):
        c = 134217729.0 * x  # 2^27 + 1
        high = c - (c - x)
        return high, x - high

    p = a * b
    (a1, a2), (b1, b2) = split(a), split(b)
    return p, a2 * b2 - (((p - a1 * b1) - a2 * b1) - a1 * b2)


def test_the_exact_product_is_exact():
    A, B = np.array([[1e16, 1.0, -1e16, 2.0**-60]]), np.array([[1.0], [1.0], [1.0], [1.0]])
    assert exact_product(A, B)[0, 0] == 1 + 2.0**-60 or exact_product(A, B)[0, 0] == 1.0
    a = np.array([1 + 2.0**-52])
    p, e = two_products(a, a)
    assert (p[0], e[0]) == (1 + 2.0**-51, 2.0**-104)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [(1, 1, 1), (3, 700, 5), (9, 25, 17), (8, 24, 48), (2, 3, 800)])
def test_products_keep_the_bound(size, dtype, rng):
    """|C - C_exact| <= 2 k u |A||B|, on numbers of all magnitudes and signs, so that sums cancel."""
    n, n_prev, m = size

    def draw(*shape):
        return (rng.standard_normal(shape) * 10.0 ** rng.integers(-4, 5, shape)).astype(dtype)

    A_prev, W, b, dZ = draw(n_prev, m), draw(n, n_prev), draw(n, 1), draw(n, m)
    one = np.ones((1, m), dtype)
    W_b, A_1 = np.concatenate([W, b], axis=1), np.concatenate([A_prev, one])  # the bias is one more term
    Z, cache = bp.linear_forward(A_prev, W, b)
    assert_within_bound(Z, exact_product(W_b, A_1), product_bound(W_b, A_1))
    dA_prev, dW, db = bp.linear_backward(dZ, cache)
    assert_within_bound(dA_prev, exact_product(W.T, dZ), product_bound(W.T, dZ))
    assert_within_bound(dW, exact_product(dZ, A_prev.T) / m, product_bound(dZ, A_prev.T, extra_terms=1) / m)
    assert_within_bound(db, exact_product(dZ, one.T) / m, product_bound(dZ, one.T, extra_terms=1) / m)
