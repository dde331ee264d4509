"""What gram descent computes once: G = X^T X and V = W1 X, at the end W1 - (rate / m) S X^T; exact on whole numbers."""

import numpy as np
import pytest

from fastbackprop.kernels.blocking import KC, MR
from fastbackprop.kernels.gram_descent import gram_finish, gram_start
from fastbackprop.kernels.network import DONE, STOPPED
from fastbackprop.testing import assert_same_bits

from .probes import DTYPES, LAYOUTS, exact_sum, whole_numbers

# n_0, n_1, m: features in several pieces, each choice of a product, and one of everything.
SHAPES = [(1, 1, 1), (3, 4, 7), (8 * KC + 5, 3, MR + 1), (40, 4 * MR + 3, 60)]


def drawn(n_0, n_1, m, dtype):
    rng = np.random.default_rng(n_0)
    return (whole_numbers(rng, *shape, dtype, largest=4) for shape in ((n_0, m), (n_1, n_0), (n_1, m)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_before(dtype, layout):
    for n_0, n_1, m in SHAPES:
        X, W1, _ = drawn(n_0, n_1, m, dtype)
        G, V = np.full((m, m), np.nan, dtype), np.full((n_1, m), np.nan, dtype)
        state = np.array([0, STOPPED])
        gram_start[X.dtype.char](LAYOUTS[layout](X), LAYOUTS[layout](W1), G, V, state)
        assert state[1] == DONE
        assert_same_bits(G, exact_sum(0, 1, X.T, X, dtype))
        assert_same_bits(V, exact_sum(0, 1, W1, X, dtype))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_after(dtype, layout):
    for n_0, n_1, m in SHAPES:
        X, W1, S = drawn(n_0, n_1, m, dtype)
        expected = exact_sum(W1, -0.5, S, X.T, dtype)
        gram_finish[X.dtype.char](LAYOUTS[layout](X), LAYOUTS[layout](S), m / 2, W1)
        assert_same_bits(W1, expected)


@pytest.mark.plain
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_stop_flag_ends_it_before_the_next_piece(dtype):
    X, W1, _ = drawn(5, 2, 3, dtype)
    G, V = np.full((3, 3), np.nan, dtype), np.full((2, 3), np.nan, dtype)
    state = np.array([1, DONE])
    gram_start[X.dtype.char](X, W1, G, V, state)
    assert state[1] == STOPPED
    assert np.isnan(G).all()
    assert np.isnan(V).all()
