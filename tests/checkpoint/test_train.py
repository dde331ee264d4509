"""Checkpoints of ``train``: what was drawn, moments, scores and the best epoch are in them; other trainings are refused."""

import json
import os
import signal
import threading
import time
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import checkpoint as checkpoint_module
from fastbackprop import looping, prediction
from fastbackprop.testing import assert_same_bits

from ..support import trainings
from ..support.epochs import LABELS, SIZES, X, start
from .test_refused import altered, rewritten

CASES: dict[str, dict[str, Any]] = {
    "direct": {"optimizer": bp.GradientDescent(0.3)},
    "direct, validated": {"optimizer": bp.GradientDescent(0.3), "validation": 0.3},
    "full batches": {"optimizer": bp.Nesterov(0.1), "l2": 0.1},
    "mini-batches": {"optimizer": bp.Adam(0.05), "batch_size": 8, "validation": (X + 1, LABELS > 0)},
    "in their order": {"optimizer": bp.Momentum(0.1), "batch_size": 8, "shuffle": False},
    "patient": {"optimizer": bp.Adam(0.05), "batch_size": 8, "validation": 0.3, "patience": 9},
}


def train(epochs, **options):
    return bp.train(X, LABELS > 0, SIZES, epochs=epochs, **({"seed": 2} | options))


def result(net):
    return net.parameters, net.costs, net.validation_scores, net.epochs, net.best_epoch, net.stopped_early


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("breaks", [(0,), (1, 2, 7), (12,)])
def test_more_epochs_train_on_to_the_same_bits(case, breaks, file):
    options = CASES[case]
    for epochs in breaks:
        assert_same_bits(result(train(epochs, checkpoint=file, **options)), result(train(epochs, **options)))
    assert_same_bits(result(train(12, checkpoint=file, **options)), result(train(12, **options)))


@pytest.mark.parametrize("rule", [{"optimizer": bp.GradientDescent(0.1)}, {"optimizer": bp.Nesterov(0.01), "l2": 0.1}], ids=str)
def test_gram_descent_resumes(rule, file):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((40, 12))
    options: dict[str, Any] = {**rule, "parameters": start([40, 3, 1], "d")}
    unbroken = bp.train(x, x[:1] > 0, [40, 3, 1], epochs=300, **options)
    for epochs in (200, 300):  # as many as take gram descent
        net = bp.train(x, x[:1] > 0, [40, 3, 1], epochs=epochs, checkpoint=file, **options)
    assert json.loads(str(np.load(file)["about"]))["algorithm"] == "gram"
    assert_same_bits(result(net), result(unbroken))


def test_what_a_call_without_a_seed_drew_is_in_the_file(file):
    options = {**CASES["patient"], "seed": None}
    train(3, checkpoint=file, **options)
    net = train(8, checkpoint=file, **options)
    entropy = json.loads(str(np.load(file)["about"]))["memory"]["entropy"]
    assert_same_bits(result(net), result(train(8, **{**options, "seed": entropy})))


def test_what_patience_has_ended_is_given_back(file):
    options: dict[str, Any] = {"optimizer": bp.GradientDescent(1e-9), "validation": 0.3, "patience": 3, "checkpoint": file}
    net = train(50, **options)
    assert (net.epochs, net.stopped_early) == (4, True)
    before = file.read_bytes()
    for epochs in (50, 90):
        assert_same_bits(result(train(epochs, **options)), result(net))
    assert file.read_bytes() == before


@pytest.mark.parametrize("case", CASES)
def test_the_same_call_resumes_after_an_interrupt(case, file, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(looping, "next_length", lambda length, seconds, wanted: 2)
    seen = []

    def interrupt(bar, descent):
        seen.append(descent.done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    unbroken = train(9, **CASES[case])
    with monkeypatch.context() as patch:
        patch.setattr("fastbackprop.extras.progress.ProgressBar.__call__", interrupt)
        with pytest.raises(KeyboardInterrupt, match=r"after 5 of 9 epochs, saved in .*the same call resumes"):
            train(9, checkpoint=file, progress=True, **CASES[case])
    assert seen == [1, 3, 5]
    assert_same_bits(result(train(9, checkpoint=file, progress=True, **CASES[case])), result(unbroken))


@pytest.mark.skipif(os.name != "posix", reason="no thread can be sent a signal here")
def test_an_epoch_that_is_stopped_before_its_score_is_scored_when_it_resumes(file, monkeypatch):
    options, waiting = CASES["patient"], threading.get_ident()
    scored: list[None] = []
    unbroken, score = train(9, **options), prediction.Net.score

    def slow(net, X, Y, parameters, stopped=lambda: False):
        scored.append(None)
        if len(scored) != 4:  # the first one loads
            return score(net, X, Y, parameters, stopped)
        signal.pthread_kill(waiting, signal.SIGINT)
        while not stopped():
            time.sleep(0.001)
        return score(net, X, Y, parameters, stopped)

    with monkeypatch.context() as patch:
        patch.setattr(prediction.Net, "score", slow)
        with pytest.raises(KeyboardInterrupt, match="after 3 of 9 epochs, saved"):
            train(9, checkpoint=file, **options)
    with np.load(file) as members:
        assert np.isfinite(members["scores"]).tolist() == [True, True, False]
    for epochs in (3, 9):
        assert_same_bits(result(train(epochs, checkpoint=file, **options)), result(train(epochs, **options)))
    assert_same_bits(result(train(9, checkpoint=file, **options)), result(unbroken))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no signal can be timed here")
@pytest.mark.parametrize("case", ["full batches", "mini-batches", "patient"])
def test_ctrl_c_at_any_moment_is_saved(case, file):
    """Most of the time is spent in kernels, some in drawing and scoring."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20, 4000))
    options = {**CASES[case], "patience": None, "validation": 0.2, "batch_size": CASES[case].get("batch_size") and 200}

    def train(epochs, **others):
        return bp.train(x, x[:1] > 0, [20, 30, 1], epochs=epochs, seed=1, **options, **others)

    train(1)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for seconds in (0.02, 0.11, 0.15):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            with pytest.raises(KeyboardInterrupt):
                train(10**9, checkpoint=file)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    done = json.loads(str(np.load(file)["about"]))["iteration"] if file.exists() else 0
    assert_same_bits(result(train(done + 2, checkpoint=file)), result(train(done + 2)))


# -------------------------------------------------------------------------------------------------------------- refused

BEGUN: dict[str, Any] = {**CASES["patient"], "l2": 0.1}
OTHER: dict[str, tuple[dict[str, Any], str]] = {
    "rule": ({"optimizer": bp.Adam(0.06)}, r"optimizer was Adam\(learning_rate=0.05.*, is Adam\(learning_rate=0.06"),
    "activation": ({"hidden": bp.LeakyRelu(0.2)}, "hidden was relu, is leaky_relu 0.2"),
    "output": ({"output": "identity"}, "output was sigmoid, is identity"),
    "l2": ({"l2": 0.2}, "l2 was 0.1, is 0.2"),
    "batches": ({"batch_size": 9}, "batch_size was 8, is 9"),
    "all examples": ({"batch_size": None}, "batch_size was 8, is None"),
    "order": ({"shuffle": False}, "shuffle was True, is False"),
    "seed": ({"seed": 3}, "seed was 2, is 3"),
    "no seed": ({"seed": None}, "seed was 2, is None"),
    "start": ({"init": "small"}, "init was he, is small; parameters was sha256"),
    "own start": ({"parameters": start(SIZES, "d")}, "init was he, is None; parameters was sha256"),
    "part": ({"validation": 0.2}, "set_aside was 12, is 8"),
    "validation": ({"validation": (X, LABELS > 0)}, "set_aside was 12, is 0; validation was None, is sha256"),
    "patience": ({"patience": 8}, "patience was 9, is 8"),
    "fewer epochs": ({"epochs": 2}, "epoch 3, beyond epochs 2"),
}


@pytest.mark.parametrize("other", OTHER)
def test_another_training_is_refused(other, file):
    train(3, checkpoint=file, **BEGUN)
    changed, message = OTHER[other]
    before = file.read_bytes()
    with pytest.raises(ValueError, match=message) as caught:
        train(**({"epochs": 5} | BEGUN | changed), checkpoint=file)
    assert str(file) in str(caught.value)
    assert file.read_bytes() == before


def test_the_functions_refuse_each_others_files(file):
    trainings.train(3, checkpoint=file)
    with pytest.raises(ValueError, match="was written by L_layer_model; train resumes its own files alone"):
        bp.train(trainings.X, trainings.Y, trainings.LAYERS, parameters=trainings.START, checkpoint=file)
    file.unlink()
    bp.train(trainings.X, trainings.Y, trainings.LAYERS, parameters=trainings.START, epochs=3, checkpoint=file)
    with pytest.raises(ValueError, match="was written by train; L_layer_model resumes its own files alone"):
        trainings.train(3, checkpoint=file)


def _memory(**changed):
    def damage(path):
        memory = json.loads(str(np.load(path)["about"]))["memory"]
        altered(path, memory={key: value for key, value in (memory | changed).items() if value is not ...})

    return damage


DAMAGES = {
    "no memory": lambda path: altered(path, memory=None),
    "memory of a list": lambda path: altered(path, memory=[1]),
    "no entropy": _memory(entropy=...),
    "entropy below 0": _memory(entropy=-1),
    "entropy of a half": _memory(entropy=0.5),
    "other scores": _memory(scored=1),
    "scores as text": _memory(scored="3"),
    "no generator": _memory(generator=...),
    "another generator": _memory(generator={"bit_generator": "MT19937"}),
    "a generator of numbers": _memory(generator=[1, 2]),
    "a missing moment": lambda path: rewritten(path, without="W1_0"),
    "a missing best": lambda path: rewritten(path, without="best_W1"),
    "scores too few": lambda path: rewritten(path, scores=np.zeros(2)),
    "another shape": lambda path: rewritten(path, W1=np.zeros((4, 4))),
    "another order": lambda path: rewritten(path, W1=np.zeros((4, 3), order="F")),
    "an unknown array": lambda path: rewritten(path, other=X),
    "another algorithm": lambda path: altered(path, algorithm="direct"),
    "another format": lambda path: altered(path, format=2),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_by_name(damage, file):
    train(3, checkpoint=file, **BEGUN)
    DAMAGES[damage](file)
    with pytest.raises(ValueError) as caught:
        train(5, checkpoint=file, **BEGUN)
    assert str(file) in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("step", ["checkpoint.np.savez", "whole_file.os.fsync"])
def test_a_failure_while_saving_leaves_the_file_as_it_was(step, file, monkeypatch):
    train(3, checkpoint=file, **BEGUN)
    before = file.read_bytes()

    def full(*arguments, **members):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"fastbackprop.{step}", full)
        with pytest.raises(OSError, match="No space left"):
            train(5, checkpoint=file, **BEGUN)
    assert file.read_bytes() == before
    assert_same_bits(result(train(5, checkpoint=file, **BEGUN)), result(train(5, **BEGUN)))


def test_it_is_saved_as_it_goes(file, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "SAVE_SECONDS", 0)
    monkeypatch.setattr(looping, "next_length", lambda length, seconds, wanted: 1)
    saved = []
    save = checkpoint_module.Checkpoint.save

    def recording(self, descent):
        save(self, descent)
        saved.append(json.loads(str(np.load(file)["about"]))["iteration"])

    monkeypatch.setattr(checkpoint_module.Checkpoint, "save", recording)
    train(4, checkpoint=file, **BEGUN)
    assert saved == [1, 2, 3, 4, 4]
