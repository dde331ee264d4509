"""Whether the machine was quiet enough for ratios that another run repeats within 15 %."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from scripts.comparing.runs import OURS

REPEATS_WITHIN = 1.15
NAMED = 5  # of those that are noisy


def unsteady(ratios: Iterable[tuple[str, tuple[float, float, float]]]) -> list[str]:
    """Names of those whose interval is wider: (median, low, high), high / low above 1.15."""
    return [name for name, (_, low, high) in ratios if not high <= REPEATS_WITHIN * low]


def ratios(runs: Iterable[dict[str, Any]]) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """All ratios of the runs, of nets and of products, with the names of their sides."""
    for run in runs:
        rows = run.get("products", [run])
        for row in rows:
            what = f"{row['n']}^3 {row['dtype']}" if "products" in run else run["net"]
            for side, figures in row["sides"].items():
                if side != OURS:
                    yield f"{what}: {side}, {run['threads']} threads", figures["ratio"]


def verdict(runs: list[dict[str, Any]]) -> str:
    """One sentence for the end of the output."""
    everything = [*ratios(runs)]
    noisy = unsteady(everything)
    if not noisy:
        return f"quiet enough: the interval of each of {len(everything)} ratios is within 15 %, as another run's should be"
    named = "; ".join(noisy[:NAMED]) + (f"; and {len(noisy) - NAMED} more" if len(noisy) > NAMED else "")
    return (
        f"the machine was too noisy: {len(noisy)} of {len(everything)} ratios have an interval wider than 15 %, and another "
        f"run may differ by more: {named}"
    )
