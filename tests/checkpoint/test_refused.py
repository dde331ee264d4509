"""A file that is no checkpoint, or that of another training, is refused with a message, and nothing of it is used."""

import errno
import io
import json
import os
import random
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest

from fastbackprop import checkpoint as checkpoint_module
from fastbackprop.testing import assert_same_bits, map_arrays

from ..support.trainings import START, X, Y, drawn, train

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
    """The file with another text about the training."""
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
    """The header before the numbers of an array of this shape."""
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
