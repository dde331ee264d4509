"""The timing helper's logic, on a clock that only moves when a side is called."""

import math

import numpy as np
import pytest

from scripts.measuring.timing import FEWEST, Estimate, interleave, paired_difference, paired_ratio


class Clock:
    """A clock whose time each side advances by what it costs; it also keeps the order of the calls."""

    def __init__(self):
        self.now = 0.0
        self.calls = []

    def __call__(self):
        return self.now

    def side(self, name, *costs):
        def run():
            self.now += costs[min(self.calls.count(name), len(costs) - 1)]
            self.calls.append(name)

        return run


def test_sides_take_turns_in_alternating_order():
    clock = Clock()
    seconds = interleave({"a": clock.side("a", 1.0), "b": clock.side("b", 4.0)}, 3, clock=clock)
    assert "".join(clock.calls) == "abbaab"
    assert seconds == {"a": [1.0] * 3, "b": [4.0] * 3}


def test_each_turn_is_measured_on_its_own():
    clock = Clock()
    seconds = interleave({"a": clock.side("a", 3.0, 1.0, 2.0), "b": clock.side("b", 5.0, 7.0, 6.0)}, 3, clock=clock)
    assert seconds == {"a": [3.0, 1.0, 2.0], "b": [5.0, 7.0, 6.0]}


def test_short_calls_are_repeated_and_given_per_call():
    clock = Clock()
    sides = {"short": clock.side("short", 2.0**-10), "long": clock.side("long", 1.0)}
    seconds = interleave(sides, 2, at_least=2.0**-7, clock=clock)
    assert seconds == {"short": [2.0**-10] * 2, "long": [1.0] * 2}
    # 1 + 2 + 4 + 8 calls to find that 8 last long enough, then 8 a turn; the long one is tried once.
    assert clock.calls.count("short") == 15 + 2 * 8
    assert clock.calls.count("long") == 1 + 2


def test_turns_end_when_the_time_is_up_but_not_before_the_fewest():
    for within, turns in ((0.5, FEWEST), (2.0 * FEWEST + 3.0, FEWEST + 2), (1e9, 40)):
        clock = Clock()
        sides = {name: clock.side(name, 1.0) for name in "ab"}
        seconds = interleave(sides, 40, within=within, clock=clock)
        assert [len(times) for times in seconds.values()] == [turns, turns]


def test_the_fewest_turns_leave_the_extremes_out_of_the_interval():
    times = [float(i) for i in range(FEWEST)]
    assert paired_difference(times, [0.0] * FEWEST) == Estimate(FEWEST // 2, 1.0, FEWEST - 2.0)


def test_ratio_is_the_median_of_pairs_not_the_ratio_of_medians():
    assert paired_ratio([2.0, 30.0, 4.0], [1.0, 10.0, 4.0]) == Estimate(2.0, 1.0, 3.0)


@pytest.mark.parametrize("n", [6, 8, 9, 15, 20, 31, 100])
def test_interval_is_the_narrowest_that_covers(n):
    ratio = paired_ratio([float(i) for i in range(n, 0, -1)], [1.0] * n)
    k = int(ratio.low)
    assert ratio.high == n + 1 - k

    def outside(k):
        return 2 * sum(math.comb(n, i) for i in range(k)) / 2**n

    assert outside(k) <= 0.05 < outside(k + 1)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_few_pairs_give_the_whole_range(n):
    ratio = paired_ratio([float(i) for i in range(1, n + 1)], [1.0] * n)
    assert (ratio.low, ratio.high) == (1.0, n)


def test_unequal_numbers_of_times_are_refused():
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([1.0, 2.0], [1.0])


def test_text_of_an_estimate():
    assert str(Estimate(5.1234, 4.9, 5.0)) == "5.12 [4.90, 5.00]"


def test_numpy_does_not_warn_while_it_is_timed():
    """A warning would be an error here, and would be timed elsewhere."""
    (seconds,) = interleave({"overflow": lambda: np.exp(np.float64(1000))}, repeats=1, at_least=1e-5).values()
    assert seconds[0] > 0
