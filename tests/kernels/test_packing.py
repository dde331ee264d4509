"""Packing against a rearrangement by NumPy: every number in its place, and nothing else written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.kernels.blocking import MR, NV, SQUARE
from fastbackprop.kernels.intrinsics import lanes
from fastbackprop.testing import assert_same_bits

from .support import probes
from .support.probes import DTYPES, MARGIN, place


def panels_of(dtype):
    """Widths of a panel of A and of B."""
    return MR, NV * lanes(np.dtype(dtype))


def strides_of(layout, width, depth, gap=3):
    """Strides of the operand's width and depth."""
    return {
        "along the width": (1, width + gap),
        "along the depth": (depth + gap, 1),
        "strided": (2, 2 * width + gap),
        "strided, turned": (3 * depth + gap, 3),
    }[layout]


LAYOUTS = ("along the width", "along the depth", "strided", "strided, turned")


def rearranged(X, panel, at):
    """The panels, nan where nothing belongs."""
    width, depth = X.shape
    expected = np.full(at + -(-width // panel) * panel * depth + MARGIN, np.nan, X.dtype)
    for w in range(0, width, panel):
        piece = np.full((panel, depth), np.nan, X.dtype)
        piece[: len(X[w : w + panel])] = X[w : w + panel]
        begin = at + w * depth
        expected[begin : begin + panel * depth] = piece.T.ravel()
    return expected


def check(dtype, width, depth, panel, layout):
    X = np.random.default_rng(0).standard_normal((width, depth)).astype(dtype)
    x_row, x_column = strides_of(layout, width, depth)
    x, _ = place(X, MARGIN, x_row, x_column)
    expected = rearranged(X, panel, MARGIN)
    panels = np.full_like(expected, np.nan)
    probes.pack_all[np.dtype(dtype).char](width, depth, x, MARGIN, x_row, x_column, panels, MARGIN, panel)
    assert_same_bits(panels, expected)


@pytest.mark.emulated
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_width_and_depth(dtype, layout):
    for panel in panels_of(dtype):
        for width in range(2 * panel + 2):
            for depth in (0, 1, 2, SQUARE - 1, SQUARE, SQUARE + 1, 2 * SQUARE + 1, 17):
                check(dtype, width, depth, panel, layout)
        for width in (1, SQUARE, panel, panel + 1):
            for depth in range(2 * lanes(np.dtype(dtype)) + 2):
                check(dtype, width, depth, panel, layout)


@pytest.mark.plain
@given(st.sampled_from(DTYPES), st.integers(0, 60), st.integers(0, 20), st.booleans(), st.sampled_from(LAYOUTS))
def test_any_width_and_depth(dtype, width, depth, of_b, layout):
    check(dtype, width, depth, panels_of(dtype)[of_b], layout)


@pytest.mark.plain
@given(
    st.sampled_from(DTYPES),
    st.integers(0, 4),
    st.integers(0, 70),
    st.integers(0, 20),
    st.integers(0, 20),
    st.booleans(),
)
def test_rows_are_streamed_to_any_place(dtype, rows, columns, ia, ib, in_one_piece):
    A = np.random.default_rng(0).standard_normal((rows, columns)).astype(dtype)
    a_row = b_row = columns
    if not in_one_piece:
        a_row, b_row = columns + 1, columns + 3
    a, _ = place(A, ia, a_row)
    b, index = place(np.full(A.shape, np.nan, dtype), ib, b_row)
    expected = b.copy()
    expected[index] = A
    probes.streamed[np.dtype(dtype).char](rows, columns, a, ia, a_row, b, ib, b_row)
    assert_same_bits(b, expected)
