"""Sweeps of many nets against the same calls one after the other, with one thread and with all, and against the reference."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop import reference
from fastbackprop.team import num_threads
from scripts.measuring.goals import SWEEPS, wanted
from scripts.measuring.nets import NETS, Net, examples
from scripts.measuring.sides import rest
from scripts.measuring.timing import FEWEST, interleave, median_interval, paired_ratio

RATES, SEEDS = (0.0075, 0.005, 0.0025, 0.001), range(6)
TINY, TINY_ITERATIONS = 100, 2_000  # nets of the planar kind, and the iterations of each

Configuration = dict[str, Any]


def configurations(name: str) -> list[Configuration]:
    """Those of a sweep: 24 trainings of a net with its own number of iterations, or many short ones of a tiny net."""
    net = NETS[name]
    of_all = {"layers_dims": list(net.layers_dims), "num_iterations": TINY_ITERATIONS if name == "planar" else net.iterations}
    pairs = [(0.5, seed) for seed in range(TINY)] if name == "planar" else itertools.product(RATES, SEEDS)
    return [of_all | {"learning_rate": rate, "seed": seed} for rate, seed in pairs]


def in_turn(X: np.ndarray, Y: np.ndarray, sweep: list[Configuration], threads: int) -> None:
    """One call of `L_layer_model` after the other."""
    with num_threads(threads):
        for configuration in sweep:
            arguments = dict(configuration)
            np.random.seed(arguments.pop("seed"))
            fastbackprop.L_layer_model(X, Y, **arguments)


def at_once(X: np.ndarray, Y: np.ndarray, sweep: list[Configuration], threads: int) -> None:
    with num_threads(threads):
        records = fastbackprop.sweep(X, Y, sweep)
    assert all(record.status == "done" for record in records)


def measure(name: str, threads: int, repeats: int, sweep: list[Configuration] | None = None) -> dict[str, Any]:
    """A row: seconds of each side, and how many times as long as the sweep the others take."""
    net, sweep = NETS[name], sweep or configurations(name)
    X, Y = examples(net)
    first = sweep[0]

    def by_reference() -> None:
        np.random.seed(first["seed"])
        reference.L_layer_model(X, Y, first["layers_dims"], first["learning_rate"], min(net.slice, first["num_iterations"]))

    sides: dict[str, Callable[[], None]] = {
        "sweep": partial(at_once, X, Y, sweep, threads),
        "1 thread": partial(in_turn, X, Y, sweep, 1),
        f"{threads} threads": partial(in_turn, X, Y, sweep, threads),
        "reference": by_reference,
    }
    at_once(X, Y, sweep[:2], threads)  # compiles, or loads what was compiled
    in_turn(X, Y, sweep[:1], threads)
    seconds = interleave(sides, repeats, rest=rest())
    part = min(net.slice, first["num_iterations"])
    seconds["reference"] = [s * len(sweep) * first["num_iterations"] / part for s in seconds["reference"]]
    return {
        "net": name,
        "layers": net.layers_dims,
        "m": net.m,
        "trainings": len(sweep),
        "iterations": first["num_iterations"],
        "threads": threads,
        "measured iterations of the reference": part,
        "seconds": {side: median_interval(values) for side, values in seconds.items()},
        "ratios": {side: paired_ratio(values, seconds["sweep"]) for side, values in seconds.items() if side != "sweep"},
    }


def lines(row: dict[str, Any]) -> list[str]:
    """The printed lines of a row."""
    net: Net = NETS[row["net"]]
    goals = dict(zip(row["ratios"], SWEEPS[row["net"]], strict=True))
    result = [f"{net}: {row['trainings']} trainings of {row['iterations']:,} iterations"]
    for side, seconds in row["seconds"].items():
        note = ""
        if side == "reference":
            note = f" (scaled from {row['measured iterations of the reference']} iterations of one)"
        of_sweep = f"   {row['ratios'][side]} x the sweep{wanted(goals[side])}" if side != "sweep" else ""
        called = side if side in ("sweep", "reference") else f"one after the other, {side}"
        result.append(f"  {called:<30} {1e3 * seconds.median:12,.1f} ms{note}{of_sweep}")
    return result


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nets", nargs="+", choices=SWEEPS, default=tuple(SWEEPS), help="all when left out")
    parser.set_defaults(repeats=FEWEST)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    print(f"sweeps on {options.threads} threads; the reference is one training of a few iterations, scaled to all")
    measured = []
    for name in options.nets:
        row = measure(name, options.threads, options.repeats)
        print(*lines(row), sep="\n", flush=True)
        measured.append(row)
    return measured
