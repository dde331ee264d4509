"""Trains one net on one table by mini-batches by all sides in turns, in this process, and prints the result as JSON."""

from __future__ import annotations

from typing import Any

from threadpoolctl import threadpool_limits

from fastbackprop.resources import usable_cores
from fastbackprop.team import num_threads
from fastbackprop.testing import TRAINING_RTOL
from scripts.comparing.batch_libraries import BESIDE, OWN, SIDES
from scripts.comparing.one_net import main, trainings
from scripts.comparing.tables import CASES, problem
from scripts.measuring.machine import facts
from scripts.measuring.nets import largest_difference
from scripts.measuring.sides import rest
from scripts.measuring.timing import interleave, median_interval, paired_ratio


def measure(name: str, threads: int, repeats: int, names: list[str]) -> dict[str, Any]:
    """Peers with ``threads`` threads each, fastbackprop with all: seconds of a whole training, ratios, differences."""
    case = CASES[name]
    with num_threads(usable_cores()), threadpool_limits(limits=threads, user_api="blas"):
        there, skipped = trainings(problem(case, threads), OWN | SIDES, [*OWN, *names])
        for side in [side for side in there if BESIDE[side] not in there]:
            skipped[side] = f"{BESIDE[side]}, beside which it stands: {skipped[BESIDE[side]]}"
            del there[side]
        for training in there.values():
            training()  # compiles
        seconds = interleave(there, repeats, rest=rest())
        final = {side: training.parameters() for side, training in there.items()}
    return {
        "machine": facts(),
        "case": name,
        "threads": threads,
        "sides": {
            side: {"seconds": median_interval(times), "ratio": paired_ratio(times, seconds[BESIDE[side]])}
            for side, times in seconds.items()
        },
        "skipped": skipped,
        "differences": {side: largest_difference(p, final[BESIDE[side]]) for side, p in final.items() if BESIDE[side] != side},
        "tolerance": TRAINING_RTOL,
    }


if __name__ == "__main__":
    main(measure, CASES, SIDES, __doc__)
