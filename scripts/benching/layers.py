"""One layer, forward and backward, over a grid of shapes: whether any shape loses, and how much a typical one gains."""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from fastbackprop.testing import CASES, SIZES, Size
from scripts.measuring.goals import LAYERS, LEAST_RATIO, wanted
from scripts.measuring.machine import same_threads
from scripts.measuring.sides import compare
from scripts.measuring.timing import Estimate

FUNCTIONS = ("linear_activation_forward", "linear_activation_backward")
DTYPES = ("float64", "float32")
UNITS, EXAMPLES = (1, 7, 20, 64, 256, 1024), (1, 19, 209, 1000, 10_000)
(PICTURE, *_), PICTURES = SIZES["pictures"]
WORST = 10
# Turns of a cell, fewer (but not below nine) where they take longer than these seconds; short calls are repeated.
REPEATS, WITHIN, AT_LEAST = 31, 0.06, 0.001


class Cell(NamedTuple):
    """One measurement of the grid."""

    n_prev: int
    n: int
    m: int
    dtype: str
    function: str
    activation: str

    @property
    def operations(self) -> int:
        """Floating-point operations of the products: one forward, two backward."""
        return 2 * self.n * self.n_prev * self.m * (1 if self.function == FUNCTIONS[0] else 2)

    def __str__(self) -> str:
        direction = self.function.removeprefix("linear_activation_")
        return f"{direction:<8} {self.activation:<7} {self.dtype}  n = {self.n:>4}, n_prev = {self.n_prev:>5}, m = {self.m:>5}"


class Measured(NamedTuple):
    """A cell, the seconds of both sides, and reference / fast."""

    cell: Cell
    reference: Estimate
    fast: Estimate
    ratio: Estimate

    def __str__(self) -> str:
        return f"{self.cell}  {1e6 * self.reference.median:>10.1f} us {1e6 * self.fast.median:>10.1f} us   {self.ratio}"


def grid() -> list[Cell]:
    """All cells; those that share arrays follow each other."""
    shapes = [*itertools.product(UNITS, UNITS, EXAMPLES), *((PICTURE, n, PICTURES) for n in UNITS)]
    kinds = itertools.product(DTYPES, FUNCTIONS, CASES[FUNCTIONS[0]].activations)
    return [Cell(*shape, *kind) for shape, kind in itertools.product(shapes, kinds)]


def sample(cells: Sequence[Cell], every: int) -> list[Cell]:
    """Each ``every``-th cell of a shuffled grid, the same cells each time, in the grid's order."""
    order = list(range(len(cells)))
    random.Random(0).shuffle(order)
    return [cells[i] for i in sorted(order[::every])]


def measure(cell: Cell, repeats: int = REPEATS) -> Measured:
    arguments = (*_arrays(cell.function, Size((cell.n_prev, cell.n), cell.m), cell.dtype), cell.activation)
    compared = compare(lambda module: partial(getattr(module, cell.function), *arguments), repeats, WITHIN, AT_LEAST)
    return Measured(cell, *compared)


@lru_cache(maxsize=1)
def _arrays(function: str, size: Size, dtype: str) -> tuple[Any, ...]:
    """The arguments without the activation."""
    return CASES[function].make(size, dtype)[:-1]


def summary(cells: Sequence[Measured]) -> Iterator[str]:
    """Lines: the means of the classes, how many cells lose, and the worst ones."""
    begin = 0.0
    for name, end, goal in LAYERS:
        ratios = [measured.ratio.median for measured in cells if begin <= measured.cell.operations < end]
        if ratios:
            mean = statistics.geometric_mean(ratios)
            yield f"{name:<20} {len(ratios):>4} cells, geometric mean {mean:5.2f} x the reference{wanted(goal)}"
        begin = end
    lost = sum(measured.ratio.low <= LEAST_RATIO for measured in cells)
    yield f"{lost} of {len(cells)} cells lose by the rule: their 95 % interval is not above {LEAST_RATIO}"
    below = {end: sum(getattr(measured.ratio, end) < 1 for measured in cells) for end in ("high", "low")}
    yield f"{below['high']} have the upper end of the interval below 1, {below['low']} the lower end"
    worst = sorted(cells, key=lambda measured: measured.ratio.median)[:WORST]
    yield f"the {len(worst)} worst (reference, fast, ratio with its 95 % interval):"
    for measured in worst:
        yield f"  {measured}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="measure only every N-th cell, for a quick look")
    parser.add_argument("--all", action="store_true", help="print every cell as it is measured")
    parser.set_defaults(repeats=REPEATS)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    cells, measured = sample(grid(), options.sample), []
    print(f"one layer on {options.threads} threads, {len(cells)} cells", flush=True)
    with same_threads(options.threads):
        for cell in cells:
            measured.append(measure(cell, options.repeats))
            if options.all:
                print(measured[-1], flush=True)
    print(*summary(measured), sep="\n")
    return [as_row(each) for each in measured]


def as_row(measured: Measured) -> dict[str, Any]:
    cell, *estimates = measured
    return cell._asdict() | dict(zip(Measured._fields[1:], estimates, strict=True))
