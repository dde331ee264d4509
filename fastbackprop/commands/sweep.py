"""``fastbackprop sweep DATA --layers 20,7,5 --learning-rate 0.1,0.01 --seeds 1,2,3``: all of these nets, a core each."""

from __future__ import annotations

import argparse
import itertools
import math
from dataclasses import replace
from typing import Any

import fastbackprop
from fastbackprop.commands import options, print_json, refusals
from fastbackprop.commands.outputs import all_different, picture_file, writing
from fastbackprop.commands.problem import Problem, prepare, start_parameters
from fastbackprop.commands.records import of_data, print_data, print_files
from fastbackprop.data import Examples, read_examples
from fastbackprop.extras.sweep import Record, Records
from fastbackprop.extras.sweep.records import FAILED, INTERRUPTED
from fastbackprop.whole_file import replacing

DESCRIPTION = (
    "Train a net for each combination of hidden layers, learning rate and seed on the examples of a file, several at once, "
    "with the numbers that `train` would have. It needs joblib, the extra sweep."
)
TAKEN = ("hidden", "output", "l2", "batch_size", "epochs", "shuffle", "patience")  # as `fastbackprop.train` has them


def add_options(parser: argparse.ArgumentParser) -> None:
    options.add_data(parser)
    parser.add_argument(
        "--layers",
        type=options.hidden_layers,
        nargs="+",
        required=True,
        metavar="N,N,...",
        help="sizes of the hidden layers of each net, or none for logistic regression; the output is one unit, or one a class",
    )
    parser.add_argument(
        "--learning-rate", type=options.several(options.rate), metavar="RATE,RATE,...", help=options.OPTIMIZERS_RATE
    )
    parser.add_argument(
        "--seeds",
        type=options.several(options.seed),
        default=[1],
        metavar="N,N,...",
        help="of the start; the hold-out of all nets is drawn by the first. Default: 1",
    )
    options.add_preparation(parser)
    options.add_training(parser)
    options.add_hold_out(parser)
    parser.add_argument("--jobs", type=options.count, metavar="N", help="nets that are trained at once. Default: all cores")
    parser.add_argument(
        "--folder", metavar="FOLDER", help="keep what is trained there; the same command trains what it lacks, and no more"
    )
    parser.add_argument("--picture", "--plot", metavar="FILE.png", help="draw the costs (extra plot)")
    options.add_progress(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train as the options say, draw, and print what came of it."""
    all_different({"DATA": arguments.data, "--picture": arguments.picture})
    picture = arguments.picture and picture_file(arguments.picture)
    examples = read_examples(arguments.data, options.wanted(arguments))
    problem = prepare(
        examples,
        arguments.layers[0],
        scale=arguments.scale,
        start=arguments.start,
        seed=arguments.seeds[0],
        hold_out=arguments.hold_out,
        output=arguments.output,
    )
    nets = _nets(arguments, problem)
    with refusals():
        records = fastbackprop.sweep(
            problem.X,
            problem.label_scaling(problem.Y),
            [configuration for _, configuration in nets],
            n_jobs=arguments.jobs,
            validation=(problem.X_held_out, problem.label_scaling(problem.Y_held_out)) if problem.Y_held_out.size else None,
            progress=options.progress(arguments),
            folder=arguments.folder,
        )
    rows = [{**net, **_result(record, problem)} for (net, _), record in zip(nets, records, strict=True)]
    if picture:
        from fastbackprop.extras.plotting import save_curves

        curves = {_called(row): row["costs"] for row in rows if row["costs"]}
        with writing("--picture", picture), replacing(picture) as file:
            save_curves(file, curves, f"fastbackprop {fastbackprop.__version__}")
    record = _record(arguments, examples, problem)
    if arguments.json:
        print_json(record | {"trainings": rows})
    else:
        _print(record, arguments.epochs, problem, rows)
    _interrupted(records)


def _nets(arguments: argparse.Namespace, problem: Problem) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What each net is called by, and its configuration: what the command `train` trains with these options."""
    taken = {name: getattr(arguments, name) for name in TAKEN} | {"validation": arguments.validation or None}
    n_0, *_, n_L = problem.layers
    nets = []
    for hidden, rate, seed in itertools.product(arguments.layers, arguments.learning_rate or [None], arguments.seeds):
        optimizer = arguments.optimizer if rate is None else replace(arguments.optimizer, learning_rate=rate)
        layers = [n_0, *hidden, n_L]
        start = start_parameters(layers, arguments.start, seed)
        net = {"layers": layers, "learning_rate": optimizer.learning_rate, "seed": seed}
        nets.append((net, {"layers_dims": layers, "optimizer": optimizer, "seed": seed, "parameters": start, **taken}))
    return nets


def _result(record: Record, problem: Problem) -> dict[str, Any]:
    score, found = record.accuracy, {"held_out_accuracy": record.accuracy}
    if problem.classes is None:
        divisor = 1.0 if problem.label_scaling.divisor is None else float(problem.label_scaling.divisor[0, 0])
        found = {"held_out_rms_error": None if score is None else math.sqrt(-score) * divisor}
    cost = record.costs[-1] if record.costs else None
    about = {"seconds": record.seconds, "status": record.status, "error": record.error}
    return {"costs": record.costs, "cost": cost, **found, **about}


def _record(arguments: argparse.Namespace, examples: Examples, problem: Problem) -> dict[str, Any]:
    return {
        **of_data(examples.path, examples.where, problem.classes, problem.scaling, arguments.start),
        "examples": problem.Y.size,
        "held_out": problem.Y_held_out.size,
        "picture": arguments.picture,
        "folder": arguments.folder,
    }


def _called(row: dict[str, Any]) -> str:
    return f"{','.join(map(str, row['layers']))}  rate {row['learning_rate']:g}  seed {row['seed']}"


def _print(record: dict[str, Any], epochs: int, problem: Problem, rows: list[dict[str, Any]]) -> None:
    print_data(record, problem.layers[0], problem.classes)
    print(f"training  {epochs} epochs, start {record['start']}, scaling {record['scale']}, {record['held_out']} held out")
    lines = [["layers", "learning rate", "seed", "last cost", "held out", "seconds", ""]]
    for row in rows:
        shown = "-"
        if row.get("held_out_accuracy") is not None:
            shown = f"{row['held_out_accuracy']:.2%}"
        elif row.get("held_out_rms_error") is not None:
            shown = f"{row['held_out_rms_error']:.6g}"
        cost = "-" if row["cost"] is None else f"{row['cost']:.6f}"
        said = f"{FAILED}: {row['error']}" if row["status"] == FAILED else row["status"]
        line = [",".join(map(str, row["layers"])), f"{row['learning_rate']:g}", str(row["seed"])]
        lines.append([*line, cost, shown, f"{row['seconds']:.2f} s", said])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]) - 1)]
    for first, *middle, last in lines:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(middle, widths[1:], strict=True)), last]
        print("  ".join(cells).rstrip())
    print_files(record, "picture")


def _interrupted(records: Records) -> None:
    """Raise where Ctrl-C has ended the sweep, after what is done has been printed."""
    if left := sum(record.status == INTERRUPTED for record in records):
        raise KeyboardInterrupt(f"after {len(records) - left} of {len(records)} trainings")
