"""Options that several commands take, and the values that they may have."""

from __future__ import annotations

import argparse
import math

from fastbackprop.commands.problem import STARTS
from fastbackprop.data.examples import Wanted
from fastbackprop.data.scaling import KINDS

DEFAULT_SCALING = "255 for bytes, such as those of pictures, else standard"


def hidden_layers(text: str) -> list[int]:
    """``20,7,5``, or ``none`` for logistic regression."""
    if text.strip().lower() in ("", "none"):
        return []
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError:
        sizes = [0]
    if min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected sizes of hidden layers such as 20,7,5, or none")
    return sizes


def whole(text: str) -> int:
    """A whole number from 0 on."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number from 0 on")
    return number


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not (number := whole(text)):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number from 1 on")
    return number


def seed(text: str) -> int:
    """What NumPy's generator can be seeded with."""
    number = whole(text)
    if number >= 2**32:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number below 2 ** 32")
    return number


def _real(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def rate(text: str) -> float:
    """A number above 0."""
    if not 0 < (number := _real(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number above 0")
    return number


def part(text: str) -> float:
    """A part of the examples, from 0 to below 1."""
    if not 0 <= (number := _real(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a part of the examples, from 0 to below 1")
    return number


def add_data(parser: argparse.ArgumentParser) -> None:
    """The file, and what its reader is told."""
    parser.add_argument("data", metavar="DATA", help="examples: a .csv, .npy, .npz or .h5 file")
    parser.add_argument(
        "--label",
        metavar="NAME|NUMBER",
        help="the label's column, by its name in the header or counted from 1, -1 for the last; in .npz and .h5 the labels' "
        "name. Default: the last column; Y, y, Y_train, train_set_y",
    )
    parser.add_argument(
        "--examples",
        choices=("rows", "columns"),
        help="what an example is. Default: rows in .csv and .npy; in .npz and .h5 what fits the labels",
    )


def add_problem(parser: argparse.ArgumentParser, layers: list[int] | None) -> None:
    """The net and its start; without default layers they have to be said."""
    default = "" if layers is None else f" Default: {','.join(map(str, layers))}"
    parser.add_argument(
        "--layers",
        type=hidden_layers,
        required=layers is None,
        default=layers,
        metavar="N,N,...",
        help=f"sizes of the hidden layers, or none for logistic regression; the output is one unit.{default}",
    )
    parser.add_argument("--scale", choices=KINDS, help=f"scaling of the features. Default: {DEFAULT_SCALING}")
    parser.add_argument(
        "--start",
        choices=tuple(STARTS),
        default="he",
        help="W is randn times sqrt(2 / n_prev) (he), 1 / sqrt(n_prev) (xavier) or 0.01 (small). Default: he, which keeps the "
        "signal's size through relu layers; from small a net of several layers hardly moves at first",
    )
    parser.add_argument("--seed", type=seed, default=1, help="of the start and of the hold-out. Default: 1")
    parser.add_argument("--learning-rate", type=rate, default=0.0075, metavar="RATE", help="default: 0.0075")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else, to stdout")


def wanted(arguments: argparse.Namespace) -> Wanted:
    """What the reader is told for a training."""
    return Wanted(arguments.label, arguments.examples)
