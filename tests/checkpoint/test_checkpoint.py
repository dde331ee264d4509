"""The checkpoint: a resumed run has the bits of an unbroken one; a file of something else is refused; the file is whole."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fastbackprop import checkpoint as checkpoint_module
from fastbackprop import looping, whole_file
from fastbackprop.algorithms import Direct, Gram
from fastbackprop.checkpoint import digest
from fastbackprop.testing import TRAINING_RTOL, assert_same_bits, assert_within_bound, map_arrays

from ..support.trainings import PROBLEM, START, X, Y, drawn, train

ALGORITHMS = ("direct", "gram")

# ------------------------------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize("breaks", [(0,), (1,), (100,), (101,), (99, 100, 249), (250,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_larger_number_of_iterations_trains_on_to_the_same_bits(algorithm, dtype, breaks, file):
    data = map_arrays(lambda x: x.astype(dtype), (X, START))
    options = {"X": data[0], "parameters": data[1], "algorithm": algorithm}
    unbroken = train(**options)
    for iterations in breaks:
        assert_same_bits(train(iterations, checkpoint=file, **options), train(iterations, **options))
    assert_same_bits(train(checkpoint=file, **options), unbroken)
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_call_resumes_after_an_interrupt(algorithm, file, monkeypatch, capsys):
    """The training is saved after each slice of 50, and interrupted at the second line."""
    monkeypatch.setattr(checkpoint_module, "SAVE_SECONDS", 0)
    monkeypatch.setattr(looping, "next_length", lambda length, seconds, wanted: 50)
    unbroken = train(algorithm=algorithm)
    slices = []

    def impatient(line):
        slices.append(line)
        if len(slices) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("builtins.print", impatient)
    with pytest.raises(KeyboardInterrupt, match="same call") as caught:
        train(print_cost=True, algorithm=algorithm, checkpoint=file)
    assert str(file) in str(caught.value)
    assert "after 101 of 250 iterations" in str(caught.value)
    with np.load(file) as members:
        assert json.loads(str(members["about"]))["iteration"] == 101
    assert_same_bits(train(print_cost=True, algorithm=algorithm, checkpoint=file), unbroken)
    assert [line.split(":")[0] for line in slices] == [f"Cost after iteration {i}" for i in (0, 100, 200)]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_interrupt_before_the_first_iteration_keeps_the_start(algorithm, file, monkeypatch):
    np.random.seed(4)
    unbroken = train(parameters=None, algorithm=algorithm)

    def interrupted(descent):
        raise KeyboardInterrupt

    np.random.seed(4)
    with monkeypatch.context() as patch:
        patch.setattr({"direct": Direct, "gram": Gram}[algorithm], "prepare", interrupted)
        with pytest.raises(KeyboardInterrupt, match="after 0 of 250"):
            train(parameters=None, algorithm=algorithm, checkpoint=file)
    assert_same_bits(train(parameters=None, algorithm=algorithm, checkpoint=file), unbroken)


def test_without_a_start_nothing_is_drawn_when_the_file_exists(file):
    np.random.seed(3)
    unbroken = train(parameters=None)
    np.random.seed(3)
    train(20, parameters=None, checkpoint=file)
    before = drawn()
    assert_same_bits(train(parameters=None, checkpoint=file), unbroken)
    assert drawn() == before


def test_the_recorded_algorithm_resumes(file, caplog):
    """Six examples of nine features: "auto" takes gram descent for many iterations, direct for few."""
    caplog.set_level(logging.INFO, logger="fastbackprop")
    train(1, algorithm="direct", checkpoint=file)
    assert_same_bits(train(1000, checkpoint=file), train(1000, algorithm="direct"))
    train(1000)
    taken = [record.getMessage().split()[1] for record in caplog.records]
    assert taken == ["direct", "direct", "direct", "gram"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_finished_training_is_given_back_without_training(algorithm, file, monkeypatch):
    finished = train(algorithm=algorithm, checkpoint=file)
    before = file.read_bytes()

    def never(*arguments):
        raise AssertionError("trained")

    for kind in (Direct, Gram):
        monkeypatch.setattr(kind, "kernel", never)
        monkeypatch.setattr(kind, "prepare", never)
        monkeypatch.setattr(checkpoint_module.Checkpoint, "_try_folder", never)
    assert_same_bits(train(algorithm=algorithm, checkpoint=file), finished)
    assert file.read_bytes() == before


def test_the_data_may_lie_otherwise_and_the_labels_be_of_another_kind(begun):
    """The values count; bits depend on how X lies, since a product does."""
    (parameters, _), expected = train(checkpoint=begun, X=np.asfortranarray(X), Y=Y.astype(bool)), train(algorithm="direct")
    bound = map_arrays(lambda x: TRAINING_RTOL * np.max(np.abs(x)), expected[0])
    assert_within_bound(parameters, expected[0], bound)
    assert_same_bits(train(300, X.astype(">f8"), Y.astype("f"), checkpoint=begun)[1][:3], expected[1])


@pytest.mark.parametrize("kind", ["text", "relative", "without a suffix", "a link"])
def test_paths(kind, file, monkeypatch):
    monkeypatch.chdir(file.parent)
    path = {"text": str(file), "relative": file.name, "without a suffix": "training", "a link": "link"}[kind]
    if kind == "a link":
        Path("link").symlink_to(file)
    train(7, checkpoint=path)
    assert_same_bits(train(9, checkpoint=path), train(9))
    assert kind != "a link" or Path("link").is_symlink()
    assert sorted(p.name for p in file.parent.iterdir()) == sorted({str(Path(path).name), Path(path).resolve().name})


# -------------------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("step", ["checkpoint.np.savez", "whole_file.os.fsync", "whole_file.os.replace"])
def test_a_failure_while_saving_leaves_the_file_as_it_was(step, begun, monkeypatch):
    before = begun.read_bytes()

    def full(*arguments, **members):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"fastbackprop.{step}", full)
        with pytest.raises(OSError, match="No space left"):
            train(checkpoint=begun)
    assert begun.read_bytes() == before
    assert list(begun.parent.iterdir()) == [begun]
    assert_same_bits(train(checkpoint=begun), train(algorithm="direct"))


def test_an_interrupt_that_cannot_be_saved_says_so(begun, monkeypatch):
    def full(*arguments, **members):
        raise OSError(28, "No space left on device")

    def interrupt(line):
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.print", interrupt)
    monkeypatch.setattr("fastbackprop.checkpoint.np.savez", full)
    with pytest.raises(KeyboardInterrupt, match=r"could not be saved: .*No space left"):
        train(print_cost=True, checkpoint=begun)


@pytest.mark.skipif(os.name != "posix", reason="no thread can be sent a signal here")
def test_a_second_interrupt_while_saving_loses_nothing(begun, monkeypatch):
    """The first comes with the line of iteration 200, the second while that is being saved."""
    flush, flushed, waiting = os.fsync, [], threading.get_ident()

    def interrupt(line):
        raise KeyboardInterrupt

    def interrupted_flush(descriptor):
        flushed.append(descriptor)
        if len(flushed) == 1:
            signal.pthread_kill(waiting, signal.SIGINT)
            time.sleep(0.2)
        flush(descriptor)

    monkeypatch.setattr("builtins.print", interrupt)
    monkeypatch.setattr(whole_file.os, "fsync", interrupted_flush)
    monkeypatch.setattr(looping, "next_length", lambda length, seconds, wanted: 80)
    with pytest.raises(KeyboardInterrupt):
        train(print_cost=True, checkpoint=begun)
    checkpoint_module._writers[begun].settle()  # the interrupt ended the wait, not the saving
    monkeypatch.undo()
    assert len(flushed) == 2
    assert list(begun.parent.iterdir()) == [begun]
    with np.load(begun) as members:
        assert json.loads(str(members["about"]))["iteration"] == 211
    assert_same_bits(train(checkpoint=begun), train(algorithm="direct"))


def test_the_file_is_complete_and_flushed_before_it_takes_the_name(file, monkeypatch):
    steps = []

    def recording(name, function):
        def call(*arguments):
            steps.append((name, file.exists()))
            return function(*arguments)

        return call

    # In that module alone: Numba replaces files too, where it keeps machine code.
    changed = {name: recording(name, getattr(os, name)) for name in ("fsync", "replace")}
    monkeypatch.setattr(whole_file, "os", SimpleNamespace(**{**vars(os), **changed}))
    monkeypatch.setattr(checkpoint_module, "SAVE_SECONDS", np.inf)  # kernels that have to be compiled take longer
    train(5, checkpoint=file)
    assert steps == [("fsync", False), ("replace", False), ("fsync", True)]  # the file, its name, the folder


def test_digest_is_that_of_the_values_in_c_order(rng):
    dtype, base = np.dtype("d"), rng.standard_normal((300, 700))
    expected = digest(dtype, base)
    assert expected == digest(dtype, np.asfortranarray(base)) == digest(dtype, np.repeat(base, 3, axis=1)[:, ::3])
    assert expected == digest(dtype, base.astype(">f8")) == digest(dtype, base[:, ::-1].copy()[:, ::-1])
    assert digest(dtype, base.astype("f")) == digest(dtype, base.astype("f").astype("d"))
    others = [digest(dtype, other) for other in (base.T, base[:-1], base.reshape(700, 300), base + 1e-15, base[::-1])]
    halves = digest(dtype, base[:150], base[150:])
    assert len({expected, halves, digest(np.dtype("f"), base), *others}) == 8


# --------------------------------------------------------------------------------------------------------------- Ctrl-C


@pytest.mark.skipif(os.name != "posix", reason="a console's Ctrl-C cannot be sent to one process alone here")
@pytest.mark.parametrize(("algorithm", "layers", "m"), [("direct", [500, 400, 300, 1], 5000), ("gram", [1500, 300, 1], 1500)])
def test_ctrl_c_in_the_middle_of_an_iteration_saves_what_the_same_call_resumes_from(algorithm, layers, m, tmp_path):
    """An iteration takes from 10 to 100 ms here: nearly all the time is spent within one."""
    path = tmp_path / "training.npz"
    problem = PROBLEM.format(layers=layers, m=m, algorithm=algorithm)
    # Where the tests run in the background, a shell has the signal ignored.
    call = f"signal.signal(signal.SIGINT, signal.default_int_handler)\ntrain(10**8, print_cost=True, checkpoint={str(path)!r})"
    program = [sys.executable, "-u", "-c", f"{problem}\n{call}"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Cost after iteration 0: ")
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT
    last = errors.rstrip().splitlines()[-1]
    assert last.startswith("KeyboardInterrupt: after ")
    assert last.endswith(f"of 100000000 iterations, saved in {path}: the same call resumes it from there")
    with np.load(path) as members:
        done = json.loads(str(members["about"]))["iteration"]
    assert f"after {done} of" in last
    assert done > 0
    names: dict[str, Any] = {}
    exec(problem, names)
    assert_same_bits(names["train"](done + 2, checkpoint=path), names["train"](done + 2))
