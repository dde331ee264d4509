"""The checkpoint: going on gives the bits of an unbroken run; what does not belong there is refused; the file is whole."""

import errno
import io
import json
import logging
import os
import random
import signal
import threading
import time
import tracemalloc
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import checkpoint as checkpoint_module
from fastbackprop import training
from fastbackprop.algorithms import Direct, Gram
from fastbackprop.checkpoint import digest
from fastbackprop.testing import CASES, TRAINING_RTOL, Size, assert_same_bits, assert_within_bound, map_arrays

ALGORITHMS = ("direct", "gram")
SIZE = Size((9, 4, 1), 6)
LAYERS = list(SIZE.layers)
X, START = CASES["L_model_forward"].make(SIZE, "float64", "read-only")
Y = np.array([[0, 1, 0, 0, 1, 1]])


def train(iterations=250, X=X, Y=Y, layers=LAYERS, rate=0.1, **options) -> Any:
    options = {"parameters": START, "return_costs": True} | options
    return bp.L_layer_model(X, Y, layers, rate, iterations, **options)


def drawn():
    """Where NumPy's global generator is."""
    state = np.random.get_state(legacy=False)["state"]
    return state["key"].tolist(), state["pos"]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "training.npz"


@pytest.fixture
def begun(file):
    """A file at iteration 130 of a training by direct descent."""
    train(130, checkpoint=file, algorithm="direct")
    return file


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
def test_the_same_call_goes_on_after_an_interrupt(algorithm, file, monkeypatch, capsys):
    """Saved after each slice of 50, and interrupted at the second line."""
    monkeypatch.setattr(checkpoint_module, "SAVE_SECONDS", 0)
    monkeypatch.setattr(training, "_next_length", lambda length, seconds, wanted: 50)
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


def test_the_recorded_algorithm_goes_on(file, caplog):
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


# -------------------------------------------------------------------------------------------------------------- refused

OTHER: dict[str, tuple[dict[str, Any], str]] = {
    "X": ({"X": X + 1}, "X was sha256"),
    "fewer examples": ({"X": X[:, :5], "Y": Y[:, :5]}, "X was sha256 .*Y was sha256"),
    "Y": ({"Y": 1 - Y}, "Y was sha256"),
    "layers": ({"layers": [9, 5, 1], "parameters": None}, r"layers_dims was \[9, 4, 1\], is \[9, 5, 1\]"),
    "rate": ({"rate": 0.2}, "learning_rate was 0.1, is 0.2"),
    "dtype": (
        {"X": X.astype("f"), "parameters": map_arrays(lambda x: x.astype("f"), START)},
        "dtype was float64, is float32",
    ),
    "start": ({"parameters": {**START, "b1": START["b1"] + 1}}, "parameters was sha256"),
    "algorithm": ({"algorithm": "gram"}, "algorithm was 'direct', is 'gram'"),
    "fewer iterations": ({"iterations": 129}, "iteration 130, beyond num_iterations 129"),
}


@pytest.mark.parametrize("other", OTHER)
def test_another_training_is_refused(other, begun):
    options, message = OTHER[other]
    before = begun.read_bytes(), drawn()
    with pytest.raises(ValueError, match=message) as caught:
        train(**options, checkpoint=begun)
    assert str(begun) in str(caught.value)
    assert (begun.read_bytes(), drawn()) == before


def altered(path, **about):
    """The file with other words about it."""
    with np.load(path) as members:
        arrays = {name: members[name] for name in members.files}
    arrays["about"] = np.array(json.dumps(json.loads(str(arrays["about"])) | about))
    np.savez(path, **arrays)


def rewritten(path, write=np.savez, without=None, **others):
    """The file with other arrays."""
    with np.load(path) as members:
        arrays = {name: members[name] for name in members.files if name != without}
    write(path, **(arrays | others))
    return path


def npy(array, version=(1, 0)):
    """An array as it stands in a file."""
    memory = io.BytesIO()
    np.lib.format.write_array(memory, array, version)
    return memory.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def appended(path, name, content=b""):
    """The file with one member more."""
    with zipfile.ZipFile(path, "a") as members:
        members.writestr(name, content)
    return path


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not numbers"),
    "one array": lambda path: path.write_bytes(npy(X)),
    "other arrays": lambda path: np.savez(path, X=X),
    "objects": lambda path: np.savez(path, about=np.array({"format": 1}, object)),
    "half of it": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "all but a byte": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "another format": lambda path: altered(path, format=2),
    "an unknown algorithm": lambda path: altered(path, algorithm="auto"),
    "another algorithm": lambda path: altered(path, algorithm="gram"),
    "iterations that its costs do not fit": lambda path: altered(path, iteration=205),
    "iterations below 0": lambda path: altered(path, iteration=-5),
    "iterations that are no whole number": lambda path: altered(path, iteration=130.0),
    "half an iteration": lambda path: altered(path, iteration=130.5),
    "iterations as text": lambda path: altered(path, iteration="130"),
    "iterations as a truth": lambda path: altered(path, iteration=True),
    "no iterations": lambda path: altered(path, iteration=None),
    "iterations without end": lambda path: altered(path, iteration=10**30),
    "a list about it": lambda path: rewritten(path, about=np.array("[1]")),
    "a text that is too long": lambda path: rewritten(path, about=np.array("x" * 2**21)),
    "an unknown array": lambda path: rewritten(path, other=X),
    "a missing array": lambda path: rewritten(path, without="b"),
    "an array twice": lambda path: appended(path, "W.npy"),
    "another shape": lambda path: rewritten(path, W=np.zeros((3, 3))),
    "another dtype": lambda path: rewritten(path, b=np.zeros(5, "f")),
    "another order": lambda path: rewritten(path, W=np.zeros((8, 5), order="F")),
    "another version of the format": lambda path: appended(rewritten(path, without="b"), "b.npy", npy(np.zeros(5), (2, 0))),
    "numbers missing": lambda path: appended(rewritten(path, without="b"), "b.npy", npy(np.zeros(5))[:-1]),
    "numbers too many": lambda path: appended(rewritten(path, without="b"), "b.npy", npy(np.zeros(5)) + b"x"),
    "packed": lambda path: rewritten(path, np.savez_compressed),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_no_checkpoint_is_refused_by_name(damage, begun):
    DAMAGES[damage](begun)
    with pytest.raises(ValueError) as caught:
        train(checkpoint=begun)
    assert str(begun) in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


BOMB = 2**26  # bytes
ZEROS = np.zeros(BOMB // 8)
HOSTILE = {
    "an unknown array, packed": lambda path: rewritten(path, np.savez_compressed, other=ZEROS),
    "a known array, packed": lambda path: rewritten(path, np.savez_compressed, W=ZEROS),
    "an unknown array": lambda path: rewritten(path, other=ZEROS),
    "a known array": lambda path: rewritten(path, W=ZEROS),
    "costs": lambda path: rewritten(path, costs=ZEROS),
    "the text": lambda path: rewritten(path, about=np.array("x" * (BOMB // 4))),
    "a header": lambda path: appended(rewritten(path, without="W"), "W.npy", header((10**12,))),
    "a header of costs": lambda path: appended(rewritten(path, without="costs"), "costs.npy", header((10**12,))),
}


def header(shape):
    """What stands before the numbers of an array of this shape."""
    memory = io.BytesIO()
    np.lib.format.write_array_header_1_0(memory, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return memory.getvalue()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_no_checkpoint_takes_no_memory(hostile, begun):
    HOSTILE[hostile](begun)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="is damaged"):
            train(checkpoint=begun)
        assert tracemalloc.get_traced_memory()[1] < BOMB / 16
    finally:
        tracemalloc.stop()


def test_a_byte_gone_wrong_is_noticed_or_of_no_effect(begun):
    whole, unbroken = begun.read_bytes(), train(130, algorithm="direct")
    noticed = 0
    for at in random.Random(0).sample(range(len(whole)), 200):
        begun.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            assert_same_bits(train(130, checkpoint=begun), unbroken)
        except ValueError as error:
            assert str(begun) in str(error)
            noticed += 1
    assert noticed > 100


@pytest.mark.parametrize("name", ["training\0.npz", "\udcff\ud800.npz"])
def test_a_name_that_no_file_can_have_is_refused(name, tmp_path):
    before = drawn()
    with pytest.raises(ValueError, match=r"checkpoint is .* no name of a file") as caught:
        train(parameters=None, checkpoint=tmp_path / name)
    assert type(caught.value) is ValueError
    assert repr(name)[1:-1] in str(caught.value)
    assert caught.value.__suppress_context__
    assert drawn() == before


@pytest.mark.skipif(os.name != "posix", reason="links need no rights there only")
@pytest.mark.parametrize("name", ["loop.npz", "loop.npz/training.npz", "one"])
def test_links_in_a_circle_are_refused(name, tmp_path):
    (tmp_path / "loop.npz").symlink_to("loop.npz")
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    before = drawn()
    with pytest.raises(OSError, match="the checkpoint cannot be read") as caught:
        train(parameters=None, checkpoint=tmp_path / name)
    assert caught.value.errno == errno.ELOOP
    assert str(tmp_path / name) in str(caught.value)
    assert drawn() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop.npz", "one", "other"]


def test_a_name_that_is_too_long_is_refused(tmp_path):
    with pytest.raises(OSError, match="checkpoint") as caught:
        train(checkpoint=tmp_path / ("x" * 5000))
    assert str(tmp_path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_refused(begun, monkeypatch):
    def forbidden(path, mode):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(checkpoint_module, "open", forbidden, raising=False)
    with pytest.raises(PermissionError, match="the checkpoint cannot be read") as caught:
        train(checkpoint=begun)
    assert str(begun) in str(caught.value)


def test_a_file_that_changes_while_it_is_read_is_refused(begun, monkeypatch):
    identify, other = checkpoint_module.Checkpoint.identify, begun.with_name("other.npz")
    train(200, algorithm="direct", checkpoint=other)

    def interfering(self, *arguments):
        other.replace(begun)
        return identify(self, *arguments)

    monkeypatch.setattr(checkpoint_module.Checkpoint, "identify", interfering)
    with pytest.raises(ValueError, match="changed while it was read"):
        train(checkpoint=begun)


@pytest.mark.parametrize("path", [3, b"training.npz", ["training.npz"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TypeError, match="checkpoint is "):
        train(checkpoint=path)


def test_a_missing_folder_is_an_error_before_any_work(tmp_path):
    before = drawn()
    with pytest.raises(FileNotFoundError, match="no checkpoint can be written") as caught:
        train(parameters=None, checkpoint=tmp_path / "none" / "training.npz")
    assert "training.npz" in str(caught.value)
    assert drawn() == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_an_unwritable_folder_is_an_error_before_any_work(begun):
    begun.parent.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match="no checkpoint can be written"):
            train(checkpoint=begun)
        train(130, checkpoint=begun)  # finished: nothing is to be written
    finally:
        begun.parent.chmod(0o700)


def test_what_the_reference_would_serve_has_no_checkpoint(file):
    wide, start = X.astype(np.longdouble), map_arrays(lambda x: x.astype(np.longdouble), START)
    if wide.dtype == X.dtype:
        pytest.skip("longdouble is float64 here")
    with pytest.raises(ValueError, match=r"checkpoint.*float32 or float64"):
        train(3, wide, parameters=start, checkpoint=file)
    assert not file.exists()


# -------------------------------------------------------------------------------------------------------------- writing


@pytest.mark.parametrize("step", ["np.savez", "os.fsync", "os.replace"])
def test_a_failure_while_saving_leaves_the_file_as_it_was(step, begun, monkeypatch):
    before = begun.read_bytes()

    def full(*arguments, **members):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"fastbackprop.checkpoint.{step}", full)
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
    monkeypatch.setattr(checkpoint_module.os, "fsync", interrupted_flush)
    monkeypatch.setattr(training, "_next_length", lambda length, seconds, wanted: 80)
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

    def told(name, function):
        def call(*arguments):
            steps.append((name, file.exists()))
            return function(*arguments)

        return call

    # Of that module alone: Numba replaces files too, where it keeps machine code.
    changed = {name: told(name, getattr(os, name)) for name in ("fsync", "replace")}
    monkeypatch.setattr(checkpoint_module, "os", SimpleNamespace(**{**vars(os), **changed}))
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
