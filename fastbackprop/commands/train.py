"""``fastbackprop train DATA --layers 20,7,5``."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop.bad_input import BadInput
from fastbackprop.commands import options, print_json
from fastbackprop.commands.outputs import all_different, output_file, software
from fastbackprop.commands.problem import Problem, prepare
from fastbackprop.data import Examples, read_examples
from fastbackprop.extras import missing
from fastbackprop.machine import versions
from fastbackprop.model_file import Model, is_model, save_model
from fastbackprop.whole_file import replacing

DESCRIPTION = (
    "Train [LINEAR -> RELU] * (L - 1) -> LINEAR -> SIGMOID on the examples of a file, by full-batch gradient descent on the "
    "cross-entropy of two classes."
)

OUTPUTS = ("model", "picture", "checkpoint")


def add_options(parser: argparse.ArgumentParser) -> None:
    options.add_data(parser)
    options.add_problem(parser, None)
    parser.add_argument("--iterations", type=options.whole, default=3000, metavar="N", help="default: 3000")
    parser.add_argument(
        "--hold-out",
        type=options.part,
        default=0.0,
        metavar="PART",
        help="the part of the examples, such as 0.2, that is not trained on and only tested. Default: 0",
    )
    parser.add_argument("--model", metavar="FILE.npz", help="write the trained model, for predict")
    parser.add_argument("--picture", metavar="FILE.png", help="draw the cost (extra plot)")
    parser.add_argument("--checkpoint", metavar="FILE", help="save the training as it goes; the same command resumes it")
    parser.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="a bar on stderr (extra progress). Default: on a terminal, where tqdm is installed",
    )
    options.add_json(parser)


@dataclass(frozen=True)
class Training:
    """A training that is done: costs every 100 iterations, the last one, and how much of the answers is right."""

    parameters: dict[str, np.ndarray]
    costs: list[float]
    cost: float
    accuracy: float
    held_out_accuracy: float | None
    seconds: float


def train(
    problem: Problem, learning_rate: float, iterations: int, *, progress: bool = False, checkpoint: str | None = None
) -> Training:
    """Train, and test on both parts.

    Raises
    ------
    BadInput
        The checkpoint cannot be read or written, or is that of another training.
    FloatingPointError, KeyboardInterrupt
        As ``L_layer_model``.
    """
    begun = time.perf_counter()
    try:
        parameters, costs = fastbackprop.L_layer_model(
            problem.X,
            problem.Y,
            problem.layers,
            learning_rate,
            iterations,
            parameters=problem.start,
            return_costs=True,
            progress=progress,
            checkpoint=checkpoint,
        )
    except ValueError as error:
        raise BadInput(str(error)) from None
    except OSError as error:
        raise BadInput(f"{error.filename}: {error.strerror}") from None
    seconds = time.perf_counter() - begun
    AL, _ = fastbackprop.L_model_forward(problem.X, parameters)
    held_out = _accuracy(problem.X_held_out, problem.Y_held_out, parameters) if problem.Y_held_out.size else None
    cost = float(fastbackprop.compute_cost(AL, problem.Y))
    return Training(parameters, costs, cost, float(np.mean((AL > 0.5) == problem.Y)), held_out, seconds)


def _accuracy(X: np.ndarray, Y: np.ndarray, parameters: dict[str, np.ndarray]) -> float:
    return float(np.mean(fastbackprop.predict(X, parameters) == Y))


def run(arguments: argparse.Namespace) -> None:
    """Train as the options say, write the files, and print what came of it."""
    all_different(
        {name: getattr(arguments, name.strip("-").lower()) for name in ("DATA", "--model", "--picture", "--checkpoint")}
    )
    model_path = arguments.model and output_file("--model", arguments.model, is_model)
    picture = arguments.picture and output_file("--picture", arguments.picture, software)
    if picture:
        _needs_plotting()
    progress = arguments.progress
    if progress is None:
        progress = sys.stderr.isatty() and importlib.util.find_spec("tqdm") is not None
    examples = read_examples(arguments.data, options.wanted(arguments))
    problem = prepare(
        examples,
        arguments.layers,
        scale=arguments.scale,
        start=arguments.start,
        seed=arguments.seed,
        hold_out=arguments.hold_out,
    )
    training = train(problem, arguments.learning_rate, arguments.iterations, progress=progress, checkpoint=arguments.checkpoint)
    record = _record(arguments, examples, problem, training)
    if model_path:
        with _writing("--model", model_path):
            save_model(model_path, _model(examples, problem, training, record))
    if picture:
        from fastbackprop.extras.plotting import save_costs

        with _writing("--picture", picture), replacing(picture) as file:
            save_costs(file, training.costs, arguments.learning_rate, f"fastbackprop {fastbackprop.__version__}")
    if arguments.json:
        print_json(record)
    else:
        _print(arguments, examples, problem, training)


def _needs_plotting() -> None:
    try:
        import fastbackprop.extras.plotting  # noqa: F401
    except ImportError:
        raise missing("--picture", "plot") from None


@contextlib.contextmanager
def _writing(option: str, path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInput(f"{option} {path} could not be written: {error.strerror}") from None


def _record(arguments: argparse.Namespace, examples: Examples, problem: Problem, training: Training) -> dict[str, Any]:
    """What is printed as JSON."""
    return {
        "data": str(examples.path),
        "taken": examples.where,
        "layers": problem.layers,
        "classes": [problem.classes.zero, problem.classes.one],
        "scale": problem.scaling.kind,
        "start": arguments.start,
        "seed": arguments.seed,
        "learning_rate": arguments.learning_rate,
        "iterations": arguments.iterations,
        "examples": problem.Y.size,
        "held_out": problem.Y_held_out.size,
        "costs": training.costs,
        "cost": training.cost,
        "accuracy": training.accuracy,
        "held_out_accuracy": training.held_out_accuracy,
        "seconds": training.seconds,
        "model": arguments.model,
        "picture": arguments.picture,
        "checkpoint": arguments.checkpoint,
    }


def _model(examples: Examples, problem: Problem, training: Training, record: dict[str, Any]) -> Model:
    kept = ("start", "seed", "learning_rate", "iterations", "examples", "held_out", "cost", "accuracy", "held_out_accuracy")
    about = {name: record[name] for name in kept} | {"versions": versions()}
    return Model(problem.layers, training.parameters, problem.scaling, problem.classes, examples.label, examples.names, about)


def _print(arguments: argparse.Namespace, examples: Examples, problem: Problem, training: Training) -> None:
    m, held_out = problem.Y.size, problem.Y_held_out.size
    first = f"{training.costs[0]:.6f} at first, " if training.costs else ""
    tested = "" if training.held_out_accuracy is None else f", {training.held_out_accuracy:.2%} of {held_out} held out"
    print(f"data      {examples.path}: {examples.where}; {m + held_out} examples of {problem.layers[0]} features")
    print(f"classes   {problem.classes}")
    print(f"net       {problem.layers}, start {arguments.start}, seed {arguments.seed}, scaling {problem.scaling.kind}")
    print(f"training  {arguments.iterations} iterations, learning rate {arguments.learning_rate:g}, {training.seconds:.2f} s")
    print(f"cost      {first}{training.cost:.6f} at last")
    print(f"accuracy  {training.accuracy:.2%} of {m} trained on{tested}")
    for name in OUTPUTS:
        if path := getattr(arguments, name):
            print(f"{name:<9} {path}")
