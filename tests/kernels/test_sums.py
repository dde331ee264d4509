"""Sums that know what their roundings lost."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .support import probes

pytestmark = pytest.mark.plain


def parts_of(terms):
    terms, parts = np.array(terms, float), np.zeros(2)
    probes.compensated["d"](terms, parts)
    return parts


@pytest.mark.parametrize(
    ("terms", "total"),
    [
        ([1e100, 1, -1e100], 1.0),  # the smaller number is added to the larger one
        ([1, 1e100, -1e100], 1.0),  # and the larger one to the smaller
        ([-(2.0**53), -1, 2.0**53, 0.5], -0.5),
        ([0.1] * 10, math.fsum([0.1] * 10)),
    ],
)
def test_what_the_roundings_lost_is_known(terms, total):
    assert sum(parts_of(terms)) == total


@given(st.lists(st.floats(-1e300, 1e300).map(lambda x: x / 64), min_size=1, max_size=60))
def test_the_sum_is_right_but_for_roundings_of_what_was_lost(terms):
    """Neumaier's bound: u |S| + 2 n^2 u^2 sum |x|, for n terms and u = 2^-53."""
    exact, size, n, u = math.fsum(terms), math.fsum(map(abs, terms)), len(terms), 2.0**-53
    assert abs(sum(parts_of(terms)) - exact) <= 2 * u * abs(exact) + 4 * n * n * u * u * size + 5e-324
