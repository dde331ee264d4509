"""Products by each way, in every orientation and layout: exact on whole numbers, else within 2 k u |A||B|.

The result lies in a flat array of nan with a gap between its rows, the workspace has just the size that was asked for:
what is read before it is written, or written where it doesn't belong, shows.
"""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.kernels.blocking import BLOCK_A_BYTES, BLOCK_B_BYTES, KC, MR, NV
from fastbackprop.kernels.intrinsics import lanes
from fastbackprop.kernels.microkernel import ADD, BIAS, ZERO
from fastbackprop.testing import assert_same_bits, assert_within_bound, product_bound

from . import probes
from .probes import DTYPES, INNER, LAYOUTS, MARGIN, OUTER, PACKED, PRODUCT, exact_sum, place, whole_numbers

WAYS = {"outer": OUTER, "inner": INNER, "packed": PACKED, "chosen": PRODUCT}
STARTS = (ZERO, BIAS, ADD)


def full_columns(dtype):
    return NV * lanes(np.dtype(dtype))


def block_sizes(dtype):
    """KC, MC, NC of a product that fills its blocks."""
    size, NR = np.dtype(dtype).itemsize, full_columns(dtype)
    return KC, BLOCK_A_BYTES // (KC * size) // MR * MR, BLOCK_B_BYTES // (KC * size) // NR * NR


def run(way, A, B, start, scale, bias, values):
    """The buffer of C before and after, and where C lies in it; around the workspace all has to be as it was."""
    dtype, (rows, _), columns = A.dtype, A.shape, B.shape[1]
    c, index = place(values if start == ADD else np.full((rows, columns), np.nan, dtype), MARGIN, columns + 3)
    beta, _ = place(bias)
    room = probes.room[dtype.char](way, A, B, dtype.type(1))
    workspace = np.full(MARGIN + room + MARGIN, np.nan, dtype)
    before = c.copy()
    arguments = way, A, B, dtype.type(scale), c, MARGIN, columns + 3, start, beta, MARGIN, workspace, MARGIN
    probes.multiply[dtype.char](*arguments)
    assert np.isnan(workspace[:MARGIN]).all()
    assert np.isnan(workspace[MARGIN + room :]).all()
    return before, c, index


def multiply(way, A, B):
    """A B, after checking that what lies around C is as it was."""
    before, c, index = run(way, A, B, ZERO, 1, np.zeros((len(A), 1), A.dtype), None)
    before[index] = c[index]
    assert_same_bits(c, before)
    return c[index]


def check(way, dtype, rows, columns, depth, start=ZERO, scale=1, layout_a="C", layout_b="C"):
    """Bit for bit, for whole numbers."""
    rng = np.random.default_rng(rows + 31 * columns + 1009 * depth)
    A, B = whole_numbers(rng, rows, depth, dtype), whole_numbers(rng, depth, columns, dtype)
    bias, values = whole_numbers(rng, rows, 1, dtype), whole_numbers(rng, rows, columns, dtype)
    c0 = {ZERO: np.zeros_like(bias), BIAS: bias, ADD: values}[start]
    expected, c, index = run(way, LAYOUTS[layout_a](A), LAYOUTS[layout_b](B), start, scale, bias, values)
    expected[index] = exact_sum(c0, scale, A, B, dtype)
    assert_same_bits(c, expected)


# By outer products B has to lie along its rows, by inner ones A along its rows and B along its columns.
LAYOUTS_OF = {"outer": ("Fortran", "C"), "inner": ("C", "Fortran"), "packed": ("C", "C"), "chosen": ("C", "C")}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
def test_every_edge_size(way, dtype, start):
    """0 .. 2 MR + 1 rows, 0 .. 2 NR + 1 columns, 0 .. 2 lanes + 1 of depth, each against a few sizes of the others.

    Packing is only ever chosen for sizes from 1 on.
    """
    some_rows, some_columns, some_depths = (1, MR, MR + 3), (1, 5, full_columns(dtype) + 1), (1, 7, 16)
    sizes = itertools.chain(
        itertools.product(range(2 * MR + 2), some_columns, some_depths),
        itertools.product(some_rows, range(2 * full_columns(dtype) + 2), some_depths),
        itertools.product(some_rows, some_columns, range(2 * lanes(np.dtype(dtype)) + 2)),
    )
    for rows, columns, depth in sizes:
        if way == "packed" and 0 in (rows, columns, depth):
            continue
        check(WAYS[way], dtype, rows, columns, depth, start, -2, *LAYOUTS_OF[way])


@pytest.mark.plain
@given(
    st.sampled_from(list(WAYS)), st.sampled_from(DTYPES), st.sampled_from(STARTS),
    st.integers(1, 2 * MR + 1), st.integers(1, 30), st.integers(1, 20), st.data(),
)  # fmt: skip
def test_whole_numbers_in_any_layout(way, dtype, start, rows, columns, depth, data):
    """Whatever layout a way is meant for, and any for packing and for the choice."""
    any_layout = st.sampled_from(list(LAYOUTS))
    a = data.draw(any_layout) if way != "inner" else "C"
    b = data.draw(any_layout) if way in ("packed", "chosen") else LAYOUTS_OF[way][1]
    check(WAYS[way], dtype, rows, columns, depth, start, data.draw(st.sampled_from([1, 0.5, 0])), a, b)


@pytest.mark.parametrize("layouts", list(itertools.product(LAYOUTS, LAYOUTS)), ids="-".join)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_orientation_of_a_layer(dtype, layouts):
    """W A, dZ A^T and W^T dZ on arrays in every layout, at sizes with each choice of a way."""
    to_a, to_b = (LAYOUTS[name] for name in layouts)
    rng = np.random.default_rng(0)
    whole_tiles = 5 * MR, 20, 2 * full_columns(dtype)  # these fill the workspace to its last number
    sizes = (3, 5, 7), (2, 50, 4 * MR + 3), (4 * MR + 5, 3, 40), (50, 40, 70), (1, 33, 60), (60, 1, 33), whole_tiles
    for n, n_prev, m in sizes:
        W, A_prev, dZ = (whole_numbers(rng, *shape, dtype) for shape in ((n, n_prev), (n_prev, m), (n, m)))
        for A, B in ((W, A_prev), (dZ, A_prev.T), (W.T, dZ)):
            # As the layers do it: a transposed operand is the array seen the other way.
            a = to_a(A) if A.flags.c_contiguous else to_a(A.T).T
            b = to_b(B) if B.flags.c_contiguous else to_b(B.T).T
            assert_same_bits(multiply(PRODUCT, a, b), exact_sum(0, 1, A, B, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
def test_an_element_is_the_same_wherever_its_tile_is_cut(way, dtype):
    """The sum runs over the depth in one order: a part of the product has the bits of the product of the parts."""
    rng = np.random.default_rng(0)
    rows, columns, depth = 3 * MR + 2, 2 * full_columns(dtype) + 3, 2 * KC + 5
    A, B = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, depth), (depth, columns)))
    B = B if way in ("outer", "packed") else np.asfortranarray(B)
    whole = multiply(WAYS[way], A, B)
    for r0, r1, c0, c1 in (
        (0, 1, 0, 1),
        (1, MR, 2, 9),
        (5, 3 * MR, 7, columns),
        (rows - 1, rows, columns - 2, columns),
    ):
        part = multiply(WAYS[way], A[r0:r1], B[:, c0:c1])
        assert_same_bits(part, np.ascontiguousarray(whole[r0:r1, c0:c1]))


# ------------------------------------------------------------------------------------------------ beyond one block


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
def test_depths_beyond_a_block(way, dtype, start):
    """C is read again from the second block on: c0 counts once, and BIAS doesn't come back."""
    for depth in (KC - 1, KC, KC + 1, 2 * KC + 3, 4 * KC, 4 * KC + 1, 8 * KC + 7):
        check(WAYS[way], dtype, MR + 1, 5, depth, start, 2, *LAYOUTS_OF[way])


@pytest.mark.parametrize("dtype", DTYPES)
def test_whole_numbers_beyond_every_block(dtype):
    kc, mc, nc = block_sizes(dtype)
    for rows, columns, depth in ((mc + MR + 1, nc + 1, kc + 1), (2 * mc + 3, 5, 2 * kc + 1), (3, 2 * nc + 1, 9)):
        check(PACKED, dtype, rows, columns, depth, BIAS, 2)


def check_by_random_vector(C, A, B):
    """C x against A (B x), in extended precision: n^2 operations for a product of n^3."""
    rng = np.random.default_rng(7)
    x = rng.choice([-1.0, 1.0], (B.shape[1], 1)) * rng.uniform(0.5, 1, (B.shape[1], 1))
    expected = A.astype(np.longdouble) @ (B.astype(np.longdouble) @ x)
    assert_within_bound(C.astype(np.longdouble) @ x, expected, product_bound(A, B) @ np.abs(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layouts", [("C", "C"), ("C", "Fortran"), ("Fortran", "C"), ("strided", "reversed")])
def test_fractions_beyond_every_block(dtype, layouts):
    kc, mc, _ = block_sizes(dtype)
    rng = np.random.default_rng(0)
    A, B = (rng.standard_normal(s).astype(dtype) for s in ((mc + MR + 1, kc + 9), (kc + 9, 10 * full_columns(dtype) + 1)))
    A, B = LAYOUTS[layouts[0]](A), LAYOUTS[layouts[1]](B)
    check_by_random_vector(multiply(PRODUCT, A, B), A, B)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
def test_deep_products_keep_the_bound(way, dtype):
    rng = np.random.default_rng(0)
    for rows, columns, depth, spread in ((3, 4, 60_001, 0), (MR + 1, 3, 5003, 20), (2, 2, 3, 20), (5, 7, 1000, 3)):
        A, B = (
            (rng.standard_normal(shape) * np.exp2(rng.integers(-spread, spread + 1, shape))).astype(dtype)
            for shape in ((rows, depth), (depth, columns))
        )
        exact = A.astype(np.longdouble) @ B.astype(np.longdouble)
        a, b = LAYOUTS[LAYOUTS_OF[way][0]](A), LAYOUTS[LAYOUTS_OF[way][1]](B)
        assert_within_bound(multiply(WAYS[way], a, b), exact, product_bound(A, B))


# --------------------------------------------------------------------------------------------------------------- gram


def gram(X, start=ZERO, values=None):
    dtype, m = X.dtype, X.shape[1]
    g, index = place(values if start == ADD else np.full((m, m), np.nan, dtype), MARGIN, m + 3)
    room = probes.gram_room[dtype.char](X, dtype.type(1))
    workspace = np.full(MARGIN + room + MARGIN, np.nan, dtype)
    expected = g.copy()
    probes.gram_matrix[dtype.char](X, dtype.type(1), g, MARGIN, m + 3, start, workspace, MARGIN)
    result = g[index]
    expected[index] = result
    assert_same_bits(g, expected)
    assert np.isnan(workspace[:MARGIN]).all()
    assert np.isnan(workspace[MARGIN + room :]).all()
    return result


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_gram_matrix_of_whole_numbers(dtype, layout):
    for m in range(1, 2 * full_columns(dtype) + 2):
        for depth in (1, 9):
            rng = np.random.default_rng(m)
            X, S = whole_numbers(rng, depth, m, dtype), whole_numbers(rng, m, m, dtype)
            S += S.T
            assert_same_bits(gram(LAYOUTS[layout](X)), exact_sum(0, 1, X.T, X, dtype))
            assert_same_bits(gram(LAYOUTS[layout](X), ADD, S), exact_sum(S, 1, X.T, X, dtype))


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_gram_matrix_of_a_few_whole_numbers(dtype):
    for m in (1, 2, MR + 1, full_columns(dtype) + 1):
        X = whole_numbers(np.random.default_rng(m), 3, m, dtype)
        assert_same_bits(gram(X), exact_sum(0, 1, X.T, X, dtype))


def test_gram_matrix_beyond_every_block():
    kc, mc, nc = block_sizes("float64")
    rng = np.random.default_rng(0)
    for m, depth in ((mc + MR + 1, 2 * kc + 3), (nc + 1, kc + 1)):
        X = rng.standard_normal((depth, m))
        G = gram(X)
        check_by_random_vector(G, X.T, X)
        assert np.array_equal(G, G.T)


@pytest.mark.parametrize("dtype", DTYPES)
def test_gram_matrix_keeps_the_bound(dtype):
    X = np.random.default_rng(0).standard_normal((20_003, 11)).astype(dtype)
    exact = X.T.astype(np.longdouble) @ X.astype(np.longdouble)
    assert_within_bound(gram(X), exact, product_bound(X.T, X))
