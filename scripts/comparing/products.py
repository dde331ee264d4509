"""Times ``linear_forward`` of n x n x n beside the products of NumPy and MKL alone, in this process, and prints JSON.

The peers are held to less: they write the product into an array that is there, without a bias; MKL's call by ctypes costs a
few tenths of a microsecond. `scripts/compare-peers` runs this once for each number of threads, which all sides take.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop.testing import CASES, Size, worst_fraction
from scripts.comparing.mkl import Mkl
from scripts.comparing.runs import OURS
from scripts.measuring.machine import facts, same_threads
from scripts.measuring.timing import REST, interleave, paired_ratio

NAME, TOPIC = "products", "gemm"
SIZES = (32, 64, 128, 256, 512, 1024, 2048)
DTYPES = ("float64", "float32")
AT_LEAST, WITHIN = 0.005, 1.0
INTEL_REST = 0.25  # Intel's threads keep polling for work for 0.2 s


def peers(threads: int) -> tuple[dict[str, Callable[..., Callable[[], object]]], dict[str, str]]:
    """How to make a call of each peer for A, B and C; and why a peer is missing."""
    found: dict[str, Callable[..., Callable[[], object]]] = {"NumPy": lambda A, B, C: partial(np.dot, A, B, out=C)}
    try:
        mkl = Mkl(threads)
    except ImportError as error:
        return found, {"MKL": str(error)}
    return found | {"MKL": mkl.product}, {}


def measure(
    n: int, dtype: str, threads: int, repeats: int, sides: dict[str, Callable[..., Callable[[], object]]]
) -> dict[str, Any]:
    """Seconds, ratios to ours, and how far each peer's product is from ours, as a part of what rounding may do."""
    A, W, b = CASES["linear_forward"].make(Size((n, n), n), dtype)
    b = np.zeros_like(b)
    results = {side: np.empty((n, n), dtype) for side in sides}
    calls: dict[str, Callable[[], object]] = {OURS: partial(fastbackprop.linear_forward, A, W, b)}
    calls |= {side: make(W, A, results[side]) for side, make in sides.items()}
    for call in calls.values():
        call()
    rest = (INTEL_REST if "MKL" in sides else REST) if threads > 1 else 0.0
    seconds = interleave(calls, repeats, at_least=AT_LEAST, within=WITHIN, rest=rest)
    (Z, _), (bound, _) = fastbackprop.linear_forward(A, W, b), CASES["linear_forward"].bound(A, W, b)
    return {
        "n": n,
        "dtype": dtype,
        "sides": {
            side: {"seconds": statistics.median(times), "ratio": paired_ratio(times, seconds[OURS])}
            for side, times in seconds.items()
        },
        "of the bound": {side: worst_fraction(C, Z, bound) for side, C in results.items()},
    }


def measure_all(threads: int, repeats: int) -> dict[str, Any]:
    machine = facts()  # while NumPy's is the only BLAS
    sides, skipped = peers(threads)
    with same_threads(threads):
        products = [measure(n, dtype, threads, repeats, sides) for dtype in DTYPES for n in SIZES]
    return {"machine": machine, "net": NAME, "threads": threads, "products": products, "skipped": skipped}


def apart(runs: list[dict[str, Any]]) -> list[str]:
    """A sentence about products that differ by more than rounding explains."""
    return [
        f"{row['n']}^3, {row['dtype']}: {side}, {run['threads']} threads: {part:.1g} x the bound"
        for run in runs
        for row in run["products"]
        for side, part in row["of the bound"].items()
        if not part <= 1
    ]


def rows(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of docs/figures/gemm.json."""
    kept = "n", "dtype", "sides"
    every = [{"threads": run["threads"]} | {name: row[name] for name in kept} for run in runs for row in run["products"]]
    return sorted(every, key=lambda row: (DTYPES.index(row["dtype"]), row["n"], row["threads"]))


def lines(runs: list[dict[str, Any]]) -> Iterator[str]:
    """The printed lines of the runs."""
    yield f"\nproducts n^3: GFLOP/s of {OURS}'s linear_forward, and peer / {OURS} [95 %] of the peers' products alone"
    for run in runs:
        for row in run["products"]:
            ours = 2 * row["n"] ** 3 / row["sides"][OURS]["seconds"] / 1e9
            ratios = (
                f"{side} {figures['ratio'][0]:.2f} [{figures['ratio'][1]:.2f}, {figures['ratio'][2]:.2f}]"
                for side, figures in row["sides"].items()
                if side != OURS
            )
            cells = "   ".join(f"{ratio:<24}" for ratio in ratios)
            yield f"  {row['n']:>5}  {row['dtype']}  {run['threads']} threads {ours:8.1f}   {cells}".rstrip()
    for side, reason in runs[-1]["skipped"].items():
        yield f"  {side} skipped: {reason}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    options = parser.parse_args()
    json.dump(measure_all(options.threads, options.repeats), sys.stdout)


if __name__ == "__main__":
    main()
