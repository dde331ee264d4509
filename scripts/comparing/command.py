"""Trains the same nets with fastbackprop, the NumPy reference, PyTorch, JAX and scikit-learn, and compares.

All sides do the same work: the same start, float64, the fused output gradient, a cost every hundredth iteration (the
reference and scikit-learn take it every time); sides that compile do so before. They take turns in one process; fastbackprop
uses all cores, every other side the better of one thread and all, which takes a process each. fastbackprop's training is
the whole call; of the others a slice of the iterations is measured, and scaled by their number. At the end all sides must
have the same parameters.

Products of 32^3 to 2048^3 follow, in float64 and float32, beside NumPy's and MKL's, all with one thread and with all cores.

A library that is missing is skipped; the extra "peers" names them all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastbackprop.resources import usable_cores
from scripts import ROOT
from scripts.comparing import noise, one_net, products
from scripts.comparing.libraries import SIDES
from scripts.comparing.one_net import OURS, library_versions
from scripts.measuring import records
from scripts.measuring.fairness import OPENBLAS_OVERRIDES
from scripts.measuring.goals import TRAININGS, wanted
from scripts.measuring.nets import NETS
from scripts.measuring.timing import FEWEST

WORK = [*NETS, products.NAME]


def measure(net: str, threads: int, repeats: int, sides: list[str]) -> dict[str, Any]:
    """Measure in a separate process, since some libraries fix their threads when they start."""
    environment = {name: value for name, value in os.environ.items() if name not in OPENBLAS_OVERRIDES}
    environment["PJRT_NPROC"] = str(threads)
    command = [sys.executable, "-m", one_net.__name__, net, "--sides", *sides]
    if net == products.NAME:
        command = [sys.executable, "-m", products.__name__]
    command += [f"--threads={threads}", f"--repeats={repeats}"]
    return json.loads(subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def better(runs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each side's figures from the run in which it was faster, with that run's threads; fastbackprop's from the last."""
    sides = {}
    for side in runs[-1]["sides"]:
        candidates = [{**run["sides"][side], "threads": run["threads"]} for run in runs]
        sides[side] = candidates[-1] if side.startswith(OURS) else min(candidates, key=lambda figures: figures["seconds"][0])
    return sides


def row(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A net's runs as a row of docs/figures/peers.json."""
    net = NETS[runs[-1]["net"]]
    return {
        "net": runs[-1]["net"],
        "layers": net.layers_dims,
        "m": net.m,
        "iterations": net.iterations,
        "algorithm": runs[-1]["algorithm"],
        "sides": better(runs),
    }


def apart(runs: list[dict[str, Any]]) -> list[str]:
    """Sentences about results that differ."""
    nets = [run for run in runs if run["net"] != products.NAME]
    return [
        f"{run['net']}: {side}, {run['threads']} threads: {difference:.1e}"
        for run in nets
        for side, difference in run["differences"].items()
        if not difference <= run["tolerance"]
    ] + products.apart([run for run in runs if run["net"] == products.NAME])


def lines(runs: list[dict[str, Any]]) -> Iterator[str]:
    """The printed lines of a net's runs."""
    last = runs[-1]
    if last["net"] == products.NAME:
        yield from products.lines(runs)
        return
    net, sides = NETS[last["net"]], better(runs)
    yield f"\n{net}: {net.iterations:,} iterations; fastbackprop takes {last['algorithm']} descent"
    yield f"  {'side':<20} {'threads':>7} {'ms':>12}   side / fastbackprop [95 %]   largest difference"
    for side, figures in sides.items():
        low_high = "[{:.2f}, {:.2f}]".format(*figures["ratio"][1:])
        ratio = "" if side == OURS else f"{figures['ratio'][0]:.2f} {low_high}"
        difference = max(run["differences"].get(side, 0.0) for run in runs)
        yield (
            f"  {side:<20} {figures['threads']:>7} {1e3 * figures['seconds'][0]:>12,.2f}   {ratio:<28} "
            + ("" if side == OURS else f"{difference:.1e}")
        )
    for side, reason in last["skipped"].items():
        yield f"  {side:<20} skipped: {reason}"
    peers = {side: figures for side, figures in sides.items() if side != "reference" and not side.startswith(OURS)}
    if peers:
        goal = TRAININGS[last["net"]].of_best_peer
        best = min(peers, key=lambda side: peers[side]["seconds"][0])
        yield f"  the best peer, {best}, takes {peers[best]['ratio'][0]:.2f} x as long{wanted(goal)}"
    yield f"  same parameters within {last['tolerance']:.1e} of each array's largest entry, after {last['after iterations']:,}"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/compare-peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nets", nargs="+", choices=WORK, default=WORK, help="all when left out")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES), help="of the nets; all when left out")
    parser.add_argument("--repeats", type=int, default=FEWEST, metavar="N", help="how many turns the sides take")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures as JSON")
    parser.add_argument("--figures", action="store_true", help="write docs/figures/peers.json, of which scripts/figures draws")
    options = parser.parse_args()
    measurement, rows = records.Measurement("peers", "scripts/compare-peers --figures"), []
    all_runs: list[dict[str, Any]] = []
    for net in options.nets:
        threads = sorted({1, usable_cores()})
        runs = [measure(net, n, options.repeats, options.sides) for n in threads]
        if not all_runs:
            print(*runs[0]["machine"], sep="\n")
        print(*lines(runs), sep="\n", flush=True)
        all_runs += runs
        if net != products.NAME:
            rows.append(row(runs))
        if options.json:
            options.json.write_text(json.dumps(all_runs, indent=1))
    if options.figures:
        print(f"\nwritten: {measurement.write(rows, library_versions())}")
    wrong = apart(all_runs)
    print("\n" + noise.verdict(all_runs))
    print("all sides have the same results" if not wrong else "results differ: " + "; ".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
