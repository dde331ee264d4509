"""Options that several commands take, and the values that they may have."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import math
import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

from fastbackprop.activations import HIDDEN, LEAKY_RELU, OUTPUTS, LeakyRelu
from fastbackprop.data.examples import Wanted
from fastbackprop.data.scaling import KINDS
from fastbackprop.optimizers import OPTIMIZERS, GradientDescent, Optimizer
from fastbackprop.starts import STARTS

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


T = TypeVar("T")


def several(kind: Callable[[str], T]) -> Callable[[str], list[T]]:
    """Values of a kind with commas between them."""

    def values(text: str) -> list[T]:
        return [kind(part) for part in text.split(",")]

    return values


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


def amount(text: str) -> float:
    """A number from 0 on."""
    if not 0 <= (number := _real(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number from 0 on")
    return number


def hidden(text: str) -> str | LeakyRelu:
    """A hidden activation by name; ``leaky_relu:0.2`` with its slope."""
    name, colon, slope = text.partition(":")
    if name not in HIDDEN or (colon and name != LEAKY_RELU.name):
        raise argparse.ArgumentTypeError(f"{text!r}; expected {_names(HIDDEN)}, or {LEAKY_RELU.name}:SLOPE")
    return LeakyRelu(amount(slope)) if colon else name


def optimizer(text: str) -> Optimizer:
    """An update rule by name, with its defaults or with numbers: ``adam:beta1=0.8,epsilon=1e-7``."""
    name, _, rest = text.partition(":")
    if name not in OPTIMIZERS:
        raise argparse.ArgumentTypeError(f"{text!r}; expected {_names(OPTIMIZERS)}")
    numbers = dict(item.partition("=")[::2] for item in rest.split(",") if item)
    known = [field.name for field in dataclasses.fields(OPTIMIZERS[name])]
    try:
        return OPTIMIZERS[name](**{key: float(value) for key, value in numbers.items()})
    except (TypeError, ValueError) as error:
        reason = f"{error}; " if set(numbers) <= set(known) else ""
        raise argparse.ArgumentTypeError(f"{text!r}; {reason}{name} has {', '.join(known)}, each as NAME=NUMBER") from None


def _names(table: Iterable[str]) -> str:
    *names, last = table
    return f"{', '.join(names)} or {last}"


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
        help=f"sizes of the hidden layers, or none for logistic regression; the output is one unit, or one a class.{default}",
    )
    add_preparation(parser)
    parser.add_argument("--seed", type=seed, default=1, help="of the start and of the hold-out. Default: 1")


def add_preparation(parser: argparse.ArgumentParser) -> None:
    """The scaling, and how a start is drawn."""
    parser.add_argument("--scale", choices=KINDS, help=f"scaling of the features. Default: {DEFAULT_SCALING}")
    parser.add_argument(
        "--start",
        choices=tuple(STARTS),
        default="he",
        help="W is randn times sqrt(2 / n_prev) (he), sqrt(1 / n_prev) (xavier), sqrt(2 / (n_prev + n)) (glorot) or 0.01 "
        "(small). Default: he, which keeps the signal's size through relu layers; from small a net of several layers hardly "
        "moves at first",
    )


OPTIMIZERS_RATE = "default: the optimizer's: 0.0075, of momentum and nesterov 0.01, of adam 0.001"


def add_learning_rate(parser: argparse.ArgumentParser, default: float | None, help: str) -> None:
    parser.add_argument("--learning-rate", type=rate, default=default, metavar="RATE", help=help)


def add_hold_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--hold-out",
        type=part,
        default=0.0,
        metavar="PART",
        help="the part of the examples, such as 0.2, that is not trained on and only tested. Default: 0",
    )


def add_progress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="a bar on stderr (extra progress). Default: on a terminal, where tqdm is installed",
    )


def progress(arguments: argparse.Namespace) -> bool:
    """Whether a bar is to be shown."""
    if arguments.progress is None:
        return sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None
    return bool(arguments.progress)


def add_training(parser: argparse.ArgumentParser) -> None:
    """What is trained beside the net's sizes and the learning rate, how, and how it is validated."""
    add_rule(parser)
    parser.add_argument(
        "--validation",
        type=part,
        default=0.0,
        metavar="PART",
        help="the part of the examples that is not trained on, and scored after each epoch. Default: 0",
    )
    parser.add_argument(
        "--patience", type=count, metavar="N", help="stop after N epochs without a better score, and keep the best epoch's net"
    )


def add_rule(parser: argparse.ArgumentParser) -> None:
    """What is trained beside the net's sizes and the learning rate, and how."""
    parser.add_argument(
        "--hidden",
        type=hidden,
        default="relu",
        metavar="NAME",
        help=f"the activation of hidden layers: {_names(HIDDEN)}; {LEAKY_RELU.name}:SLOPE. Default: relu",
    )
    parser.add_argument(
        "--output",
        choices=tuple(OUTPUTS),
        default="sigmoid",
        help="sigmoid for two classes, softmax for two or more, identity where the labels are numbers. Default: sigmoid",
    )
    parser.add_argument(
        "--optimizer",
        type=optimizer,
        default=GradientDescent(),
        metavar="NAME",
        help=f"{_names(OPTIMIZERS)}; adam:beta1=0.8,epsilon=1e-7 has other numbers. Default: gradient_descent",
    )
    parser.add_argument(
        "--l2", type=amount, default=0.0, metavar="L2", help="adds L2 / (2 m) * sum(W^2) to the cost. Default: 0"
    )
    parser.add_argument("--batch-size", type=count, metavar="M", help="examples of a mini-batch. Default: all")
    parser.add_argument(
        "--shuffle",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="take mini-batches of examples in a new order each epoch. Default: --shuffle",
    )
    parser.add_argument("--epochs", "--iterations", type=whole, default=3000, metavar="N", help="default: 3000")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object, and nothing else, to stdout")


def wanted(arguments: argparse.Namespace) -> Wanted:
    """What the reader is told for a training."""
    return Wanted(arguments.label, arguments.examples)
