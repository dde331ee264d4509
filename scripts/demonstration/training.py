"""Trainings of one problem by the reference and by fastbackprop, in turns, and how far apart they end."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

import fastbackprop
from fastbackprop import reference
from scripts.demonstration.data import Problem
from scripts.measuring.nets import LEARNING_RATE, start
from scripts.measuring.sides import rest
from scripts.measuring.timing import FEWEST, interleave, paired_ratio


class Side:
    """One implementation's training of a problem; ``turns`` are the numbers of iterations of its turns.

    A turn resumes where the last one ended, and starts again where that completed the training.
    """

    def __init__(self, problem: Problem, train: Callable, turns: list[int]) -> None:
        self.problem, self._train, self.turns = problem, train, turns
        self.turns_left = iter(turns)
        self._begin()

    def _begin(self) -> None:
        self.parameters = start(self.problem.layers_dims)
        self.costs: list[float] = []
        self.iterations_left = self.problem.num_iterations

    def train(self, num_iterations: int):
        X, Y, layers_dims = self.problem.X, self.problem.Y, self.problem.layers_dims
        return self._train(X, Y, layers_dims, LEARNING_RATE, num_iterations, parameters=self.parameters, return_costs=True)

    def turn(self) -> None:
        if not self.iterations_left:
            self._begin()
        num_iterations = next(self.turns_left)
        self.parameters, costs = self.train(num_iterations)
        self.costs += costs
        self.iterations_left -= num_iterations

    @property
    def scaled(self) -> str:
        """What to say beside its seconds, where no turn was a whole training."""
        return "" if self.turns[0] == self.problem.num_iterations else ", scaled from slices"

    def warm_up(self) -> float:
        """Seconds of a first turn that is not counted: it compiles, or loads what was compiled."""
        before = time.perf_counter()
        self.train(self.turns[0])
        return time.perf_counter() - before

    def finish(self, seconds: list[float]) -> None:
        """Take the times of all turns, and test the trained net."""
        whole = self.problem.num_iterations
        self.seconds_of_whole = [s * whole / n for s, n in zip(seconds, self.turns, strict=True)]
        self.seconds = statistics.median(self.seconds_of_whole)
        AL, _ = reference.L_model_forward(self.problem.X_held_out, self.parameters)
        self.accuracy = float(np.mean((AL > 0.5) == self.problem.Y_held_out))


def sides_of(problem: Problem) -> dict[str, Side]:
    """The reference and the direct descent run once, a slice each turn; a fast training is short and runs whole."""
    whole = [problem.num_iterations] * FEWEST
    # Slices of whole hundreds, so that costs fall on the same iterations as in one piece.
    slices = [100 * len(part) for part in np.array_split(np.arange(problem.num_iterations // 100), FEWEST)]
    sides = {
        "reference": Side(problem, reference.L_layer_model, slices),
        "fast": Side(problem, fastbackprop.L_layer_model, whole),
    }
    n_0, m = problem.X.shape
    if m < 2 * n_0:  # gram descent pays there: beside the gain by mathematics, show that of the kernels alone
        direct = partial(fastbackprop.L_layer_model, algorithm="direct")
        sides["fast, direct"] = Side(problem, direct, slices)
    return sides


def compare(problem: Problem) -> dict[str, Side]:
    """Train all sides, in turns, and print the results."""
    m, dtype = problem.X.shape[1], problem.X.dtype
    print(f"\n{problem.name}: {problem.layers_dims}, m = {m}, {dtype}, {problem.num_iterations} iterations", flush=True)
    sides = sides_of(problem)
    print("  a first turn of each side, which compiles or loads what was compiled ...", flush=True)
    first = {name: side.warm_up() for name, side in sides.items()}
    print(f"  the first fast training took {first['fast']:.2f} s, with compiling or loading what was compiled")
    # A fast training takes next to nothing, and its first turn may have compiled.
    print(
        f"  {FEWEST} turns of {', '.join(sides)} follow, about {FEWEST * (first['reference'] + 1):.0f} s:", end="", flush=True
    )
    times = interleave({name: side.turn for name, side in sides.items()}, FEWEST, rest=rest(), ended=_tick)
    print()
    base = sides["reference"]
    for name, side in sides.items():
        side.finish(times[name])
        print(
            f"  {name:<12} {side.seconds:8.3f} s{side.scaled}   cost {side.costs[0]:.6f} -> {side.costs[-1]:.6f}   "
            f"right on {side.accuracy:.1%} of {problem.Y_held_out.size} held-out examples"
        )
        if side is not base:
            ratio = paired_ratio(base.seconds_of_whole, side.seconds_of_whole)
            apart = f"parameters {parameter_difference(side, base):.1e}, costs {cost_difference(side, base):.1e} relative"
            print(f"  {'':<12} reference / {name}: {ratio}; largest differences: {apart}", flush=True)
    return sides


def _tick(turns: int) -> None:
    print(f" {turns}", end="", flush=True)


def parameter_difference(side: Side, base: Side) -> float:
    return max(float(np.abs(side.parameters[key] - value).max()) for key, value in base.parameters.items())


def cost_difference(side: Side, base: Side) -> float:
    """The largest one, relative."""
    costs = np.array(base.costs)
    return float((np.abs(side.costs - costs) / costs).max())
