"""The reference and the fast functions in turns, with the same calls."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import fastbackprop
from fastbackprop import reference
from scripts.measuring.timing import REST, Estimate, interleave, median_interval, paired_ratio


class Compared(NamedTuple):
    """Seconds of both sides and reference / fast, each a median with its interval."""

    reference: Estimate
    fast: Estimate
    ratio: Estimate


def rest() -> float:
    """Seconds of rest that fairness asks for between the sides."""
    return REST if fastbackprop.get_num_threads() > 1 else 0.0


def compare(call: Callable[[ModuleType], Callable[[], object]], repeats: int, within: float, at_least: float) -> Compared:
    """Time ``call(module)`` of each side; `timing.interleave` explains the numbers."""
    sides = {"reference": call(reference), "fast": call(fastbackprop)}
    for side in sides.values():
        side()  # compiles, or loads what was compiled
    seconds = interleave(sides, repeats, within=within, at_least=at_least, rest=rest())
    theirs, ours = seconds.values()
    return Compared(median_interval(theirs), median_interval(ours), paired_ratio(theirs, ours))
