"""``sigmoid``, ``relu`` and their backward on a million elements."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from machine import same_threads
from sides import compare

from fastbackprop.testing import CASES, Size

FUNCTIONS = ("sigmoid", "sigmoid_backward", "relu", "relu_backward")
DTYPES = ("float64", "float32")
SIZE = Size((1, 1000), 1000)
REPEATS, WITHIN, AT_LEAST = 31, 2.0, 0.01
WANTED = {"sigmoid": 5, "sigmoid_backward": 5}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(repeats=REPEATS)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    elements = SIZE.layers[1] * SIZE.m
    print(f"{elements:,} elements on {options.threads} threads: ns an element")
    print(f"{'function':<17} {'dtype':<8} {'reference':>9} {'fast':>6}   ratio [95 %]")
    rows = []
    with same_threads(options.threads):
        for function, dtype in itertools.product(FUNCTIONS, DTYPES):
            call = partial(_call, function, CASES[function].make(SIZE, dtype))
            compared = compare(call, options.repeats, WITHIN, AT_LEAST)
            each = f"{1e9 * compared.reference / elements:9.2f} {1e9 * compared.fast / elements:6.2f}"
            wanted = f"   (wanted {WANTED[function]})" if function in WANTED else ""
            print(f"{function:<17} {dtype:<8} {each}   {compared.ratio}{wanted}", flush=True)
            rows.append({"function": function, "dtype": dtype, **compared._asdict()})
    return rows


def _call(function: str, arguments: tuple[Any, ...], module: ModuleType) -> Callable[[], object]:
    return partial(getattr(module, function), *arguments)
