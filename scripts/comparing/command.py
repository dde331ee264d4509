"""Trains the same nets with fastbackprop, the NumPy reference, PyTorch, JAX and scikit-learn, and compares.

All sides do the same work: the same start, float64; sides that compile do so before. They take turns in one process;
fastbackprop uses all cores, every other side the better of one thread and all, which takes a process each. At the end all
sides must have the same parameters.

peers: full-batch descent, the fused output gradient, a cost every hundredth iteration (the reference and scikit-learn take it
every time). fastbackprop's training is the whole call; of the others a slice of the iterations is measured, and scaled by
their number.

batches: Adam by mini-batches, with the defaults of scikit-learn's MLPClassifier, on tables of examples. Fits are compared with
fits: ours and scikit-learn's draw start and orders themselves. Loops, those of PyTorch, JAX and the reference, are compared
with our loop, and are handed both. All are whole trainings. This topic needs scikit-learn, whose tables it takes.

A library that is missing is skipped; the extra "peers" names them all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from fastbackprop.resources import usable_cores
from scripts import ROOT
from scripts.comparing import one_net, one_table
from scripts.comparing.one_net import library_versions
from scripts.comparing.runs import apart
from scripts.measuring import records
from scripts.measuring.fairness import OPENBLAS_OVERRIDES
from scripts.measuring.timing import FEWEST

# Each topic's module, which measures one case in a process of its own: what it measures, and what it says of the runs.
TOPICS: dict[str, Any] = {"peers": one_net, "batches": one_table}


def measure(topic: str, case: str, threads: int, repeats: int, sides: list[str]) -> dict[str, Any]:
    """Measure in a separate process, since some libraries fix their threads when they start."""
    environment = {name: value for name, value in os.environ.items() if name not in OPENBLAS_OVERRIDES}
    environment["PJRT_NPROC"] = str(threads)
    command = [sys.executable, "-m", TOPICS[topic].__name__, case]
    command += [f"--threads={threads}", f"--repeats={repeats}", "--sides", *sides]
    return json.loads(subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout)


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/compare-peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = {topic: f"of {topic} {', '.join(module.NETS)}" for topic, module in TOPICS.items()}
    parser.add_argument("topic", nargs="?", choices=TOPICS, default="peers", help="peers when left out")
    parser.add_argument("--nets", nargs="+", metavar="NET", help=f"all when left out; {'; '.join(known.values())}")
    parser.add_argument("--sides", nargs="+", metavar="SIDE", help="other libraries; all when left out")
    parser.add_argument("--repeats", type=int, default=FEWEST, metavar="N", help="how many turns the sides take")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures as JSON")
    parser.add_argument("--figures", action="store_true", help="write docs/figures/TOPIC.json, of which scripts/figures draws")
    options = parser.parse_args(arguments)
    for name, there in (("nets", TOPICS[options.topic].NETS), ("sides", TOPICS[options.topic].SIDES)):
        asked = getattr(options, name) or list(there)
        if unknown := [each for each in asked if each not in there]:
            parser.error(f"--{name}: unknown {', '.join(unknown)}; known of {options.topic} are {', '.join(there)}")
        setattr(options, name, asked)
    return options


def main() -> int:
    options = parsed()
    topic = TOPICS[options.topic]
    command = (
        "scripts/compare-peers --figures" if options.topic == "peers" else f"scripts/compare-peers {options.topic} --figures"
    )
    measurement, rows = records.Measurement(options.topic, command), []
    all_runs: list[dict[str, Any]] = []
    for net in options.nets:
        threads = sorted({1, usable_cores()})
        runs = [measure(options.topic, net, n, options.repeats, options.sides) for n in threads]
        if not all_runs:
            print(*runs[0]["machine"], sep="\n")
        print(*topic.lines(runs), sep="\n", flush=True)
        all_runs += runs
        rows.append(topic.row(runs))
        if options.json:
            options.json.write_text(json.dumps(all_runs, indent=1))
    if options.figures:
        print(f"\nwritten: {measurement.write(rows, library_versions())}")
    wrong = apart(all_runs)
    print("\nall sides have the same parameters" if not wrong else "\nparameters differ: " + "; ".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
