"""``train``: the numbers of a direct call, files and records, and refusals before any work."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import fitting, looping
from fastbackprop.commands.problem import start_parameters
from fastbackprop.model_file import load_model
from fastbackprop.testing import assert_same_bits

from ..support.recorded import he, lecun, start
from ..support.tables import LABELS, ROWS, WORDS, csv_text, write

QUICK = ("--layers", "4,2", "--iterations", "250", "--learning-rate", "0.1")


def direct(X, Y, layers, iterations=250, rate=0.1, scale=he):
    return bp.L_layer_model(X, Y, layers, rate, iterations, parameters=start(layers, 1, scale), return_costs=True)


def test_the_same_numbers_as_a_direct_call(command):
    result = command("train", "table.csv", *QUICK, "--scale", "none", "--model", "m.npz", "--json")
    parameters, costs = direct(ROWS.T, LABELS.reshape(1, -1), [3, 4, 2, 1])
    assert result.json["costs"][::100] == costs
    assert_same_bits(load_model("m.npz").parameters, parameters)
    AL, _ = bp.L_model_forward(ROWS.T, parameters)
    assert result.json["cost"] == pytest.approx(float(bp.compute_cost(AL, LABELS.reshape(1, -1))), rel=1e-13)
    assert result.json["accuracy"] == np.mean((AL > 0.5) == LABELS)


def test_the_seconds_are_part_of_those_of_the_command(command):
    begun = time.perf_counter()
    seconds = command("train", "table.csv", *QUICK, "--json").json["seconds"]
    assert 0 < seconds <= time.perf_counter() - begun


@pytest.mark.parametrize(("kind", "scale"), [("he", he), ("xavier", lecun), ("small", lambda n_prev: 0.01)])
def test_starts_are_those_of_the_global_generator_which_stays(kind, scale):
    np.random.seed(5)
    before = np.random.get_state(legacy=False)["state"]["pos"]
    drawn = start_parameters([4, 3, 1], kind, 7)
    assert np.random.get_state(legacy=False)["state"]["pos"] == before
    expected = start([4, 3, 1], 7, scale)
    for key, value in expected.items():
        np.testing.assert_array_max_ulp(drawn[key], value, 1)
    if kind == "small":
        np.random.seed(7)
        assert_same_bits(drawn, bp.initialize_parameters_deep([4, 3, 1]))


def test_logistic_regression(command):
    result = command("train", "table.csv", "--layers", "none", "--iterations", "9", "--scale", "standard", "--json")
    assert result.json["layers"] == [3, 1]
    X = ((ROWS - ROWS.mean(axis=0)) / ROWS.std(axis=0)).T
    np.testing.assert_allclose(result.json["costs"][0], direct(X, LABELS.reshape(1, -1), [3, 1], 9)[1][0], rtol=1e-12)


def test_what_is_held_out_is_neither_trained_on_nor_scaled_by(command, here):
    first = command("train", "table.csv", *QUICK, "--hold-out", "0.25", "--model", "m.npz", "--json").json
    assert (first["examples"], first["held_out"]) == (30, 10)
    order = np.random.default_rng(1).permutation(40)
    held_out, chosen = np.sort(order[:10]), np.sort(order[10:])
    model = load_model("m.npz")
    assert model.scaling.shift is not None
    np.testing.assert_allclose(model.scaling.shift[:, 0], ROWS[chosen].mean(axis=0), rtol=1e-13)
    other = ROWS.copy()
    other[held_out] = 77
    write(here / "other.csv", csv_text(WORDS, rows=other))
    assert command("train", "other.csv", *QUICK, "--hold-out", "0.25", "--json").json["costs"] == first["costs"]
    AL, _ = bp.L_model_forward(model.scaling(ROWS[held_out].T), model.parameters)
    assert first["held_out_accuracy"] == np.mean((AL > 0.5) == LABELS[held_out])


def test_the_seed_decides(command):
    costs = [
        command("train", "table.csv", *QUICK, "--hold-out", "0.3", "--seed", seed, "--json").json["costs"] for seed in (1, 1, 2)
    ]
    assert costs[0] == costs[1] != costs[2]


def test_what_is_printed_for_people(command):
    result = command("train", "table.csv", *QUICK, "--hold-out", "0.2", "--model", "m.npz")
    assert result.code == 0
    assert result.err == ""
    assert "table.csv: 3 columns and the label ill; 40 examples of 3 features" in result.out
    assert "no is taken as 0, yes as 1" in result.out
    assert "[3, 4, 2, 1], start he, seed 1, scaling standard" in result.out
    assert "of 32 trained on" in result.out
    assert "of 8 held out" in result.out
    assert "m.npz" in result.out


def test_the_bar_is_on_stderr(command):
    pytest.importorskip("tqdm")
    shown = command("train", "table.csv", *QUICK, "--progress", "--json")
    assert "250/250" in shown.err
    assert command("train", "table.csv", *QUICK, "--no-progress", "--json").err == ""


@pytest.mark.parametrize("installed", [True, False])
def test_by_default_a_terminal_has_a_bar_where_it_is_installed(installed, command, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: installed or None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert ("250/250" in command("train", "table.csv", *QUICK).err) is installed


def test_the_picture_is_of_the_costs_and_replaced(command, here):
    pytest.importorskip("matplotlib")
    for _ in range(2):
        assert command("train", "table.csv", *QUICK, "--picture", "cost.png").code == 0
        assert (here / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_a_checkpoint_trains_on(command, here):
    unbroken = command("train", "table.csv", *QUICK, "--json").json["costs"]
    kept = ("train", "table.csv", "--layers", "4,2", "--learning-rate", "0.1", "--checkpoint", "c.npz", "--json")
    command(*kept, "--iterations", "120")
    assert command(*kept, "--iterations", "250").json["costs"] == unbroken


def test_ctrl_c_is_exit_code_130_and_one_line_with_what_was_saved(command, monkeypatch):
    monkeypatch.setattr(looping, "next_length", lambda length, seconds, wanted: 50)
    count = []

    def interrupted(descent):
        count.append(descent)
        if len(count) == 3:
            raise KeyboardInterrupt

    pytest.importorskip("tqdm")
    monkeypatch.setattr("fastbackprop.extras.progress.ProgressBar.__call__", lambda bar, descent: interrupted(descent))
    result = command("train", "table.csv", *QUICK, "--progress", "--checkpoint", "c.npz", "--model", "m.npz")
    assert (result.code, result.out) == (130, "")
    line = result.err.splitlines()[-1]
    assert line.startswith("fastbackprop train: interrupted after 101 of 250 epochs, saved in ")
    assert not os.path.exists("m.npz")


@pytest.mark.skipif(os.name != "posix", reason="a console's Ctrl-C cannot be sent to one process alone here")
def test_ctrl_c_of_a_process(here):
    pytest.importorskip("tqdm")
    command = [sys.executable, "-m", "fastbackprop", "train", "table.csv", "--layers", "4", "--iterations", str(10**9)]
    with subprocess.Popen(
        [*command, "--progress", "--model", "m.npz"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            shown = ""
            while "cost" not in shown and process.poll() is None:  # the bar shows that the training runs
                shown += process.stderr.read(1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "fastbackprop train: interrupted"
    assert not (here / "m.npz").exists()


def test_a_training_that_diverges_is_exit_code_1_and_writes_nothing(command, here):
    write(here / "wide.csv", csv_text(WORDS, rows=ROWS * 1e150))
    result = command("train", "wide.csv", *QUICK, "--scale", "none", "--learning-rate", "1e9", "--model", "m.npz")
    assert (result.code, result.out) == (1, "")
    assert "Traceback" not in result.err
    assert "smaller learning_rate" in result.err
    assert not (here / "m.npz").exists()


# ------------------------------------------------------------------------------------- several classes, numbers, all rules

THREE = np.where(ROWS[:, 0] > 0.5, "high", np.where(ROWS[:, 1] > 5, "low", "mid"))
HEIGHTS = ROWS @ [3, -1, 0.1] + 1000


def test_several_classes(command, here):
    write(here / "three.csv", csv_text(THREE))
    options = ("--layers", "5", "--output", "softmax", "--optimizer", "adam", "--learning-rate", "0.05", "--epochs", "80")
    record = command("train", "three.csv", *options, "--batch-size", "8", "--model", "m.npz", "--json").json
    assert (record["layers"], record["classes"], record["epochs"]) == ([3, 5, 3], ["high", "low", "mid"], 80)
    assert (record["optimizer"], record["learning_rate"], record["beta1"]) == ("adam", 0.05, 0.9)
    X = ((ROWS - ROWS.mean(axis=0)) / ROWS.std(axis=0)).T
    Y = np.unique(THREE, return_inverse=True)[1]
    net = bp.train(
        X,
        Y,
        [3, 5, 3],
        output="softmax",
        optimizer=bp.Adam(0.05),
        batch_size=8,
        epochs=80,
        seed=1,
        parameters=start([3, 5, 3], 1, he),
    )
    np.testing.assert_allclose(record["costs"], net.costs, rtol=1e-9)
    assert record["accuracy"] == net.score(X, Y) > 0.7
    predicted = command("predict", "m.npz", "three.csv", "--json").json
    assert predicted["classes"] == [["high", "low", "mid"][k] for k in net.predict(X)[0]]
    assert predicted["accuracy"] == record["accuracy"]
    np.testing.assert_allclose(predicted["probabilities"], net.predict_proba(X).T, rtol=1e-9)
    lines = command("predict", "m.npz", "three.csv").out.splitlines()
    assert lines[1].split(",")[1] == predicted["classes"][0]
    assert float(lines[1].split(",")[0]) == max(predicted["probabilities"][0])


def test_numbers(command, here):
    """They are scaled for the training, and the model's outputs are in their own unit."""
    write(here / "heights.csv", csv_text(HEIGHTS.tolist()))
    options = (
        "--layers",
        "none",
        "--output",
        "identity",
        "--optimizer",
        "momentum:momentum=0.5,learning_rate=0.5",
        "--epochs",
        "200",
    )
    record = command("train", "heights.csv", *options, "--hold-out", "0.2", "--model", "m.npz", "--json").json
    assert record["classes"] is None
    assert "accuracy" not in record
    assert record["momentum"] == 0.5
    assert record["rms_error"] < 1e-3 * HEIGHTS.std()  # the labels are linear in the features
    predicted = command("predict", "m.npz", "heights.csv", "--json").json
    np.testing.assert_allclose(predicted["predictions"], HEIGHTS, atol=0.01 * HEIGHTS.std())
    assert predicted["rms_error"] == pytest.approx(np.sqrt(np.mean((predicted["predictions"] - HEIGHTS) ** 2)), rel=1e-9)
    text = command("predict", "m.npz", "heights.csv", "--output", "p.csv")
    assert text.out.startswith("rms error ")
    assert (here / "p.csv").read_text().splitlines()[0] == "prediction"
    assert command("predict", "m.npz", "heights.csv", "--output", "p.csv").code == 0  # replaced
    raw = command(
        "train", "heights.csv", *options[:4], "--scale", "none", "--learning-rate", "1e-6", "--epochs", "1", "--json"
    ).json
    assert raw["costs"][0] == pytest.approx(np.mean((ROWS @ start([3, 1], 1, he)["W1"][0] - HEIGHTS) ** 2) / 2, rel=1e-9)


def test_a_part_to_validate_and_patience(command):
    options = ("--validation", "0.25", "--learning-rate", "1e-9", "--model", "m.npz")
    result = command("train", "table.csv", "--layers", "4,2", *options, "--patience", "5")
    assert "training  7 epochs, gradient descent, learning rate 1e-09, " in result.out
    assert ", stopped early\n" in result.out
    assert "after epoch 2, the best, which is kept" in result.out
    record = command("train", "table.csv", "--layers", "4,2", *options, "--patience", "5", "--json").json
    assert (record["epochs"], record["best_epoch"], len(record["validation_scores"])) == (7, 2, 7)
    shown = command("train", "table.csv", "--layers", "4,2", *options, "--epochs", "3")
    assert "after epoch 3, the last" in shown.out


def test_a_batch_of_more_examples_than_there_are_is_of_all(command):
    options = ("train", "table.csv", "--layers", "4", "--l2", "5", "--epochs", "2", "--json")
    records = [command(*options, *more).json for more in ((), ("--batch-size", "1000"))]
    assert records[0]["cost"] == records[1]["cost"]


def test_hidden_activation_penalty_and_order(command):
    options = (
        "--hidden",
        "leaky_relu:0.2",
        "--l2",
        "0.5",
        "--batch-size",
        "8",
        "--no-shuffle",
        "--optimizer",
        "nesterov",
        "--epochs",
        "3",
    )
    record = command("train", "table.csv", "--layers", "4", *options, "--scale", "none", "--json").json
    first = start([3, 4, 1], 1, he)
    how: Any = {"hidden": bp.LeakyRelu(0.2), "l2": 0.5, "batch_size": 8, "shuffle": False, "optimizer": bp.Nesterov()}
    net = bp.train(ROWS.T, LABELS, [3, 4, 1], epochs=3, parameters=first, **how)
    assert record["costs"] == net.costs
    penalty = 0.5 / 16 * sum(float(np.sum(net.parameters[key] ** 2)) for key in ("W1", "W2"))
    assert record["cost"] == pytest.approx(net.cost(ROWS.T, LABELS) + penalty, rel=1e-12)


def test_labels_that_are_no_numbers_are_refused(refused):
    refused("train", "table.csv", *QUICK, "--output", "identity", words=["line 2, column 4 is", "expected a number"])


def test_options_that_do_not_fit_are_refused(refused):
    refused("train", "table.csv", *QUICK, "--patience", "3", words=["patience needs scores"])
    refused("train", "table.csv", *QUICK, "--validation", "0.001", words=["validation is 0.001, 0 of 40 examples"])


# ------------------------------------------------------------------------------------------------------- what is refused

BAD_TABLES = {
    "empty": ("", ["t.csv is empty"]),
    "blank lines": ("\n\n", ["t.csv holds no lines"]),
    "a header alone": ("a,b\n", ["t.csv", "no examples"]),
    "ragged": ("1,2,0\n3,4\n", ["t.csv: line 2 has columns: 2; expected 3"]),
    "text": ("a,b,y\n1,2,0\n3,four,1\n", ["t.csv: line 3, column 2 (b) is 'four'; expected a number"]),
    "nan": ("1,2,0\n3,nan,1\n", ["t.csv: line 2, column 2 is 'nan'; expected a finite number"]),
    "a hole": ("1,2,0\n3,,1\n", ["t.csv: line 2, column 2 is empty; expected a number"]),
    "a label that is missing": ("1,2,0\n3,4,\n", ["t.csv: line 2, column 3 is empty; expected a label"]),
    "one class": ("1,2,7\n3,4,7\n", ["t.csv: every label is 7", "expected two classes"]),
    "three classes": ("1,0\n2,1\n3,2\n", ["t.csv: line 3, column 2 is a third class; expected two, found 3: 0, 1, 2"]),
    "no features": ("0\n1\n", ["t.csv", "no features"]),
}


@pytest.mark.parametrize("bad", BAD_TABLES)
def test_a_bad_table_is_refused(bad, refused, here):
    text, words = BAD_TABLES[bad]
    write(here / "t.csv", text)
    refused("train", "t.csv", *QUICK, "--model", "m.npz", words=words)


def test_what_is_no_file_is_refused(refused, here):
    (here / "folder.csv").mkdir()
    refused("train", "none.csv", *QUICK, words=["none.csv does not exist; expected a file"])
    refused("train", "folder.csv", *QUICK, words=["folder.csv is a folder; expected a file"])
    refused("train", "a\0.csv", *QUICK, words=["DATA", "no name of a file"])
    write(here / "table.xlsx", "x")
    refused("train", "table.xlsx", *QUICK, words=["table.xlsx is of an unknown kind", ".csv, .npy, .npz, .h5"])


OUTPUTS = ["--model", "--picture", "--checkpoint"]


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_foreign_file_is_not_written_over(option, refused, here):
    write(here / "mine.npz", "precious")
    refused("train", "table.csv", *QUICK, option, "mine.npz", words=["mine.npz"])
    np.savez(here / "arrays.npz", X=ROWS)
    refused("train", "table.csv", *QUICK, option, "arrays.npz", words=["arrays.npz"])


@pytest.mark.parametrize("option", OUTPUTS)
def test_where_nothing_can_be_written_nothing_is_trained(option, refused, monkeypatch):
    monkeypatch.setattr(fitting, "run", None)  # to call it would be a TypeError
    refused("train", "table.csv", *QUICK, option, "none/file.npz", words=["none/file.npz", "No such file"])
    refused("train", "table.csv", *QUICK, option, "table.csv", words=["DATA", option, "same file"])
    refused("train", "table.csv", *QUICK, option, ".", words=["not a file"])


def test_two_outputs_of_one_name(refused):
    refused("train", "table.csv", *QUICK, "--model", "a.npz", "--checkpoint", "./a.npz", words=["--model and --checkpoint"])


def test_a_photo_is_not_written_over(refused, here):
    pytest.importorskip("matplotlib")
    (here / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    refused("train", "table.csv", *QUICK, "--picture", "photo.png", words=["photo.png is there"])


def test_an_older_model_is_replaced_and_an_empty_file_is_used(command, here):
    write(here / "m.npz", "")
    for layers in ("2", "5"):
        assert command("train", "table.csv", "--layers", layers, "--iterations", "1", "--model", "m.npz").code == 0
        assert load_model("m.npz").layers == [3, int(layers), 1]
    assert sorted(path.name for path in here.iterdir()) == ["m.npz", "table.csv"]


def test_a_checkpoint_of_another_training_is_refused(command, refused):
    command("train", "table.csv", *QUICK, "--checkpoint", "c.npz")
    refused("train", "table.csv", *QUICK, "--seed", "2", "--checkpoint", "c.npz", words=["belongs to another training"])
    refused("train", "table.csv", *QUICK, "--model", "c.npz", words=["c.npz is there"])


@pytest.mark.parametrize(
    ("library", "option", "extra"), [("matplotlib", "--picture", "plot"), ("tqdm.auto", "--progress", "progress")]
)
def test_a_missing_extra_is_named(library, option, extra, refused, monkeypatch):
    for module in ("plotting", "progress"):
        monkeypatch.delitem(sys.modules, f"fastbackprop.extras.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    value = ["c.png"] if option == "--picture" else []
    refused("train", "table.csv", *QUICK, option, *value, words=[f'pip install ".[{extra}]"'])


def test_a_part_that_is_empty_or_of_one_class(refused, here):
    refused("train", "table.csv", *QUICK, "--hold-out", "0.001", words=["40 examples", "--hold-out 0.001"])
    order = np.random.default_rng(1).permutation(3)
    write(here / "t.csv", "".join(f"{i},{int(i == order[0])}\n" for i in range(3)))
    refused("train", "t.csv", *QUICK, "--hold-out", "0.3", words=["t.csv", "one class", "--seed"])


@pytest.mark.parametrize("name", ["train", "sweep"])
def test_layers_that_no_memory_holds(name, refused):
    refused(name, "table.csv", "--layers", str(10**20), words=["--layers", f"3, then {10**20}", "no memory"])


WRONG_OPTIONS = [
    ["--layers", "4,x"],
    ["--layers", "0"],
    ["--layers", "4", "--hold-out", "1"],
    ["--layers", "4", "--iterations", "-1"],
    ["--layers", "4", "--learning-rate", "nan"],
    ["--layers", "4", "--learning-rate", "0"],
    ["--layers", "4", "--seed", str(2**32)],
    ["--layers", "4", "--scale", "some"],
    ["--layers", "4", "--hidden", "swish"],
    ["--layers", "4", "--hidden", "tanh:0.1"],
    ["--layers", "4", "--hidden", "leaky_relu:-1"],
    ["--layers", "4", "--output", "tanh"],
    ["--layers", "4", "--optimizer", "sgd"],
    ["--layers", "4", "--optimizer", "adam:momentum=0.9"],
    ["--layers", "4", "--optimizer", "adam:beta1"],
    ["--layers", "4", "--optimizer", "adam:beta1=1"],
    ["--layers", "4", "--l2", "-1"],
    ["--layers", "4", "--batch-size", "0"],
    ["--layers", "4", "--epochs", "x"],
    ["--layers", "4", "--validation", "1"],
    ["--layers", "4", "--patience", "0"],
    [],
]


@pytest.mark.parametrize("options", WRONG_OPTIONS)
def test_wrong_options_are_exit_code_2(options, command, capsys):
    with pytest.raises(SystemExit) as caught:
        command("train", "table.csv", *options)
    assert caught.value.code == 2
    assert "usage: fastbackprop train" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["model_file.np.savez", "whole_file.os.fsync", "whole_file.os.replace"])
def test_a_model_that_cannot_be_written_leaves_the_old_one(step, command, here, monkeypatch):
    command("train", "table.csv", *QUICK, "--model", "m.npz")
    before = (here / "m.npz").read_bytes()

    def full(*arguments, **members):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"fastbackprop.{step}", full)
        result = command("train", "table.csv", *QUICK, "--seed", "2", "--model", "m.npz")
    assert result.code == 2
    assert "m.npz could not be written: No space left" in result.err
    assert (here / "m.npz").read_bytes() == before
    assert sorted(path.name for path in here.iterdir()) == ["m.npz", "table.csv"]


# ------------------------------------------------------------------------------------------------------------ real pictures


def test_the_courses_pictures(pictures, command):
    """From the files as they are; the first and last recorded costs and accuracies of test_recorded_trainings.py."""
    layers = ("--layers", "20,7,5", "--start", "xavier", "--iterations", "2500")
    result = command("train", pictures.folder / "train_catvnoncat.h5", *layers, "--model", "cats.npz", "--json").json
    _, costs = direct(pictures.X_train, pictures.Y_train, [12288, 20, 7, 5, 1], 2500, 0.0075, lecun)
    np.testing.assert_allclose(result["costs"][::100], costs, rtol=1e-10, atol=0)
    np.testing.assert_allclose(result["costs"][::2400], [0.7717493284237686, 0.09287821526472397], rtol=1e-10, atol=0)
    assert result["accuracy"] == pytest.approx(0.9856459330143539, abs=1e-12)
    assert result["scale"] == "255"
    tested = command("predict", "cats.npz", pictures.folder / "test_catvnoncat.h5", "--json").json
    assert tested["accuracy"] == pytest.approx(0.8, abs=1e-12)
    assert tested["examples"] == 50
