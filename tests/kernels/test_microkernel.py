"""The two micro-kernels: exact on whole numbers, and independent of all that lies around the tile."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.kernels import microkernel
from fastbackprop.kernels.blocking import INNER_COLUMNS, INNER_ROWS, MR, NV
from fastbackprop.kernels.intrinsics import lanes
from fastbackprop.kernels.microkernel import ADD, BIAS, BIAS_RELU, DIVIDE, MASK, ZERO
from fastbackprop.testing import assert_same_bits, assert_within_bound, product_bound

from .support import probes
from .support.probes import DIVISOR, DTYPES, MARGIN, STARTS, WITHIN, exact_sum, gone_on, place, whole_numbers


def full_columns(dtype):
    return NV * lanes(np.dtype(dtype))


def begin(bias, start, values):
    """What C holds before, nan where it must not be read, and c0."""
    if start % DIVIDE == ADD:
        return values, values
    c0 = bias if start % DIVIDE in (BIAS, BIAS_RELU) else np.zeros_like(bias)
    return np.full_like(values, np.nan), np.broadcast_to(c0, values.shape)


def fraction_bound(A, B, c0, scale, start):
    """Of c0 + scale A B, or (c0 + A B) / scale: its terms, c0, and the scaling."""
    products, c0 = product_bound(A, B, extra_terms=2), 2 * np.finfo(A.dtype).eps * np.abs(c0)
    return (products + c0) / scale if start >= DIVIDE else scale * products + c0


def outer_arguments(A, B, C, bias, scale, start, a_row, a_depth, b_depth, c_row):
    (rows, depth), columns = A.shape, B.shape[1]
    a, _ = place(A, MARGIN, a_row, a_depth)
    b, _ = place(B, MARGIN + 2, b_depth)
    c, index = place(C, MARGIN + 4, c_row)
    beta, _ = place(bias, MARGIN, c_row if start == MASK else 1)
    arguments = [rows, columns, depth, C.dtype.type(scale), a, MARGIN, a_row, a_depth, b, MARGIN + 2, b_depth]
    return [*arguments, full_columns(C.dtype), c, MARGIN + 4, c_row, start, beta, MARGIN], c, index


def check_outer(dtype, rows, columns, depth, start=ZERO, scale=1, strides=None, seed=0, kernel=None):
    """Check whole numbers bit for bit; `strides` are those of A's rows and depth, of B and of C; DIVIDE is by DIVISOR."""
    scale = DIVISOR if start >= DIVIDE else scale
    rng = np.random.default_rng(seed)
    A, B = whole_numbers(rng, rows, depth, dtype), whole_numbers(rng, depth, columns, dtype)
    bias, values = whole_numbers(rng, rows, columns if start == MASK else 1, dtype), whole_numbers(rng, rows, columns, dtype)
    C, c0 = begin(bias, start, values)
    strides = strides or (1, MR, columns, columns)
    arguments, c, index = outer_arguments(A, B, C, bias, scale, start, *strides)
    expected = c.copy()
    expected[index] = gone_on(exact_sum(c0, scale, A, B, dtype, start), start, bias)
    (kernel or probes.outer[np.dtype(dtype).char])(*arguments)
    assert_same_bits(c, expected)


@pytest.mark.plain
@pytest.mark.parametrize("start", STARTS + WITHIN)
@pytest.mark.parametrize("dtype", DTYPES)
def test_outer_product_of_every_tile(dtype, start):
    for rows, columns in itertools.product(range(1, MR + 1), range(1, full_columns(dtype) + 1)):
        check_outer(dtype, rows, columns, depth=3, start=start, seed=rows * columns)


@pytest.mark.plain
@pytest.mark.parametrize("start", STARTS + WITHIN)
@pytest.mark.parametrize("dtype", DTYPES)
def test_outer_product_of_every_depth(dtype, start):
    n, full = lanes(np.dtype(dtype)), full_columns(dtype)
    for depth in (*range(2 * n + 2), 50):
        for rows, columns in ((1, 1), (MR, full), (MR, n), (MR - 1, full - 1), (2, n + 1)):
            check_outer(dtype, rows, columns, depth, start, scale=-2, seed=depth)


@st.composite
def tiles(draw, most_rows, most_columns, starts=STARTS):
    """Sizes, start, scale and seed, for a dtype."""
    dtype = draw(st.sampled_from(DTYPES))
    rows, columns = draw(st.integers(1, most_rows)), draw(st.integers(1, most_columns(dtype)))
    depth, start = draw(st.integers(0, 3 * lanes(np.dtype(dtype)))), draw(st.sampled_from(starts))
    return dtype, rows, columns, depth, start, draw(st.sampled_from([1, 0.5, -4, 0])), draw(st.integers(0, 99))


@pytest.mark.plain
@given(tiles(MR, lambda dtype: 3 * full_columns(dtype), STARTS + WITHIN), st.booleans(), st.tuples(*[st.integers(0, 9)] * 4))
def test_outer_products_with_any_strides(tile, along_rows, gaps):
    """Up to three tiles; odd distances between the elements of A, the rows of B and of C; A along its rows or its columns."""
    dtype, rows, columns, depth, start, scale, seed = tile
    inner = 1 + gaps[0]
    outer = inner * (depth if along_rows else rows) + gaps[1]
    a_row, a_depth = (outer, inner) if along_rows else (inner, outer)
    strides = a_row, a_depth, columns + gaps[2], columns + gaps[3]
    check_outer(dtype, rows, columns, depth, start, scale, strides, seed)


@given(tiles(MR, lambda dtype: 3 * full_columns(dtype), STARTS + WITHIN))
def test_the_twin_of_the_outer_product_keeps_the_same_contract(tile):
    dtype, rows, columns, depth, start, scale, seed = tile
    check_outer(dtype, rows, columns, depth, start, scale, seed=seed, kernel=microkernel._outer_twin)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_outer_product_and_its_twin_agree_on_fractions(dtype, start):
    """Each within the bound of a sum of depth products and c0, which the compiled one may fuse: so twice the bound."""
    rng, depth, scale = np.random.default_rng(1), 40, 0.3
    for rows, columns in ((MR, full_columns(dtype)), (MR - 1, full_columns(dtype) - 1), (1, 1)):
        A, B = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, depth), (depth, columns)))
        bias, values = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, 1), (rows, columns)))
        C, c0 = begin(bias, start, values)
        results = []
        for kernel in (probes.outer[np.dtype(dtype).char], microkernel._outer_twin):
            arguments, c, index = outer_arguments(A, B, C, bias, scale, start, 1, MR, columns, columns)
            kernel(*arguments)
            results.append(c[index])
        assert_within_bound(results[0], results[1], 2 * fraction_bound(A, B, c0, scale, start))


def inner_arguments(A, B, C, bias, scale, start, a_row, b_column, c_row, c_column):
    (rows, depth), columns = A.shape, B.shape[1]
    a, _ = place(A, MARGIN, a_row)
    b, _ = place(B, MARGIN + 2, 1, b_column)
    c, index = place(C, MARGIN + 4, c_row, c_column)
    beta, _ = place(bias)
    arguments = [rows, columns, depth, C.dtype.type(scale), a, MARGIN, a_row, b, MARGIN + 2, b_column]
    return [*arguments, c, MARGIN + 4, c_row, c_column, start, beta, MARGIN], c, index


def check_inner(dtype, rows, columns, depth, start=ZERO, scale=1, strides=None, seed=0, kernel=None):
    """Check whole numbers bit for bit; `strides` are those of A's rows, of B's columns, and both of C; DIVIDE is by DIVISOR."""
    scale = DIVISOR if start >= DIVIDE else scale
    rng = np.random.default_rng(seed)
    A, B = whole_numbers(rng, rows, depth, dtype), whole_numbers(rng, depth, columns, dtype)
    bias, values = whole_numbers(rng, rows, 1, dtype), whole_numbers(rng, rows, columns, dtype)
    C, c0 = begin(bias, start, values)
    strides = strides or (depth, depth, columns, 1)
    arguments, c, index = inner_arguments(A, B, C, bias, scale, start, *strides)
    expected = c.copy()
    expected[index] = exact_sum(c0, scale, A, B, dtype, start)
    (kernel or probes.inner[np.dtype(dtype).char])(*arguments)
    assert_same_bits(c, expected)


@pytest.mark.plain
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_inner_product_of_every_tile_and_depth(dtype, start):
    n = lanes(np.dtype(dtype))
    for rows, columns in itertools.product(range(1, INNER_ROWS + 1), range(1, INNER_COLUMNS + 1)):
        for depth in (*range(2 * n + 2), 3 * n, 50):
            check_inner(dtype, rows, columns, depth, start, scale=-2, seed=depth)


@pytest.mark.plain
@given(tiles(INNER_ROWS, lambda dtype: INNER_COLUMNS), st.booleans(), st.tuples(*[st.integers(0, 9)] * 4))
def test_inner_product_with_any_strides(tile, along_rows, gaps):
    """Odd distances between the rows of A, the columns of B, and both of C."""
    dtype, rows, columns, depth, start, scale, seed = tile
    inner = 1 + gaps[0]
    outer = inner * (columns if along_rows else rows) + gaps[1]
    c_row, c_column = (outer, inner) if along_rows else (inner, outer)
    strides = depth + gaps[2], depth + gaps[3], c_row, c_column
    check_inner(dtype, rows, columns, depth, start, scale, strides, seed)


@given(tiles(INNER_ROWS, lambda dtype: INNER_COLUMNS))
def test_the_twin_of_the_inner_product_keeps_the_same_contract(tile):
    dtype, rows, columns, depth, start, scale, seed = tile
    check_inner(dtype, rows, columns, depth, start, scale, seed=seed, kernel=microkernel._inner_twin)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_inner_product_and_its_twin_agree_on_fractions(dtype, start):
    rng, rows, columns, scale = np.random.default_rng(1), INNER_ROWS, INNER_COLUMNS, 0.3
    for depth in (1, 40, 43):
        A, B = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, depth), (depth, columns)))
        bias, values = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, 1), (rows, columns)))
        C, c0 = begin(bias, start, values)
        results = []
        for kernel in (probes.inner[np.dtype(dtype).char], microkernel._inner_twin):
            arguments, c, index = inner_arguments(A, B, C, bias, scale, start, depth, depth, columns, 1)
            kernel(*arguments)
            results.append(c[index])
        assert_within_bound(results[0], results[1], 2 * fraction_bound(A, B, c0, scale, start))


@pytest.mark.plain
@pytest.mark.parametrize("start", [ZERO, ZERO + DIVIDE])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_finite_goes_where_it_belongs_and_nowhere_else(dtype, value, start):
    """One such number in A makes its row of C nan, or infinite; the other rows stay as they are."""
    for kernel, arguments, rows, columns in (
        (probes.outer, outer_arguments, MR, full_columns(dtype) - 1),
        (probes.inner, inner_arguments, INNER_ROWS, INNER_COLUMNS),
    ):
        A, B = np.ones((rows, 5), dtype), np.ones((5, columns), dtype)
        A[1, 4] = value
        C = np.empty((rows, columns), dtype)
        strides = (1, MR, columns, columns) if arguments is outer_arguments else (5, 5, columns, 1)
        values, c, index = arguments(A, B, C, A[:, :1], 5, start, *strides)
        kernel[np.dtype(dtype).char](*values)
        assert_same_bits(c[index][1], np.full(columns, value, dtype))
        assert_same_bits(np.delete(c[index], 1, axis=0), np.full((rows - 1, columns), 1 if start >= DIVIDE else 25, dtype))


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_passes_relu_and_a_mask(dtype):
    """As it passes relu and its gradient: 0 is where a number is at most 0, and nowhere else."""
    numbers = np.array([[np.nan, -np.inf, np.inf, -1.0, 0.0, 2.0, -0.0]], dtype)
    one, none = np.ones((1, 1), dtype), np.zeros((1, 1), dtype)
    for kernel in (probes.outer[np.dtype(dtype).char], microkernel._outer_twin):
        for start, values, bias, expected in (
            (BIAS_RELU, numbers, none, [np.nan, 0, np.inf, 0, 0, 2, 0]),
            (MASK, np.full_like(numbers, 3), numbers, [3, 0, 3, 0, 0, 3, 0]),
            (MASK, numbers, np.ones_like(numbers), [np.nan, -np.inf, np.inf, -1, 0, 2, 0]),
        ):
            columns = numbers.size
            C = np.full_like(numbers, np.nan)
            arguments, c, index = outer_arguments(one, values, C, bias, 1, start, 1, MR, columns, columns)
            kernel(*arguments)
            np.testing.assert_array_equal(c[index][0], expected)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_quotient_is_rounded_once(dtype):
    """As NumPy's division has it, bit for bit, for whole divisors; a product of depth 1 leaves its numbers as they are.

    Subnormal quotients: to their last bit, since there a tie may be broken the other way.
    """
    rng, limits, columns = np.random.default_rng(0), np.finfo(dtype), full_columns(dtype)
    exponents = rng.integers(limits.minexp + 1, limits.maxexp - 1, (MR, columns))
    spread = np.ldexp(rng.uniform(-1, 1, (MR, columns)).astype(dtype), exponents)
    near_ties = rng.integers(1, 2**limits.nmant, (MR, columns)).astype(dtype)
    special = np.resize(
        np.array([0, -0.0, 1, np.inf, -np.inf, np.nan, limits.max, -limits.max, limits.tiny], dtype), (MR, columns)
    )
    one = np.ones((MR, 1), dtype)
    for divisor in map(np.dtype(dtype).type, (1, 2, 3, 7, 49, 209, 1000, 2**21 - 1, 2**24 - 1, 10**9 + 7)):
        halves = (near_ties + np.dtype(dtype).type(0.5)) * divisor
        for numbers in (spread, near_ties, halves, special):
            result = np.full((MR, columns), np.nan, dtype)
            for i in range(MR):
                arguments, c, index = outer_arguments(
                    one[:1], numbers[i : i + 1], result[i : i + 1], one, divisor, ZERO + DIVIDE, 1, MR, columns, columns
                )
                probes.outer[np.dtype(dtype).char](*arguments)
                result[i] = c[index]
            expected = (numbers + 0) / divisor  # the sum begins with 0: -0 is none
            subnormal = np.abs(expected) < limits.tiny
            assert_same_bits(result[~subnormal], expected[~subnormal])
            assert np.all(np.abs(result[subnormal] - expected[subnormal]) <= limits.smallest_subnormal)
