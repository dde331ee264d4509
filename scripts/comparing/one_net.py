"""Trains one net by all sides in turns, in this process, and prints the result as JSON; `scripts/compare-peers` runs it."""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from threadpoolctl import threadpool_limits

import fastbackprop
from fastbackprop.resources import usable_cores
from fastbackprop.team import num_threads
from fastbackprop.testing import PRODUCT_U, unit_roundoff
from scripts.benching.training import algorithm_of
from scripts.comparing.libraries import SIDES, Problem, Training
from scripts.measuring.machine import facts
from scripts.measuring.nets import LEARNING_RATE, NETS, Net, examples, largest_difference, start
from scripts.measuring.timing import interleave, median_interval, paired_ratio

OURS = "fastbackprop"
LIBRARIES = {"PyTorch": "torch", "JAX": "jax", "scikit-learn": "scikit-learn"}


def tolerance(net: Net, iterations: int) -> float:
    """How far apart sides may be after these iterations, in units of an array's largest entry.

    An iteration rounds sums of at most k = max(n_0 .. n_L, m) products, each within ``PRODUCT_U k u`` of exact, and steps by
    less than the parameters' size; descent at a rate that converges does not make errors larger.
    """
    return PRODUCT_U * max(*net.layers_dims, net.m) * unit_roundoff(1.0) * iterations


def trainings(problem: Problem, names: list[str]) -> tuple[dict[str, Training], dict[str, str]]:
    """The sides that are installed, and why the others are missing."""
    there: dict[str, Training] = {}
    skipped = {}
    for name in names:
        try:
            there[name] = SIDES[name](problem)
        except ImportError as error:
            skipped[name] = str(error)
    return there, skipped


def library_versions() -> dict[str, str]:
    """Of the libraries that are installed."""
    found = {}
    for name, distribution in LIBRARIES.items():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(distribution)
    return found


def measure(name: str, threads: int, repeats: int, names: list[str]) -> dict[str, Any]:
    """Peers with ``threads`` threads each, fastbackprop with all: seconds of a whole training, ratios, differences."""
    net = NETS[name]
    X, Y = examples(net)
    begin = start(net.layers_dims)
    chosen = algorithm_of(net)

    def ours(iterations: int, algorithm: str) -> dict[str, Any]:
        arguments = X, Y, net.layers_dims, LEARNING_RATE, iterations
        return fastbackprop.L_layer_model(*arguments, parameters=begin, algorithm=algorithm)

    with num_threads(usable_cores()), threadpool_limits(limits=threads, user_api="blas"):
        peers, skipped = trainings(Problem(X, Y, net.layers_dims, begin, threads), names)
        calls: dict[str, Callable[[], object]] = {OURS: partial(ours, net.iterations, chosen)}
        measured = {OURS: net.iterations} | dict.fromkeys(peers, net.slice)
        if chosen != "direct":
            direct = f"{OURS}, direct"
            calls[direct], measured[direct] = partial(ours, net.long_slice, "direct"), net.long_slice
        calls |= {side: partial(training, net.slice) for side, training in peers.items()}
        for call in calls.values():
            call()  # compiles
        seconds = interleave(calls, repeats)
        whole = {side: [s * net.iterations / measured[side] for s in times] for side, times in seconds.items()}
        trained = (1 + repeats) * net.slice
        final = {side: training.parameters() for side, training in peers.items()}
        final |= {OURS: ours(trained, chosen), f"{OURS}, direct": ours(trained, "direct")}
    expected = final[OURS]
    return {
        "machine": facts(),
        "net": name,
        "threads": threads,
        "algorithm": chosen,
        "sides": {
            side: {
                "seconds": median_interval(times),
                "measured iterations": measured[side],
                "ratio": paired_ratio(times, whole[OURS]),
            }
            for side, times in whole.items()
        },
        "skipped": skipped,
        "differences": {side: largest_difference(p, expected) for side, p in final.items() if side != OURS},
        "after iterations": trained,
        "tolerance": tolerance(net, trained),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", choices=NETS)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--sides", nargs="+", choices=SIDES, required=True)
    options = parser.parse_args()
    json.dump(measure(options.net, options.threads, options.repeats, options.sides), sys.stdout)


if __name__ == "__main__":
    main()
