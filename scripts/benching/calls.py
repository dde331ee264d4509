"""A call's cost beyond its kernel, and the start of a new process: the import, and the first calls with a warm disk cache."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import fastbackprop
from fastbackprop import reference
from fastbackprop.activations import LINEAR, RELU, SIGMOID, Activation
from fastbackprop.kernels import cost, elementwise, layer
from fastbackprop.team import ALONE, NOBODY, num_threads
from fastbackprop.testing import CASES, Size
from scripts.measuring import goals
from scripts.measuring.timing import FEWEST, interleave, paired_difference

SHAPES = {"1 x 1, m = 1": Size((1, 1), 1), "4 x 2, m = 400": Size((2, 4), 400)}
NET = Size((2, 4, 4, 1), 1)
REPEATS, AT_LEAST = 31, 0.002

LAYER = """
from fastbackprop import linear_activation_forward
import numpy as np
A, W, b = np.ones((2, 4)), np.ones((3, 2)), np.ones((3, 1))
"""
TRAINING = """
from fastbackprop import L_layer_model
import numpy as np
X = np.random.default_rng(0).standard_normal((2, 400))
"""
# The code that runs before the clock starts, and the code that is timed.
STARTS = {
    "import numpy, numba": ("", "import numpy, numba"),
    "import fastbackprop": ("", "import fastbackprop"),
    "first layer": (LAYER, "linear_activation_forward(A, W, b, 'relu')"),
    "first training": (TRAINING, "L_layer_model(X, X[:1] > 0, [2, 4, 1], num_iterations=1)"),
}


class Sides(NamedTuple):
    """A public function, the kernels that do its work on existing arrays, and the reference's function.

    ``result`` is the array in which the kernels leave the function's first result.
    """

    function: Callable[[], Any]
    kernel: Callable[[], object]
    reference: Callable[[], Any]
    result: np.ndarray
    layers: int = 1


class Kernel(NamedTuple):
    """A call of a kernel, and the array in which it leaves the first result."""

    call: Callable[[], object]
    result: np.ndarray


def _sides(name: str, arguments: tuple[Any, ...], kernel: Kernel, layers: int = 1) -> Sides:
    ours, theirs = (partial(getattr(module, name), *arguments) for module in (fastbackprop, reference))
    return Sides(ours, kernel.call, theirs, kernel.result, layers)


def _forward(A_prev: Any, W: Any, b: Any, g: Activation) -> Kernel:
    Z = np.empty((W.shape[0], A_prev.shape[1]))
    A = Z if g is LINEAR else np.empty(Z.shape)
    return Kernel(partial(layer.layer_forward["d"], A_prev, W, b, Z, A, g.at["d"], ALONE, NOBODY), A)


def _backward(dA: Any, Z: Any, A_prev: Any, W: Any, g: Activation) -> Kernel:
    dA_prev, dW, db = np.empty(A_prev.shape), np.empty(W.shape), np.empty((W.shape[0], 1))
    return Kernel(
        partial(layer.layer_backward["d"], dA, Z, A_prev, W, dA_prev, dW, db, g.gradient_at["d"], ALONE, NOBODY), dA_prev
    )


def _one_after_the_other(steps: list[Callable[[], object]]) -> None:
    for step in steps:
        step()


def calls() -> Iterator[tuple[str, Sides]]:
    """The measured calls, by name."""
    for shape, size in SHAPES.items():
        A, W, b = CASES["linear_forward"].make(size, "d")
        dA, (_, Z), _ = CASES["linear_activation_backward"].make(size, "d")
        result = np.empty(Z.shape)
        kernel = Kernel(partial(elementwise.activation_forward["d"], Z, result, SIGMOID.at["d"], ALONE, NOBODY), result)
        yield f"sigmoid, {shape}", _sides("sigmoid", (Z,), kernel)
        yield f"linear_forward, {shape}", _sides("linear_forward", (A, W, b), _forward(A, W, b, LINEAR))
        name = "linear_activation_forward"
        yield f"{name}, {shape}", _sides(name, (A, W, b, "relu"), _forward(A, W, b, RELU))
        name = "linear_activation_backward"
        yield f"{name}, {shape}", _sides(name, (dA, ((A, W, b), Z), "relu"), _backward(dA, Z, A, W, RELU))
    shape = f"{list(NET.layers)}, m = {NET.m}, a layer"
    yield f"L_model_forward, {shape}", _network_forward()
    yield f"L_model_backward, {shape}", _network_backward()


def _network_forward() -> Sides:
    X, parameters = CASES["L_model_forward"].make(NET, "d")
    L, A, steps = len(parameters) // 2, X, []
    for l in range(1, L + 1):
        step, A = _forward(A, parameters[f"W{l}"], parameters[f"b{l}"], RELU if l < L else SIGMOID)
        steps.append(step)
    return _sides("L_model_forward", (X, parameters), Kernel(partial(_one_after_the_other, steps), A), L)


def _network_backward() -> Sides:
    AL, Y, caches = CASES["L_model_backward"].make(NET, "d")
    (A_prev, W, _), Z = caches[-1]
    dZ = np.empty(Z.shape)
    step, dA = _backward(dZ, dZ, A_prev, W, LINEAR)
    steps: list[Callable[[], object]] = [partial(cost.output_gradient["d"], AL, Y, Z, dZ), step]
    for (A_prev, W, _), Z in reversed(caches[:-1]):
        step, dA = _backward(dA, Z, A_prev, W, RELU)
        steps.append(step)
    return _sides("L_model_backward", (AL, Y, caches), Kernel(partial(_one_after_the_other, steps), dA), len(caches))


def measure_call(sides: Sides, repeats: int) -> dict[str, Any]:
    """Microseconds a layer."""
    named = {"function": sides.function, "kernel": sides.kernel, "reference": sides.reference}
    for call in named.values():
        call()
    seconds = interleave(named, repeats, at_least=AT_LEAST)
    microseconds = {name: [1e6 * s / sides.layers for s in times] for name, times in seconds.items()}
    beyond = paired_difference(microseconds["function"], microseconds["kernel"])
    return {**{name: statistics.median(times) for name, times in microseconds.items()}, "beyond the kernel": beyond}


class ChildClock:
    """A clock that advances by the seconds that a new process reports."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def start(self, before: str, timed: str) -> None:
        program = f"import time\n{before}\nbegin = time.perf_counter()\n{timed}\nprint(time.perf_counter() - begin)"
        child = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
        self.now += float(child.stdout)


def measure_starts(repeats: int) -> dict[str, list[float]]:
    """Seconds of each, in new processes that take turns; the first turn, which may compile, is not counted."""
    clock = ChildClock()
    sides = {name: partial(clock.start, before, timed) for name, (before, timed) in STARTS.items()}
    for side in sides.values():
        side()
    return interleave(sides, repeats, clock=clock)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(repeats=REPEATS, threads=1)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    print(f"float64, us; what goes beyond the kernel should be at most {goals.CALL} us a layer")
    print(f"{'function':<52} {'fast':>6} {'kernel':>6}   {'beyond [95 %]':<20} {'reference':>9}")
    with num_threads(options.threads):
        for name, sides in calls():
            row = measure_call(sides, options.repeats)
            times = f"{row['function']:6.2f} {row['kernel']:6.2f}   {row['beyond the kernel']!s:<20} {row['reference']:9.2f}"
            print(f"{name:<52} {times}", flush=True)
            rows.append({"call": name, **row})
    print("\nnew processes, disk cache warm: seconds")
    for name, seconds in measure_starts(min(options.repeats, FEWEST)).items():
        print(f"{name:<22} {statistics.median(seconds):.3f}{goals.wanted(goals.STARTS.get(name))}")
        rows.append({"start": name, "seconds": statistics.median(seconds)})
    return rows
