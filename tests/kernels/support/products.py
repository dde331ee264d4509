"""Products for the tests: by each method, alone or in a team, with a check of the memory around them.

The result lies in a flat array of nan with a gap between its rows, and the workspace has just the requested size: a read
before a write, or a write in the wrong place, shows.
"""

import itertools

import numpy as np

from fastbackprop.kernels.blocking import BLOCK_A_BYTES, BLOCK_B_BYTES, KC, MR, NV
from fastbackprop.kernels.intrinsics import lanes
from fastbackprop.kernels.microkernel import ADD, BIAS, BIAS_RELU, DIVIDE, MASK, ZERO
from fastbackprop.testing import assert_same_bits, assert_within_bound, product_bound

from . import probes
from .probes import DIVISOR, LAYOUTS, MARGIN, exact_sum, gone_on, mailbox, place, whole_numbers


def full_columns(dtype):
    return NV * lanes(np.dtype(dtype))


def block_sizes(dtype):
    """KC, MC, NC of a product that fills its blocks."""
    size, NR = np.dtype(dtype).itemsize, full_columns(dtype)
    return KC, BLOCK_A_BYTES // (KC * size) // MR * MR, BLOCK_B_BYTES // (KC * size) // NR * NR


def edge_sizes(dtype):
    """Each of rows, columns and depth over the edges of its tile, against a few sizes of the others."""
    some_rows, some_columns, some_depths = (1, MR, MR + 3), (1, 5, full_columns(dtype) + 1), (1, 7, 16)
    yield from itertools.product(range(2 * MR + 2), some_columns, some_depths)
    yield from itertools.product(some_rows, range(2 * full_columns(dtype) + 2), some_depths)
    yield from itertools.product(some_rows, some_columns, range(2 * lanes(np.dtype(dtype)) + 2))


def run(way, A, B, start, scale, bias, values, members=1):
    """The buffer of C before and after, and where C lies in it; around the workspace all has to be as it was."""
    dtype, (rows, _), columns = A.dtype, A.shape, B.shape[1]
    c, index = place(values if start % DIVIDE == ADD else np.full((rows, columns), np.nan, dtype), MARGIN, columns + 3)
    beta, _ = place(bias, MARGIN, columns + 3) if start == MASK else place(bias)
    team = mailbox(members)
    room = probes.room[dtype.char](way, A, B, dtype.type(1), members)
    workspace = np.full(MARGIN + room + MARGIN, np.nan, dtype)
    before = c.copy()
    arguments = way, A, B, dtype.type(scale), c, MARGIN, columns + 3, start, beta, MARGIN, workspace, MARGIN, team
    probes.multiply[dtype.char](*arguments)
    assert np.isnan(workspace[:MARGIN]).all()
    assert np.isnan(workspace[MARGIN + room :]).all()
    return before, c, index


def multiply(way, A, B, members=1):
    """A B, after checking that what lies around C is as it was."""
    before, c, index = run(way, A, B, ZERO, 1, np.zeros((len(A), 1), A.dtype), None, members)
    before[index] = c[index]
    assert_same_bits(c, before)
    return c[index]


def check(way, dtype, rows, columns, depth, start=ZERO, scale=1, layout_a="C", layout_b="C", members=1):
    """Check whole numbers bit for bit; DIVIDE is by DIVISOR."""
    scale = DIVISOR if start >= DIVIDE else scale
    rng = np.random.default_rng(rows + 31 * columns + 1009 * depth)
    A, B = whole_numbers(rng, rows, depth, dtype), whole_numbers(rng, depth, columns, dtype)
    bias, values = whole_numbers(rng, rows, columns if start == MASK else 1, dtype), whole_numbers(rng, rows, columns, dtype)
    c0 = {BIAS: bias, BIAS_RELU: bias, ADD: values}.get(start % DIVIDE, np.zeros((rows, 1), dtype))
    expected, c, index = run(way, LAYOUTS[layout_a](A), LAYOUTS[layout_b](B), start, scale, bias, values, members)
    expected[index] = gone_on(exact_sum(c0, scale, A, B, dtype, start), start, bias)
    assert_same_bits(c, expected)


def gram(X, start=ZERO, values=None, members=1):
    """c0 + X^T X, after the same checks."""
    dtype, m = X.dtype, X.shape[1]
    g, index = place(values if start == ADD else np.full((m, m), np.nan, dtype), MARGIN, m + 3)
    team = mailbox(members)
    room = probes.gram_room[dtype.char](X, dtype.type(1), members)
    workspace = np.full(MARGIN + room + MARGIN, np.nan, dtype)
    expected = g.copy()
    probes.gram_matrix[dtype.char](X, dtype.type(1), g, MARGIN, m + 3, start, workspace, MARGIN, team)
    result = g[index]
    expected[index] = result
    assert_same_bits(g, expected)
    assert np.isnan(workspace[:MARGIN]).all()
    assert np.isnan(workspace[MARGIN + room :]).all()
    return result


def check_by_random_vector(C, A, B):
    """C x against A (B x), in extended precision: n^2 operations for a product of n^3."""
    rng = np.random.default_rng(7)
    x = rng.choice([-1.0, 1.0], (B.shape[1], 1)) * rng.uniform(0.5, 1, (B.shape[1], 1))
    expected = A.astype(np.longdouble) @ (B.astype(np.longdouble) @ x)
    assert_within_bound(C.astype(np.longdouble) @ x, expected, product_bound(A, B) @ np.abs(x))
