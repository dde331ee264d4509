"""The demo warns where something else kept the machine busy, and not of what it does itself."""

import pytest

from scripts.demonstration.load import load_average, warning


@pytest.mark.parametrize(("load", "own", "cores"), [(0.9, 0, 2), (2.9, 2, 2), (3.9, 0, 8), (None, 0, 2)])
def test_a_quiet_machine_is_not_warned_of(load, own, cores):
    assert warning(load, own, cores) is None


@pytest.mark.parametrize(("load", "own", "cores", "said"), [(1.1, 0, 2, "(load 1.1)"), (5.2, 2, 2, "(load 5.2, of which")])
def test_a_busy_machine_is(load, own, cores, said):
    assert said in str(warning(load, own, cores))


def test_the_load_is_a_number_or_unknown():
    load = load_average()
    assert load is None or load >= 0
