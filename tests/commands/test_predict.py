"""``predict``: what the model learnt comes back, scaled and named as in training; other data is refused."""

import json
import subprocess
import sys

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.model_file import load_model

from ..support.tables import LABELS, NAMES, ROWS, WORDS, csv_text, write


@pytest.fixture
def model(command, here):
    """A model file, and the accuracy of its training."""
    result = command(
        *(
            "train",
            "table.csv",
            "--layers",
            "4,2",
            "--iterations",
            "400",
            "--learning-rate",
            "0.5",
            "--model",
            "m.npz",
            "--json",
        )
    )
    return result.json


def lines(text):
    head, *rest = text.splitlines()
    assert head == "probability,class"
    return [(float(probability), cls) for probability, cls in (line.split(",") for line in rest)]


def test_what_was_trained_on_is_predicted_as_in_training(model, command):
    result = command("predict", "m.npz", "table.csv")
    assert result.code == 0
    assert result.err == f"accuracy  {model['accuracy']:.2%} of 40 examples\n"
    loaded = load_model("m.npz")
    AL, _ = bp.L_model_forward(loaded.scaling(ROWS.T), loaded.parameters)
    assert [p for p, _ in lines(result.out)] == AL[0].tolist()
    words = [word for _, word in lines(result.out)]
    assert words == ["yes" if p > 0.5 else "no" for p in AL[0]]
    assert np.mean(np.array(words) == WORDS) == model["accuracy"]


FORMS = {
    "without labels": lambda path: write(path / "d.csv", "\n".join(",".join(map(repr, row)) for row in ROWS.tolist())),
    "a header without the label": lambda path: write(
        path / "d.csv", "\n".join([",".join(NAMES), *(",".join(map(repr, row)) for row in ROWS.tolist())])
    ),
    "npy": lambda path: np.save(path / "d.npy", ROWS),
    "npz, rows": lambda path: np.savez(path / "d.npz", X=ROWS),
    "npz, columns": lambda path: np.savez(path / "d.npz", X=ROWS.T),
    "npz with labels": lambda path: np.savez(path / "d.npz", X_test=ROWS.T, y_test=WORDS, X_train=ROWS[:9]),
}


@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_the_same_examples(form, model, command, here):
    FORMS[form](here)
    (data,) = here.glob("d.*")
    expected = command("predict", "m.npz", "table.csv", "--json").json
    result = command("predict", "m.npz", data, "--json").json
    np.testing.assert_allclose(result["probabilities"], expected["probabilities"], rtol=1e-13)
    assert result["classes"] == expected["classes"]
    assert result["accuracy"] == (expected["accuracy"] if form == "npz with labels" else None)


def test_labels_where_they_are_said_to_be(model, command, here):
    table = np.column_stack([LABELS, ROWS])
    np.savetxt(here / "d.csv", table, delimiter=";", header="y;age;height;weight", comments="")
    command("train", "d.csv", "--layers", "none", "--label", "y", "--iterations", "5", "--model", "n.npz")
    by_name, by_number, kept = (
        command("predict", "n.npz", "d.csv", *label, "--json").json for label in (["--label", "y"], ["--label", "1"], [])
    )
    assert by_name == by_number == kept
    assert kept["accuracy"] is not None


def test_a_file_of_lines_is_written_whole_and_replaced(model, command, here, monkeypatch):
    expected = command("predict", "m.npz", "table.csv").out
    for _ in range(2):
        result = command("predict", "m.npz", "table.csv", "--output", "p.csv")
        assert result.out.startswith("accuracy")
        assert (here / "p.csv").read_text() == expected

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fastbackprop.whole_file.os.fsync", full)
    write(here / "one.csv", "1,2,3")
    assert command("predict", "m.npz", "one.csv", "--output", "p.csv").code == 2
    assert (here / "p.csv").read_text() == expected
    assert not list(here.glob("*.tmp"))


def test_json_with_a_file(model, command):
    record = command("predict", "m.npz", "table.csv", "--output", "p.csv", "--json").json
    accuracy = model["accuracy"]
    assert record == {"model": "m.npz", "data": "table.csv", "examples": 40, "accuracy": accuracy, "output": "p.csv"}


def test_a_foreign_file_is_not_written_over(model, refused, here):
    write(here / "mine.csv", "1,2\n")
    refused("predict", "m.npz", "table.csv", "--output", "mine.csv", words=["mine.csv is there"])
    refused("predict", "m.npz", "table.csv", "--output", "table.csv", words=["DATA and --output"])
    refused("predict", "m.npz", "table.csv", "--output", "m.npz", words=["MODEL and --output"])


def test_data_of_another_size_or_other_names(model, refused, here):
    write(here / "d.csv", "1,2\n3,4\n")
    refused("predict", "m.npz", "d.csv", words=["d.csv", "2 features; expected 3"])
    np.savez(here / "d.npz", X=np.zeros((5, 7)))
    refused("predict", "m.npz", "d.npz", words=["d.npz: X has shape (5, 7); expected 3 features"])
    write(here / "d.csv", csv_text(WORDS, ["age", "weight", "height", "ill"]))
    refused("predict", "m.npz", "d.csv", words=["feature 2 is 'weight'; expected 'height'"])
    write(here / "d.csv", csv_text(WORDS, [*NAMES, "sick"]))
    refused("predict", "m.npz", "d.csv", words=["d.csv has no column 'ill'", "age, height, weight, sick"])


def test_labels_of_other_classes(model, refused, here):
    write(here / "d.csv", "1,2,3,no\n3,4,5,maybe\n")
    refused("predict", "m.npz", "d.csv", "--label", "4", words=["line 2, column 4 is maybe; expected one of", "no and yes"])


def test_square_data_asks_which_way(model, command, refused, here):
    np.savez(here / "d.npz", X=ROWS[:3])
    refused("predict", "m.npz", "d.npz", words=["rows or columns; --examples says which"])
    rows = command("predict", "m.npz", "d.npz", "--examples", "rows", "--json").json
    assert rows["probabilities"] == command("predict", "m.npz", "table.csv", "--json").json["probabilities"][:3]


def test_what_is_no_model(refused, here):
    write(here / "text.npz", "text")
    np.savez(here / "arrays.npz", X=ROWS)
    refused("predict", "none.npz", "table.csv", words=["none.npz does not exist"])
    refused("predict", "text.npz", "table.csv", words=["text.npz is no model"])
    refused("predict", "arrays.npz", "table.csv", words=["arrays.npz is no model", "about is missing"])


def test_a_process_whose_reader_leaves(model, here):
    """``predict | head`` ends without a traceback."""
    np.savez(here / "d.npz", X=np.zeros((50_000, 3)))
    with subprocess.Popen(
        [sys.executable, "-m", "fastbackprop", "predict", "m.npz", "d.npz"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"probability,class\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_process_of_each_command(here):
    def run(*arguments):
        command = [sys.executable, "-m", "fastbackprop", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    trained = run("train", "table.csv", "--layers", "none", "--iterations", "10", "--model", "m.npz", "--json")
    assert (trained.returncode, trained.stderr) == (0, "")
    predicted = run("predict", "m.npz", "table.csv", "--json")
    assert json.loads(predicted.stdout)["accuracy"] == json.loads(trained.stdout)["accuracy"]
    failed = run("predict", "none.npz", "table.csv")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == "fastbackprop predict: none.npz does not exist; expected a file\n"
