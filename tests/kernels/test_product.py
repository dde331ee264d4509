"""The product that all kernels call: in every orientation and layout, alone and in a team, with the same bits."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.kernels.blocking import KC, MR, NV, PIECE_OPERATIONS, SHARED_OPERATIONS
from fastbackprop.kernels.intrinsics import lanes
from fastbackprop.kernels.microkernel import ADD, BIAS, DIVIDE
from fastbackprop.testing import assert_same_bits, assert_within_bound, product_bound

from .support import probes
from .support.probes import DTYPES, LAYOUTS, PRODUCT, STARTS, WITHIN, exact_sum, whole_numbers
from .support.products import block_sizes, check, check_by_random_vector, edge_sizes, full_columns, gram, multiply


@pytest.mark.emulated
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_edge_size(dtype, start):
    """The sizes include no rows, no columns and no depth: then C is c0."""
    for rows, columns, depth in edge_sizes(dtype):
        check(PRODUCT, dtype, rows, columns, depth, start, -2)


@pytest.mark.plain
@given(
    st.sampled_from(DTYPES), st.sampled_from(STARTS), st.integers(1, 5 * MR), st.integers(1, 50), st.integers(1, 20),
    st.sampled_from([1, 0.5, 0]), st.sampled_from(list(LAYOUTS)), st.sampled_from(list(LAYOUTS)),
)  # fmt: skip
def test_whole_numbers_in_any_layout(dtype, start, rows, columns, depth, scale, layout_a, layout_b):
    check(PRODUCT, dtype, rows, columns, depth, start, scale, layout_a, layout_b)


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
            # The layers do it in this way: a transposed operand is a view of the array.
            a = to_a(A) if A.flags.c_contiguous else to_a(A.T).T
            b = to_b(B) if B.flags.c_contiguous else to_b(B.T).T
            assert_same_bits(multiply(PRODUCT, a, b), exact_sum(0, 1, A, B, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layouts", [("C", "C"), ("C", "Fortran"), ("Fortran", "C"), ("strided", "reversed")])
def test_fractions_beyond_every_block(dtype, layouts):
    kc, mc, _ = block_sizes(dtype)
    rng = np.random.default_rng(0)
    A, B = (rng.standard_normal(s).astype(dtype) for s in ((mc + MR + 1, kc + 9), (kc + 9, 10 * full_columns(dtype) + 1)))
    A, B = LAYOUTS[layouts[0]](A), LAYOUTS[layouts[1]](B)
    check_by_random_vector(multiply(PRODUCT, A, B), A, B)


@pytest.mark.parametrize("start", WITHIN)
@pytest.mark.parametrize("layouts", list(itertools.product(("C", "Fortran"), repeat=2)), ids="-".join)
@pytest.mark.parametrize("dtype", DTYPES)
def test_relu_and_masks_within_products(dtype, layouts, start):
    """Wherever `does_within` says that they can be; the shapes are those of layers, forward and backward."""
    done = 0
    for rows, columns, depth in (
        (100, 200, 20),
        (100, 200, 1),
        (1, 30, 20),
        (100, 1, 20),
        (9, 203, 200),
        (40, 1000, 30),
        (70, 90, 900),
    ):
        A, B = (
            LAYOUTS[layout](np.ones(shape, dtype))
            for layout, shape in zip(layouts, ((rows, depth), (depth, columns)), strict=True)
        )
        if probes.within[np.dtype(dtype).char](A, B, np.dtype(dtype).type(1), start):
            done += 1
            for members in (1, 3):
                check(PRODUCT, dtype, rows, columns, depth, start, 2, layouts[0], layouts[1], members)
    assert done >= 3


# ------------------------------------------------------------------------------------------------------------ in a team

# Rows, columns and depth of products that are shared, in chunks of columns and of rows, the last of them narrower; with
# B along its rows (outer products, or packed), and with A and B along the depth (inner products, or packed).
SHARED = [(9, 3001, 40), (3001, 9, 40), (20, 50, 2003), (203, 204, 205), (3, 200_001, 1), (4001, 150, 2)]


@pytest.mark.parametrize("layout_b", ["C", "Fortran"])
@pytest.mark.parametrize("size", SHARED, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_team_computes_the_same_bits(dtype, size, layout_b):
    """Here its helpers don't come: the caller does all chunks, which is how the work is cut that others may do."""
    rows, columns, depth = size
    assert rows * columns * depth >= SHARED_OPERATIONS
    rng = np.random.default_rng(0)
    A, B = (rng.standard_normal(shape).astype(dtype) for shape in ((rows, depth), (depth, columns)))
    B = LAYOUTS[layout_b](B)
    expected = multiply(PRODUCT, A, B)
    for members in (2, 3, 7):
        assert_same_bits(multiply(PRODUCT, A, B, members), expected)
        check(PRODUCT, dtype, rows, columns, depth, BIAS, 2, "C", layout_b, members)
        check(PRODUCT, dtype, rows, columns, depth, ADD, 2, "C", layout_b, members)
        check(PRODUCT, dtype, rows, columns, depth, ADD + DIVIDE, 2, "C", layout_b, members)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_team_computes_the_same_bits_of_a_gram_matrix(dtype):
    rng = np.random.default_rng(0)
    for m, depth in ((203, 100), (2 * full_columns(dtype), 2000), (450, 5)):
        assert m * m * depth >= SHARED_OPERATIONS
        X, S = rng.standard_normal((depth, m)).astype(dtype), rng.standard_normal((m, m)).astype(dtype)
        S += S.T
        expected, added = gram(X), gram(X, ADD, S)
        for members in (2, 3, 7):
            assert_same_bits(gram(X, members=members), expected)
            assert_same_bits(gram(X, ADD, S, members), added)


# ----------------------------------------------------------------------------------------------------- the gram matrix


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


@pytest.mark.parametrize("c", "df")
def test_each_member_of_a_team_has_room_where_a_product_is_shared(c):
    found, kinds = np.zeros(3, np.int64), set()
    for shape in ((4, 300, 4), (300, 300, 300), (64, 3000, 200), (2000, 40, 500)):
        A, B = np.ones((shape[0], shape[1]), c), np.ones((shape[2], shape[1]), c).T  # B is packed
        for members in (1, 2, 3, 8):
            probes.rooms[c](A, B, A.dtype.type(1), members, found)
            chunks, room, asked = (int(number) for number in found)
            kinds.add((chunks > 1, room > 0))
            assert asked == (members * room if chunks > 1 else room)
    assert {(True, True), (False, True)} <= kinds  # else nothing was examined


@pytest.mark.parametrize("c", "df")
def test_two_members_end_a_shared_product_together(c):
    """Within a tile's columns and a 32nd, if both begin at once; chunks of a quarter of a share differed by up to a third."""
    found, width = np.zeros(2, np.int64), NV * lanes(np.dtype(c))
    for rows, columns, depth in ((128, 504, 784), (128, 1000, 1000), (64, 504, 128), (1024, 1024, 1024)):
        A, B = np.zeros((rows, depth), c), np.zeros((depth, columns), c)
        probes.cut[c](A, B, A.dtype.type(1), 2, found)
        of_rows, of_columns = (np.diff([*range(0, n, step), n]) for n, step in zip((rows, columns), found, strict=True))
        done = [0, 0]
        for chunk in np.outer(of_rows, of_columns).ravel():  # each is claimed by who is free first
            done[done.index(min(done))] += int(chunk)
        assert sum(done) == rows * columns
        assert max(done) <= rows * (columns / 2 * 33 / 32 + width), (rows, columns, depth, found)


# -------------------------------------------------------------------------------------- checks of the stop flag between


@pytest.mark.parametrize("members", [1, 2, 3, 4, 8, 16])
@pytest.mark.parametrize("c", "df")
def test_a_gram_matrix_has_room_for_each_strip_of_its_columns(c, members):
    """A strip that ends higher up may be narrower, and its blocks larger."""
    needed = np.zeros(2, np.int64)
    for m in range(2, 9000, 97):
        for depth in (1, 7, KC, 8 * KC):
            probes.gram_rooms[c](m, depth, members, np.dtype(c).type(1), needed)
            assert needed[0] >= needed[1], (m, depth)


@pytest.mark.parametrize("c", "df")
def test_a_piece_of_a_product_is_small_or_the_smallest_that_there_is(c):
    steps = np.zeros(3, np.int64)
    NR, block = NV * lanes(np.dtype(c)), KC * 8 // np.dtype(c).itemsize
    for shape in itertools.product((1, 20, 3000, 50_000), (1, 209, 5000, 200_000), (1, 209, 5000, 100_000)):
        probes.pieces[c](*shape, np.dtype(c).type(1), steps)
        assert (steps >= 1).all() and (steps <= shape).all()
        rows, columns, depth = (int(step) for step in steps)
        if shape[0] * shape[1] * shape[2] <= PIECE_OPERATIONS:
            assert (rows, columns, depth) == shape
        else:
            smallest = columns <= NR if shape[1] >= shape[0] else rows <= MR
            assert depth == shape[2] or depth % block == 0
            assert rows * columns * depth <= PIECE_OPERATIONS or (depth <= block and smallest)
