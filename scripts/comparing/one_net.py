"""Trains one net by all sides in turns, in this process, and prints the result as JSON; `scripts/compare-peers` runs it."""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

import fastbackprop
from fastbackprop.resources import usable_cores
from fastbackprop.team import num_threads
from fastbackprop.testing import PRODUCT_U, unit_roundoff
from scripts.benching.training import algorithm_of
from scripts.comparing.libraries import SIDES, Problem
from scripts.comparing.runs import OURS, better, side_lines
from scripts.measuring.goals import TRAININGS, wanted
from scripts.measuring.machine import facts
from scripts.measuring.nets import LEARNING_RATE, NETS, Net, examples, largest_difference, start
from scripts.measuring.timing import interleave, median_interval, paired_ratio

P = TypeVar("P")
T = TypeVar("T")
LIBRARIES = {"PyTorch": "torch", "JAX": "jax", "scikit-learn": "scikit-learn", "MKL": "mkl"}


def tolerance(net: Net, iterations: int) -> float:
    """How far apart sides may be after these iterations, in units of an array's largest entry.

    An iteration rounds sums of at most k = max(n_0 .. n_L, m) products, each within ``PRODUCT_U k u`` of exact, and steps by
    less than the parameters' size; descent at a rate that converges does not make errors larger.
    """
    return PRODUCT_U * max(*net.layers_dims, net.m) * unit_roundoff(1.0) * iterations


def trainings(problem: P, sides: Mapping[str, Callable[[P], T]], names: Iterable[str]) -> tuple[dict[str, T], dict[str, str]]:
    """The sides that are installed, and why the others are missing."""
    there: dict[str, T] = {}
    skipped = {}
    for name in names:
        try:
            there[name] = sides[name](problem)
        except ImportError as error:
            skipped[name] = str(error)
    return there, skipped


def library_versions(sides: Collection[str]) -> dict[str, str]:
    """Of the libraries of these sides that are installed."""
    found = {}
    for name in [name for name in LIBRARIES if any(side.startswith(name) for side in sides)]:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(LIBRARIES[name])
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
        peers, skipped = trainings(Problem(X, Y, net.layers_dims, begin, threads), SIDES, names)
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


def rows(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A net's runs as a row of docs/figures/peers.json."""
    net = NETS[runs[-1]["net"]]
    about = {"net": runs[-1]["net"], "layers": net.layers_dims, "m": net.m, "iterations": net.iterations}
    return [about | {"algorithm": runs[-1]["algorithm"], "sides": better(runs)}]


def lines(runs: list[dict[str, Any]]) -> Iterator[str]:
    """The printed lines of a net's runs."""
    last = runs[-1]
    net, sides = NETS[last["net"]], better(runs)
    yield f"\n{net}: {net.iterations:,} iterations; fastbackprop takes {last['algorithm']} descent"
    yield from side_lines(runs, "side / fastbackprop [95 %]")
    peers = {side: figures for side, figures in sides.items() if side != "reference" and not side.startswith(OURS)}
    if peers:
        goal = TRAININGS[last["net"]].of_best_peer
        best = min(peers, key=lambda side: peers[side]["seconds"][0])
        yield f"  the best peer, {best}, takes {peers[best]['ratio'][0]:.2f} x as long{wanted(goal)}"
    yield f"  same parameters within {last['tolerance']:.1e} of each array's largest entry, after {last['after iterations']:,}"


def main(
    measure: Callable[[str, int, int, list[str]], dict[str, Any]],
    cases: Iterable[str],
    sides: Iterable[str],
    description: str | None,
) -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("case", choices=cases)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    parser.add_argument("--sides", nargs="*", choices=sides, required=True)
    options = parser.parse_args()
    json.dump(measure(options.case, options.threads, options.repeats, options.sides), sys.stdout)


if __name__ == "__main__":
    main(measure, NETS, SIDES, __doc__)
