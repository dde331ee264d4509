"""Whole trainings in float64 against the reference, and beside the machine's limits."""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from typing import Any

import fastbackprop
from fastbackprop import reference
from fastbackprop.algorithms import choose_algorithm
from fastbackprop.resources import free_memory
from fastbackprop.team import num_threads
from scripts.measuring.goals import TRAININGS, wanted
from scripts.measuring.nets import ITEMSIZE, LEARNING_RATE, NETS, Net, examples, least, start
from scripts.measuring.peak import L3_BYTES, MultiplyAdds, Triad
from scripts.measuring.sides import rest
from scripts.measuring.timing import FEWEST, interleave, median_interval, paired_ratio


def algorithm_of(net: Net) -> str:
    """The algorithm that "auto" chooses for a whole training."""
    n_0, n_1, *_ = net.layers_dims
    return choose_algorithm(n_0, n_1, net.m, net.iterations, ITEMSIZE, free_memory())


def measure(name: str, threads: int, repeats: int) -> list[dict[str, Any]]:
    """A row for each algorithm: the chosen one, whole, and where that is gram descent, a slice of direct descent too."""
    net = NETS[name]
    X, Y = examples(net)
    parameters = start(net.layers_dims)
    chosen = algorithm_of(net)
    iterations = {"reference": net.slice, chosen: net.iterations}
    if chosen != "direct":
        iterations["direct"] = net.long_slice

    def train(side: str) -> None:
        arguments = X, Y, net.layers_dims, LEARNING_RATE, iterations[side]
        if side == "reference":
            reference.L_layer_model(*arguments, parameters=parameters)
        else:
            fastbackprop.L_layer_model(*arguments, parameters=parameters, algorithm=side)

    multiply_adds, triad = MultiplyAdds("float64", threads), Triad(threads)
    sides = {side: partial(train, side) for side in iterations} | {"multiply-adds": multiply_adds, "triad": triad}
    for side in iterations:
        train(side)  # compiles, or loads what was compiled
    seconds = interleave(sides, repeats, rest=rest())
    operations_a_second = [multiply_adds.operations / s for s in seconds["multiply-adds"]]
    bytes_a_second = [triad.bytes / s for s in seconds["triad"]]
    whole = {side: [s * net.iterations / n for s in seconds[side]] for side, n in iterations.items()}
    rows = []
    for side in list(iterations)[1:]:
        needed = least(net, side, L3_BYTES)
        limits = [needed.seconds(*rates) for rates in zip(operations_a_second, bytes_a_second, strict=True)]
        by_arithmetic = needed.operations / statistics.median(operations_a_second)
        rows.append(
            {
                "net": name,
                "layers": net.layers_dims,
                "m": net.m,
                "iterations": net.iterations,
                "algorithm": side,
                "threads": threads,
                "measured iterations": iterations[side],
                "reference": median_interval(whole["reference"]),
                "fast": median_interval(whole[side]),
                "ratio": paired_ratio(whole["reference"], whole[side]),
                "limit": statistics.median(limits),
                "limit by": "arithmetic" if by_arithmetic >= statistics.median(limits) else "memory",
                "of limit": paired_ratio(limits, whole[side]),
                "GFLOP/s": median_interval(operations_a_second).median / 1e9,
                "GB/s": median_interval(bytes_a_second).median / 1e9,
            }
        )
    return rows


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """The printed lines of a net's rows."""
    first, net, goals = rows[0], NETS[rows[0]["net"]], TRAININGS[rows[0]["net"]]
    peaks = f"multiply-adds {first['GFLOP/s']:.0f} GFLOP/s, memory {first['GB/s']:.0f} GB/s"
    result = [
        f"{net}: {net.iterations:,} iterations   ({peaks})",
        f"  {'reference':<9} {_time(first['reference'].median, net.slice, net)}",
    ]
    for row in rows:
        of_choice = row is first
        ratio = f"{row['ratio']} x the reference{wanted(goals.ratio if of_choice else goals.direct)}"
        part = f"{row['of limit']} of the limit by {row['limit by']}, {1e3 * row['limit']:.4g} ms"
        part += wanted(goals.of_limit if of_choice else None)
        result.append(f"  {row['algorithm']:<9} {_time(row['fast'].median, row['measured iterations'], net)}   {ratio}; {part}")
    return result


def _time(seconds: float, measured: int, net: Net) -> str:
    note = "" if measured == net.iterations else f" (scaled from {measured:,} iterations)"
    return f"{1e3 * seconds:12,.2f} ms{note}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nets", nargs="+", choices=NETS, default=tuple(NETS), help="all when left out")
    parser.set_defaults(repeats=FEWEST)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    print(f"fastbackprop on {options.threads} threads, whole calls; the reference on all that NumPy takes;")
    print("long trainings of the reference and of a second algorithm are slices, scaled by the number of iterations")
    measured = []
    with num_threads(options.threads):
        for name in options.nets:
            rows = measure(name, options.threads, options.repeats)
            print(*lines(rows), sep="\n", flush=True)
            measured += rows
    return measured
