"""Every public function at the sizes of the benchmark table in asv_benches, which asv follows over commits."""

from __future__ import annotations

import argparse
import importlib
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from asv_benches.benchmarks.table import Calls, both_sides
from fastbackprop.testing import CASES, SIZES
from scripts.measuring.goals import FUNCTIONS, wanted
from scripts.measuring.machine import same_threads
from scripts.measuring.sides import rest
from scripts.measuring.timing import FEWEST, interleave, median_interval, paired_ratio

# Those of the public functions, and general training.
FAMILIES = (*dict.fromkeys(case.family for case in CASES.values()), "batches")
DTYPES = ("float64", "float32")
# A turn repeats a short call until it lasts these seconds: well above the cost of reading the clock.
AT_LEAST = 0.05

HEAD = f"{'benchmark':<34} {'layers, m':<28} {'dtype':<7} {'reference, ms':>13} {'fast, ms':>9}   ratio [95 % interval]"


def rows(family: str, dtypes: tuple[str, ...] = DTYPES, repeats: int = FEWEST) -> Iterator[dict[str, Any]]:
    """Yield each row as soon as it is measured."""
    module = importlib.import_module(f"asv_benches.benchmarks.bench_{family}")
    for cls in vars(module).values():
        if not isinstance(cls, type) or cls.__module__ != module.__name__:
            continue
        for method in (name for name in dir(cls) if name.startswith("time_")):
            for parameters in itertools.product(*cls.params[1:]):  # type: ignore[attr-defined]
                if parameters[-1] in dtypes and (row := measure(cls, method, parameters, repeats)):
                    yield row


def measure(cls: Any, method: str, parameters: tuple[str, ...], repeats: int) -> dict[str, Any] | None:
    """One row; None where the benchmark does not have this set of parameters."""
    try:
        sides = both_sides(cls, method, parameters)
    except NotImplementedError:
        return None
    seconds = interleave(sides, repeats, at_least=AT_LEAST, rest=rest())
    *function, size, dtype = parameters
    size, _, iterations = size.partition("/")
    layers, m = SIZES[size]
    return {
        "benchmark": ", ".join(function if issubclass(cls, Calls) else [cls.__name__, *function]),
        "size": size,
        "layers": list(layers),
        "m": m,
        "iterations": int(iterations) if iterations else None,
        "dtype": dtype,
        **{side: median_interval(seconds[side]) for side in ("reference", "fast")},
        "ratio": paired_ratio(seconds["reference"], seconds["fast"]),
    }


def line(row: Mapping[str, Any]) -> str:
    name = row["benchmark"] + (f", {row['iterations']} iterations" if row["iterations"] else "")
    times = f"{1e3 * row['reference'].median:>13.4g} {1e3 * row['fast'].median:>9.4g}"
    goal = wanted(FUNCTIONS.get((row["benchmark"], row["size"])))
    return f"{name:<34} {row['layers']}, {row['m']}".ljust(63) + f" {row['dtype']} {times}   {row['ratio']}{goal}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"any of {', '.join(FAMILIES)}; all when left out")
    parser.set_defaults(repeats=FEWEST)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    if unknown := set(options.families) - set(FAMILIES):
        raise SystemExit(f"scripts/bench: unknown family {', '.join(sorted(unknown))}; known are {', '.join(FAMILIES)}")
    measured = []
    with same_threads(options.threads):
        for family in options.families or FAMILIES:
            print(f"\n{family}", HEAD, sep="\n")
            for row in rows(family, repeats=options.repeats):
                print(line(row), flush=True)
                measured.append(row)
    return measured
