"""What gram descent computes once, a few rows of X at a time: G = X^T X and V = W1 X before, W1 - (rate / m) S X^T after.

It is exact on whole numbers.
"""

import numpy as np
import pytest

from fastbackprop.kernels.blocking import KC, MR
from fastbackprop.kernels.gram_descent import gram_add, gram_finish, gram_mirror
from fastbackprop.testing import assert_same_bits

from .support.probes import LAYOUTS, exact_sum, mailboxes, whole_numbers

# n_0, n_1, m: one of everything, each choice of a product, several blocks of depth, and enough for a team to share.
SHAPES = [(1, 1, 1), (3, 4, 7), (2 * KC + 5, 3, MR + 1), (40, 4 * MR + 3, 60), (300, 20, 209)]


def drawn(n_0, n_1, m):
    rng = np.random.default_rng(n_0)
    return (whole_numbers(rng, rows, columns, np.float64, largest=4) for rows, columns in ((n_0, m), (n_1, n_0), (n_1, m)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_before(layout):
    """Each piece of X adds its part."""
    for n_0, n_1, m in SHAPES:
        X, W1, _ = drawn(n_0, n_1, m)
        for members in (1, 3):
            G, V = np.zeros((m, m)), np.zeros((n_1, m))
            for rows in (slice(0, n_0 // 3), slice(n_0 // 3, None)):
                if X[rows].size:
                    x, w1 = LAYOUTS[layout](X[rows]), LAYOUTS[layout](W1[:, rows])
                    gram_add["d"](x, w1, G, V, np.zeros(2, np.int64), *mailboxes(members))
            assert_same_bits(np.triu(G), np.triu(exact_sum(0, 1, X.T, X, np.float64)))
            gram_mirror["d"](G, np.zeros(2, np.int64))
            assert_same_bits(G, exact_sum(0, 1, X.T, X, np.float64))
            assert_same_bits(V, exact_sum(0, 1, W1, X, np.float64))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_after(layout):
    for n_0, n_1, m in SHAPES:
        for members in (1, 3):
            X, W1, S = drawn(n_0, n_1, m)
            expected = exact_sum(W1, -0.5, S, X.T, np.float64)
            gram_finish["d"](LAYOUTS[layout](X), LAYOUTS[layout](S), m / 2, W1, np.zeros(2, np.int64), *mailboxes(members))
            assert_same_bits(W1, expected)
