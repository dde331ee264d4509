"""Every public function at the sizes of the benchmark table in asv_benches, which asv follows over commits."""

from __future__ import annotations

import argparse
import importlib
import itertools
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from asv_benches.benchmarks.table import both_sides
from fastbackprop.testing import CASES, SIZES
from scripts import ROOT
from scripts.measuring.goals import FUNCTIONS, wanted
from scripts.measuring.machine import facts, same_threads
from scripts.measuring.sides import rest
from scripts.measuring.timing import FEWEST, interleave, paired_ratio

FAMILIES = tuple(dict.fromkeys(case.family for case in CASES.values()))
DTYPES = ("float64", "float32")
# A turn repeats a short call until it lasts these seconds: well above the cost of reading the clock.
AT_LEAST = 0.05

FIGURES, README = ROOT / "docs" / "figures.md", ROOT / "README.md"
PAGE_FAMILY, PAGE_DTYPES = "training", ("float64",)
BEGIN, END = "<!-- figures: begin, written by scripts/bench --figures -->", "<!-- figures: end -->"
# Of the rows of docs/figures.md those that the README has, by benchmark and layers, m.
README_ROWS = (
    ("Training", "[2, 4, 1], 400"),
    ("Training", "[30, 16, 8, 1], 569"),
    ("Training", "[784, 128, 64, 1], 1000"),
    ("Training", "[12288, 20, 7, 5, 1], 209"),
    ("OwnLoop", "[784, 128, 64, 1], 1000"),
)

HEAD = ("benchmark", "layers, m", "dtype", "reference, ms", "fast, ms", "ratio [95 % interval]")
WIDTHS = (34, 28, 7, 13, 9, 22)


class Row(NamedTuple):
    """Cells of the table, and the ratio to reach, if there is one."""

    cells: list[str]
    goal: float | None


def rows(family: str, dtypes: tuple[str, ...] = DTYPES, repeats: int = FEWEST) -> Iterator[Row]:
    """Yield each row as soon as it is measured."""
    module = importlib.import_module(f"asv_benches.benchmarks.bench_{family}")
    for cls in vars(module).values():
        if not isinstance(cls, type) or cls.__module__ != module.__name__:
            continue
        for method in (name for name in dir(cls) if name.startswith("time_")):
            for parameters in itertools.product(*cls.params[1:]):  # type: ignore[attr-defined]
                if parameters[-1] in dtypes and (row := _measure(cls, method, parameters, repeats)):
                    yield row


def _measure(cls: Any, method: str, parameters: tuple[str, ...], repeats: int) -> Row | None:
    """One row; None where the benchmark does not have this set of parameters."""
    try:
        sides = both_sides(cls, method, parameters)
    except NotImplementedError:
        return None
    seconds = interleave(sides, repeats, at_least=AT_LEAST, rest=rest())
    *function, size, dtype = parameters
    size, _, iterations = size.partition("/")
    benchmark = ", ".join(function or [cls.__name__])
    name = benchmark + (f", {iterations} iterations" if iterations else "")
    layers, m = SIZES[size]
    times = (f"{1e3 * statistics.median(seconds[side]):.4g}" for side in ("reference", "fast"))
    cells = [name, f"{list(layers)}, {m}", dtype, *times, str(paired_ratio(seconds["reference"], seconds["fast"]))]
    return Row(cells, FUNCTIONS.get((benchmark, size)))


def head() -> list[str]:
    """The first two lines of a Markdown table."""
    return [_line(HEAD), _line(["-" * (width - (column > 2)) + ":" * (column > 2) for column, width in enumerate(WIDTHS)])]


def _line(cells: Any) -> str:
    aligned = (
        cell.rjust(width) if column > 2 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return f"| {' | '.join(aligned)} |"


def write_figures() -> None:
    """Put a fresh table into docs/figures.md, and some of its rows into the README, between their markers."""
    pages = {page: _around_the_figures(page) for page in (FIGURES, README)}  # before hours of measuring
    print(f"measuring for {FIGURES} and {README}", flush=True)
    measured = [row.cells for row in rows(PAGE_FAMILY, PAGE_DTYPES)]
    machine = facts()
    chosen = [cells for cells in measured if (cells[0].partition(",")[0], cells[1]) in README_ROWS]
    for page, described, table in ((FIGURES, machine, measured), (README, machine[:2], chosen)):
        before, after = pages[page]
        lines = ["```text", *described, "```", "", *head(), *map(_line, table)]
        page.write_text("\n".join([before + BEGIN, "", *lines, "", END + after]), encoding="utf-8")
        if page == FIGURES:
            print(*lines, sep="\n")


def _around_the_figures(page: Path) -> tuple[str, str]:
    """What stands before and after the markers of a page."""
    before, _, after = page.read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = after.partition(END)
    if not found:
        raise SystemExit(f"scripts/bench: {page} has no markers {BEGIN} and {END}")
    return before, after


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"any of {', '.join(FAMILIES)}; all when left out")
    parser.set_defaults(repeats=FEWEST)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    if unknown := set(options.families) - set(FAMILIES):
        raise SystemExit(f"scripts/bench: unknown family {', '.join(sorted(unknown))}; known are {', '.join(FAMILIES)}")
    measured = []
    with same_threads(options.threads):
        for family in options.families or FAMILIES:
            print(f"\n{family}", *head(), sep="\n")
            for row in rows(family, repeats=options.repeats):
                print(_line(row.cells) + wanted(row.goal), flush=True)
                measured.append(dict(zip(HEAD, row.cells, strict=True)))
    return measured
