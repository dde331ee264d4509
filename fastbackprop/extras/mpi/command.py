"""``mpiexec -n 4 python -m fastbackprop.extras.mpi train DATA --layers 20,7,5``: each rank reads its part of the file alone."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fastbackprop.arguments import hidden_named, output_named
from fastbackprop.bad_input import BadInput
from fastbackprop.commands import options, print_json
from fastbackprop.commands.outputs import all_different, output_file
from fastbackprop.commands.problem import in_units_of_labels, penalty, start_parameters
from fastbackprop.commands.records import of_data, of_net, print_data, print_files, print_training
from fastbackprop.data import Examples
from fastbackprop.data.classes import Classes, find_classes, number_labels
from fastbackprop.data.scaling import Scaling
from fastbackprop.extras.mpi.checks import SPLITS
from fastbackprop.extras.mpi.fitting import train
from fastbackprop.extras.mpi.ranks import Ranks
from fastbackprop.extras.mpi.reading import Part, read_part
from fastbackprop.extras.mpi.scaling import fit_examples, fit_features
from fastbackprop.extras.mpi.training import L_layer_model
from fastbackprop.machine import versions
from fastbackprop.model_file import Model, is_model, save_model
from fastbackprop.optimizers import GradientDescent
from fastbackprop.trained import Trained

DESCRIPTION = (
    "Train on the examples of a .npy or .h5 file, of which each rank reads its part alone. Ranks hold examples, or features "
    "where these are many more."
)

# Options that ``fastbackprop.extras.mpi.train`` has too.
TAKEN = ("hidden", "output", "l2", "batch_size", "shuffle", "seed", "checkpoint")


def add_options(parser: argparse.ArgumentParser) -> None:
    options.add_data(parser)
    options.add_problem(parser, None)
    options.add_rule(parser)
    options.add_learning_rate(parser, None, options.OPTIMIZERS_RATE)
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="examples",
        help="what is spread over the ranks; features are for wide data, a hidden relu, a sigmoid output and full-batch "
        "gradient descent. Default: examples",
    )
    parser.add_argument("--model", metavar="FILE.npz", help="write the trained model, for predict")
    parser.add_argument("--checkpoint", metavar="FILE", help="save the training as it goes; the same command resumes it")
    options.add_json(parser)


@dataclass(frozen=True)
class Problem:
    """A rank's part of a training: scaled data, labels as numbers, and what the model needs beside its parameters."""

    X: np.ndarray
    Y: np.ndarray
    layers: list[int]
    scaling: Scaling
    classes: Classes | None
    label_scaling: Scaling
    m: int


def run(arguments: argparse.Namespace) -> None:
    """Train as the options say, write the model, and have rank 0 print what came of it."""
    ranks = Ranks()

    def check() -> tuple[Path | None, None]:
        all_different({"DATA": arguments.data, "--model": arguments.model, "--checkpoint": arguments.checkpoint})
        _check_features(arguments)
        there = arguments.model and ranks.rank == 0
        return (output_file("--model", arguments.model, is_model) if there else None), None

    def read() -> tuple[Part, Any]:
        split = arguments.split
        part = read_part(arguments.data, ranks.rank, ranks.size, split, label=arguments.label, examples=arguments.examples)
        return part, (part.X.shape, np.unique(part.labels))

    try:
        path, _ = ranks.agreed(check)
        part, said = ranks.agreed(read)
        problem = _prepare(ranks, arguments, part, said)
        begun = time.perf_counter()
        net = _train(arguments, problem)
    except (ValueError, KeyError) as error:  # of any part: what the user can mend
        raise BadInput(str(error)) from None
    seconds = time.perf_counter() - begun
    cost, score = _score(ranks, arguments.split, net, problem)
    cost += penalty(net.parameters, arguments.l2, min(arguments.batch_size or problem.m, problem.m))
    parameters, _ = in_units_of_labels(net.parameters, [], problem.label_scaling)
    record = _record(arguments, ranks, part, problem, net, (cost, score), seconds)
    if path:
        about = {name: record[name] for name in ("optimizer", "l2", "batch_size", "epochs", "start", "seed", "ranks", "split")}
        hidden, output = hidden_named(net.hidden), output_named(net.output)
        about["versions"] = versions()
        save_model(
            path,
            Model(problem.layers, parameters, problem.scaling, problem.classes, part.label, None, about, hidden, output),
        )
    if ranks.rank == 0:
        if arguments.json:
            print_json(record)
        else:
            _print(record, problem)


def _check_features(arguments: argparse.Namespace) -> None:
    """Check that nothing is asked for that a training with features spread does not compute."""
    if arguments.split != "features":
        return
    plain = {"hidden": "relu", "output": "sigmoid", "l2": 0.0, "batch_size": None}
    for name, value in plain.items():
        if getattr(arguments, name) != value:
            raise BadInput(f"--split features trains with --{name.replace('_', '-')} {value} alone")
    if type(arguments.optimizer) is not GradientDescent:
        raise BadInput("--split features trains with --optimizer gradient_descent alone")


def _prepare(ranks: Ranks, arguments: argparse.Namespace, part: Part, said: list[Any]) -> Problem:
    shapes, distinct = zip(*said, strict=True)
    here = Examples(Path(arguments.data), part.where, part.X, part.labels, part.label, _place(ranks.rank))
    values = Examples(here.path, part.where, part.X, np.concatenate(distinct), part.label, "a label of rank {}".format)
    several = arguments.output == "softmax"
    classes = None if arguments.output == "identity" else find_classes(values, several=several)
    Y = number_labels(here) if classes is None else classes.labels(here)
    kind = arguments.scale or ("255" if part.pictures else "standard")
    if arguments.split == "features":
        mine, scaling = fit_features(ranks, kind, part.X)
        label_scaling = Scaling("none")
        n_0, m = sum(shape[0] for shape in shapes), part.X.shape[1]
    else:
        mine = scaling = fit_examples(ranks, kind, part.X)
        label_scaling = fit_examples(ranks, "standard" if classes is None and arguments.scale != "none" else "none", Y)
        n_0, m = part.X.shape[0], sum(shape[1] for shape in shapes)
    layers = [n_0, *arguments.layers, len(classes.values) if classes is not None and several else 1]
    X, _ = ranks.agreed(lambda: (mine(part.X), None))
    return Problem(X, label_scaling(Y), layers, scaling, classes, label_scaling, m)


def _place(rank: int) -> Any:
    return lambda i: f"label {i + 1} of rank {rank}"


def _train(arguments: argparse.Namespace, problem: Problem) -> Trained:
    optimizer = arguments.optimizer
    if arguments.learning_rate is not None:
        optimizer = replace(optimizer, learning_rate=arguments.learning_rate)
    layers, epochs = problem.layers, arguments.epochs
    start = start_parameters(layers, arguments.start, arguments.seed)
    if arguments.split == "examples":
        taken = {name: getattr(arguments, name) for name in TAKEN}
        return train(problem.X, problem.Y, layers, optimizer=optimizer, epochs=epochs, parameters=start, **taken)
    parameters, costs = L_layer_model(
        problem.X, problem.Y, layers, optimizer.learning_rate, epochs, split="features", parameters=start, return_costs=True,
        checkpoint=arguments.checkpoint,
    )  # fmt: skip
    return Trained(parameters, costs, [], epochs, None, False, layers, "relu", "sigmoid", optimizer)


def _score(ranks: Ranks, split: str, net: Trained, problem: Problem) -> tuple[float, float]:
    """The cost without a penalty, and the score, of all examples."""
    X, Y, parameters = problem.X, problem.Y, net.parameters
    if split == "features":  # V = W1 X is a sum over features, and the input of a first layer with the weights of the identity
        counts = ranks.exchange(len(X)) or []
        first = sum(counts[: ranks.rank])
        V = parameters["W1"][:, first : first + len(X)] @ X
        ranks.total(V.reshape(-1))
        judged = replace(net, parameters=parameters | {"W1": np.eye(len(V))}, layers_dims=[len(V), *problem.layers[1:]])
        return judged.cost(V, Y), judged.score(V, Y)
    scaling, labels = problem.label_scaling, Y
    if scaling.shift is not None and scaling.divisor is not None:
        labels = Y * scaling.divisor + scaling.shift
    judged = replace(net, parameters=in_units_of_labels(parameters, [], scaling)[0])
    every = ranks.exchange((X.shape[1], net.cost(X, Y), judged.score(X, labels))) or []
    cost, score = (sum(count * both[i] for count, *both in every) / problem.m for i in (0, 1))
    return cost, score


def _record(
    arguments: argparse.Namespace,
    ranks: Ranks,
    part: Part,
    problem: Problem,
    net: Trained,
    score: tuple[float, float],
    seconds: float,
) -> dict[str, Any]:
    """What is printed as JSON."""
    classes = problem.classes
    return {
        **of_data(arguments.data, part.where, classes, problem.scaling, arguments.start),
        **{"ranks": ranks.size, "split": arguments.split},
        **of_net(net),
        **{name: getattr(arguments, name) for name in ("seed", "l2", "batch_size", "shuffle", "model", "checkpoint")},
        "examples": problem.m,
        "cost": score[0],
        "rms_error" if classes is None else "accuracy": (-score[1]) ** 0.5 if classes is None else score[1],
        "seconds": seconds,
    }


def _print(record: dict[str, Any], problem: Problem) -> None:
    print_data(record, problem.layers[0], problem.classes)
    print(f"ranks     {record['ranks']}, {record['split']} spread over them")
    print_training(record)
    print(f"accuracy  {record['accuracy']:.2%}" if "accuracy" in record else f"rms error {record['rms_error']:.6g}")
    print_files(record, "model", "checkpoint")
