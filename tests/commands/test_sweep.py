"""``sweep``: each combination as the command ``train`` trains it, in a table, as JSON, in a picture, and from a folder."""

import json

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.commands.outputs import software
from fastbackprop.extras.sweep import Record, Records

from ..support.tables import ROWS, csv_text, write

pytest.importorskip("joblib")

QUICK = ("--epochs", "40", "--no-progress")


def test_every_combination_is_trained_as_train_does(command):
    several = ("--layers", "4,2", "none", "--learning-rate", "0.1,0.5", "--seeds", "1,2", "--hidden", "tanh")
    record = command("sweep", "table.csv", *several, *QUICK, "--hold-out", "0.2", "--json").json
    assert (record["examples"], record["held_out"], record["classes"]) == (32, 8, ["no", "yes"])
    assert [(row["layers"], row["learning_rate"], row["seed"]) for row in record["trainings"]] == [
        (layers, rate, seed) for layers in ([3, 4, 2, 1], [3, 1]) for rate in (0.1, 0.5) for seed in (1, 2)
    ]
    for row in record["trainings"]:
        if row["seed"] != 1:  # the hold-out is that of the first seed
            continue
        layers = ",".join(map(str, row["layers"][1:-1])) or "none"
        one = ("--layers", layers, "--learning-rate", row["learning_rate"], "--hidden", "tanh", "--hold-out", "0.2")
        alone = command("train", "table.csv", *one, *QUICK, "--json").json
        assert row["costs"] == alone["costs"]
        assert row["held_out_accuracy"] == alone["held_out_accuracy"]
        assert (row["status"], row["error"], row["cost"]) == ("done", None, row["costs"][-1])


def test_numbers_as_labels_have_an_error_in_their_own_unit(command, here):
    write(here / "numbers.csv", csv_text(100 * ROWS[:, 0]))
    options = ("--layers", "4", "--output", "identity", *QUICK, "--hold-out", "0.25", "--json")
    (row,) = command("sweep", "numbers.csv", *options).json["trainings"]
    alone = command("train", "numbers.csv", *options).json
    assert row["held_out_rms_error"] == pytest.approx(alone["held_out_rms_error"], rel=1e-12)
    assert "held_out_accuracy" not in row


def test_the_table_and_the_picture(command, here):
    pytest.importorskip("matplotlib")
    several = ("--layers", "4", "--learning-rate", "0.1,1e300", "--hold-out", "0.2")
    result = command("sweep", "table.csv", *several, *QUICK, "--plot", "costs.png")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[-1] == "picture   costs.png"
    assert lines[3].split() == ["layers", "learning", "rate", "seed", "last", "cost", "held", "out", "seconds"]
    assert lines[4].endswith(" s  done")
    assert "%" in lines[4]
    assert lines[5].endswith(" s  diverged")
    assert software(here / "costs.png")


def test_a_folder_is_taken_up(command, here, monkeypatch):
    options = ("sweep", "table.csv", "--layers", "4", "--seeds", "1,2", *QUICK, "--folder", "kept", "--json")
    first = command(*options).json
    assert len(list((here / "kept").iterdir())) == 2
    again = command(*options).json
    assert again == first  # the seconds too


def test_an_interrupt_prints_what_is_done(command, monkeypatch):
    def interrupted(X, Y, configurations, **options):
        done = Record(configurations[0], {}, [0.5], None, 1.0, "done")
        return Records([done, Record(configurations[1], None, [], None, 0.0, "interrupted", "interrupted before its end")])

    monkeypatch.setattr(bp.extras.sweep, "sweep", interrupted)
    result = command("sweep", "table.csv", "--layers", "4", "--seeds", "1,2", *QUICK)
    assert result.code == 130
    assert result.out.splitlines()[-1].endswith("interrupted")
    assert result.err == "fastbackprop sweep: interrupted after 1 of 2 trainings\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--patience", "3"), ("configurations[0]", "patience needs scores")),
        (("--folder", "table.csv"), ("table.csv", "no records can be written")),
        (("--picture", "table.csv"), ("--picture", "the same file")),
    ],
)
def test_what_cannot_be_done_is_refused(options, words, refused):
    refused("sweep", "table.csv", "--layers", "4", *QUICK, *options, words=words)


@pytest.mark.parametrize("option", ["--learning-rate=0.1,,", "--seeds=1,x", "--layers=0", "--jobs=0"])
def test_values_are_checked(option, command, capsys):
    with pytest.raises(SystemExit) as caught:
        command("sweep", "table.csv", "--layers", "4", option)
    assert caught.value.code == 2
    assert option.partition("=")[0] in capsys.readouterr().err


def test_numbers_that_are_not_finite_become_null(command):
    text = command("sweep", "table.csv", "--layers", "4", "--learning-rate", "1e300", *QUICK, "--json").out
    assert np.isfinite(json.loads(text)["trainings"][0]["costs"][0])
