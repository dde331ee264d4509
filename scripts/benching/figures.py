"""What `scripts/bench --figures` measures: each topic writes a file of docs/figures, from which `scripts/figures` draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from fastbackprop.resources import usable_cores
from fastbackprop.team import num_threads
from scripts.benching import functions, gradients, layers, matmul, scaling, training
from scripts.measuring import records
from scripts.measuring.machine import same_threads
from scripts.measuring.nets import NETS
from scripts.measuring.peak import MultiplyAdds
from scripts.measuring.timing import FEWEST

# n_prev, n and m of single layers, from those where a call's cost is everything to those that are all product.
LAYERS = ((1, 1, 1), (1, 1, 1000), (64, 1, 1000), (12288, 20, 209), (30, 16, 569), (256, 256, 1000), (1024, 1024, 1000))
PRODUCTS = (64, 256, 1024, 2048)


def trainings(repeats: int) -> Iterator[dict[str, Any]]:
    with same_threads(usable_cores()):
        yield from functions.rows("training", ("float64",), repeats)


def single_layers(repeats: int) -> Iterator[dict[str, Any]]:
    with same_threads(usable_cores()):
        for n_prev, n, m in LAYERS:
            for function in layers.FUNCTIONS:
                cell = layers.Cell(n_prev, n, m, "float64", function, "relu")
                yield layers.as_row(layers.measure(cell, repeats))


def one_gradient(repeats: int) -> Iterator[dict[str, Any]]:
    with same_threads(usable_cores()):
        yield from gradients.rows(repeats)


def products(repeats: int) -> Iterator[dict[str, Any]]:
    threads = usable_cores()
    with same_threads(threads):
        for dtype in matmul.DTYPES:
            peak = MultiplyAdds(dtype, threads)
            for n in PRODUCTS:
                yield matmul.measure(n, dtype, threads, peak, repeats)


def limits(repeats: int) -> Iterator[dict[str, Any]]:
    threads = usable_cores()
    with num_threads(threads):
        for name in NETS:
            yield from training.measure(name, threads, repeats)


def both_threads(repeats: int) -> Iterator[dict[str, Any]]:
    for threads in sorted({1, usable_cores()}):
        yield from scaling.rows(threads, repeats)


TOPICS: dict[str, Callable[[int], Iterable[dict[str, Any]]]] = {
    "trainings": trainings,
    "layers": single_layers,
    "gradients": one_gradient,
    "products": products,
    "limits": limits,
    "scaling": both_threads,
}


def measure(topics: Sequence[str], repeats: int = FEWEST) -> None:
    """Replace the files of these topics."""
    for topic in topics:
        print(f"measuring {topic}", flush=True)
        measurement = records.Measurement(topic, "scripts/bench --figures")
        rows = list(TOPICS[topic](repeats))
        print(f"{len(rows)} rows in {measurement.write(rows)}", flush=True)
    print("scripts/figures draws the tables and the pictures from these files")
