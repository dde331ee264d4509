"""What counts as changed, on samples that are drawn: the same code never does, a slow-down of 1.5 does, whatever else runs."""

import math

import numpy as np
import pytest

from scripts.revisions.compare import look_again
from scripts.revisions.decision import AGAIN, FIRST, Rounds, changes, fit, judge, table

BENCHMARKS = 100


class Machine:
    """Draws rounds of benchmarks: what disturbs the machine in a round lengthens either side alike, and each side for itself.

    ``noise`` is the standard deviation of the logarithm of a side's best seconds in a round; where time is ``short`` there
    are as few rounds as a rule allows.
    """

    def __init__(self, seed, noise, slower=(), short=False):
        self.rng, self.noise, self.slower, self.short = np.random.default_rng(seed), noise, dict(slower), short
        self.looks = []

    def look(self, calls, rule, until):
        self.looks.append([*calls])
        rounds = rule.fewest if self.short else rule.rounds
        return {name: self.rounds(self.slower.get(name, 1.0), rounds) for name in calls}

    def rounds(self, ratio, rounds):
        load = np.exp(self.rng.normal(0, 0.5, rounds))
        before, after = np.exp(abs(self.rng.normal(0, self.noise, (2, rounds))))
        return Rounds([*(1e-3 * load * before)], [*(1e-3 * ratio * load * after)])

    def compare(self):
        return look_again(self.look, {f"b{i}": 1 for i in range(BENCHMARKS)}, 0.0, 1200.0)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.1, 0.3])
def test_a_commit_compared_with_itself_never_changed(noise, short):
    # Each seed is one comparison: of 100, not one may report anything.
    for seed in range(100):
        found, _ = Machine(seed, noise, short=short).compare()
        assert not found, (seed, found)


@pytest.mark.parametrize(("noise", "short"), [(0.0, False), (0.02, False), (0.1, False), (0.15, False), (0.1, True)])
def test_a_slow_down_of_one_and_a_half_is_named(noise, short):
    missed = 0
    for seed in range(100):
        found, _ = Machine(seed, noise, {"b7": 1.5, "b9": 1.5, "b40": 1 / 1.5}, short).compare()
        assert all(found[name].slower for name in found if name != "b40")
        assert {*found} <= {"b7", "b9", "b40"}
        missed += not {"b7", "b9"} & {*found}
    assert missed == 0


def test_what_looks_changed_once_is_measured_again_from_nothing():
    machine = Machine(0, 0.3)
    found, _ = machine.compare()
    assert not found
    first, second, *_ = machine.looks
    assert len(first) == BENCHMARKS and 0 < len(second) < BENCHMARKS, "so much noise makes something look changed"


def test_nothing_is_measured_again_where_nothing_looked_changed():
    machine = Machine(0, 0.0)
    assert machine.compare() == ({}, [])
    assert len(machine.looks) == 1


def test_later_looks_share_the_time_that_is_left():
    ends = []

    def look(calls, rule, until):
        ends.append(until)
        return {name: Rounds([1.0] * rule.rounds, [1.5] * rule.rounds) for name in calls}

    times = iter([600.0, 700.0])
    look_again(look, {"b": 1}, 0.0, 1200.0, lambda: next(times))
    assert ends == [900.0, 900.0, 1200.0], "three quarters; a half of the rest at that time; all of it"


def test_what_a_later_look_had_no_time_for_is_named():
    machine = Machine(0, 0.0, {"b7": 1.5, "b9": 1.5})
    looks = iter([lambda measured: measured, lambda measured: {"b9": measured["b9"]}, lambda measured: {}])

    def look(*arguments):
        return next(looks)(machine.look(*arguments))

    found, unsure = look_again(look, {f"b{i}": 1 for i in range(10)}, 0.0, 1200.0)
    assert (found, unsure) == ({}, ["b7", "b9"])


@pytest.mark.parametrize("rule", [FIRST, AGAIN])
@pytest.mark.parametrize("took", [1.0, 7.0])
def test_rounds_are_given_up_before_benchmarks_and_few_of_these(rule, took):
    names = [f"b{i}" for i in range(BENCHMARKS)]
    for rounds in range(rule.fewest, rule.rounds + 1):
        assert fit(names, rule, took, (rounds - 1 + 0.01) * took) == (rounds, names)
    assert fit(names, rule, took, 100 * rule.rounds * took) == (rule.rounds, names)
    for part in (0.99, 0.9, 0.5, 0.1, 0.01):
        rounds, kept = fit(names, rule, took, part * (rule.fewest - 1) * took)
        assert rounds == rule.fewest and abs(len(kept) - part * BENCHMARKS) <= 1
        assert kept == sorted({*kept}, key=names.index), "in their order, each once"
        gaps = np.diff([names.index(name) for name in kept])
        assert len(kept) < 2 or gaps.max() - gaps.min() <= 1, "spread over the list"
        assert rule.spread or kept == names[: len(kept)], "the largest changes"
    assert fit(names, rule, took, 0.0).kept == fit(names, rule, took, -5.0).kept == []


@pytest.mark.parametrize("rule", [FIRST, AGAIN])
def test_the_fewest_rounds_reach_the_confidence_where_all_agree(rule):
    assert 2 / 2**rule.fewest <= 1 - rule.confidence < 2 / 2 ** (rule.fewest - 1)


@pytest.mark.parametrize("rule", [FIRST, AGAIN])
def test_a_change_has_to_be_large_enough_and_agreed_upon(rule):
    before = [1.0] * rule.rounds

    def judged(*ratios):
        return judge(Rounds(before, [*ratios]), rule)

    enough, too_little = rule.ratio + 0.01, rule.ratio - 0.01
    assert judged(*[enough] * rule.rounds).slower
    assert judged(*[1 / enough] * rule.rounds).slower is False
    assert judged(*[too_little] * rule.rounds) is None
    assert judged(*[1 / too_little] * rule.rounds) is None
    one, two = ([1.0] * others + [2.0] * (rule.rounds - others) for others in (1, 2))
    assert judged(*one).slower, "one round may disagree"
    assert judged(*two) is None


def test_the_table_names_slow_downs_first():
    rounds = {"a": Rounds([2e-3] * 9, [1e-3] * 9), "b": Rounds([1e-3] * 9, [1.5e-3] * 9), "c": Rounds([1.0] * 9, [1.0] * 9)}
    head, *lines = table(changes(rounds, AGAIN), ("0123", "4567"))
    assert "0123, ms" in head and "4567, ms" in head
    assert [line.split() for line in lines] == [
        ["1", "1.5", "1.50", "[1.50,", "1.50]", "slower", "b"],
        ["2", "1", "0.50", "[0.50,", "0.50]", "faster", "a"],
    ]


def test_a_change_is_as_large_as_its_inverse():
    found = changes({"a": Rounds([1.0] * 9, [0.5] * 9), "b": Rounds([1.0] * 9, [1.5] * 9)}, AGAIN)
    assert [*found] == ["a", "b"]
    assert math.isclose(found["a"].size, 2)
