"""The goals are of things that are measured."""

import itertools

import pytest

from asv_benches.benchmarks import bench_training
from fastbackprop.testing import CASES
from scripts.measuring.goals import FUNCTIONS, TRAININGS, wanted
from scripts.measuring.nets import NETS


def test_every_net_has_its_goals():
    assert set(TRAININGS) == set(NETS)


@pytest.mark.parametrize(("name", "size"), FUNCTIONS)
def test_what_has_a_goal_is_a_benchmark_at_that_size(name, size):
    if name in CASES:
        assert size in CASES[name].sizes
    else:
        assert size in itertools.chain(*getattr(bench_training, name).params)


def test_what_has_no_goal_is_printed_as_it_is():
    assert (wanted(None), wanted(2.50)) == ("", " (wanted 2.5)")
