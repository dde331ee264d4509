"""The printed figures of a training."""

import pytest

pytest.importorskip("threadpoolctl")
from scripts.benching.training import lines
from scripts.measuring.timing import Estimate


def test_lines_say_what_was_scaled_and_what_is_wanted():
    row = {
        "net": "pictures",
        "algorithm": "gram",
        "threads": 2,
        "measured iterations": 2_500,
        "reference": Estimate(12.0, 11.9, 12.2),
        "fast": Estimate(0.06, 0.05, 0.07),
        "ratio": Estimate(200.0, 190.0, 210.0),
        "limit": 0.03,
        "limit by": "arithmetic",
        "of limit": Estimate(0.5, 0.45, 0.55),
        "GFLOP/s": 258.0,
        "GB/s": 50.0,
    }
    head, reference, gram, direct = lines([row, {**row, "algorithm": "direct", "measured iterations": 100}])
    assert "[12288, 20, 7, 5, 1], 209: 2,500 iterations" in head
    assert "12,000.00 ms (scaled from 100 iterations)" in reference
    assert "scaled" not in gram and "200.00 [190.00, 210.00] x the reference (wanted 200)" in gram
    assert "0.50 [0.45, 0.55] of the limit by arithmetic, 30 ms (wanted 0.4)" in gram
    assert "scaled from 100 iterations" in direct and "(wanted 3.5)" in direct
