"""A user's own loop over the single functions: forward, cost, backward, update, each iteration on both sides."""

from __future__ import annotations

import argparse
from functools import partial
from types import ModuleType
from typing import Any

from machine import same_threads
from nets import LEARNING_RATE, NETS, examples, start
from sides import Compared, compare

WANTED = {"pictures": 2.2, "planar": 2.5, "digits": 1.5, "million": 2.5}
REPEATS, WITHIN, AT_LEAST = 31, 5.0, 0.01


def iteration(module: ModuleType, X, Y, parameters) -> None:
    """One turn of the loop; the parameters stay as they are, so that all turns do the same work."""
    AL, caches = module.L_model_forward(X, parameters)
    module.compute_cost(AL, Y)
    grads = module.L_model_backward(AL, Y, caches)
    module.update_parameters(dict(parameters), grads, LEARNING_RATE)


def measure(name: str, repeats: int) -> Compared:
    net = NETS[name]
    X, Y = examples(net)
    parameters = start(net.layers_dims)
    return compare(lambda module: partial(iteration, module, X, Y, parameters), repeats, WITHIN, AT_LEAST)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--nets", nargs="+", choices=WANTED, default=tuple(WANTED), help="all when left out")
    parser.set_defaults(repeats=REPEATS)


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    print(f"float64, {options.threads} threads on both sides: ms an iteration")
    print(f"{'layers, m':<34} {'reference':>10} {'fast':>10}   ratio [95 %]")
    rows = []
    with same_threads(options.threads):
        for name in options.nets:
            compared = measure(name, options.repeats)
            times = f"{1e3 * compared.reference:10.4g} {1e3 * compared.fast:10.4g}"
            print(f"{NETS[name]!s:<34} {times}   {compared.ratio}   (wanted {WANTED[name]})", flush=True)
            rows.append({"net": name, **compared._asdict()})
    return rows
