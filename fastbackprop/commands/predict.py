"""``fastbackprop predict MODEL DATA``."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

import fastbackprop
from fastbackprop.bad_input import BadInput
from fastbackprop.commands import options, print_json
from fastbackprop.commands.outputs import PREDICTIONS, all_different, output_file, predictions
from fastbackprop.data import Examples, Wanted, read_examples
from fastbackprop.model_file import Model, load_model
from fastbackprop.whole_file import replacing

DESCRIPTION = (
    "Predict the examples of a file by a model that train wrote: a line of probability and class for each. The probability is "
    "that of the class that 1 stands for. Where the data holds labels, the part of right answers is printed too, on stderr if "
    "the lines go to stdout."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model file that train wrote")
    options.add_data(parser)
    parser.add_argument("--output", metavar="FILE.csv", help="write the lines to a file")
    options.add_json(parser)


@dataclass(frozen=True)
class Prediction:
    """Probabilities (m,) of the class 1 stands for, the predicted classes, and the accuracy where there are labels."""

    probabilities: NDArray[np.float64]
    classes: list[Any]
    accuracy: float | None


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
    labels = None if examples.labels is None else model.classes.labels(examples)
    try:
        X = model.scaling(examples.X)
    except BadInput as error:
        raise BadInput(f"{examples.path}: {error}") from None
    AL, _ = fastbackprop.L_model_forward(X, model.parameters)
    ones = AL[0] > 0.5
    values = (model.classes.zero, model.classes.one)
    accuracy = None if labels is None else float(np.mean(ones == labels[0]))
    return Prediction(AL[0], [values[one] for one in ones.tolist()], accuracy)


def run(arguments: argparse.Namespace) -> None:
    """Predict as the options say."""
    all_different({"MODEL": arguments.model, "DATA": arguments.data, "--output": arguments.output})
    output = arguments.output and output_file("--output", arguments.output, predictions)
    model = load_model(arguments.model)
    wanted = Wanted(arguments.label, arguments.examples, model.layers[0], model.names, model.label)
    prediction = predict(model, read_examples(arguments.data, wanted))
    if output:
        try:
            with replacing(output) as file:
                text = io.TextIOWrapper(file, encoding="utf-8", newline="")
                _write(text, prediction)
                text.flush()
                text.detach()
        except OSError as error:
            raise BadInput(f"--output {arguments.output} could not be written: {error.strerror}") from None
    m = len(prediction.classes)
    if arguments.json:
        lists = {"probabilities": prediction.probabilities.tolist(), "classes": prediction.classes}
        told = {"output": arguments.output} if output else lists
        print_json({"model": arguments.model, "data": arguments.data, "examples": m, "accuracy": prediction.accuracy} | told)
        return
    if not output:
        _write(sys.stdout, prediction)
    if prediction.accuracy is not None:
        print(f"accuracy  {prediction.accuracy:.2%} of {m} examples", file=sys.stdout if output else sys.stderr)


def _write(file: TextIO, prediction: Prediction) -> None:
    """A line an example; a probability is the shortest text that reads back as the same number."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(PREDICTIONS.split(","))
    writer.writerows(_lines(prediction))


def _lines(prediction: Prediction) -> Iterator[tuple[float, Any]]:
    return zip(prediction.probabilities.tolist(), prediction.classes, strict=True)
