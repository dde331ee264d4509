"""One layer, fused: exact on whole numbers, at sizes with one strip of columns and with several."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.activations import LINEAR, RELU, SIGMOID
from fastbackprop.kernels import activations as kernels
from fastbackprop.kernels.blocking import FAR_DEPTH, L2_BYTES, MR, STREAM_BYTES, STRIP_BYTES
from fastbackprop.kernels.layer import layer_backward, layer_forward
from fastbackprop.kernels.matmul import FEW, FLIP, STREAM, THIN
from fastbackprop.kernels.microkernel import DIVIDE
from fastbackprop.kernels.update import descend
from fastbackprop.testing import CASES, Size, assert_same_bits

from .support import probes
from .support.probes import DTYPES, INNER, LAYOUTS, OUTER, PACK_BOTH, PACKED, TURN, exact_sum, mailboxes, whole_numbers


def named(row):
    return row.name


def nans(*shapes, dtype):
    return [np.full(shape, np.nan, dtype) for shape in shapes]


def check(dtype, n, n_prev, m, activation=RELU, layout="C", largest=4, members=1):
    rng = np.random.default_rng(n + n_prev + m)
    W, A_prev, b = (whole_numbers(rng, i, j, dtype, largest) for i, j in ((n, n_prev), (n_prev, m), (n, 1)))
    dA, cached = (whole_numbers(rng, n, m, dtype, largest) for _ in range(2))
    w, a_prev, beta, da, z = (LAYOUTS[layout](x) for x in (W, A_prev, b, dA, cached))

    Z, A = nans((n, m), (n, m), dtype=dtype)
    char = Z.dtype.char
    layer_forward[char](a_prev, w, beta, Z, A, activation.at[char], *mailboxes(members))
    expected = exact_sum(b, 1, W, A_prev, dtype)
    assert_same_bits(Z, expected)
    if activation is LINEAR:
        assert np.isnan(A).all()
    else:
        assert_same_bits(A, np.where(expected <= 0, 0, expected))

    dA_prev, dW, db = nans((n_prev, m), (n, n_prev), (n, 1), dtype=dtype)
    layer_backward[char](da, z, a_prev, w, dA_prev, dW, db, activation.gradient_at[char], *mailboxes(members))
    dZ = dA if activation is LINEAR else np.where(cached <= 0, 0, dA)
    assert_same_bits(dA_prev, exact_sum(0, 1, W.T, dZ, dtype))
    assert_same_bits(dW, exact_sum(0, m, dZ, A_prev.T, dtype, DIVIDE))
    assert_same_bits(db, exact_sum(0, m, dZ, np.ones((m, 1), dtype), dtype, DIVIDE))


@pytest.mark.plain
@given(
    st.sampled_from(DTYPES), st.integers(1, 2 * MR + 1), st.integers(1, 2 * MR + 1), st.integers(1, 60),
    st.sampled_from([LINEAR, RELU]), st.sampled_from(list(LAYOUTS)),
)  # fmt: skip
def test_small_layers(dtype, n, n_prev, m, activation, layout):
    check(dtype, n, n_prev, m, activation, layout)


@pytest.mark.parametrize("layout", ["C", "Fortran", "strided"])
@pytest.mark.parametrize("activation", [LINEAR, RELU], ids=named)
@pytest.mark.parametrize("dtype", DTYPES)
def test_many_strips(dtype, activation, layout):
    """More examples than a strip holds of even one row; in a team, chunks of strips are shared."""
    m = 2 * STRIP_BYTES // np.dtype(dtype).itemsize + 1
    for members in (1, 3):
        check(dtype, 2, 3, m, activation, layout, largest=2, members=members)
        check(dtype, 1, 1, 2 * m, activation, layout, largest=2, members=members)


@pytest.mark.parametrize("dtype", DTYPES)
def test_wide_layers(dtype):
    """So many units that a strip would be thin: the columns are taken all at once, and the products are packed."""
    for n, n_prev, m in ((300, 200, 61), (70, 3000, 13), (3000, 70, 31), (1, 500, 257)):
        for members in (1, 3):
            check(dtype, n, n_prev, m, members=members)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_mean_of_ones_is_1(dtype):
    ones = np.ones((3, 2000), dtype)
    for m in range(1, 2001):
        for members in (1, 3):
            dA_prev, dW, db = nans((3, m), (2, 3), (2, 1), dtype=dtype)
            dZ, A_prev, W = ones[:2, :m], ones[:, :m], ones[:2, :3]
            layer_backward[dW.dtype.char](dZ, dZ, A_prev, W, dA_prev, dW, db, kernels.LINEAR, *mailboxes(members))
            assert_same_bits((dW, db), (np.ones((2, 3), dtype), np.ones((2, 1), dtype)))


# n, n_prev, m and the layouts of dZ and A_prev: every way for dZ A_prev^T, to a block of depth and beyond.
MEANS = [
    ((7, 3, 777), "C", "C"),
    ((7, 5, 2111), "C", "C"),
    ((9, 30, 49), "C", "Fortran"),
    ((200, 210, 1111), "C", "Fortran"),
    ((70, 90, 47), "C", "C"),
    ((300, 200, 1499), "C", "C"),
    ((600, 150, FAR_DEPTH + 1), "Fortran", "C"),
    ((20, 2000, 209), "C", "C"),
    ((20, 2000, 1511), "C", "C"),
    ((30, 1, 611), "Fortran", "C"),
    ((30, 1, L2_BYTES // (30 * 8) + 1), "Fortran", "C"),
    ((1, 300, 77), "C", "Fortran"),
    ((1, 300, L2_BYTES // (300 * 8) + 1), "C", "Fortran"),
    ((1030, 2050, 103), "C", "C"),
]


def test_the_sizes_of_the_means_take_every_way():
    taken = set()
    for (n, n_prev, m), *layouts in MEANS:
        dZ, A_prev = (LAYOUTS[layout](np.ones((rows, m))) for layout, rows in zip(layouts, (n, n_prev), strict=True))
        streams = STREAM if n * n_prev * dZ.itemsize >= STREAM_BYTES else 0
        taken.add(probes.chosen["d"](dZ, A_prev.T, 1.0) + streams)
    thin = {THIN, THIN + FEW, FLIP + THIN, FLIP + THIN + FEW}
    assert taken == {INNER, OUTER, PACKED, PACK_BOTH, TURN, PACKED + STREAM} | thin


@pytest.mark.parametrize("size, layout_dZ, layout_A", MEANS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mean_of_whole_numbers_is_rounded_once(dtype, size, layout_dZ, layout_A):
    """The sum is divided, as in the reference: times a rounded 1/m it would be rounded twice."""
    rng, (n, n_prev, m) = np.random.default_rng(0), size
    dZ, A_prev = LAYOUTS[layout_dZ](whole_numbers(rng, n, m, dtype)), LAYOUTS[layout_A](whole_numbers(rng, n_prev, m, dtype))
    for members in (1, 3):
        dA_prev, dW, db = nans((n_prev, m), (n, n_prev), (n, 1), dtype=dtype)
        layer_backward[dW.dtype.char](dZ, dZ, A_prev, np.ones_like(dW), dA_prev, dW, db, kernels.LINEAR, *mailboxes(members))
        assert_same_bits(dW, exact_sum(0, m, dZ, A_prev.T, dtype, DIVIDE))
        assert_same_bits(db, exact_sum(0, m, dZ, np.ones((m, 1), dtype), dtype, DIVIDE))


@pytest.mark.parametrize("activation", [LINEAR, RELU, SIGMOID], ids=named)
@pytest.mark.parametrize(
    "size", [Size((3, 2), 70_001), Size((20, 30), 9001), Size((300, 200), 300), Size((2000, 4), 999)], ids=str
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_team_computes_the_same_bits(dtype, size, activation):
    (n_prev, n), m = size = Size(*size)
    A_prev, W, b = CASES["linear_forward"].make(size, dtype)
    dA, Z = CASES["sigmoid_backward"].make(size, dtype)
    results, char = [], Z.dtype.char
    for members in (1, 2, 5):
        outputs = nans((n, m), (n, m), (n_prev, m), (n, n_prev), (n, 1), dtype=dtype)
        layer_forward[char](A_prev, W, b, *outputs[:2], activation.at[char], *mailboxes(members))
        layer_backward[char](dA, Z, A_prev, W, *outputs[2:], activation.gradient_at[char], *mailboxes(members))
        results.append(outputs)
    assert_same_bits(results[1], results[0])
    assert_same_bits(results[2], results[0])


@pytest.mark.plain
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_step(dtype, layout):
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (3, 7), (5, 1)):
        W, dW = (whole_numbers(rng, *shape, dtype) for _ in range(2))
        (new,) = nans(shape, dtype=dtype)
        descend[W.dtype.char](LAYOUTS[layout](W), LAYOUTS[layout](dW), 0.25, new)
        assert_same_bits(new, W - np.dtype(dtype).type(0.25) * dW)
