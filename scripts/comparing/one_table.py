"""Trains one net on one table by mini-batches by all sides in turns, in this process, and prints the result as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from threadpoolctl import threadpool_limits

from fastbackprop.resources import usable_cores
from fastbackprop.team import num_threads
from fastbackprop.testing import TRAINING_RTOL
from scripts.comparing.batch_libraries import BESIDE, OWN, SIDES
from scripts.comparing.one_net import main, trainings
from scripts.comparing.runs import better, side_lines
from scripts.comparing.tables import NETS, Case, problem
from scripts.measuring.goals import BATCHES_OF_JAX, BATCHES_OF_TORCH, FITS, WEIGHTS_OF_JAX, wanted
from scripts.measuring.machine import facts
from scripts.measuring.nets import largest_difference
from scripts.measuring.sides import rest
from scripts.measuring.timing import interleave, median_interval, paired_ratio


def measure(name: str, threads: int, repeats: int, names: list[str]) -> dict[str, Any]:
    """Peers with ``threads`` threads each, fastbackprop with all: seconds of a whole training, ratios, differences."""
    case = NETS[name]
    with num_threads(usable_cores()), threadpool_limits(limits=threads, user_api="blas"):
        there, skipped = trainings(problem(case, threads), OWN | SIDES, [*OWN, *names])
        for side in [side for side in there if BESIDE[side] not in there]:
            skipped[side] = f"it stands beside {BESIDE[side]}, which is missing: {skipped[BESIDE[side]]}"
            del there[side]
        for training in there.values():
            training()  # compiles
        seconds = interleave(there, repeats, rest=rest())
        final = {side: training.parameters() for side, training in there.items()}
    return {
        "machine": facts(),
        "net": name,
        "threads": threads,
        "sides": {
            side: {"seconds": median_interval(times), "ratio": paired_ratio(times, seconds[BESIDE[side]])}
            for side, times in seconds.items()
        },
        "skipped": skipped,
        "differences": {side: largest_difference(p, final[BESIDE[side]]) for side, p in final.items() if BESIDE[side] != side},
        "tolerance": TRAINING_RTOL,
    }


def rows(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A net's runs as a row of docs/figures/batches.json."""
    case = NETS[runs[-1]["net"]]
    about = {"net": runs[-1]["net"], "layers": case.layers_dims, "m": case.table.m, "epochs": case.table.epochs}
    return [about | {"batches": case.batches, "sides": better(runs)}]


def wanted_of(case: Case) -> dict[str, str]:
    """The goals of the sides that have one."""
    jax = BATCHES_OF_JAX if case.weights < WEIGHTS_OF_JAX else None
    goals = {"scikit-learn": FITS.get((case.name, case.hidden)), "JAX jit + scan": jax, "PyTorch compiled": BATCHES_OF_TORCH}
    return {side: wanted(goal) for side, goal in goals.items()}


def lines(runs: list[dict[str, Any]]) -> Iterator[str]:
    """The printed lines of a net's runs."""
    case = NETS[runs[-1]["net"]]
    yield f"\n{case}: {case.batches:,} batches"
    yield from side_lines(runs, "side / ours [95 %]", wanted_of(case))
    yield f"  same parameters within {runs[-1]['tolerance']:.1e} of each array's largest entry"


if __name__ == "__main__":
    main(measure, NETS, SIDES, __doc__)
