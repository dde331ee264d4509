"""What each rank does for scripts/bench-ranks: rank 0 prints a row of JSON for each measurement."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop.extras import mpi
from fastbackprop.extras.mpi.ranks import MPI, Ranks
from fastbackprop.extras.mpi.reading import part_of
from fastbackprop.resources import usable_cores
from scripts.measuring.nets import LEARNING_RATE, NETS, Net, examples, start
from scripts.measuring.timing import Estimate, median_interval

WORLD = MPI.COMM_WORLD
RANK, SIZE = WORLD.Get_rank(), WORLD.Get_size()
# The nets whose examples are spread, with the iterations that are timed, and the one whose features are.
SPREAD = {
    "million": (NETS["million"], 6),
    "thousands": (Net((30, 16, 8, 1), 10_000, 10_000, 100), 300),
    "digits": (NETS["digits"], 40),
    "planar": (NETS["planar"], 2_000),
}
WIDE = NETS["pictures"]
NUMBERS = (43, 643, 8_195, 108_803, 1_000_000)  # that are summed
LATENCIES = (1e-4, 1e-3, 1e-2)  # that are put in, of 2 ranks
LATE_SECONDS = 1.0  # of an iteration's measurement with a latency
WARM = 2  # iterations of the shorter of two calls, whose difference is timed


class Late:
    """A request that is complete some seconds after it really is."""

    def __init__(self, request: Any, seconds: float) -> None:
        self.request, self.seconds, self.due = request, seconds, 0.0

    def Test(self) -> bool:
        if not self.due:
            if not self.request.Test():
                return False
            self.due = time.perf_counter() + self.seconds
        return time.perf_counter() >= self.due


class LateComm:
    """A communicator whose sums take so many seconds longer in each step."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __getattr__(self, name: str) -> Any:
        method = getattr(WORLD, name)
        if name not in ("Iallgather", "Ialltoall", "Iallgatherv"):
            return method
        return lambda *buffers: Late(method(*buffers), self.seconds)


def emit(row: dict[str, Any]) -> None:
    if RANK == 0:
        print(json.dumps(row), flush=True)


def timed(call: Callable[[], object]) -> float:
    WORLD.Barrier()
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def an_iteration(train: Callable[[int], object], iterations: int, repeats: int) -> Estimate:
    """Seconds, of the difference between a call of many iterations and one of few."""
    train(WARM)
    several = [timed(lambda: train(WARM + iterations)) - timed(lambda: train(WARM)) for _ in range(repeats)]
    return median_interval(seconds / iterations for seconds in several)


def reductions(repeats: int) -> None:
    """The sums of this package, and of MPI's Allreduce."""
    ranks = Ranks()
    for n in NUMBERS:
        numbers, result = np.zeros(n), np.empty(n)
        calls = max(4, min(400, 2_000_000 // n))

        def ours(numbers: np.ndarray = numbers, calls: int = calls) -> None:
            for _ in range(calls):
                ranks.total(numbers)

        def theirs(numbers: np.ndarray = numbers, result: np.ndarray = result, calls: int = calls) -> None:
            for _ in range(calls):
                WORLD.Allreduce(numbers, result)

        ours()
        sums = [timed(ours) / calls for _ in range(repeats)]
        # Its waits keep a core from other ranks: not where ranks are more than cores.
        allreduce = [timed(theirs) / calls for _ in range(repeats)] if usable_cores() >= SIZE else None
        of_mpi = None if allreduce is None else median_interval(allreduce)
        emit({"kind": "sum", "ranks": SIZE, "numbers": n, "seconds": median_interval(sums), "Allreduce": of_mpi})


def iterations_of(name: str, repeats: int) -> None:
    """An iteration by examples, without and with latencies; on one rank also by one process with as many threads as cores."""
    net, iterations = SPREAD[name]
    X, Y = examples(net)
    begin, end = part_of(net.m, RANK, SIZE)
    X, Y = np.ascontiguousarray(X[:, begin:end]), Y[:, begin:end]
    layers, parameters = net.layers_dims, start(net.layers_dims)
    row = {"kind": "iteration", "layers": list(layers), "m": net.m, "ranks": SIZE, "latency": 0.0, "threads": 1}

    def alone(count: int) -> object:
        options: dict[str, Any] = {"parameters": parameters, "algorithm": "direct"}
        return fastbackprop.L_layer_model(X, Y, layers, LEARNING_RATE, count, **options)

    if SIZE == 1:
        threads = usable_cores()
        with fastbackprop.num_threads(threads):
            seconds = an_iteration(alone, iterations, repeats)
        emit(row | {"kind": "one process", "threads": threads, "seconds": seconds})
    for latency in (0.0, *LATENCIES) if SIZE == 2 else (0.0,):
        comm = LateComm(latency) if latency else WORLD

        def spread(count: int, comm: Any = comm) -> object:
            return mpi.L_layer_model(X, Y, layers, LEARNING_RATE, count, parameters=parameters, comm=comm)

        count = iterations if not latency else max(2, min(iterations, round(LATE_SECONDS / repeats / latency)))
        emit(row | {"latency": latency, "seconds": an_iteration(spread, count, repeats)})


def features(repeats: int) -> None:
    """A whole training of the wide net, and what of it its iterations take."""
    X, Y = examples(WIDE)
    begin, end = part_of(len(X), RANK, SIZE)
    X, layers, parameters = np.ascontiguousarray(X[begin:end]), WIDE.layers_dims, start(WIDE.layers_dims)
    row = {
        "kind": "features",
        "layers": list(layers),
        "m": WIDE.m,
        "iterations": WIDE.iterations,
        "ranks": SIZE,
        "latency": 0.0,
    }

    def whole(train: Callable[[int], object]) -> dict[str, Any]:
        train(WARM)
        first = [timed(lambda: train(1)) for _ in range(repeats)]
        every = [timed(lambda: train(WIDE.iterations)) for _ in range(repeats)]
        return {"first": median_interval(first), "seconds": median_interval(every)}

    def alone(count: int) -> object:
        return fastbackprop.L_layer_model(X, Y, layers, LEARNING_RATE, count, parameters=parameters, algorithm="gram")

    if SIZE == 1:
        threads = usable_cores()
        with fastbackprop.num_threads(threads):
            emit(row | {"kind": "features, one process", "latency": 0.0, "threads": threads} | whole(alone))
    for latency in (0.0, *LATENCIES) if SIZE == 2 else (0.0,):
        comm = LateComm(latency) if latency else WORLD

        def spread(count: int, comm: Any = comm) -> object:
            options: dict[str, Any] = {"parameters": parameters, "split": "features", "comm": comm}
            return mpi.L_layer_model(X, Y, layers, LEARNING_RATE, count, **options)

        emit(row | {"latency": latency, "threads": 1} | whole(spread))


if __name__ == "__main__":
    times = int(sys.argv[1])
    fastbackprop.set_num_threads(1)
    if SIZE > 1:
        reductions(times)
    for each in SPREAD:
        iterations_of(each, times)
    features(times)
