"""The folder: a broken sweep resumes from it, with the bits of one that was not broken; what is not its own is ignored."""

import json
import os
import time
import zipfile
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import looping
from fastbackprop.extras.sweep import alone, folder
from fastbackprop.testing import assert_same_bits
from fastbackprop.whole_file import LEFT_SECONDS

from .nets import BY_DESCENT, BY_TRAIN, WIDE, outcome

pytest.importorskip("joblib")

X, Y = WIDE
CONFIGURATIONS = [*BY_DESCENT[:2], *BY_TRAIN[:5]]


def results(records):
    return [(*outcome(record), record.status, record.error, record.configuration) for record in records]


@pytest.fixture
def trained(monkeypatch):
    """The numbers of the configurations that are trained, rather than found."""
    numbers = []

    train = alone.Control._train

    def counted(self, plan, *arrays):
        numbers.append(plan.number)
        return train(self, plan, *arrays)

    monkeypatch.setattr(alone.Control, "_train", counted)
    return numbers


def test_what_is_there_is_not_trained_again(tmp_path, trained):
    wild = BY_DESCENT[0] | {"learning_rate": 1e300}
    records = bp.sweep(X, Y, [*CONFIGURATIONS, wild], folder=tmp_path / "new" / "folder", validation=(X, Y))
    assert records[-1].status == "diverged"
    assert len(list((tmp_path / "new" / "folder").iterdir())) == len(records)  # and no checkpoint is left
    trained.clear()
    again = bp.sweep(X, Y, [wild, *CONFIGURATIONS], folder=tmp_path / "new" / "folder", validation=(X, Y))
    assert trained == []
    assert_same_bits(results(again), results([records[-1], *records[:-1]]))
    assert [record.seconds for record in again[1:]] == [record.seconds for record in records[:-1]]
    parameters: Any = again[1].parameters
    parameters["W1"][0, 0] = 1  # they are the caller's own


@pytest.mark.parametrize(
    "other",
    [
        {"X": X + 1},
        {"Y": 1 - Y},
        {"validation": (X[:, 1:], Y[:, 1:])},
        {"validation": None},
        {"configuration": {"seed": 77}},
        {"configuration": {"layers_dims": [300, 6, 1]}},
        {"configuration": {"learning_rate": 0.02}},
        {"configuration": {"num_iterations": 149}},
        {"configuration": {"algorithm": "direct"}},
        {"configuration": {"parameters": bp.initialize_parameters_deep([300, 5, 1])}},
    ],
    ids=lambda other: "".join(other) + str(list(other.get("configuration", ()))),
)
def test_another_training_has_another_file(other, tmp_path, trained):
    given: dict[str, Any] = {"X": X, "Y": Y, "validation": (X, Y)}
    bp.sweep(**given, configurations=BY_DESCENT[:1], folder=tmp_path)
    trained.clear()
    changed = given | {name: value for name, value in other.items() if name != "configuration"}
    bp.sweep(**changed, configurations=[BY_DESCENT[0] | other.get("configuration", {})], folder=tmp_path)
    assert trained == [0]


def test_arguments_that_mean_the_same_have_one_file(tmp_path, trained):
    bp.sweep(X, Y, [{"layers_dims": [300, 3, 1], "num_iterations": 10, "seed": 1}], folder=tmp_path)
    trained.clear()
    same = {"layers_dims": (300, 3, 1), "num_iterations": 10, "seed": np.int64(1), "learning_rate": 0.0075, "algorithm": "auto"}
    bp.sweep(X.tolist(), Y, [same], folder=tmp_path)
    assert trained == []


@pytest.mark.parametrize("fault", ["cut", "garbage", "empty", "other training", "other shapes", "unknown array", "a folder"])
def test_a_damaged_or_foreign_file_is_ignored_and_written_again(fault, tmp_path, trained, caplog):
    records = bp.sweep(X, Y, BY_DESCENT[:2], folder=tmp_path)
    path, other = sorted(tmp_path.iterdir())
    if fault == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif fault == "garbage":
        path.write_bytes(os.urandom(1000))
    elif fault == "empty":
        path.write_bytes(b"")
    elif fault == "other training":
        path.write_bytes(other.read_bytes())
    elif fault == "a folder":
        path.unlink()
        path.mkdir()
    else:
        with np.load(path) as file:
            arrays = dict(file)
        arrays |= {"W1": arrays["W1"][1:]} if fault == "other shapes" else {"W9": np.ones(3)}
        np.savez(path, **arrays)
    trained.clear()
    if fault == "a folder":
        with pytest.warns(RuntimeWarning, match="could not be kept"):
            again = bp.sweep(X, Y, BY_DESCENT[:2], folder=tmp_path)
    else:
        again = bp.sweep(X, Y, BY_DESCENT[:2], folder=tmp_path)
    assert len(trained) == 1
    assert "is no record of this training, or is damaged" in caplog.text
    assert_same_bits(results(again), results(records))
    trained.clear()
    assert fault == "a folder" or bp.sweep(X, Y, BY_DESCENT[:2], folder=tmp_path)
    assert trained == []


def test_a_text_that_does_not_fit_is_ignored(tmp_path, trained):
    bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path)
    (path,) = tmp_path.iterdir()
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(str(arrays["about"]))
    other = {"status": "perfect", "accuracy": "high", "costs": 10**12, "error": 3, "seconds": None, "format": "", "training": 1}
    for name, value in [*other.items(), ("costs", -1)]:
        np.savez(path, **(arrays | {"about": json.dumps(about | {name: value})}))
        trained.clear()
        bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path)
        assert trained == [0], (name, value)


def test_a_training_that_is_broken_off_goes_on_where_it_was(tmp_path, monkeypatch):
    """The slices are of 20 iterations; after the third of each training all are stopped."""
    whole = bp.sweep(X, Y, CONFIGURATIONS)
    monkeypatch.setattr(looping, "next_length", lambda length, seconds, wanted: 20)
    slices: dict[Any, int] = {}  # by the descents themselves: a later one may lie where an earlier one lay
    advance = looping._advance

    def counted(descent, *rest):
        slices[descent] = slices.get(descent, 0) + 1
        if slices[descent] == 3:
            descent.state[0] = 1
        return advance(descent, *rest)

    with monkeypatch.context() as broken:
        broken.setattr(looping, "_advance", counted)
        records = bp.sweep(X, Y, CONFIGURATIONS, folder=tmp_path, n_jobs=2)
    stopped = [record for record in records if record.status == "interrupted"]
    assert len(stopped) >= 4
    assert stopped[0].error == "interrupted after 21 of 150 iterations"
    begun = []

    def noted(descent, *rest):
        begun.append(descent.done)
        return advance(descent, *rest)

    monkeypatch.setattr(looping, "_advance", noted)
    again = bp.sweep(X, Y, CONFIGURATIONS, folder=tmp_path, n_jobs=2)
    assert 0 not in begun
    assert_same_bits(results(again), results(whole))
    assert not list(tmp_path.glob("*.checkpoint.npz"))


def test_a_damaged_checkpoint_is_ignored(tmp_path, caplog):
    bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path)
    (path,) = tmp_path.iterdir()
    path.rename(path.with_suffix(".checkpoint.npz"))  # a record in its place
    (record,) = bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path)
    assert record.status == "done"
    assert "damaged" in caplog.text
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    path.unlink()
    path.with_suffix(".checkpoint.npz").mkdir()
    (record,) = bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path)
    assert record.status == "done"
    assert "no checkpoint is written" in caplog.text


def test_a_training_that_is_there_twice_is_written_once(tmp_path):
    records = bp.sweep(X, Y, [BY_DESCENT[0]] * 4, folder=tmp_path, n_jobs=4)
    assert_same_bits(results(records), results([records[0]] * 4))
    assert len(list(tmp_path.iterdir())) == 1


def test_what_killed_sweeps_left_half_written_is_removed(tmp_path):
    left = [tmp_path / f"{40 * 'a'}{kind}.01234567.tmp" for kind in (".npz", ".checkpoint.npz")]
    foreign = tmp_path / "theirs.npz.01234567.tmp"
    for path in (*left, foreign):
        path.write_bytes(b"half")
        os.utime(path, 2 * (time.time() - 2 * LEFT_SECONDS,))
    bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path)
    assert foreign.exists() and not any(path.exists() for path in left)


def test_no_record_is_pickled(tmp_path):
    bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path)
    (path,) = tmp_path.iterdir()
    with zipfile.ZipFile(path) as file:
        assert all(info.filename.endswith(".npy") for info in file.infolist())
    with np.load(path, allow_pickle=False) as file:
        assert json.loads(str(file["about"]))["format"] == folder.FORMAT


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="no records can be written"):
        bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path / "new")


def test_a_folder_that_is_a_file_or_has_no_name(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="no records can be written"):
        bp.sweep(X, Y, BY_DESCENT[:1], folder=tmp_path / "file")
    with pytest.raises(ValueError, match="which is no name of a folder"):
        bp.sweep(X, Y, BY_DESCENT[:1], folder="a\0b")
