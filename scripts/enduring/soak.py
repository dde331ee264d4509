"""Kills a training (-9) again and again while it saves; the file must always be a whole one from which the training resumes.

Each child trains by one of the algorithms and saves after every few iterations, so that it is writing most of the time.
After a kill this process resumes from the file, as a user would, for two iterations. In the end the parameters must have the
bits of an undisturbed training.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import fastbackprop as bp
from fastbackprop import checkpoint, looping, training

LAYERS, EXAMPLES, RATE = [300, 200, 1], 150, 0.01  # about half a megabyte to write
ALGORITHMS = ("direct", "gram")
ENDLESS = 10**9
CHILD_SECONDS = 20  # a child that is not killed ends by itself


class Soak:
    """A training of one algorithm, its file, and the counts so far."""

    def __init__(self, algorithm: str, folder: Path) -> None:
        rng = np.random.default_rng(0)
        self.X = rng.standard_normal((LAYERS[0], EXAMPLES))
        self.Y = (self.X[:1] > 0).astype(float)
        self.start = {
            "W1": rng.standard_normal((LAYERS[1], LAYERS[0])) * 0.1,
            "b1": np.zeros((LAYERS[1], 1)),
            "W2": rng.standard_normal((1, LAYERS[1])) * 0.1,
            "b2": np.zeros((1, 1)),
        }
        self.algorithm = algorithm
        self.file = folder / algorithm / "training.npz"
        self.file.parent.mkdir()
        self.iteration = self.torn = self.gained = 0

    def train(self, iterations: int, file: Path | None) -> dict[str, np.ndarray]:
        """The call that a user would make."""
        return bp.L_layer_model(
            self.X, self.Y, LAYERS, RATE, iterations, parameters=self.start, algorithm=self.algorithm, checkpoint=file
        )

    def kill_a_child(self, seconds: float) -> None:
        """Start a child that trains, and kill it after a delay."""
        child = os.fork()
        if child == 0:
            signal.alarm(CHILD_SECONDS)  # its default action ends the process
            try:
                checkpoint.SAVE_SECONDS, looping.SLICE_SECONDS = 0, 0.001
                self.train(ENDLESS, self.file)
            finally:
                os._exit(1)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            sys.exit(f"soak: a child ended by itself, status {status}")

    def resume(self) -> None:
        """Resume from the file for two iterations; a half-written file lies beside it under another name."""
        for path in self.file.parent.iterdir():
            if path != self.file:
                self.torn += path.stat().st_size > 0
                path.unlink()
        found = max(0, checkpoint.Checkpoint(self.file, ENDLESS, training.WORDS).saved)
        if found < self.iteration:
            sys.exit(f"soak: {self.file} went back from iteration {self.iteration} to {found}")
        self.gained += found > self.iteration
        self.iteration = found + 2
        self.train(self.iteration, self.file)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000, help="how often (default 1000)")
    parser.add_argument("--seed", type=int, help="of the moments (default: another each time)")
    parser.add_argument("--minutes", type=float, default=20, help="give up after MINUTES (default 20)")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    bp.set_num_threads(1)  # children are forked
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        soaks = [Soak(algorithm, Path(name)) for algorithm in ALGORITHMS]
        for soak in soaks:
            soak.train(1, None)  # machine code is there from now on
        begun = time.monotonic()
        for kill in range(options.kills):
            if time.monotonic() - begun > 60 * options.minutes:
                sys.exit(f"soak: {kill} of {options.kills} kills after {options.minutes:g} minutes")
            soak = soaks[kill % len(soaks)]
            soak.kill_a_child(moments.uniform(0.005, 0.06))
            soak.resume()
        for soak in soaks:
            expected, found = soak.train(soak.iteration, None), soak.train(soak.iteration, soak.file)
            for key, value in expected.items():
                if value.tobytes() != found[key].tobytes():
                    sys.exit(f"soak: {soak.algorithm}: {key} is not that of a training without a break")
            print(
                f"{soak.algorithm}: {soak.iteration} iterations, the same bits as without a break; "
                f"{soak.gained} children saved before they were killed, {soak.torn} were killed while they wrote"
            )
        print(f"{options.kills} kills in {time.monotonic() - begun:.0f} s, the file whole each time")


if __name__ == "__main__":
    main()
