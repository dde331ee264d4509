"""Trains the same nets with fastbackprop, the NumPy reference, PyTorch, JAX and scikit-learn, and compares.

All sides do the same work: the same start, float64; sides that compile do so before. They take turns in one process;
fastbackprop uses all cores, every other side the better of one thread and all, which takes a process each. At the end all
sides must have the same results.

peers: full-batch descent, the fused output gradient, a cost every hundredth iteration (the reference and scikit-learn take it
every time). fastbackprop's training is the whole call; of the others a slice of the iterations is measured, and scaled by
their number. Products of 32^3 to 2048^3 follow, in float64 and float32, beside NumPy's and MKL's, all with one thread and with
all cores.

batches: Adam by mini-batches, with the defaults of scikit-learn's MLPClassifier, on tables of examples. Fits are compared with
fits: ours and scikit-learn's draw start and orders themselves. Loops, those of PyTorch, JAX and the reference, are compared
with our loop, and are handed both. All are whole trainings. This topic needs scikit-learn, whose tables it takes.

A library that is missing is skipped; the extra "peers" names them all.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastbackprop.resources import usable_cores
from scripts import ROOT
from scripts.comparing import noise, one_net, one_table, products
from scripts.comparing.one_net import library_versions
from scripts.comparing.runs import apart_nets
from scripts.measuring import records
from scripts.measuring.fairness import OPENBLAS_OVERRIDES
from scripts.measuring.timing import FEWEST

# The modules that measure a net in a process of its own, and say what came of it; and the nets of each topic.
MODULES: dict[str, Any] = {
    **dict.fromkeys(one_net.NETS, one_net),
    **dict.fromkeys(one_table.NETS, one_table),
    products.NAME: products,
}
TOPICS = {"peers": [*one_net.NETS, products.NAME], "batches": [*one_table.NETS]}
SIDES = {"peers": [*one_net.SIDES], "batches": [*one_table.SIDES]}


def measure(net: str, threads: int, repeats: int, sides: list[str]) -> dict[str, Any]:
    """Measure in a separate process, since some libraries fix their threads when they start."""
    environment = {name: value for name, value in os.environ.items() if name not in OPENBLAS_OVERRIDES}
    environment["PJRT_NPROC"] = str(threads)
    command = [sys.executable, "-m", MODULES[net].__name__]
    if net != products.NAME:
        command += [net, "--sides", *sides]
    command += [f"--threads={threads}", f"--repeats={repeats}"]
    return json.loads(subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def apart(runs: list[dict[str, Any]]) -> list[str]:
    """Sentences about results that differ."""
    of_products = [run for run in runs if run["net"] == products.NAME]
    return apart_nets([run for run in runs if run["net"] != products.NAME]) + products.apart(of_products)


def lines(runs: list[dict[str, Any]]) -> Iterator[str]:
    """The printed lines of a net's runs."""
    return MODULES[runs[-1]["net"]].lines(runs)


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/compare-peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = [f"of {topic} {', '.join(nets)}" for topic, nets in TOPICS.items()]
    parser.add_argument("topic", nargs="?", choices=TOPICS, default="peers", help="peers when left out")
    parser.add_argument("--nets", nargs="+", metavar="NET", help=f"all when left out; {'; '.join(known)}")
    parser.add_argument("--sides", nargs="+", metavar="SIDE", help="of the nets; all when left out")
    parser.add_argument("--repeats", type=int, default=FEWEST, metavar="N", help="how many turns the sides take")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures as JSON")
    parser.add_argument(
        "--figures",
        action="store_true",
        help="write docs/figures/TOPIC.json, and gemm.json of products, of which scripts/figures draws",
    )
    options = parser.parse_args(arguments)
    for name, there in (("nets", TOPICS[options.topic]), ("sides", SIDES[options.topic])):
        asked = getattr(options, name) or there
        if unknown := [each for each in asked if each not in there]:
            parser.error(f"--{name}: unknown {', '.join(unknown)}; known of {options.topic} are {', '.join(there)}")
        setattr(options, name, asked)
    return options


def require(topic: str) -> None:
    """SystemExit where a topic lacks what it cannot do without."""
    if topic == "batches" and importlib.util.find_spec("sklearn") is None:
        raise SystemExit('scripts/compare-peers: batches takes the tables of scikit-learn: pip install ".[peers]", or it alone')


def main() -> int:
    options = parsed()
    require(options.topic)
    command = (
        "scripts/compare-peers --figures" if options.topic == "peers" else f"scripts/compare-peers {options.topic} --figures"
    )
    measured: dict[str, tuple[records.Measurement, list[dict[str, Any]]]] = {}
    all_runs: list[dict[str, Any]] = []
    for net in options.nets:
        topic = products.TOPIC if net == products.NAME else options.topic
        if topic not in measured:
            measured[topic] = records.Measurement(topic, command), []
        threads = sorted({1, usable_cores()})
        runs = [measure(net, n, options.repeats, options.sides) for n in threads]
        if not all_runs:
            print(*runs[0]["machine"], sep="\n")
        print(*lines(runs), sep="\n", flush=True)
        all_runs += runs
        measured[topic][1].extend(MODULES[net].rows(runs))
        if options.json:
            options.json.write_text(json.dumps(all_runs, indent=1))
    if options.figures:
        for measurement, rows in measured.values():
            sides = {side for row in rows for side in row["sides"]}
            print(f"\nwritten: {measurement.write(rows, library_versions(sides))}")
    wrong = apart(all_runs)
    print("\n" + noise.verdict(all_runs))
    print("all sides have the same results" if not wrong else "results differ: " + "; ".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
