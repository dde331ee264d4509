"""Trains the same nets with the NumPy reference and with fastbackprop, and compares seconds and numbers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fastbackprop.resources import usable_cores
from fastbackprop.team import get_num_threads
from scripts.demonstration.data import FolderError, generated_pictures, real_pictures, table
from scripts.demonstration.load import load_average, warning
from scripts.demonstration.plot import draw_cost_curves
from scripts.demonstration.training import compare, cost_difference
from scripts.measuring.machine import facts
from scripts.measuring.timing import FEWEST

# Both sides round differently, and training amplifies it; costs further apart than this are a defect.
AGREEMENT = 1e-9


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="train on the pictures in this folder instead of generated ones: *.h5 files that hold train_set_x, "
        "train_set_y, test_set_x and test_set_y",
    )
    folder = parser.parse_args().folder
    try:
        pictures = generated_pictures() if folder is None else real_pictures(folder)
    except FolderError as error:
        print(f"scripts/demo: {error}", file=sys.stderr)
        return 2

    print(
        "Trains two nets from the same start, each with the NumPy reference and with fastbackprop; compares seconds, numbers."
    )
    print("It takes about half a minute where nothing else runs, the first time as long again, to compile.", flush=True)
    cores = usable_cores()
    beware = warning(load_average(), 0, cores)
    print(*facts(), sep="\n")
    print(f"Seconds are medians of {FEWEST} turns that the sides take one after the other; ratios have 95 % intervals.")
    print("Where a turn trains a slice of the iterations, its seconds are scaled from slices to the whole training.")
    if beware:
        print(beware, flush=True)
    compared = [compare(problem) for problem in (table(), pictures)]
    if beware := beware or warning(load_average(), get_num_threads(), cores):
        print(f"\n{beware}")
    print(f"\ncost curves drawn in {draw_cost_curves(compared)}")

    apart = [
        f"{name} on {side.problem.name}"
        for sides in compared
        for name, side in sides.items()
        if not cost_difference(side, sides["reference"]) <= AGREEMENT
    ]
    if apart:
        print(f"scripts/demo: costs differ by more than {AGREEMENT} relative: {'; '.join(apart)}", file=sys.stderr)
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
