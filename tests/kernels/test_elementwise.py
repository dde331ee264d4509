"""Loops over matrices: in every layout, at every size, each element has the bits of the formula of one value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.activations import RELU, SIGMOID, TANH
from fastbackprop.kernels.blocking import SHARED_ELEMENTS
from fastbackprop.kernels.elementwise import activation_backward, activation_forward
from fastbackprop.kernels.intrinsics import lanes
from fastbackprop.testing import assert_same_bits

from .support import probes
from .support.probes import DTYPES, LAYOUTS, MARGIN, mailbox, mailboxes, place

ACTIVATIONS = {probes.RELU: RELU, probes.SIGMOID: SIGMOID, probes.TANH: TANH}  # by the number of the formula


def drawn(dtype, rows, columns):
    """dA and Z, with some elements of Z zero and some not finite."""
    rng = np.random.default_rng(rows + 100 * columns)
    dA, Z = (4 * rng.standard_normal((rows, columns)) for _ in range(2))
    Z[rng.random(Z.shape) < 0.2] = 0
    Z[rng.random(Z.shape) < 0.05] = np.inf
    return dA.astype(dtype), Z.astype(dtype)


def by_formula(which, activation, dA, Z):
    result = np.empty(Z.size, Z.dtype)
    probes.formula[Z.dtype.char](which, activation, dA.ravel(), Z.ravel(), result)
    return result.reshape(Z.shape)


def check(dtype, rows, columns, activation, gap=0, layout_a="C", layout_z="C", members=1):
    """The results' rows lie `gap` numbers apart."""
    dA, Z = drawn(dtype, rows, columns)
    da, z = LAYOUTS[layout_a](dA), LAYOUTS[layout_z](Z)
    empty = np.full(Z.shape, np.nan, dtype)
    A, index = place(empty, MARGIN, columns + gap)
    dZ, _ = place(empty, MARGIN, columns + gap)
    expected_A, expected_dZ = A.copy(), dZ.copy()
    expected_A[index] = by_formula(probes.ACTIVATE, activation, dA, Z)
    expected_dZ[index] = by_formula(probes.GRADIENT, activation, dA, Z)
    g, char = ACTIVATIONS[activation], A.dtype.char
    probes.activated[char](z, A, MARGIN, columns + gap, g.at[char], mailbox(members))
    probes.masked[char](da, z, dZ, MARGIN, columns + gap, g.gradient_at[char], mailbox(members))
    assert_same_bits(A, expected_A)
    assert_same_bits(dZ, expected_dZ)


@pytest.mark.plain
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_size_about_a_vector(dtype, activation):
    for columns in range(2 * lanes(np.dtype(dtype)) + 2):
        for rows in (0, 1, 3):
            check(dtype, rows, columns, activation)
            check(dtype, rows, columns, activation, gap=3)


@pytest.mark.plain
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout, dtype, activation):
    for others in ("C", "Fortran", layout):
        check(dtype, 5, 11, activation, 0, layout, others)
        check(dtype, 5, 11, activation, 2, others, layout)


@given(st.sampled_from(DTYPES), st.integers(0, 40), st.integers(0, 40), st.sampled_from(list(ACTIVATIONS)), st.integers(0, 9))
def test_any_size(dtype, rows, columns, activation, gap):
    check(dtype, rows, columns, activation, gap)


@pytest.mark.plain
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_entries(dtype, activation):
    dA, Z = drawn(dtype, 4, 21)
    A, dZ = np.full_like(Z, np.nan), np.full_like(Z, np.nan)
    g, char = ACTIVATIONS[activation], A.dtype.char
    activation_forward[char](Z, A, g.at[char], *mailboxes(1))
    activation_backward[char](dA, Z, dZ, g.gradient_at[char], *mailboxes(1))
    assert_same_bits(A, by_formula(probes.ACTIVATE, activation, dA, Z))
    assert_same_bits(dZ, by_formula(probes.GRADIENT, activation, dA, Z))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_team_computes_the_same_bits(dtype, activation, layout):
    """In chunks of whole rows, or of pieces of the only row; its helpers don't come, the caller does all of them."""
    n = SHARED_ELEMENTS
    for rows, columns in ((1, 2 * n + 5), (2, n + 1), (3 * n, 1), (n // 100, 211), (40, n // 15)):
        for gap in (0, 3):
            check(dtype, rows, columns, activation, gap, layout, layout, members=3)
