"""How examples are cut where blocks fit L2: evenly for two threads, in blocks that fit, which are not too small."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fastbackprop.kernels import cut
from fastbackprop.kernels.blocking import CHUNKS, ENOUGH_CHUNKS, ENOUGH_COLUMNS, SHARED_COLUMNS

in_l2 = getattr(cut._in_l2, "py_func", cut._in_l2)


@given(st.integers(1, 10**6), st.integers(0, 3000), st.integers(1, CHUNKS))
@example(2 * 500, 500, 2)
@example(2 * 500 + 1, 500, CHUNKS)
@example(40_000, 500, ENOUGH_CHUNKS + 1)
def test_blocks_fit_are_even_in_number_and_long_enough(m, fit, most):
    blocks = in_l2(m, fit, most)
    if blocks == 0:
        return
    least, even = SHARED_COLUMNS if m <= 2 * fit else ENOUGH_COLUMNS, most - most % 2
    assert blocks % 2 == 0 and 2 * m <= 3 * blocks * fit and m >= blocks * least
    assert blocks < even or (blocks % even == 0 and (m <= 2 * fit or even >= ENOUGH_CHUNKS))


@pytest.mark.parametrize(
    ("m", "fit", "most", "blocks"),
    [
        (200, 120, CHUNKS, 2),
        (512, 407, CHUNKS, 6),  # more than two threads have work
        (512, 407, 3, 2),
        (2 * SHARED_COLUMNS - 1, 407, CHUNKS, 0),
        (900, 407, CHUNKS, 4),
        (4096, 407, CHUNKS, 16),
        (4096, 226, 10, 20),  # two blocks a chunk
        (2500, 226, 10, 10),  # 250 are not many more than 226; halves would be short
        (4096, 226, ENOUGH_CHUNKS - 1, 0),  # the sums of so many chunks do not fit
        (4096, 2 * ENOUGH_COLUMNS // 3 - 1, CHUNKS, 0),
        (4096, 0, CHUNKS, 0),
        (4096, 407, 1, 0),
    ],
)
def test_examples_of_cuts(m, fit, most, blocks):
    assert in_l2(m, fit, most) == blocks
