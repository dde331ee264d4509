"""Interleaved timing of several sides in one process, and confidence intervals of the results."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

# Seconds of rest between sides that use several threads: after a call OpenBLAS's own keep polling for work for a tenth of
# a second, on the cores that the next side needs.
REST = 0.12

# As many pairs of times as leave the extremes out of a 95 % interval.
FEWEST = 9


class Estimate(NamedTuple):
    """A median and the ends of its confidence interval."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.low:.2f}, {self.high:.2f}]"


@np.errstate(all="ignore")  # the reference warns where it saturates, and a warning takes longer than a small call
def interleave(
    sides: Mapping[str, Callable[[], object]],
    repeats: int,
    *,
    at_least: float = 0.0,
    within: float = math.inf,
    rest: float = 0.0,
    ended: Callable[[int], object] = lambda turns: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds a call of each side, ``repeats`` times, the sides taking turns.

    A disturbance of the machine then slows all sides alike, and times of the same turn are pairs. Every other
    turn runs backwards, so that no side always follows the same one. With ``at_least``, a measurement repeats
    the call, as often in every turn, until it lasts about that many seconds: the way to time calls of microseconds.
    Without it each turn makes exactly one call. When ``within`` seconds have passed, no turn begins beyond the ``FEWEST``:
    their number then depends on how long they take, but not on which side is faster. ``rest`` seconds pass before each
    measurement, and where calls are short, one that is not measured wakes the threads. Nothing is warmed up otherwise.
    ``ended`` is called after each turn, with how many there were.
    """
    calls = {name: calls_lasting(side, at_least, clock) for name, side in sides.items()}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    start = clock()
    for turn in range(repeats):
        if turn >= FEWEST and clock() - start > within:
            break
        for name in order:
            if rest:
                time.sleep(rest)
                if at_least:
                    sides[name]()
            seconds[name].append(_measure(sides[name], calls[name], clock) / calls[name])
        order.reverse()
        ended(turn + 1)
    return seconds


def _measure(side: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(calls):
        side()
    return clock() - start


def calls_lasting(side: Callable[[], object], at_least: float, clock: Callable[[], float] = time.perf_counter) -> int:
    """How many calls last ``at_least`` seconds, found by trying twice as many each time."""
    calls = 1
    while at_least > 0 and _measure(side, calls, clock) < at_least:
        calls *= 2
    return calls


def median_interval(values: Iterable[float], confidence: float = 0.95) -> Estimate:
    """The median, with the interval that covers the true median with ``confidence`` at least.

    The interval is made of order statistics, which assumes nothing about the distribution of times: of ``n`` values,
    the true median lies below the ``k``-th smallest with probability ``P(Binomial(n, 1/2) < k)``, likewise above the
    ``k``-th largest; ``k`` is the largest that keeps both together within ``1 - confidence``. With fewer than six values
    no ``k`` does for 95 %, and the interval is the whole range.
    """
    ordered = sorted(values)
    n, k, outside = len(ordered), 0, 0.0
    while k < n // 2 and (outside := outside + math.comb(n, k) / 2**n) <= (1 - confidence) / 2:
        k += 1
    k = max(k, 1)
    return Estimate(statistics.median(ordered), ordered[k - 1], ordered[n - k])


def paired_ratio(numerator: Sequence[float], denominator: Sequence[float]) -> Estimate:
    """The median of the ratios of pairs, with its 95 % interval."""
    return median_interval(a / b for a, b in zip(numerator, denominator, strict=True))


def paired_difference(minuend: Sequence[float], subtrahend: Sequence[float]) -> Estimate:
    """The median of the differences of pairs, with its 95 % interval."""
    return median_interval(a - b for a, b in zip(minuend, subtrahend, strict=True))
