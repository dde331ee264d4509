"""``fastbackprop predict MODEL DATA``."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput
from fastbackprop.commands import options, print_json
from fastbackprop.commands.outputs import all_different, output_file, predictions, writing
from fastbackprop.data import Examples, Wanted, read_examples
from fastbackprop.data.classes import number_labels
from fastbackprop.model_file import Model, load_model
from fastbackprop.whole_file import replacing

DESCRIPTION = (
    "Predict the examples of a file by a model that train wrote: a line for each. It has a probability and a class: the "
    "probability of the class that 1 stands for, or of several classes that of the one named. Of a model for numbers it has "
    "the number. Where the data holds labels, the part of right answers, or the error, is printed too, on stderr if the lines "
    "go to stdout."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model file that train wrote")
    options.add_data(parser)
    parser.add_argument("--output", metavar="FILE.csv", help="write the lines to a file")
    options.add_json(parser)


@dataclass(frozen=True)
class Prediction:
    """Columns of lines by name, the lists of a record, and where there are labels how right it is, in words and as a number."""

    columns: dict[str, list[Any]]
    lists: dict[str, list[Any]]
    right: dict[str, float | None]
    words: str | None


def predict(model: Model, examples: Examples) -> Prediction:
    """Predict examples that a reader returned.

    Raises
    ------
    BadInput
        Examples of another size or with other columns than the model's, or labels of other classes.
    """
    n_0 = model.layers[0]
    if len(examples.X) != n_0:
        raise BadInput(f"{examples.path}: {examples.where}, {len(examples.X)} features; expected {n_0}, as the model has")
    for i, (there, here) in enumerate(zip(model.names or (), examples.names or (), strict=False)):
        if there != here:
            raise BadInput(f"{examples.path}: feature {i + 1} is {here!r}; expected {there!r}, as in the model")
    labels = None
    if examples.labels is not None and (model.classes is not None or model.layers[-1] == 1):
        labels = number_labels(examples) if model.classes is None else model.classes.labels(examples)
    try:
        X = model.scaling(examples.X)
    except BadInput as error:
        raise BadInput(f"{examples.path}: {error}") from None
    A = model.net.outputs(X, model.parameters)
    if model.classes is not None:
        return _of_classes(model, A, labels)
    return _of_units(model, A, labels)


def _of_classes(model: Model, A: NDArray[Any], labels: NDArray[Any] | None) -> Prediction:
    """One class an example, with its probability; of one unit the probability of 1."""
    assert model.classes is not None
    codes = model.net.target.answer(A)[0]
    classes = [model.classes.values[code] for code in codes.tolist()]
    each = A[0].tolist() if len(A) == 1 else A.T.tolist()
    named = each if len(A) == 1 else A[codes, np.arange(codes.size)].tolist()
    accuracy = None if labels is None else float(np.mean(codes == labels[0]))
    words = None if accuracy is None else f"accuracy  {accuracy:.2%} of {codes.size} examples"
    columns = {"probability": named, "class": classes}
    return Prediction(columns, {"probabilities": each, "classes": classes}, {"accuracy": accuracy}, words)


def _of_units(model: Model, A: NDArray[Any], labels: NDArray[Any] | None) -> Prediction:
    """What each unit says: a number, or a probability and whether it is over one half."""
    what = "probability" if model.net.target.probabilities else "prediction"
    columns = {}
    for i, row in enumerate(A.tolist(), start=1):
        suffix = f"_{i}" if len(A) > 1 else ""
        columns[what + suffix] = row
        if model.net.target.probabilities:
            columns["class" + suffix] = model.net.target.answer(A)[i - 1].tolist()
    each = A[0].tolist() if len(A) == 1 else A.T.tolist()
    lists = {"probabilities" if model.net.target.probabilities else "predictions": each}
    error = None if labels is None else float(np.sqrt(np.mean((A - labels) ** 2)))
    words = None if error is None else f"rms error {error:.6g} of {A.shape[1]} examples"
    return Prediction(columns, lists, {"rms_error": error}, words)


def run(arguments: argparse.Namespace) -> None:
    """Predict as the options say."""
    all_different({"MODEL": arguments.model, "DATA": arguments.data, "--output": arguments.output})
    output = arguments.output and output_file("--output", arguments.output, predictions)
    model = load_model(arguments.model)
    wanted = Wanted(arguments.label, arguments.examples, model.layers[0], model.names, model.label)
    prediction = predict(model, read_examples(arguments.data, wanted))
    if output:
        with writing("--output", output), replacing(output) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            _write(text, prediction)
            text.flush()
            text.detach()
    if arguments.json:
        told = {"output": arguments.output} if output else prediction.lists
        m = len(next(iter(prediction.columns.values())))
        print_json({"model": arguments.model, "data": arguments.data, "examples": m} | prediction.right | told)
        return
    if not output:
        _write(sys.stdout, prediction)
    if prediction.words is not None:
        print(prediction.words, file=sys.stdout if output else sys.stderr)


def _write(file: TextIO, prediction: Prediction) -> None:
    """A line an example; a number is the shortest text that reads back as the same one."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(prediction.columns)
    writer.writerows(zip(*prediction.columns.values(), strict=True))
