"""One layer, fused: exact on whole numbers, at sizes with one strip of columns and with several."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.kernels.activations import LINEAR, RELU, SIGMOID
from fastbackprop.kernels.blocking import MR, STRIP_BYTES
from fastbackprop.kernels.layer import descend, layer_backward, layer_forward
from fastbackprop.testing import CASES, Size, assert_same_bits

from .probes import DTYPES, LAYOUTS, exact_sum, hands, whole_numbers


def nans(*shapes, dtype):
    return [np.full(shape, np.nan, dtype) for shape in shapes]


def check(dtype, n, n_prev, m, activation=RELU, layout="C", largest=4, members=1):
    """m is a power of 2, so that 1/m is exact too."""
    rng = np.random.default_rng(n + n_prev + m)
    W, A_prev, b = (whole_numbers(rng, i, j, dtype, largest) for i, j in ((n, n_prev), (n_prev, m), (n, 1)))
    dA, cached = (whole_numbers(rng, n, m, dtype, largest) for _ in range(2))
    w, a_prev, beta, da, z = (LAYOUTS[layout](x) for x in (W, A_prev, b, dA, cached))

    Z, A = nans((n, m), (n, m), dtype=dtype)
    layer_forward[Z.dtype.char](a_prev, w, beta, Z, A, activation, *hands(members))
    expected = exact_sum(b, 1, W, A_prev, dtype)
    assert_same_bits(Z, expected)
    if activation == LINEAR:
        assert np.isnan(A).all()
    else:
        assert_same_bits(A, np.where(expected <= 0, 0, expected))

    dA_prev, dW, db = nans((n_prev, m), (n, n_prev), (n, 1), dtype=dtype)
    layer_backward[Z.dtype.char](da, z, a_prev, w, dA_prev, dW, db, activation, *hands(members))
    dZ = dA if activation == LINEAR else np.where(cached <= 0, 0, dA)
    assert_same_bits(dA_prev, exact_sum(0, 1, W.T, dZ, dtype))
    assert_same_bits(dW, exact_sum(0, 1 / m, dZ, A_prev.T, dtype))
    assert_same_bits(db, exact_sum(0, 1 / m, dZ, np.ones((m, 1), dtype), dtype))


@pytest.mark.plain
@given(
    st.sampled_from(DTYPES), st.integers(1, 2 * MR + 1), st.integers(1, 2 * MR + 1), st.sampled_from([1, 2, 4, 16]),
    st.sampled_from([LINEAR, RELU]), st.sampled_from(list(LAYOUTS)),
)  # fmt: skip
def test_small_layers(dtype, n, n_prev, m, activation, layout):
    check(dtype, n, n_prev, m, activation, layout)


@pytest.mark.parametrize("layout", ["C", "Fortran", "strided"])
@pytest.mark.parametrize("activation", [LINEAR, RELU])
@pytest.mark.parametrize("dtype", DTYPES)
def test_many_strips(dtype, activation, layout):
    """More examples than a strip holds of even one row; in a team, chunks of strips are shared."""
    m = 1 << (STRIP_BYTES // np.dtype(dtype).itemsize).bit_length()
    for members in (1, 3):
        check(dtype, 2, 3, m, activation, layout, largest=2, members=members)
        check(dtype, 1, 1, 2 * m, activation, layout, largest=2, members=members)


@pytest.mark.parametrize("dtype", DTYPES)
def test_wide_layers(dtype):
    """So many units that a strip would be thin: the columns are taken all at once, and the products are packed."""
    for n, n_prev, m in ((300, 200, 64), (70, 3000, 16), (3000, 70, 32), (1, 500, 256)):
        for members in (1, 3):
            check(dtype, n, n_prev, m, members=members)


@pytest.mark.parametrize("activation", [LINEAR, RELU, SIGMOID])
@pytest.mark.parametrize(
    "size", [Size((3, 2), 70_001), Size((20, 30), 9001), Size((300, 200), 300), Size((2000, 4), 999)], ids=str
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_team_computes_the_same_bits(dtype, size, activation):
    (n_prev, n), m = size = Size(*size)
    A_prev, W, b = CASES["linear_forward"].make(size, dtype)
    dA, Z = CASES["sigmoid_backward"].make(size, dtype)
    results = []
    for members in (1, 2, 5):
        outputs = nans((n, m), (n, m), (n_prev, m), (n, n_prev), (n, 1), dtype=dtype)
        layer_forward[Z.dtype.char](A_prev, W, b, *outputs[:2], activation, *hands(members))
        layer_backward[Z.dtype.char](dA, Z, A_prev, W, *outputs[2:], activation, *hands(members))
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
