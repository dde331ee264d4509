"""What counts as changed: a rule over rounds, in each of which both revisions were timed in turns.

A round's value is the ratio of the two sides' best seconds, second revision over first. Where both are the same, a ratio is as
likely above 1 as below it, whatever else the machine does, since what disturbs it meets either side alike. The rule asks nearly
all rounds to agree, and what a look suspects is measured again from nothing, twice: only what all looks show is a change. Thus
neither noise nor the choice of the worst of a hundred benchmarks makes a change of nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from scripts.measuring.timing import Estimate, median_interval


class Rule(NamedTuple):
    """A change has a median ratio of ``ratio`` at least, and an interval of ``confidence`` that stays beyond ``margin``.

    Where time is short there are fewer than ``rounds``, all of which have to agree then; ``fewest`` reach the confidence.
    Of benchmarks for which there is no time at all the first ones are kept, or with ``spread`` some from all over the list.
    """

    rounds: int
    fewest: int
    confidence: float
    ratio: float
    margin: float
    spread: bool


# The first look may be wrong, and misses little: of six rounds one may disagree. The next are to be right: one of nine may.
FIRST = Rule(rounds=6, fewest=3, confidence=0.75, ratio=1.07, margin=1.03, spread=True)
AGAIN = Rule(rounds=9, fewest=6, confidence=0.95, ratio=1.1, margin=1.05, spread=False)  # the largest changes are first
LOOKS = (FIRST, AGAIN, AGAIN)


class Fit(NamedTuple):
    """How many rounds there are, the first included, and which benchmarks go on after it."""

    rounds: int
    kept: list[str]


def fit(names: list[str], rule: Rule, took: float, left: float) -> Fit:
    """What fits into ``left`` seconds after a first round that took ``took``.

    Rounds are given up before benchmarks, and of these as few as need be; none may be left.
    """
    more = min(rule.rounds - 1, int(left / max(took, 1e-9)))
    if more >= rule.fewest - 1:
        return Fit(1 + more, names)
    count = max(0, int(len(names) * left / ((rule.fewest - 1) * took)))
    return Fit(rule.fewest, [names[i * len(names) // count if rule.spread else i] for i in range(count)])


class Rounds(NamedTuple):
    """Seconds of one call of a benchmark at both revisions, one of each a round."""

    before: list[float]
    after: list[float]


class Change(NamedTuple):
    """Median seconds at both revisions, and after / before with its interval."""

    before: float
    after: float
    ratio: Estimate

    @property
    def slower(self) -> bool:
        return self.ratio.median > 1

    @property
    def size(self) -> float:
        """The ratio, upside down where it is below 1."""
        return max(self.ratio.median, 1 / self.ratio.median)


def judge(rounds: Rounds, rule: Rule) -> Change | None:
    """The change that the rounds show; None where they show none."""
    ratio = median_interval((b / a for a, b in zip(*rounds, strict=True)), rule.confidence)
    slower = ratio.median >= rule.ratio and ratio.low > rule.margin
    faster = ratio.median <= 1 / rule.ratio and ratio.high < 1 / rule.margin
    return Change(statistics.median(rounds.before), statistics.median(rounds.after), ratio) if slower or faster else None


def changes(measured: Mapping[str, Rounds], rule: Rule) -> dict[str, Change]:
    """The changed benchmarks, the largest change first."""
    found = {name: change for name, rounds in measured.items() if (change := judge(rounds, rule))}
    return dict(sorted(found.items(), key=lambda item: -item[1].size))


def table(changed: Mapping[str, Change], revisions: tuple[str, str]) -> Iterable[str]:
    """Lines of a table of the changes, slow-downs first."""
    rows = [(*(f"{revision}, ms" for revision in revisions), "ratio [interval]", "", "benchmark")]
    for name, change in sorted(changed.items(), key=lambda item: not item[1].slower):
        milliseconds = (f"{1e3 * seconds:.4g}" for seconds in (change.before, change.after))
        rows.append((*milliseconds, str(change.ratio), "slower" if change.slower else "faster", name))
    widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:-1]]
    for row in rows:
        yield "  ".join([*(cell.rjust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
