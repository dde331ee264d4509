"""Stretches of a loop's iterations: they cover each one once, and the cost of each wanted one is known."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fastbackprop.takeover.stretches import stretches


@given(st.integers(0, 50), st.integers(0, 200), st.sets(st.integers(0, 249)))
@settings(max_examples=300, deadline=None)
def test_stretches_cover_each_iteration_once_and_know_each_wanted_cost(begin, length, wanted):
    end = begin + length
    wanted = sorted(k for k in wanted if begin <= k < end)
    at, known = begin, set()
    for first, number, every in stretches(begin, end, wanted):
        assert first == at and number > 0 and every > 0
        known |= set(range(first, first + number, every))
        at += number
    assert at == end
    assert known >= set(wanted)
    evenly = [*range(begin, end, 7)]
    assert len(list(stretches(begin, end, evenly))) <= 1
