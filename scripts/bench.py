"""Times the benchmarks in asv_benches with the reference and the fast functions in turns, and prints their ratios."""

from __future__ import annotations

import argparse
import importlib
import itertools
import statistics
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from machine import facts
from timing import interleave, paired_ratio

from fastbackprop.testing import SIZES

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "asv_benches"))

GROUPS = ("activations", "layers", "network", "training")
REPEATS = 9
# A turn repeats a short call until it lasts so long: well above what reading the clock costs.
AT_LEAST = 0.01

README = ROOT / "README.md"
README_GROUP, README_DTYPES = "training", ("float64",)
BEGIN, END = "<!-- figures: begin, written by scripts/bench --readme -->", "<!-- figures: end -->"

HEAD = ("benchmark", "layers, m", "dtype", "reference, ms", "fast, ms", "ratio [95 % interval]")
WIDTHS = (34, 28, 7, 13, 9, 22)


def table(group: str, dtypes: tuple[str, ...] = ("float64", "float32")) -> Iterator[str]:
    """Lines of a Markdown table, each as soon as it is measured."""
    yield _line(HEAD)
    yield _line(["-" * (width - (column > 2)) + ":" * (column > 2) for column, width in enumerate(WIDTHS)])
    module = importlib.import_module(f"benchmarks.bench_{group}")
    for cls in vars(module).values():
        if not isinstance(cls, type) or cls.__module__ != module.__name__:
            continue
        for method in (name for name in dir(cls) if name.startswith("time_")):
            for parameters in itertools.product(*cls.params[1:]):  # type: ignore[attr-defined]
                if parameters[-1] in dtypes and (row := _measure(cls, method, parameters)):
                    yield _line(row)


def _measure(cls: Any, method: str, parameters: tuple[str, ...]) -> list[str] | None:
    """One row; None where the benchmark does not have this set of parameters."""
    sides = {}
    for implementation in cls.params[0]:
        benchmark = cls()
        try:
            benchmark.setup(implementation, *parameters)
        except NotImplementedError:
            return None
        sides[implementation] = partial(getattr(benchmark, method), implementation, *parameters)
    seconds = interleave(sides, REPEATS, at_least=AT_LEAST)
    *function, size, dtype = parameters
    size, _, iterations = size.partition("/")
    name = ", ".join(function or [cls.__name__]) + (f", {iterations} iterations" if iterations else "")
    layers, m = SIZES[size]
    reference, fast = (f"{1e3 * statistics.median(seconds[side]):.4g}" for side in ("reference", "fast"))
    ratio = paired_ratio(seconds["reference"], seconds["fast"])
    return [name, f"{list(layers)}, {m}", dtype, reference, fast, str(ratio)]


def _line(cells: Any) -> str:
    aligned = (
        cell.rjust(width) if column > 2 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return f"| {' | '.join(aligned)} |"


def write_readme() -> None:
    """Put a fresh table into the README, between its markers."""
    before, _, rest = README.read_text().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"scripts/bench: {README} has no markers {BEGIN} and {END}")
    print(f"measuring for {README}", flush=True)
    lines = ["```text", *facts(), "```", "", *table(README_GROUP, README_DTYPES)]
    README.write_text("\n".join([before + BEGIN, "", *lines, "", END + after]))
    print(*lines, sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"any of {', '.join(GROUPS)}; all when left out")
    parser.add_argument("--readme", action="store_true", help="write the README's table of figures, and nothing else")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"unknown group {', '.join(sorted(unknown))}; known are {', '.join(GROUPS)}")
    if options.readme:
        write_readme()
        return
    print(*facts(), sep="\n")
    for group in options.groups or GROUPS:
        print(f"\n{group}")
        for line in table(group):
            print(line, flush=True)


if __name__ == "__main__":
    main()
