"""Batches of the reference: every example once, in its order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.reference.mini_batches import mini_batches


@given(m=st.integers(1, 200), batch_size=st.integers(1, 250), seed=st.none() | st.integers(0, 2**32 - 1))
def test_batches_are_the_order_in_pieces(m, batch_size, seed):
    order = None if seed is None else np.random.default_rng(seed).permutation(m)
    batches = mini_batches(m, batch_size, order)
    np.testing.assert_array_equal(np.concatenate(batches), np.arange(m) if order is None else order)
    assert sorted(np.concatenate(batches)) == list(range(m))
    assert {len(batch) for batch in batches[:-1]} <= {batch_size}
    assert 1 <= len(batches[-1]) <= batch_size


def test_without_a_size_there_is_one_batch():
    (batch,) = mini_batches(5, None, [3, 1, 4, 0, 2])
    np.testing.assert_array_equal(batch, [3, 1, 4, 0, 2])


@pytest.mark.parametrize("batch_size", [0, -3])
def test_a_size_below_1_is_refused(batch_size):
    with pytest.raises(ValueError, match=r"batch_size is (0|-3); expected"):
        mini_batches(5, batch_size)
