"""The goals of the figures, in one table; the programs that measure print them beside the figures.

Ratios are times of the other side over those of fastbackprop.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Goals(NamedTuple):
    """Goals of a training: ratios to the reference, by the chosen algorithm and by direct descent; the part of the machine's
    limit; and the ratio to the best peer, any but the reference.
    """

    ratio: float
    direct: float | None
    of_limit: float
    of_best_peer: float


TRAININGS = {
    "pictures": Goals(200, 3.5, 0.4, 80),
    "planar": Goals(20, None, 0.4, 3),
    "table": Goals(5, None, 0.4, 2),
    "million": Goals(15, None, 0.45, 12),
    "digits": Goals(3, None, 0.6, 1.5),
    "wide": Goals(2, None, 0.8, 1.25),
    "many": Goals(20, 2, 0.6, 10),
}

# Sweeps by net: times of the trainings one after the other with one thread (of two cores: half of it is at least 1 / 1.1 of the
# sweep's) and with all, and of the reference, over that of the sweep.
SWEEPS = {"pictures": (2 / 1.1, 1 / 0.8, 300), "planar": (None, 1.5, None)}

# Ratios in float64 and float32, by the rows of `scripts/bench functions`: a function or class, and the size.
FUNCTIONS = {
    ("sigmoid", "square"): 5,
    ("sigmoid_backward", "square"): 5,
    ("OwnLoop", "pictures"): 2.2,
    ("OwnLoop", "planar"): 2.5,
    ("OwnLoop", "digits"): 1.5,
}

# Layers by floating-point operations: the class's name, its upper end, and the geometric mean of its ratios.
LAYERS = (("under 10 MFLOP", 10e6, 2.0), ("10 to 100 MFLOP", 100e6, 1.3), ("100 MFLOP and more", math.inf, 1.1))
# A layer loses to the reference unless the whole 95 % interval of its ratio is above this.
LEAST_RATIO = 0.97

# Mini-batches: ratios of scikit-learn's fit to ours, by the table and the width of the hidden layer; of JAX's loop, where a net
# has fewer weights than these, and of PyTorch's.
FITS = {
    **{("cancer", 100): 4, ("digits", 100): 4, ("long", 100): 8, ("pixels", 100): 2.2},
    **{("cancer", 16): 4.5, ("digits", 16): 4.5, ("long", 16): 9, ("pixels", 16): 2.5},
}
BATCHES_OF_JAX, WEIGHTS_OF_JAX, BATCHES_OF_TORCH = 1.5, 20_000, 1

# Upper limits: microseconds a layer of a call beyond its kernel, and seconds of a new process.
CALL = 1.3
STARTS = {"import fastbackprop": 0.4, "first layer": 0.6, "first training": 1.0}


def wanted(goal: float | None) -> str:
    """The goal as it is printed after a figure."""
    return "" if goal is None else f" (wanted {goal:g})"
