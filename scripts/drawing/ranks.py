"""The tables of docs/many_machines.md, from the rows of the topic `ranks` and the model of `scripts/spreading`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from scripts.drawing.tables import Row, Table
from scripts.drawing.values import estimate, layers_dims, microseconds, milliseconds, net
from scripts.spreading import model

MACHINES = 64
# Examples that are spread over many machines, by the layers of a measured net.
MANY = {
    (2, 4, 1): (400,),
    (30, 16, 8, 1): (10_000, 1_000_000, 1_000_000_000),
    (784, 128, 64, 1): (1_000, 60_000, 1_000_000_000),
}
FEATURES = (12_288, 1_000_000, 100_000_000)


def of_kind(rows: Iterable[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def _alone(rows: Sequence[Row], kind: str, like: Row) -> Row:
    """The row of one rank, or of one process, for the same net."""
    return next(
        row for row in of_kind(rows, kind) if row["ranks"] == 1 and (row["layers"], row["m"]) == (like["layers"], like["m"])
    )


def _cores(rows: Sequence[Row]) -> int:
    return int(of_kind(rows, "one process")[0]["threads"])


def _late(row: Row) -> str:
    return milliseconds([row["latency"]]) if row["latency"] else "0"


def ranks(rows: Sequence[Row]) -> Table:
    """An iteration with the examples spread."""
    head = ("layers, m", "ranks", "latency put in, ms", "iteration, ms", "model, ms", "measured / model", "speed / one process")
    network, cells = model.of_machine(rows), []
    for row in of_kind(rows, "iteration"):
        alone, process = _alone(rows, "iteration", row), _alone(rows, "one process", row)
        n = model.weights(row["layers"]) + 2
        expected = model.iteration(alone["seconds"][0], n, row["ranks"], _cores(rows), network, row["latency"])
        cells.append(
            [
                *(net(row), str(row["ranks"]), _late(row), milliseconds(row["seconds"]), milliseconds([expected])),
                estimate([value / expected for value in row["seconds"]]),
                f"{process['seconds'][0] / row['seconds'][0]:.3g}",
            ]
        )
    return Table(head, cells, 1)


def sums(rows: Sequence[Row]) -> Table:
    """The sums alone."""
    head = ("numbers", "ranks", "steps", "sum, µs", "model, µs", "Allreduce, µs")
    network = model.of_machine(rows)
    cells = [
        [
            *(f"{row['numbers']:,}", str(row["ranks"]), str(model.steps(row["numbers"], row["ranks"]))),
            *(microseconds(row["seconds"]), microseconds([model.reduction(row["numbers"], row["ranks"], network)])),
            microseconds(row["Allreduce"]) if row["Allreduce"] else "",
        ]
        for row in of_kind(rows, "sum")
    ]
    return Table(head, cells, 0)


def wide(rows: Sequence[Row]) -> Table:
    """A whole training with the features spread."""
    head = ("ranks", "threads", "latency put in, ms", "training, ms", "of it up to the first iteration, ms")
    cells = [
        [
            *("one process" if "process" in row["kind"] else str(row["ranks"]), str(row["threads"]), _late(row)),
            *(milliseconds(row["seconds"]), milliseconds(row["first"])),
        ]
        for row in [*of_kind(rows, "features, one process"), *of_kind(rows, "features")]
    ]
    return Table(head, cells, 1)


def many(rows: Sequence[Row]) -> Table:
    """What the model predicts for an iteration on many machines, each as the measured one."""
    head = ("layers, m", "X a machine", "one machine, ms", *(f"{MACHINES}: {name}" for name in model.NETWORKS))
    cells = []
    for process in of_kind(rows, "one process"):
        layers = tuple(process["layers"])
        overhead = _overhead(rows)
        for m in MANY[layers] if process["m"] == max(each["m"] for each in _same_layers(rows, layers)) else ():
            n = model.weights(layers) + 2
            alone = process["seconds"][0] / process["m"] * m
            spread = {
                name: overhead + alone / MACHINES + model.reduction(n, MACHINES, network)
                for name, network in model.NETWORKS.items()
            }
            cells.append(
                [
                    *(f"{layers_dims(layers)}, {m:,}", _size(8 * layers[0] * m / MACHINES), milliseconds([alone])),
                    *(f"{milliseconds([seconds])} ({alone / seconds:.3g} x)" for seconds in spread.values()),
                ]
            )
    return Table(head, cells, 1)


def _same_layers(rows: Sequence[Row], layers: Sequence[int]) -> list[Row]:
    return [row for row in of_kind(rows, "one process") if tuple(row["layers"]) == tuple(layers)]


def _overhead(rows: Sequence[Row]) -> float:
    """Seconds of an iteration in Python: of the tiniest net on one rank, less its time in one process."""
    tiny = min(of_kind(rows, "iteration"), key=lambda row: (row["ranks"], row["m"]))
    return max(tiny["seconds"][0] - _alone(rows, "one process", tiny)["seconds"][0], 0.0)


def many_features(rows: Sequence[Row]) -> Table:
    """What the model predicts for a whole training of wide data on many machines."""
    head = ("features", "X a machine", "one machine, s", *(f"{MACHINES}: {name}" for name in model.NETWORKS))
    (process,) = of_kind(rows, "features, one process")
    layers, m = process["layers"], process["m"]
    first, iterations = process["first"][0], process["seconds"][0] - process["first"][0]
    cells: list[list[Any]] = []
    for n_0 in FEATURES:
        before = first * n_0 / layers[0]
        spread = []
        for network in model.NETWORKS.values():
            gather = 8 * n_0 * layers[1] / network.bytes_a_second
            sums_once = model.reduction(m * m + layers[1] * m + 1, MACHINES, network)
            spread.append(before / MACHINES + sums_once + iterations + gather)
        alone = before + iterations
        cells.append(
            [
                *(f"{n_0:,}", _size(8 * n_0 * m / MACHINES), f"{alone:.3g}"),
                *(f"{seconds:.3g} ({alone / seconds:.3g} x)" for seconds in spread),
            ]
        )
    return Table(head, cells, 0)


def _size(count: float) -> str:
    units = ["bytes", "kB", "MB", "GB"]
    while count >= 1000 and len(units) > 1:
        count, units = count / 1000, units[1:]
    return f"{count:.3g} {units[0]}"


MORE = {"sums": sums, "wide": wide, "many": many, "many_features": many_features}
