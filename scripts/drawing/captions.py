"""What is said of figures: on which machine, when and how they were measured, and the pictures in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.drawing.tables import named, other_sides
from scripts.drawing.values import in_words, verdict

Record = Mapping[str, Any]
# Other work than this, in cores, disturbs what is measured.
QUIET = 0.1


def processor(record: Record) -> str:
    machine = record["machine"]
    return f"{machine['processor']} ({machine['LLVM name']}), {machine['cores']} cores"


def machine_lines(record: Record) -> list[str]:
    machine = record["machine"]
    vectors = machine["vector bytes"]
    lines = {
        "processor": f"{processor(record)} to use",
        "versions": ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
        "NumPy's BLAS": machine["BLAS"],
        "fastbackprop": f"vectors of {vectors} bytes ({vectors // 8} of float64), {machine['threads']} threads",
        "measured": f"{record['date']}, commit {record['commit']}, {record['command']}",
    }
    return [f"{name:<14} {value}" for name, value in lines.items() if value]


def disturbed(record: Record) -> float | None:
    """The cores that other work kept busy meanwhile, where that is known to have been too many."""
    busy = record["cores busy with other work"]
    return busy if busy is not None and busy > QUIET else None


def caution(record: Record) -> str | None:
    """What keeps these figures from being exact: what was written by hand, and work that disturbed them."""
    sentences = [record["note"]] if "note" in record else []
    if busy := disturbed(record):
        sentences.append(
            f"Other work kept {busy:.1f} of the {record['machine']['cores']} cores busy meanwhile: these figures are rough."
        )
    return " ".join(sentences) or None


def origin(record: Record) -> str:
    """Of a picture that stands above another topic's machine."""
    sentence = f"The picture is of {record['date']}, commit {record['commit']}, on {processor(record)}."
    caution_too = caution(record)
    return f"{sentence} {caution_too}" if caution_too else sentence


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.3g} to {max(values):.3g}"


def peers(records: Mapping[str, Record]) -> str:
    rows = records["peers"]["rows"]
    sides = []
    for side in other_sides(rows):
        ratios = [row["sides"][side]["ratio"][0] for row in rows if side in row["sides"]]
        sides.append(f"{side} {_range(ratios)}")
    return (
        f"For {len(rows)} trainings, how many times as long as fastbackprop each other library takes, on a logarithmic scale: "
        + ", ".join(sides)
    )


def _compared(records: Mapping[str, Record]) -> list[tuple[str, Sequence[Any]]]:
    """Each call that is timed beside NumPy, in words, and its ratio."""
    trainings = [(f"{named(row)} of {in_words(row['layers'])}", row["ratio"]) for row in records["trainings"]["rows"]]
    layers = [
        (f"{row['function']} at {row['n_prev']} x {row['n']}, m = {row['m']}", row["ratio"])
        for row in records["layers"]["rows"]
    ]
    products = [(f"the product {row['n']} x {row['n']} in {row['dtype']}", row["ratio"]) for row in records["products"]["rows"]]
    return trainings + layers + products


def not_faster(records: Mapping[str, Record]) -> str:
    """A sentence about the calls that are no faster than NumPy's."""
    compared = _compared(records)
    without = [(what, ratio) for what, ratio in compared if verdict(ratio) != "faster"]
    if not without:
        return f"All {len(compared)} timed calls are faster."
    what, ratio = min(without, key=lambda each: each[1][0])
    return f"{len(without)} of {len(compared)} timed calls are equal or slower; the slowest is {what}, at {ratio[0]:.2f} x."


def ratios(records: Mapping[str, Record]) -> str:
    medians = [ratio[0] for _, ratio in _compared(records)]
    return (
        f"How many times as long NumPy takes as fastbackprop, on a logarithmic scale with 95 % intervals: "
        f"{_range(medians)} for trainings, own loops, single layers and products. {not_faster(records)}"
    )


def scaling(records: Mapping[str, Record]) -> str:
    rows = records["scaling"]["rows"]
    parts = [row["of model"][0] for row in rows]
    return (
        "Time of an iteration against m, n_0 and the width of the layers, with one thread and with more, by the reference and "
        "by fastbackprop, beside lines for the model of operations and bytes; and how much the second thread brings. "
        f"fastbackprop runs at {_range(parts)} of the model's speed"
    )


def limits(records: Mapping[str, Record]) -> str:
    trainings = [row["of limit"][0] for row in records["limits"]["rows"]]
    products = [row["of peak"][0] for row in records["products"]["rows"]]
    return (
        f"The part of the machine's limit that is reached, with 95 % intervals: trainings {_range(trainings)} of what "
        f"arithmetic and memory allow, products {_range(products)} of the multiply-add units' peak"
    )
