"""``linear_forward`` on n x n x n against ``np.dot(W, A) + b``, and beside the peak of the multiply-add units."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop.testing import CASES, Size
from scripts.measuring.machine import same_threads
from scripts.measuring.peak import MultiplyAdds, Triad
from scripts.measuring.sides import rest
from scripts.measuring.timing import interleave, median_interval, paired_ratio

SIZES = (32, 64, 128, 256, 512, 1024, 2048)
DTYPES = ("float64", "float32")
# As in layers.py.
REPEATS, WITHIN, AT_LEAST = 31, 1.0, 0.005


def measure(n: int, dtype: str, threads: int, peak: MultiplyAdds, repeats: int) -> dict[str, Any]:
    A, W, b = CASES["linear_forward"].make(Size((n, n), n), dtype)
    sides: dict[str, Callable[[], object]] = {
        "NumPy": lambda: np.dot(W, A) + b,
        "fast": lambda: fastbackprop.linear_forward(A, W, b),
        "peak": peak,
    }
    for side in sides.values():
        side()
    seconds = interleave(sides, repeats, at_least=AT_LEAST, within=WITHIN, rest=rest())
    operations = {"NumPy": 2 * n**3, "fast": 2 * n**3, "peak": peak.operations}
    rates = {name: [operations[name] / s for s in times] for name, times in seconds.items()}
    return {
        "n": n,
        "dtype": dtype,
        "threads": threads,
        **{name: median_interval(seconds[name]) for name in ("NumPy", "fast")},
        **{f"{name} GFLOP/s": statistics.median(rates[name]) / 1e9 for name in sides},
        "ratio": paired_ratio(seconds["NumPy"], seconds["fast"]),
        "of peak": paired_ratio(rates["fast"], rates["peak"]),
    }


def bandwidth(threads: int, repeats: int) -> float:
    """Bytes a second."""
    triad = Triad(threads)
    return median_interval(triad.bytes / s for s in interleave({"triad": triad}, repeats)["triad"]).median


def table(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield f"{'n':>5}  {'dtype':<8} {'NumPy':>8} {'fast':>8} {'peak':>8} GFLOP/s   NumPy / fast [95 %]   of the peak [95 %]"
    for row in rows:
        rates = " ".join(f"{row[f'{name} GFLOP/s']:8.1f}" for name in ("NumPy", "fast", "peak"))
        yield f"{row['n']:>5}  {row['dtype']:<8} {rates}           {row['ratio']!s:<18}    {row['of peak']}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="sizes to measure; all when left out")
    parser.set_defaults(repeats=REPEATS, threads=None)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    measured: list[dict[str, Any]] = []

    def rows(threads: int) -> Iterator[dict[str, Any]]:
        for dtype in DTYPES:
            peak = MultiplyAdds(dtype, threads)
            for n in options.sizes:
                measured.append(measure(n, dtype, threads, peak, options.repeats))
                yield measured[-1]

    for threads in [options.threads] if options.threads else (1, 2):
        with same_threads(threads):
            gigabytes = bandwidth(threads, min(options.repeats, 9)) / 1e9
            print(f"\n{threads} threads on both sides; memory moves {gigabytes:.1f} GB/s")
            for line in table(rows(threads)):
                print(line, flush=True)
    return measured
