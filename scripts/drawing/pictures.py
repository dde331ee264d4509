"""The pictures, each drawn from the rows of some topics, as SVG."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from scripts.drawing import style
from scripts.drawing.captions import disturbed, processor
from scripts.drawing.style import OURS, SIDES, estimated, plain_ticks, signed
from scripts.drawing.tables import named, other_sides
from scripts.drawing.values import has_interval, net

Record = Mapping[str, Any]


def _origin(*records: Record) -> str:
    """Where and when these were measured, and the most that disturbed one of them."""
    places = " and ".join(dict.fromkeys(f"{processor(record)}, {record['date']}" for record in records))
    busy = max((disturbed(record) or 0.0) for record in records)
    return places + (f"; rough: other work kept up to {busy:.1f} of the cores busy" if busy else "")


def _rows_of_labels(axes, labels: Sequence[str]) -> None:
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    for edge in range(1, len(labels)):
        axes.axhline(edge - 0.5, color=style.FAINT, linewidth=0.6)
    axes.tick_params(axis="y", length=0)


def peers(records: Mapping[str, Record]):
    record = records["peers"]
    rows, sides = record["rows"], other_sides(record["rows"])
    figure, axes = plt.subplots(figsize=(7.6, 0.55 * len(rows) + 1.5), layout="constrained")
    looks = itertools.cycle(SIDES)
    for place, side in enumerate(sides):
        look = style.REFERENCE if side == "reference" else next(looks)
        found = [(i, row["sides"][side]["ratio"]) for i, row in enumerate(rows) if side in row["sides"]]
        offset = 0.6 * ((place + 0.5) / len(sides) - 0.5)
        estimated(axes, [ratio for _, ratio in found], [i + offset for i, _ in found], label=_side(side), **look)
    axes.axvline(1, color=OURS["color"], linewidth=2.5)
    axes.set_xscale("log")
    plain_ticks(axes.xaxis)
    axes.grid(axis="x", which="both")
    _rows_of_labels(axes, [f"{net(row)}\n{row['iterations']:,} iterations" for row in rows])
    kept = all(has_interval(each["ratio"]) for row in rows for each in row["sides"].values() if "ratio" in each)
    axes.set_xlabel(f"time beside fastbackprop's, whose is 1 ({'95 % intervals' if kept else 'no intervals were kept'})")
    columns = len(sides) if len(sides) <= 4 else 3
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=columns, handletextpad=0.3)
    signed(figure, _origin(record))
    return figure


def _side(side: str) -> str:
    return "NumPy (the reference)" if side == "reference" else side


def ratios(records: Mapping[str, Record]):
    kinds: dict[str, tuple[list[str], list[Any]]] = {
        "trainings and loops": (
            [f"{named(row)}: {net(row)}" for row in records["trainings"]["rows"]],
            [row["ratio"] for row in records["trainings"]["rows"]],
        ),
        "one layer": (
            [
                f"{row['function'].removeprefix('linear_activation_')}: {row['n_prev']} to {row['n']}, m = {row['m']:,}"
                for row in records["layers"]["rows"]
            ],
            [row["ratio"] for row in records["layers"]["rows"]],
        ),
        "product": (
            [f"{row['dtype']}: {row['n']} x {row['n']} x {row['n']}" for row in records["products"]["rows"]],
            [row["ratio"] for row in records["products"]["rows"]],
        ),
    }
    counts = [len(labels) for labels, _ in kinds.values()]
    figure, panels = plt.subplots(
        len(kinds), 1, figsize=(7.6, 0.19 * sum(counts) + 1.8), sharex=True, layout="constrained", height_ratios=counts
    )
    for axes, (kind, (labels, estimates)), look in zip(panels, kinds.items(), SIDES, strict=False):
        estimated(axes, estimates, range(len(labels)), **look)
        _rows_of_labels(axes, labels)
        axes.set_title(kind, loc="left", fontsize=9, fontweight="bold")
        axes.tick_params(axis="y", labelsize=7.5)
        axes.axvline(1, color=style.INK, linewidth=1.5)
        axes.grid(axis="x", which="both")
    panels[0].set_xscale("log")
    low = min(0.5, *(0.9 * ratio[0] for _, estimates in kinds.values() for ratio in estimates))
    panels[0].set_xlim(left=low)
    for axes in panels:
        axes.axvspan(low, 1, facecolor=style.GROUND, edgecolor=style.FAINT, hatch="////", linewidth=0, zorder=0)
    plain_ticks(panels[0].xaxis)
    panels[-1].set_xlabel("NumPy's time / fastbackprop's (95 % intervals)\nhatched: NumPy is faster")
    signed(figure, _origin(*(records[topic] for topic in ("trainings", "layers", "products"))))
    return figure


def scaling(records: Mapping[str, Record]):
    record = records["scaling"]
    rows = record["rows"]
    base = {name: _commonest(row[name] for row in rows) for name in ("n_0", "width", "m")}
    figure, panels = plt.subplots(2, 2, figsize=(7.6, 6.6), layout="constrained")
    counts = sorted({row["threads"] for row in rows})
    for axes, varied in zip(panels.flat, base, strict=False):
        others = {name: value for name, value in base.items() if name != varied}
        for threads in counts:
            line = sorted(
                (row for row in rows if row["threads"] == threads and all(row[name] == others[name] for name in others)),
                key=lambda row: row[varied],
            )
            _against(axes, varied, line, threads, alone=threads == counts[0])
        axes.set(xscale="log", yscale="log", xlabel=varied)
        axes.set_title(", ".join(f"{name} = {value:,}" for name, value in others.items()), fontsize=9)
        axes.grid(which="major")
        axes.set_xticks([row[varied] for row in line])
        plain_ticks(axes.xaxis)
        axes.minorticks_off()
        axes.tick_params(axis="x", labelsize=7.5)
    for axes in panels[:, 0]:
        axes.set_ylabel("seconds of an iteration")
    _threads(panels[1, 1], rows, counts)
    found = dict(zip(*reversed(panels[0, 0].get_legend_handles_labels()), strict=True))
    order = sorted(found)  # a column for each side: one thread above more
    figure.legend([found[label] for label in order], order, loc="outside upper center", ncols=3, handletextpad=0.5)
    signed(figure, _origin(record))
    return figure


def _commonest(values) -> Any:
    counted = list(values)
    return max(set(counted), key=counted.count)


def _against(axes, varied: str, line: Sequence[Mapping[str, Any]], threads: int, alone: bool) -> None:
    x = [row[varied] for row in line]
    said = f"{threads} thread{'s' * (threads > 1)}"
    filled = {"markerfacecolor": style.GROUND} if alone else {}
    for side, look in (("reference", SIDES[1]), ("fast", OURS)):
        name = "fastbackprop" if side == "fast" else side
        estimated(axes, [row[side] for row in line], x, label=f"{name}, {said}", across=False, **(look | filled))
    model = [row["model"][0] for row in line]
    axes.plot(x, model, color=style.INK, linewidth=1.2, linestyle="--" if alone else "-", label=f"model, {said}")


def _threads(axes, rows: Sequence[Mapping[str, Any]], counts: Sequence[int]) -> None:
    """How many times as fast each point is with more threads than with one."""
    first, last = counts[0], counts[-1]
    points: dict[tuple[int, ...], dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        points.setdefault((row["n_0"], row["width"], row["m"]), {})[row["threads"]] = row
    both = [found for found in points.values() if first in found and last in found]
    x = [found[first]["operations"] for found in both]
    for side, look in (("reference", SIDES[1]), ("fast", OURS)):
        gains = [found[first][side][0] / found[last][side][0] for found in both]
        axes.plot(x, gains, linestyle="none", markersize=5.5, **look)
    axes.plot(x, [found[first]["model"][0] / found[last]["model"][0] for found in both], "_", color=style.INK, markersize=9)
    axes.axhline(1, color=style.INK, linewidth=0.8)
    axes.set(xscale="log", xlabel="operations of an iteration", ylabel=f"times as fast with {last} threads", ylim=(0, None))
    axes.set_title("threads, at all points; bars: the model", fontsize=9)
    axes.grid(which="major")


def limits(records: Mapping[str, Record]):
    trained, multiplied = records["limits"]["rows"], records["products"]["rows"]
    labels = [f"{net(row)}, {row['algorithm']}" for row in trained]
    labels += [f"product {row['n']} x {row['n']} x {row['n']}, {row['dtype']}" for row in multiplied]
    estimates = [row["of limit"] for row in trained] + [row["of peak"] for row in multiplied]
    by = [row["limit by"] for row in trained] + ["arithmetic"] * len(multiplied)
    figure, axes = plt.subplots(figsize=(7.6, 0.24 * len(labels) + 1.4), layout="constrained")
    looks: dict[str, dict[str, Any]] = {
        "arithmetic": {"facecolor": "#8fb8d6", "edgecolor": style.INK},
        "memory": {"facecolor": style.GROUND, "edgecolor": style.INK, "hatch": "////"},
    }
    for what, look in looks.items():
        places = [i for i, each in enumerate(by) if each == what]
        if places:
            axes.barh(places, [estimates[i][0] for i in places], 0.62, linewidth=0.8, label=f"limit by {what}", **look)
    estimated(axes, estimates, range(len(labels)), color=style.INK, marker="none")
    _rows_of_labels(axes, labels)
    axes.axvline(1, color=style.INK, linewidth=1.5)
    axes.set_xlim(0, max(1.05, *(each[2] or each[0] for each in estimates)))
    axes.grid(axis="x")
    axes.set_xlabel("part of the machine's limit that is reached (95 % intervals)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    signed(figure, _origin(records["limits"], records["products"]))
    return figure


DRAWN: dict[str, Callable[[Mapping[str, Record]], Any]] = {
    "peers": peers,
    "ratios": ratios,
    "scaling": scaling,
    "limits": limits,
}


def write(name: str, records: Mapping[str, Record], path: Path, identity: str) -> None:
    """Draw a picture into a file that keeps the identity of its data."""
    with plt.rc_context(style.SETTINGS):
        figure = DRAWN[name](records)
        # Without dates and versions of software: the same data are the same bytes.
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None, "Identifier": identity})
        plt.close(figure)
