"""The tables, each drawn from the rows of one topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from scripts.drawing.values import estimate, has_interval, layers_dims, microseconds, milliseconds, net, verdict

OURS, DIRECT, OURS_FIT = "fastbackprop", "fastbackprop, direct", "fastbackprop, fit"
# Of the table of mini-batches: the fit that ours is compared with, and the loops.
BATCH_PEERS = ("scikit-learn", "JAX jit + scan", "PyTorch compiled", "reference")
# Of the rows of docs/figures.md those that the README has, by benchmark and size.
README_ROWS = (
    ("Training", "planar"),
    ("Training", "table"),
    ("Training", "digits"),
    ("Training", "pictures"),
    ("OwnLoop", "digits"),
)

Row = Mapping[str, Any]


class Table(NamedTuple):
    """A head, rows of cells, and how many columns from the left are text."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int

    def lines(self) -> list[str]:
        """In Markdown, its columns aligned for who reads the source."""
        widths = [max(3, *map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        rule = ["-" * width if i < self.texts else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
        return [self._line(self.head, widths), f"| {' | '.join(rule)} |", *(self._line(row, widths) for row in self.rows)]

    def _line(self, cells: Sequence[str], widths: Sequence[int]) -> str:
        aligned = (
            cell.ljust(width) if i < self.texts else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join(aligned)} |"


def named(row: Row) -> str:
    """A row of the table of trainings: the benchmark and its iterations."""
    return row["benchmark"] + (f", {row['iterations']:,} iterations" if row["iterations"] else "")


def trainings(rows: Iterable[Row]) -> Table:
    head = ("benchmark", "layers, m", "dtype", "reference, ms", "fast, ms", "ratio [95 % interval]", "fast is")
    return Table(head, [_training(row) for row in rows], 3)


def of_readme(rows: Iterable[Row]) -> Table:
    chosen = [row for row in rows if (row["benchmark"], row["size"]) in README_ROWS]
    head = ("benchmark", "layers, m", "dtype", "reference, ms", "fast, ms", "ratio [95 % interval]")
    return Table(head, [_training(row)[:-1] for row in chosen], 3)


def _training(row: Row) -> list[str]:
    times = milliseconds(row["reference"]), milliseconds(row["fast"])
    return [named(row), net(row), row["dtype"], *times, estimate(row["ratio"]), verdict(row["ratio"])]


def layers(rows: Iterable[Row]) -> Table:
    head = ("function", "activation", "dtype", "n_prev, n, m", "reference, µs", "fast, µs", "ratio [95 % interval]", "fast is")
    cells = [
        (
            row["function"],
            row["activation"],
            row["dtype"],
            f"{row['n_prev']}, {row['n']}, {row['m']:,}",
            microseconds(row["reference"]),
            microseconds(row["fast"]),
            estimate(row["ratio"]),
            verdict(row["ratio"]),
        )
        for row in rows
    ]
    return Table(head, cells, 4)


def products(rows: Iterable[Row]) -> Table:
    head = ("dtype", "n", "threads", "NumPy, ms", "fast, ms", "NumPy / fast [95 %]", "fast is", "of the peak [95 %]")
    cells = [
        (
            row["dtype"],
            str(row["n"]),
            str(row["threads"]),
            milliseconds(row["NumPy"]),
            milliseconds(row["fast"]),
            estimate(row["ratio"]),
            verdict(row["ratio"]),
            estimate(row["of peak"]),
        )
        for row in rows
    ]
    return Table(head, cells, 1)


def gemm(rows: Sequence[Row]) -> Table:
    """Products beside those of other libraries."""
    sides = other_sides(rows)
    cells = []
    for row in rows:
        ours = row["sides"][OURS]["seconds"]
        what = row["dtype"], str(row["n"]), str(row["threads"]), microseconds([ours]), f"{2e-9 * row['n'] ** 3 / ours:.4g}"
        cells.append([*what, *_ratios(row, sides, "not installed")])
    return Table(("dtype", "n", "threads", f"{OURS}, µs", "GFLOP/s", *sides), cells, 1)


def limits(rows: Iterable[Row]) -> Table:
    head = ("layers, m", "algorithm", "limit by", "iterations", "fast, ms", "limit, ms", "of the limit [95 %]", "ratio [95 %]")
    cells = [
        (
            net(row),
            row["algorithm"],
            row["limit by"],
            f"{row['iterations']:,}",
            milliseconds(row["fast"]),
            milliseconds([row["limit"]]),
            estimate(row["of limit"]),
            estimate(row["ratio"]),
        )
        for row in rows
    ]
    return Table(head, cells, 3)


def scaling(rows: Iterable[Row]) -> Table:
    head = ("n_0", "width", "m", "threads", "reference, µs", "fast, µs", "model, µs", "of the model [95 %]", "ratio [95 %]")
    cells = [
        (
            *(f"{row[name]:,}" for name in ("n_0", "width", "m", "threads")),
            *(microseconds(row[name]) for name in ("reference", "fast", "model")),
            estimate(row["of model"]),
            estimate(row["ratio"]),
        )
        for row in rows
    ]
    return Table(head, cells, 0)


def other_sides(rows: Sequence[Row]) -> list[str]:
    """The peers of any row, the reference last."""
    sides = dict.fromkeys(side for row in rows for side in row["sides"] if side not in (OURS, DIRECT))
    return sorted(sides, key=lambda side: side == "reference")


def peers(rows: Sequence[Row]) -> Table:
    sides = other_sides(rows)
    without = {row["net"] for row in rows if not all(has_interval(_ratio(row, side)) for side in sides if side in row["sides"])}
    cells = []
    for row in rows:
        direct = row["sides"].get(DIRECT)
        name = f"{layers_dims(row['layers'])}, {row['m']:,}, {row['iterations']:,}"
        name += f" (direct: {milliseconds(direct['seconds'])} ms)" if direct else ""
        kept = ["none kept" if row["net"] in without else "95 %"] if without else []
        cells.append([name, milliseconds(row["sides"][OURS]["seconds"]), *_ratios(row, sides, "not installed"), *kept])
    head = ["net, m, iterations", f"{OURS}, ms", *sides, *(["intervals"] if without else [])]
    return Table(head, cells, 1)


def _ratio(row: Row, side: str) -> Sequence[Any]:
    return row["sides"][side]["ratio"]


def _cell(ratio: Sequence[Any]) -> str:
    return estimate(ratio) if has_interval(ratio) else f"{ratio[0]:.4g}"


def _ratios(row: Row, sides: Iterable[str], missing: str) -> list[str]:
    return [_cell(_ratio(row, side)) if side in row["sides"] else missing for side in sides]


def batches(rows: Sequence[Row]) -> Table:
    """Fits beside fits, then loops beside loops."""
    cells = []
    for row in rows:
        sides = row["sides"]
        name = f"{layers_dims(row['layers'])}, {row['m']:,}, {row['epochs']:,} ({row['batches']:,})"
        ours = [milliseconds(sides[side]["seconds"]) if side in sides else "not measured" for side in (OURS_FIT, OURS)]
        ratios = _ratios(row, BATCH_PEERS, "not measured")
        cells.append([name, ours[0], ratios[0], ours[1], *ratios[1:]])
    head = ("net, m, epochs (batches)", "our fit, ms", BATCH_PEERS[0], "our loop, ms", *BATCH_PEERS[1:])
    return Table(head, cells, 1)


def gradients(rows: Iterable[Row]) -> Table:
    head = ("layers, m", "dtype", "reference, µs", "fast, µs", "ratio [95 % interval]", "fast is", "published, µs")
    cells = []
    for row in rows:
        published = row["published"]
        said = f"{1e6 * published['seconds']:.4g} ({published['library']})" if published else ""
        times = microseconds(row["reference"]), microseconds(row["fast"])
        cells.append([net(row), row["dtype"], *times, estimate(row["ratio"]), verdict(row["ratio"]), said])
    return Table(head, cells, 2)


DRAWN = {table.__name__: table for table in (trainings, layers, gradients, products, gemm, limits, scaling, peers, batches)}
