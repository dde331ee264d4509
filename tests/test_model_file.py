"""Model files: what is written comes back, and what is no whole model of this version is refused without being used."""

import io
import json
import random
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from fastbackprop.activations import HIDDEN, OUTPUTS
from fastbackprop.bad_input import BadInput
from fastbackprop.data.classes import Classes
from fastbackprop.data.scaling import fit
from fastbackprop.model_file import FORMAT, OLDER, Model, is_model, load_model, save_model
from fastbackprop.testing import CASES, Size, assert_same_bits

X, PARAMETERS = CASES["L_model_forward"].make(Size((3, 4, 1), 6), "float64")


def model(scale="standard", classes=("no", "yes"), **others):
    return Model([3, 4, 1], PARAMETERS, fit(scale, X), Classes(tuple(classes)), **others)


@pytest.fixture
def file(tmp_path):
    save_model(tmp_path / "m.npz", model(names=["a", "b", "c"], label="ill", training={"seed": 1}))
    return tmp_path / "m.npz"


@pytest.mark.parametrize("scale", ["none", "standard", "minmax", "255"])
@pytest.mark.parametrize("classes", [("no", "yes"), (0, 1), (-0.5, 7)])
def test_what_is_written_comes_back(scale, classes, tmp_path):
    given = model(scale, classes, names=["a", "b", "ç"], label="ill", training={"seed": 1})
    save_model(tmp_path / "m.npz", given)
    read = load_model(str(tmp_path / "m.npz"))
    assert_same_bits(read.parameters, given.parameters)
    assert_same_bits(read.scaling(X), given.scaling(X))
    assert (read.layers, read.classes, read.label) == (given.layers, given.classes, given.label)
    assert (read.names, read.training) == (given.names, given.training)


KINDS = [("tanh", "softmax", 3, ("a", "b", "c")), ("leaky_relu", "identity", 2, None), ("identity", "sigmoid", 2, None)]


@pytest.mark.parametrize(("hidden", "output", "n", "classes"), KINDS)
def test_what_the_layers_compute_comes_back(hidden, output, n, classes, tmp_path):
    _, parameters = CASES["L_model_forward"].make(Size((3, 4, n), 6), "float64")
    row = replace(HIDDEN[hidden], slope=0.25) if hidden == "leaky_relu" else HIDDEN[hidden]
    given = Model([3, 4, n], parameters, fit("none", X), classes and Classes(classes), hidden=row, output=OUTPUTS[output])
    save_model(tmp_path / "m.npz", given)
    read = load_model(str(tmp_path / "m.npz"))
    assert (read.hidden, read.output, read.classes) == (given.hidden, given.output, given.classes)
    assert_same_bits(read.net.outputs(X, read.parameters), given.net.outputs(X, parameters))


def test_a_model_of_the_first_format_is_read(file):
    with np.load(file) as members:
        text = json.loads(str(members["about"]))
    rewritten(file, about=np.array(json.dumps({k: v for k, v in text.items() if k not in ("hidden", "slope", "output")})))
    altered(file, format=OLDER)
    read = load_model(str(file))
    assert (read.hidden, read.output, read.classes) == (HIDDEN["relu"], OUTPUTS["sigmoid"], Classes(("no", "yes")))
    assert_same_bits(read.parameters, dict(PARAMETERS))


def test_names_without_end_are_not_kept(tmp_path):
    save_model(tmp_path / "m.npz", model(names=["a" * 10**5] * 3))
    assert load_model(str(tmp_path / "m.npz")).names is None


def test_nothing_is_pickled(file):
    with np.load(file, allow_pickle=False) as members:
        assert all(members[name].dtype.kind in "fU" for name in members.files)


def rewritten(path, write=np.savez, without=None, **others):
    with np.load(path) as members:
        arrays = {name: members[name] for name in members.files if name != without}
    write(path, **(arrays | others))


def altered(path, **about):
    with np.load(path) as members:
        text = json.loads(str(members["about"]))
    rewritten(path, about=np.array(json.dumps(text | about)))


def header(path, name, shape):
    """An array that is a header alone."""
    rewritten(path, without=name)
    memory = io.BytesIO()
    np.lib.format.write_array_header_1_0(memory, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "a") as members:
        members.writestr(f"{name}.npy", memory.getvalue())


LARGE = np.zeros(2**23)  # 64 MiB
DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("text"),
    "half of it": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "other arrays": lambda path: np.savez(path, X=X),
    "another version": lambda path: altered(path, format=FORMAT[:-1] + "3"),
    "a checkpoint's format": lambda path: altered(path, format=1),
    "a list": lambda path: rewritten(path, about=np.array("[1]")),
    "no JSON": lambda path: rewritten(path, about=np.array("{")),
    "objects": lambda path: rewritten(path, about=np.array({"format": FORMAT}, object)),
    "a text that is too long": lambda path: rewritten(path, about=np.array("x" * 2**21)),
    "other layers": lambda path: altered(path, layers=[3, 5, 1]),
    "an output of two": lambda path: altered(path, layers=[3, 4, 2]),
    "layers as text": lambda path: altered(path, layers="341"),
    "layers as truths": lambda path: altered(path, layers=[True, True]),
    "layers without end": lambda path: altered(path, layers=[10**9, 10**9, 1]),
    "an unknown activation": lambda path: altered(path, hidden="swish"),
    "an activation of a list": lambda path: altered(path, hidden=["relu"]),
    "an unknown output": lambda path: altered(path, output="relu"),
    "a slope that relu has not": lambda path: altered(path, slope=0.5),
    "a slope below 0": lambda path: altered(path, hidden="leaky_relu", slope=-0.5),
    "a slope as text": lambda path: altered(path, hidden="leaky_relu", slope="0.5"),
    "classes of a net for numbers": lambda path: altered(path, output="identity"),
    "softmax of one unit": lambda path: altered(path, output="softmax", classes=["no"]),
    "no classes": lambda path: altered(path, classes=None),
    "three classes": lambda path: altered(path, classes=["a", "b", "c"]),
    "unknown scaling": lambda path: altered(path, scaling="robust"),
    "no scaling": lambda path: altered(path, scaling=None),
    "a scaling that its arrays do not fit": lambda path: altered(path, scaling="none"),
    "one class": lambda path: altered(path, classes=["no"]),
    "equal classes": lambda path: altered(path, classes=[1, 1.0]),
    "classes of lists": lambda path: altered(path, classes=[[], [1]]),
    "classes of two kinds": lambda path: altered(path, classes=["no", 1]),
    "classes of nan": lambda path: altered(path, classes=[0, float("nan")]),
    "names of another number": lambda path: altered(path, names=["a"]),
    "names of numbers": lambda path: altered(path, names=[1, 2, 3]),
    "a label of a list": lambda path: altered(path, label=[1]),
    "a missing array": lambda path: rewritten(path, without="W1"),
    "an unknown array": lambda path: rewritten(path, other=X),
    "another dtype": lambda path: rewritten(path, W1=PARAMETERS["W1"].astype("f")),
    "another shape": lambda path: rewritten(path, W1=np.zeros((4, 4))),
    "nan": lambda path: rewritten(path, b1=np.full((4, 1), np.nan)),
    "a divisor of 0": lambda path: rewritten(path, divisor=np.zeros((3, 1))),
    "packed": lambda path: rewritten(path, np.savez_compressed),
    "a large array": lambda path: rewritten(path, W1=LARGE),
    "a large array, packed": lambda path: rewritten(path, np.savez_compressed, W1=LARGE),
    "an unknown large array, packed": lambda path: rewritten(path, np.savez_compressed, other=LARGE),
    "a header of a huge array": lambda path: header(path, "W1", (10**6, 10**6)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_model_is_refused_and_takes_no_memory(damage, file):
    DAMAGES[damage](file)
    tracemalloc.start()
    try:
        with pytest.raises(BadInput) as caught:
            load_model(str(file))
        assert tracemalloc.get_traced_memory()[1] < LARGE.nbytes / 8
    finally:
        tracemalloc.stop()
    assert str(file) in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_byte_gone_wrong_is_noticed_or_of_no_effect(file):
    whole, expected, noticed = file.read_bytes(), load_model(str(file)), 0
    for at in random.Random(0).sample(range(len(whole)), 200):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            assert_same_bits(load_model(str(file)).parameters, expected.parameters)
        except BadInput:
            noticed += 1
    assert noticed > 100


def test_which_files_are_models(file, tmp_path):
    assert is_model(file)
    altered(file, format=FORMAT[:-1] + "3")
    assert is_model(file)  # of a later version: a model all the same
    np.savez(tmp_path / "other.npz", X=X)
    assert not is_model(tmp_path / "other.npz")


def test_a_broken_write_leaves_the_old_model(file, monkeypatch):
    before = file.read_bytes()

    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastbackprop.whole_file.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_model(file, model("none"))
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]
