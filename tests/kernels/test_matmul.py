"""Products by each of the three methods: exact on whole numbers, else within 2 k u |A||B|."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.kernels.blocking import KC, MR
from fastbackprop.kernels.microkernel import BIAS, DIVIDE, ZERO
from fastbackprop.testing import assert_same_bits, assert_within_bound, product_bound

from .support.probes import DTYPES, INNER, LAYOUTS, OUTER, PACK_A, PACK_BOTH, PACKED, STARTS, STREAM, STREAM_BOTH, TURN
from .support.products import block_sizes, check, edge_sizes, full_columns, multiply

WAYS = {"outer": OUTER, "inner": INNER, "A packed": PACK_A, "B packed": PACKED, "both packed": PACK_BOTH, "turned": TURN}
# By outer products B has to lie along its rows unless it is packed, by inner ones A along its rows and B along its columns.
LAYOUTS_OF = {
    "outer": ("Fortran", "C"),
    "inner": ("C", "Fortran"),
    "A packed": ("Fortran", "C"),
    "B packed": ("C", "Fortran"),
    "both packed": ("C", "C"),
    "turned": ("C", "Fortran"),
}
PACKING_B = ("B packed", "both packed", "turned")


@pytest.mark.emulated
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
def test_every_edge_size(way, dtype, start):
    """0 .. 2 MR + 1 rows, 0 .. 2 NR + 1 columns, 0 .. 2 lanes + 1 of depth."""
    for rows, columns, depth in edge_sizes(dtype):
        check(WAYS[way], dtype, rows, columns, depth, start, -2, *LAYOUTS_OF[way])


@pytest.mark.emulated
@pytest.mark.parametrize("start", [ZERO, BIAS, ZERO + DIVIDE])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_edge_size_streamed(dtype, start):
    for rows, columns, depth in edge_sizes(dtype):
        check(STREAM, dtype, rows, columns, depth, start, -2, "Fortran", "C")
        check(STREAM_BOTH, dtype, rows, columns, depth, start, -2)


@pytest.mark.plain
@given(
    st.sampled_from(list(WAYS)), st.sampled_from(DTYPES), st.sampled_from(STARTS),
    st.integers(1, 2 * MR + 1), st.integers(1, 30), st.integers(1, 20), st.data(),
)  # fmt: skip
def test_whole_numbers_in_any_layout(way, dtype, start, rows, columns, depth, data):
    """Each method takes each layout, also those that it is not meant for."""
    any_layout = st.sampled_from(list(LAYOUTS))
    a = data.draw(any_layout) if way != "inner" else "C"
    b = data.draw(any_layout) if way in PACKING_B else LAYOUTS_OF[way][1]
    check(WAYS[way], dtype, rows, columns, depth, start, data.draw(st.sampled_from([1, 0.5, 0])), a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("way", WAYS)
def test_an_element_is_the_same_wherever_its_tile_is_cut(way, dtype):
    """The sum runs over the depth in one order: a part of the product has the bits of the product of the parts."""
    rng = np.random.default_rng(0)
    rows, columns, depth = 3 * MR + 2, 2 * full_columns(dtype) + 3, 2 * KC + 5
    A, B = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, depth), (depth, columns)))
    B = np.asfortranarray(B) if way == "inner" else B
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
    check(TURN, dtype, nc + 1, mc + MR + 1, kc + 1, BIAS + DIVIDE)
    for rows, columns, depth in ((mc + MR + 1, nc + 1, kc + 1), (2 * mc + 3, 5, 2 * kc + 1), (3, 2 * nc + 1, 9)):
        check(PACKED, dtype, rows, columns, depth, BIAS, 2)
        check(PACK_BOTH, dtype, rows, columns, depth, BIAS, 2)
        check(PACK_BOTH, dtype, rows, columns, depth, ZERO + DIVIDE)
        check(STREAM_BOTH, dtype, rows, columns, min(depth, kc), BIAS, 2)


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
