"""One call for cost and gradients of a small net with all its examples, beside a figure that was published elsewhere."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, NamedTuple

from asv_benches.benchmarks import bench_batches
from scripts.benching import functions
from scripts.measuring.machine import same_threads
from scripts.measuring.timing import FEWEST

SIZES = ("small", "table", "digits")


class Published(NamedTuple):
    """A figure of others, on a machine of theirs: another processor than this one's."""

    library: str
    seconds: float
    source: str


# tanh and squared error as here, with gradients into existing memory. It also draws and applies a dropout of 0.2, and its last
# layer has no bias.
PUBLISHED = {
    ("small", "float64"): Published(
        "SimpleChains.jl", 5.657e-6, "README of github.com/PumasAI/SimpleChains.jl, the median of `valgrad!`"
    )
}


def rows(repeats: int) -> Iterator[dict[str, Any]]:
    """Yield each row as soon as it is measured: ``Batches.loss_and_gradients`` and the reference's ``cost_and_gradients``."""
    for size in SIZES:
        for dtype in functions.DTYPES:
            row = functions.measure(bench_batches.Gradient, "time_gradient", (size, dtype), repeats)
            assert row is not None  # the table has all of these
            published = PUBLISHED.get((size, dtype))
            yield row | {"published": published._asdict() if published else None}


def line(row: dict[str, Any]) -> str:
    text = functions.line(row)
    if row["published"]:
        text += f"; {row['published']['library']} {1e3 * row['published']['seconds']:.4g} ms on a machine of its authors"
    return text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(repeats=FEWEST)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    measured = []
    print(functions.HEAD)
    with same_threads(options.threads):
        for row in rows(options.repeats):
            print(line(row), flush=True)
            measured.append(row)
    for published in PUBLISHED.values():
        print(f"{published.library}: {published.source}")
    return measured
