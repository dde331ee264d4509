"""Small probes of each of the fourteen functions, and the outcome of a call on one of them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastbackprop import reference
from fastbackprop.examination.sandbox import Copies, Endless, drawings
from fastbackprop.testing import CASES, Size, map_arrays, unit_roundoff

# Square ones show a missing transpose by its numbers, the others by its shapes; one example shows a lost dimension.
SIZES = (Size((3, 4, 1), 5), Size((4, 4, 1), 4), Size((5, 4, 3, 1), 7), Size((2, 3, 1), 1), Size((3, 4, 1), 5))
RATES = (0.05, 0.02, 0.1, 0.03, 0.05)
LARGE = 4  # the probe of large numbers: where a function limits its arguments or its results, it shows
# How many times as large they are; what is passed through a sigmoid is to stay below the logarithm of the largest number.
_TIMES, _TIMES_OF_SIGMOID = 1e6, 4.0
PRINTS, DRAWS, DRAWS_NUMBERS = "prints", "draws a figure", "draws random numbers"
ROOM = 64  # times the bound of two implementations: a user's formulas may round in another order


@dataclass
class Run:
    """One call: ``args`` as they were before it, ``passed`` as it left them, and its result or error.

    ``start`` holds the parameters that a training began with, ``changed`` the arguments that the call wrote to, ``effects``
    what else the call did: PRINTS, DRAWS, DRAWS_NUMBERS.
    """

    size: Size
    activation: str | None
    args: tuple
    passed: tuple
    expected: Any
    tolerance: Any
    actual: Any = None
    error: str = ""
    endless: bool = False
    changed: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    start: dict[str, np.ndarray] | None = None

    @property
    def label(self) -> str:
        return f"layers {list(self.size.layers)}, m = {self.size.m}"


def probes(name: str) -> Iterator[tuple[str | None, int]]:
    """The activation and the number of each probe: its size, seed and rate."""
    for activation in ("relu", "sigmoid") if CASES[name].activations else (None,):  # a user's own know no others
        for number in range(len(SIZES)):
            if number != LARGE or name not in ("initialize_parameters_deep", "L_layer_model"):
                yield activation, number


def arguments(name: str, activation: str | None, number: int) -> tuple:
    """The arguments of a probe: equal requests have equal ones. Each has a Z that is exactly 0."""
    args = _with_zeros(name, CASES[name].make(SIZES[number], "float64", seed=number, activation=activation), number)
    return _large(name, args, activation) if number == LARGE else args


def _large(name: str, args: tuple, activation: str | None) -> tuple:
    """The arguments with large numbers in place of all that are not outputs, labels and a rate."""

    def times(scale: float) -> Callable[[Any], Any]:
        return lambda x: x * scale if isinstance(x, np.ndarray) else x

    if name == "compute_cost":
        return args
    if name == "L_model_backward":  # outputs that are wrong and nearly certain make large gradients
        _, Y, caches = args
        return np.where(Y == 1, 1e-6, 1 - 1e-6), Y, caches
    if name == "L_model_forward":
        return times(_TIMES_OF_SIGMOID)(args[0]), args[1]
    if "sigmoid" in (name, activation):
        return map_arrays(times(_TIMES_OF_SIGMOID), args)
    if "sigmoid" in name:  # dA is not passed through it
        return times(_TIMES)(args[0]), times(_TIMES_OF_SIGMOID)(args[1])
    return map_arrays(times(_TIMES), args)


def _with_zeros(name: str, args: tuple, number: int) -> tuple:
    """Arguments with a 0 in Z, where `Z < 0` and `Z <= 0` differ; with outputs close to 0 and 1, where a limit shows, or a
    number that is added within the logarithms; and with other rates than the usual one.
    """
    if name in ("sigmoid", "relu"):
        args[0][0, 0] = 0
    elif name in ("sigmoid_backward", "relu_backward"):
        args[1][0, 0] = 0
    elif name == "linear_activation_backward":
        args[1][1][0, 0] = 0
    elif name == "L_model_backward":
        for _, Z in args[2][:-1]:
            Z[0, 0] = 0
    elif name == "compute_cost":
        ends = np.array([1e-20, 1 - 2**-53])
        args[0][0, :2] = ends[: args[0].shape[1]]
    elif name == "update_parameters":
        return *args[:2], RATES[number]
    elif name == "L_layer_model":
        args[0][:, 0] = 0  # W 0 + 0 in every hidden layer, at the start
        return *args[:3], RATES[number], 10 - number
    return args


def tolerance(name: str, args: tuple, expected: Any) -> Any:
    """How far an entry may lie from the expected one, in the shape of the result."""

    def wider(bound: Any, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: wider(bound[key] if isinstance(bound, dict) else bound, value[key]) for key in value}
        if isinstance(value, (tuple, list)):
            parts = bound if isinstance(bound, (tuple, list)) else [bound] * len(value)
            return type(value)(wider(b, v) for b, v in zip(parts, value, strict=True))
        return ROOM * (bound + unit_roundoff(np.float64()) * np.abs(value))

    return wider(CASES[name].bound(*args), expected)


def run(
    name: str, copies: Copies, function: Callable[..., Any], order: list[int], activation: str | None, number: int, seed: int
) -> Run:
    """Call a user's function, with its arguments in the order that it takes them in, after ``np.random.seed(seed)``."""
    args, passed, others = (arguments(name, activation, number) for _ in range(3))
    np.random.seed(seed)
    expected = getattr(reference, name)(*others)
    done = Run(SIZES[number], activation, args, passed, expected, tolerance(name, args, expected))
    before = _holdings(passed)
    np.random.seed(seed)
    random, drawn = np.random.get_state(), drawings()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            done.actual = copies.run(function, *(passed[i] for i in order))
        except Endless as error:
            done.error, done.endless = str(error), True
        except Exception as error:
            text = str(error).partition("\n")[0]
            done.error = f"raises {type(error).__name__}: {text}" if text else f"raises {type(error).__name__}"
    effects = {
        PRINTS: bool(printed.getvalue()),
        DRAWS: drawings() > drawn,
        DRAWS_NUMBERS: any(np.any(a != b) for a, b in zip(random, np.random.get_state(), strict=True)),
    }
    done.effects = [effect for effect, found in effects.items() if found]
    done.changed = [where for where, (thing, held) in before.items() if _held(thing) != held]
    return done


def _holdings(args: tuple) -> dict[str, tuple[Any, Any]]:
    """Each array, dict and list in the arguments, by place ("0" is the first argument), and its contents."""
    found: dict[str, tuple[Any, Any]] = {}

    def walk(where: str, thing: Any) -> None:
        if isinstance(thing, (np.ndarray, dict, list)):
            found[where] = thing, _held(thing)
        if isinstance(thing, dict):
            for key, item in thing.items():
                walk(f"{where}[{key!r}]", item)
        elif isinstance(thing, (tuple, list)):
            for i, item in enumerate(thing):
                walk(f"{where}[{i}]", item)

    for i, arg in enumerate(args):
        walk(str(i), arg)
    return found


def _held(thing: Any) -> Any:
    if isinstance(thing, np.ndarray):
        return thing.shape, thing.tobytes()
    return [(key, id(item)) for key, item in (thing.items() if isinstance(thing, dict) else enumerate(thing))]
