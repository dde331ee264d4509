"""``fastbackprop train DATA --layers 20,7,5``."""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass, replace
from typing import Any

import fastbackprop
from fastbackprop.arguments import hidden_named, output_named
from fastbackprop.commands import options, print_json, refusals
from fastbackprop.commands.outputs import all_different, output_file, picture_file, writing
from fastbackprop.commands.problem import Problem, in_units_of_labels, penalty, prepare
from fastbackprop.commands.records import of_data, of_net, print_data, print_files, print_training
from fastbackprop.data import Examples, read_examples
from fastbackprop.machine import versions
from fastbackprop.model_file import Model, is_model, save_model
from fastbackprop.trained import Trained
from fastbackprop.whole_file import replacing

DESCRIPTION = (
    "Train [LINEAR -> hidden] * (L - 1) -> LINEAR -> output on the examples of a file, whose labels are two classes, several "
    "or numbers. Without other options hidden is relu and output sigmoid, trained by full-batch gradient descent."
)

OUTPUTS = ("model", "picture", "checkpoint")
# Options that `fastbackprop.train` has too.
TAKEN = ("hidden", "output", "optimizer", "l2", "batch_size", "epochs", "shuffle", "seed", "patience", "checkpoint")


def add_options(parser: argparse.ArgumentParser) -> None:
    options.add_data(parser)
    options.add_problem(parser, None)
    options.add_training(parser)
    options.add_learning_rate(parser, None, options.OPTIMIZERS_RATE)
    options.add_hold_out(parser)
    parser.add_argument("--model", metavar="FILE.npz", help="write the trained model, for predict")
    parser.add_argument("--picture", metavar="FILE.png", help="draw the cost (extra plot)")
    parser.add_argument("--checkpoint", metavar="FILE", help="save the training as it goes; the same command resumes it")
    options.add_progress(parser)
    options.add_json(parser)


@dataclass(frozen=True)
class Training:
    """A training that is done: its net, with parameters for labels as the file has them, the last cost, and its scores."""

    net: Trained
    cost: float
    score: float
    held_out_score: float | None
    seconds: float


def train(problem: Problem, *, l2: float = 0.0, batch_size: int | None = None, **others: Any) -> Training:
    """Train, and test on both parts; the options are those of ``fastbackprop.train``.

    Raises
    ------
    BadInput
        The checkpoint cannot be read or written, or is that of another training; options that do not fit the examples.
    FloatingPointError, KeyboardInterrupt
        As ``fastbackprop.train``.
    """
    begun = time.perf_counter()
    Y = problem.label_scaling(problem.Y)
    with refusals():
        net = fastbackprop.train(problem.X, Y, problem.layers, parameters=problem.start, l2=l2, batch_size=batch_size, **others)
    seconds = time.perf_counter() - begun
    cost = net.cost(problem.X, Y) + penalty(net.parameters, l2, min(batch_size or Y.size, Y.size))
    parameters, scores = in_units_of_labels(net.parameters, net.validation_scores, problem.label_scaling)
    net = replace(net, parameters=parameters, validation_scores=scores)
    held_out = net.score(problem.X_held_out, problem.Y_held_out) if problem.Y_held_out.size else None
    return Training(net, cost, net.score(problem.X, problem.Y), held_out, seconds)


def run(arguments: argparse.Namespace) -> None:
    """Train as the options say, write the files, and print what came of it."""
    all_different(
        {name: getattr(arguments, name.strip("-").lower()) for name in ("DATA", "--model", "--picture", "--checkpoint")}
    )
    model_path = arguments.model and output_file("--model", arguments.model, is_model)
    picture = arguments.picture and picture_file(arguments.picture)
    progress = options.progress(arguments)
    examples = read_examples(arguments.data, options.wanted(arguments))
    problem = prepare(
        examples,
        arguments.layers,
        scale=arguments.scale,
        start=arguments.start,
        seed=arguments.seed,
        hold_out=arguments.hold_out,
        output=arguments.output,
    )
    if arguments.learning_rate is not None:
        arguments.optimizer = replace(arguments.optimizer, learning_rate=arguments.learning_rate)
    taken = {name: getattr(arguments, name) for name in TAKEN}
    training = train(problem, validation=arguments.validation or None, progress=progress, **taken)
    record = _record(arguments, examples, problem, training)
    if model_path:
        with writing("--model", model_path):
            save_model(model_path, _model(examples, problem, training, record))
    if picture:
        from fastbackprop.extras.plotting import save_costs

        with writing("--picture", picture), replacing(picture) as file:
            save_costs(file, training.net.costs, arguments.optimizer.learning_rate, f"fastbackprop {fastbackprop.__version__}")
    if arguments.json:
        print_json(record)
    else:
        _print(problem, training, record)


def _record(arguments: argparse.Namespace, examples: Examples, problem: Problem, training: Training) -> dict[str, Any]:
    """What is printed as JSON."""
    net, classes = training.net, problem.classes
    scores = {"accuracy": training.score, "held_out_accuracy": training.held_out_score}
    if classes is None:
        scores = {"rms_error": _error(training.score), "held_out_rms_error": _error(training.held_out_score)}
    return {
        **of_data(examples.path, examples.where, classes, problem.scaling, arguments.start),
        **of_net(net),
        **{name: getattr(arguments, name) for name in ("seed", "l2", "batch_size", "shuffle", "validation", "patience")},
        "best_epoch": net.best_epoch,
        "examples": problem.Y.size,
        "held_out": problem.Y_held_out.size,
        "validation_scores": net.validation_scores,
        "cost": training.cost,
        **scores,
        "seconds": training.seconds,
        **{name: getattr(arguments, name) for name in OUTPUTS},
    }


def _error(score: float | None) -> float | None:
    """The root of the mean squared error, whose negative the score is."""
    return None if score is None else math.sqrt(-score)


# Of the record, what a model does not keep: what it has elsewhere, and what grows with the training.
NOT_KEPT = (
    *("data", "taken", "layers", "hidden", "output", "classes", "scale", "costs", "validation_scores", "seconds"),
    *OUTPUTS,
)


def _model(examples: Examples, problem: Problem, training: Training, record: dict[str, Any]) -> Model:
    about = {name: value for name, value in record.items() if name not in NOT_KEPT} | {"versions": versions()}
    net = training.net
    return Model(
        problem.layers,
        net.parameters,
        problem.scaling,
        problem.classes,
        examples.label,
        examples.names,
        about,
        hidden_named(net.hidden),
        output_named(net.output),
    )


def _print(problem: Problem, training: Training, record: dict[str, Any]) -> None:
    net = training.net
    if problem.classes is None:
        name, shown = "rms error", lambda score: f"{_error(score):.6g}"
    else:
        name, shown = "accuracy", lambda score: f"{score:.2%}"
    tested = "" if training.held_out_score is None else f", {shown(training.held_out_score)} of {record['held_out']} held out"
    validated = " or validated" if net.validation_scores else ""
    print_data(record, problem.layers[0], problem.classes)
    print_training(record, ", stopped early" if net.stopped_early else "")
    if net.validation_scores:
        at = net.epochs if net.best_epoch is None else net.best_epoch
        kept = "the last" if net.best_epoch is None else "the best, which is kept"
        print(f"validated {name} {shown(net.validation_scores[at - 1])} after epoch {at}, {kept}")
    print(f"{name:<9} {shown(training.score)} of {record['examples']} trained on{validated}{tested}")
    print_files(record, *OUTPUTS)
