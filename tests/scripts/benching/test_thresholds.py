"""The measurement behind the thresholds of sharing: how it sets them, and its conclusions."""

import os
import subprocess
import sys

import pytest

from scripts import ROOT
from scripts.benching.thresholds import set_thresholds, wins_from

PROGRAM = """
from scripts.benching.thresholds import set_thresholds
set_thresholds({"SHARED_OPERATIONS": 1})
from fastbackprop.kernels import blocking, disk_cache, layer, plan
print(blocking.SHARED_OPERATIONS, disk_cache.blocking.SHARED_OPERATIONS, layer.SHARED_OPERATIONS, plan.SHARED_OPERATIONS)
"""


def test_kernels_are_made_with_the_thresholds_that_are_set():
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    child = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert child.stdout.split() == ["1"] * 4


def test_a_threshold_that_there_is_not_is_refused():
    with pytest.raises(LookupError, match="SHARED_BANANAS"):
        set_thresholds({"SHARED_BANANAS": 1})


def row(size, awake, asleep=1.0):
    return {"size": size, "awake": [awake, awake, awake], "asleep": [asleep, asleep, asleep]}


def test_sharing_wins_from_where_no_larger_size_loses():
    rows = [row(1, 1.5), row(2, 0.9), row(4, 1.1), row(4, 1.2), row(8, 1.9)]
    assert wins_from(rows, ("awake",)) == 4
    assert wins_from([*rows, row(8, 0.99)], ("awake",)) is None
    assert wins_from([row(1, 2.0, 0.5), row(2, 2.0, 1.5)], ("awake", "asleep")) == 2
