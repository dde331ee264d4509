"""Times kernels alone and shared by two threads, from sizes on that they never share, and prints from where sharing wins.

Kernels hold the thresholds as constants, so each setting is measured in its own process, in which the kernels are compiled
with other values than those in ``fastbackprop/kernels/blocking.py``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from scripts import ROOT

BLOCKING = "fastbackprop.kernels.blocking"
# Kinds of product, n and n_prev for a number of multiply-adds; the rest are examples.
PRODUCTS: dict[str, Callable[[int], tuple[int, int]]] = {
    "cube": lambda operations: (round(operations ** (1 / 3)), round(operations ** (1 / 3))),
    "narrow layer": lambda operations: (16, 30),
    "few examples": lambda operations: (math.isqrt(operations // 8), math.isqrt(operations // 8)),
    "one unit": lambda operations: (1, 64),
}
OPERATIONS = tuple(2**e for e in range(15, 23))
ELEMENTS = tuple(2**e for e in range(11, 17))
# Numbers of chunks: of the smallest job that is shared, and of a larger one.
CHUNKS = (2, 16)
REPEATS, AT_LEAST = 15, 0.001
# Longer than a helper polls before it sleeps.
PAUSE = 0.005


class PausableClock:
    """A clock that stands still while `pause` lasts."""

    def __init__(self) -> None:
        self.paused = 0.0

    def __call__(self) -> float:
        return time.perf_counter() - self.paused

    def pause(self) -> None:
        begin = time.perf_counter()
        time.sleep(PAUSE)
        self.paused += time.perf_counter() - begin


def set_thresholds(settings: Mapping[str, int]) -> None:
    """Replace the values of blocking.py, before any kernel reads them."""
    path = ROOT / "fastbackprop" / "kernels" / "blocking.py"
    spec = importlib.util.spec_from_file_location(BLOCKING, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in settings.items():
        if not hasattr(module, name):
            raise LookupError(f"{path} has no {name}")
        setattr(module, name, value)
    sys.modules[BLOCKING] = module


def compare(kernel: Callable[..., Any], arguments: Sequence[Any], repeats: int) -> dict[str, Any]:
    """Microseconds alone and shared, and the ratio alone / shared with helpers awake and with helpers asleep."""
    from fastbackprop.team import ALONE, NOBODY, in_team
    from scripts.measuring.timing import interleave, paired_ratio

    clock = PausableClock()
    sides = {"alone": partial(kernel, *arguments, ALONE, NOBODY), "shared": partial(in_team, kernel, *arguments)}

    def after_a_pause(side: Callable[[], object]) -> None:
        clock.pause()
        side()

    awake = interleave(sides, repeats, at_least=AT_LEAST)
    paused = {name: partial(after_a_pause, side) for name, side in sides.items()}
    asleep = interleave(paused, repeats, clock=clock)
    return {
        "alone": 1e6 * statistics.median(awake["alone"]),
        "shared": 1e6 * statistics.median(awake["shared"]),
        "awake": paired_ratio(awake["alone"], awake["shared"]),
        "asleep": paired_ratio(asleep["alone"], asleep["shared"]),
    }


def products(repeats: int) -> Iterator[dict[str, Any]]:
    """Layers without activation, forward and backward."""
    import numpy as np

    from fastbackprop.kernels import layer
    from fastbackprop.kernels.activations import LINEAR
    from fastbackprop.testing import CASES, Size

    for operations in OPERATIONS:
        for kind, shape in PRODUCTS.items():
            n, n_prev = shape(operations)
            m = max(1, operations // (n * n_prev))
            for dtype in ("d", "f"):
                A, W, b = CASES["linear_forward"].make(Size((n_prev, n), m), dtype)
                Z, gradients = np.empty((n, m), dtype), [np.empty(x.shape, dtype) for x in (A, W, b)]
                named = {"kind": kind, "dtype": dtype, "size": operations}
                forward = compare(layer.layer_forward[dtype], (A, W, b, Z, Z, LINEAR), repeats)
                yield {**named, "function": "forward", **forward}
                backward = compare(layer.layer_backward[dtype], (Z, Z, A, W, *gradients, LINEAR), repeats)
                yield {**named, "function": "backward", **backward}


def elements(chunk: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Elementwise functions on jobs of some chunks."""
    import numpy as np

    from fastbackprop.activations import RELU, SIGMOID
    from fastbackprop.kernels import elementwise
    from fastbackprop.testing import CASES, Size

    for chunks in CHUNKS:
        for dtype in ("d", "f"):
            dA, Z = CASES["sigmoid_backward"].make(Size((1, 1), chunks * chunk), dtype)
            for g in (SIGMOID, RELU):
                named = {"kind": f"{g.name}, {chunks} chunks", "dtype": dtype, "size": chunk}
                forward = compare(elementwise.activation_forward[dtype], (Z, np.empty_like(Z), g.at[dtype]), repeats)
                yield {**named, "function": "forward", **forward}
                backward = compare(
                    elementwise.activation_backward[dtype], (dA, Z, np.empty_like(Z), g.gradient_at[dtype]), repeats
                )
                yield {**named, "function": "backward", **backward}


def measured_in_process(settings: Mapping[str, int], repeats: int) -> list[dict[str, Any]]:
    command = [
        sys.executable,
        "-m",
        "scripts.benching.thresholds",
        "--repeats",
        str(repeats),
        "--settings",
        json.dumps(settings),
    ]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def wins_from(rows: Sequence[Mapping[str, Any]], sides: Sequence[str]) -> int | None:
    """The size from which on all rows gain by sharing, by the medians of ``sides``; None where the largest doesn't."""
    won = None
    for size in sorted({row["size"] for row in rows}, reverse=True):
        if any(row[side][0] <= 1 for row in rows if row["size"] == size for side in sides):
            break
        won = size
    return won


def line(row: Mapping[str, Any]) -> str:
    ratios = ["{:5.2f} [{:.2f}, {:.2f}]".format(*row[side]) for side in ("awake", "asleep")]
    return (
        f"{row['size']:>9,}  {row['kind']:<18} {row['function']:<8} {row['dtype']}  "
        f"{row['alone']:9.1f} {row['shared']:9.1f}   {ratios[0]:<21} {ratios[1]}"
    )


def report(name: str, what: str, now: int, rows: Sequence[Mapping[str, Any]]) -> None:
    print(f"\n{name}: {what}\n{'size':>9}  {'kind':<18} {'function':<8}   {'alone, us':>11} {'shared':>9}   ", end="")
    print(f"{'alone / shared [95 %]':<21} helpers asleep before")
    for row in rows:
        print(line(row))
    awake, asleep = wins_from(rows, ("awake",)), wins_from(rows, ("awake", "asleep"))
    print(f"all gain from {awake} on with helpers awake, from {asleep} on with helpers asleep too; {name} is {now}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/measure_thresholds", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, metavar="N", help="how many turns a measurement takes")
    parser.add_argument("--settings", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.settings:
        set_thresholds(options.settings)
        from fastbackprop.team import num_threads

        with num_threads(2):
            chunk = options.settings.get("SHARED_ELEMENTS")
            measured = elements(chunk, options.repeats) if chunk else products(options.repeats)
            json.dump(list(measured), sys.stdout)
        return
    from fastbackprop.kernels.blocking import SHARED_ELEMENTS, WAKE_OPERATIONS
    from scripts.measuring.machine import facts

    print(*facts(), sep="\n")
    rows = measured_in_process({"WAKE_OPERATIONS": 1, "SHARED_OPERATIONS": 1}, options.repeats)
    report("WAKE_OPERATIONS", "multiply-adds of a layer's product", WAKE_OPERATIONS, rows)
    by_chunk = [measured_in_process({"SHARED_ELEMENTS": chunk}, options.repeats) for chunk in ELEMENTS]
    every = [row for rows in by_chunk for row in rows]
    report("SHARED_ELEMENTS", "elements of a chunk", SHARED_ELEMENTS, every)


if __name__ == "__main__":
    main()
