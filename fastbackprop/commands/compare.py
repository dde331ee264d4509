"""``fastbackprop compare DATA``: the same training by the reference and by the fast functions, in turns in one process."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop import reference
from fastbackprop.algorithms import choose_algorithm
from fastbackprop.commands import options, print_json
from fastbackprop.commands.problem import Problem, prepare
from fastbackprop.data import read_examples
from fastbackprop.resources import free_memory

DESCRIPTION = (
    "Train the same net on the examples of a file by the reference, in NumPy, and by the fast functions, in turns in one "
    "process, and print the seconds of both and how far apart they end. Where the fast training takes gram descent, which is "
    "other mathematics for the same numbers, its direct descent is timed too."
)
TURNS = 3
SECONDS = 20.0  # that the reference may take in all turns, where the number of iterations is not said
MOST_ITERATIONS = 1000
REST_SECONDS = 0.12  # between sides: the threads of NumPy's BLAS wait busily for so long after a product
LAYERS = [20, 7, 5]

Train = Callable[[Problem, float, int], tuple[dict[str, np.ndarray], list[float]]]


def add_options(parser: argparse.ArgumentParser) -> None:
    options.add_data(parser)
    options.add_problem(parser, LAYERS)
    options.add_learning_rate(parser, 0.0075, "default: 0.0075")
    parser.add_argument(
        "--iterations",
        type=options.count,
        metavar="N",
        help=f"of each training, of which every side does {TURNS}. Default: as many as take the reference {SECONDS:.0f} s in "
        f"all, {MOST_ITERATIONS} at most",
    )
    options.add_json(parser)


@dataclass(frozen=True)
class Side:
    """One implementation: the median of its seconds, and beside the reference the ratio and the largest differences."""

    seconds: float
    ratio: float
    parameters_apart: float
    costs_apart: float


def compare(problem: Problem, learning_rate: float, iterations: int | None = None) -> tuple[dict[str, Side], int]:
    """Time the sides in turns; returns them by name, the reference first, and the number of iterations.

    Differences of parameters are absolute, those of costs relative; the ratio is the median over the turns.
    """
    trains = _sides(problem, iterations)
    each = {name: _seconds(train, problem, learning_rate, 2)[0] / 2 for name, train in trains.items()}  # and compiles
    if iterations is None:
        again = _seconds(trains["reference"], problem, learning_rate, 2)[0] / 2  # NumPy's first call is slow
        budget = int(SECONDS / TURNS / max(min(again, each["reference"]), 1e-9))
        iterations = max(1, min(MOST_ITERATIONS, budget))
    times: dict[str, list[float]] = {name: [] for name in trains}
    results = {}
    for _ in range(TURNS):
        for name, train in trains.items():
            time.sleep(REST_SECONDS)
            seconds, results[name] = _seconds(train, problem, learning_rate, iterations)
            times[name].append(seconds)
    sides, (parameters, costs) = {}, results["reference"]
    for name, (own, own_costs) in results.items():
        sides[name] = Side(
            statistics.median(times[name]),
            statistics.median(base / fast for base, fast in zip(times["reference"], times[name], strict=True)),
            max(float(np.abs(own[key] - value).max()) for key, value in parameters.items()),
            max(abs(fast - cost) / cost if cost else abs(fast) for fast, cost in zip(own_costs, costs, strict=True)),
        )
    return sides, iterations


def _sides(problem: Problem, iterations: int | None) -> dict[str, Train]:
    def by_reference(problem: Problem, rate: float, iterations: int) -> Any:
        with np.errstate(all="ignore"):
            return reference.L_layer_model(
                problem.X, problem.Y, problem.layers, rate, iterations, parameters=problem.start, return_costs=True
            )

    def by(algorithm: str) -> Train:
        return lambda problem, rate, iterations: fastbackprop.L_layer_model(
            problem.X,
            problem.Y,
            problem.layers,
            rate,
            iterations,
            parameters=problem.start,
            return_costs=True,
            algorithm=algorithm,
        )

    (n_0, m), size = problem.X.shape, problem.X.itemsize
    taken = choose_algorithm(n_0, problem.layers[1], m, iterations or MOST_ITERATIONS, size, free_memory())
    sides: dict[str, Train] = {"reference": by_reference, "fast": by("auto")}
    return sides | ({"fast, direct": by("direct")} if taken == "gram" else {})


def _seconds(train: Train, problem: Problem, learning_rate: float, iterations: int) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = train(problem, learning_rate, iterations)
    return time.perf_counter() - begun, result


def run(arguments: argparse.Namespace) -> None:
    """Compare as the options say."""
    examples = read_examples(arguments.data, options.wanted(arguments))
    problem = prepare(examples, arguments.layers, scale=arguments.scale, start=arguments.start, seed=arguments.seed)
    sides, iterations = compare(problem, arguments.learning_rate, arguments.iterations)
    if arguments.json:
        print_json(
            {
                "data": str(examples.path),
                "layers": problem.layers,
                "examples": problem.Y.size,
                "iterations": iterations,
                "turns": TURNS,
                "sides": {name: vars(side) for name, side in sides.items()},
            }
        )
        return
    print(f"{examples.path}: {problem.layers}, {problem.Y.size} examples, {iterations} iterations, the median of {TURNS} turns")
    for name, side in sides.items():
        print(
            f"{name:<13} {side.seconds:9.4f} s"
            + ("" if name == "reference" else f", {side.ratio:.1f} times as fast; largest differences: parameters ")
            + ("" if name == "reference" else f"{side.parameters_apart:.1e}, costs {side.costs_apart:.1e} relative")
        )
