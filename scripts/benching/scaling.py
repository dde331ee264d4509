"""How a training's iteration grows with m, n_0, the width of its layers and the threads, beside what it cannot do without.

One of the three varies at a time. The model of an iteration's time is the larger of its operations at the measured peak of the
multiply-add units and its bytes at the measured bandwidth of memory; all is measured in turns.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import fastbackprop
from fastbackprop import reference
from fastbackprop.resources import usable_cores
from scripts.measuring.machine import same_threads
from scripts.measuring.nets import LEARNING_RATE, Net, examples, least, start
from scripts.measuring.peak import L3_BYTES, MultiplyAdds, Triad
from scripts.measuring.sides import rest
from scripts.measuring.timing import FEWEST, interleave, median_interval, paired_ratio

# X takes 33 kB at the first of m, 67 MB at the last, 134 MB at the last of n_0.
VARIED = {
    "m": (64, 512, 4096, 32_768, 131_072),
    "n_0": (8, 64, 512, 4096),
    "width": (8, 32, 64, 128, 512),
}
# A measured call makes as many iterations as last these seconds by the model, at a rate of operations that any core reaches.
SECONDS, OPERATIONS_A_SECOND = 0.03, 5e10
MOST_ITERATIONS = 1000


class Point(NamedTuple):
    """The net ``[n_0, width, width, 1]`` and its examples; the values are those that stay while another varies."""

    n_0: int = 64
    width: int = 64
    m: int = 4096

    @property
    def net(self) -> Net:
        layers = (self.n_0, self.width, self.width, 1)
        operations = least(Net(layers, self.m, 1, 1), "direct", L3_BYTES).operations
        iterations = max(1, min(MOST_ITERATIONS, round(SECONDS * OPERATIONS_A_SECOND / operations)))
        return Net(layers, self.m, iterations, iterations)


def points() -> list[Point]:
    """Each once."""
    varied = (Point()._replace(**{name: value}) for name, values in VARIED.items() for value in values)
    return list(dict.fromkeys(varied))


def measure(point: Point, threads: int, repeats: int, multiply_adds: MultiplyAdds, triad: Triad) -> dict[str, Any]:
    """Seconds of an iteration of both sides, and by the model."""
    net = point.net
    X, Y = examples(net)
    parameters = start(net.layers_dims)
    train = X, Y, net.layers_dims, LEARNING_RATE, net.iterations
    sides: dict[str, Callable[[], object]] = {
        "reference": partial(reference.L_layer_model, *train, parameters=parameters),
        "fast": partial(fastbackprop.L_layer_model, *train, parameters=parameters, algorithm="direct"),
        "multiply-adds": multiply_adds,
        "triad": triad,
    }
    for side in sides.values():
        side()  # compiles, or loads what was compiled
    seconds = interleave(sides, repeats, rest=rest())
    needed = least(net, "direct", L3_BYTES)
    operations_a_second = [multiply_adds.operations / s for s in seconds["multiply-adds"]]
    bytes_a_second = [triad.bytes / s for s in seconds["triad"]]
    limits = [needed.seconds(*rates) for rates in zip(operations_a_second, bytes_a_second, strict=True)]
    by_arithmetic = needed.operations / statistics.median(operations_a_second)
    iteration = {side: [s / net.iterations for s in times] for side, times in [*seconds.items(), ("model", limits)]}
    return {
        **point._asdict(),
        "threads": threads,
        "iterations": net.iterations,
        "reference": median_interval(iteration["reference"]),
        "fast": median_interval(iteration["fast"]),
        "ratio": paired_ratio(iteration["reference"], iteration["fast"]),
        "model": median_interval(iteration["model"]),
        "model by": "arithmetic" if by_arithmetic >= statistics.median(limits) else "memory",
        "of model": paired_ratio(iteration["model"], iteration["fast"]),
        "operations": needed.operations / net.iterations,
        "bytes": needed.bytes / net.iterations,
        "GFLOP/s": statistics.median(operations_a_second) / 1e9,
        "GB/s": statistics.median(bytes_a_second) / 1e9,
    }


def rows(threads: int, repeats: int = FEWEST) -> Iterator[dict[str, Any]]:
    """Yield each row as soon as it is measured."""
    with same_threads(threads):
        multiply_adds, triad = MultiplyAdds("float64", threads), Triad(threads)
        for point in points():
            yield measure(point, threads, repeats, multiply_adds, triad)


HEAD = f"{'n_0':>5} {'width':>5} {'m':>7} {'threads':>7} {'reference':>11} {'fast':>10} {'model':>10} us   of the model [95 %]"


def line(row: dict[str, Any]) -> str:
    times = f"{1e6 * row['reference'].median:11.1f} {1e6 * row['fast'].median:10.1f} {1e6 * row['model'].median:10.1f}"
    point = f"{row['n_0']:>5} {row['width']:>5} {row['m']:>7} {row['threads']:>7}"
    return f"{point} {times}      {row['of model']} by {row['model by']}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(repeats=FEWEST, threads=None)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    print(f"an iteration of [n_0, width, width, 1] by direct descent\n{HEAD}")
    measured = []
    for threads in [options.threads] if options.threads else sorted({1, usable_cores()}):
        for row in rows(threads, options.repeats):
            print(line(row), flush=True)
            measured.append(row)
    return measured
