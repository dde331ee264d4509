"""Cross-entropy and its gradient: against the formula in Python's own arithmetic, and at the ends of the range."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.kernels.cost import cross_entropy, output_gradient
from fastbackprop.testing import CASES, assert_same_bits, assert_within_bound

from .support.probes import DTYPES, LAYOUTS


def cost_of(AL, Y):
    total = np.full(1, -1.0)
    assert cross_entropy[AL.dtype.char](AL, Y, total)
    return total[0]


inside = st.floats(0.015625, 0.984375, width=32)


@pytest.mark.plain
@given(st.lists(st.tuples(inside, st.floats(0, 1, width=32)), min_size=1, max_size=9), st.sampled_from(DTYPES))
def test_cost_of_any_outputs(pairs, dtype):
    AL, Y = np.array(pairs, dtype).T.reshape(2, 1, -1)
    cost = cost_of(AL, Y)
    terms = [-y * math.log(a) - (1 - y) * math.log1p(-a) for a, y in pairs]
    wide = AL.astype("d"), Y.astype("d")  # the sum is in float64 for either dtype
    assert_within_bound(cost, math.fsum(terms) / len(terms), CASES["compute_cost"].bound(*wide))


@pytest.mark.plain
@pytest.mark.parametrize(
    ("a", "y", "cost"),
    [(0, 0, 0), (1, 1, 0), (0, 1, math.inf), (1, 0, math.inf), (0, 0.5, math.inf), (0.5, 1, math.log(2)),
     (-1, 1, math.nan), (2, 0, math.nan), (math.nan, 1, math.nan), (0.5, math.nan, math.nan)],
)  # fmt: skip
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy warns of a division by 0 on the plain twins
def test_cost_at_the_ends(dtype, a, y, cost):
    AL, Y = np.array([[a]], dtype), np.array([[y]], dtype)
    np.testing.assert_equal(cost_of(AL, Y), cost)


@pytest.mark.plain
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # as above
def test_gradient(dtype, layout):
    """The limit where the output is exactly 0 or 1, the formula elsewhere, also where AL is no output of Z's."""
    AL = np.array([[0, 0, 1, 1, 0.25, 0.75]], dtype)
    Y = np.array([[0, 1, 0, 1, 1, 0.5]], dtype)
    Z = np.zeros_like(AL)  # where the slope is exactly 1/4
    dZ = np.full_like(AL, np.nan)
    output_gradient[AL.dtype.char](*(LAYOUTS[layout](x) for x in (AL, Y, Z)), dZ)
    third = np.dtype(dtype).type(0.5) / np.dtype(dtype).type(0.75)
    expected = [[0, -1, 1, 0, -1, -(third - np.dtype(dtype).type(2)) / 4]]
    assert_same_bits(dZ, np.array(expected, dtype))
