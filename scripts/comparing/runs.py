"""What is concluded from the runs of a case, each with another number of threads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

OURS = "fastbackprop"


def better(runs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each side's figures from the run in which it was faster, with that run's threads; fastbackprop's from the last."""
    sides = {}
    for side in runs[-1]["sides"]:
        candidates = [{**run["sides"][side], "threads": run["threads"]} for run in runs]
        sides[side] = candidates[-1] if side.startswith(OURS) else min(candidates, key=lambda figures: figures["seconds"][0])
    return sides


def apart_nets(runs: list[dict[str, Any]]) -> list[str]:
    """A sentence about parameters that differ."""
    return [
        f"{run['net']}: {side}, {run['threads']} threads: {difference:.1e}"
        for run in runs
        for side, difference in run["differences"].items()
        if not difference <= run["tolerance"]
    ]


def side_lines(runs: list[dict[str, Any]], heading: str, wanted_of: Mapping[str, str] = {}) -> Iterator[str]:
    """A line a side, and why others are missing; `wanted_of` are goals of sides as they are printed."""
    yield f"  {'side':<20} {'threads':>7} {'ms':>12}   {heading:<28} largest difference"
    differ = {side for run in runs for side in run["differences"]}
    for side, figures in better(runs).items():
        beside = ""
        if side in differ:
            ratio = "{:.2f} [{:.2f}, {:.2f}]".format(*figures["ratio"])
            difference = max(run["differences"].get(side, 0.0) for run in runs)
            beside = f"{ratio:<28} {difference:.1e}{wanted_of.get(side, '')}"
        yield f"  {side:<20} {figures['threads']:>7} {1e3 * figures['seconds'][0]:>12,.2f}   {beside}".rstrip()
    for side, reason in runs[-1]["skipped"].items():
        yield f"  {side:<20} skipped: {reason}"
