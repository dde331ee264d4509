"""Arrays by name: which are taken, which way they lie, and what is refused."""

import sys
from typing import Any

import numpy as np
import pytest

from fastbackprop.bad_input import BadInput
from fastbackprop.data import Wanted, read_examples

from ..support.tables import LABELS, ROWS, WORDS


def read_npz(path, told=None, **arrays):
    np.savez(path / "d.npz", **arrays)
    return read_examples(str(path / "d.npz"), Wanted(**(told or {})))


def read_h5(path, told=None, **arrays):
    h5py = pytest.importorskip("h5py")
    with h5py.File(path / "d.h5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return read_examples(str(path / "d.h5"), Wanted(**(told or {})))


READERS = pytest.mark.parametrize("read", [read_npz, read_h5])


@READERS
@pytest.mark.parametrize("names", [("X", "Y"), ("X", "y"), ("x", "y"), ("X_train", "y_train"), ("train_set_x", "train_set_y")])
@pytest.mark.parametrize("shape", [(-1,), (1, -1), (-1, 1)])
@pytest.mark.parametrize("way", ["rows", "columns"])
def test_names_and_ways(names, shape, way, read, tmp_path):
    X = ROWS if way == "rows" else ROWS.T
    found = read(tmp_path, **{names[0]: X, names[1]: LABELS.reshape(shape), "other": np.zeros(3)})
    np.testing.assert_array_equal(found.X, ROWS.T)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert found.where == " and ".join(names)


@READERS
def test_texts_as_labels(read, tmp_path):
    labels = WORDS if read is read_npz else WORDS.astype("S")
    assert read(tmp_path, X=ROWS, Y=labels).labels.tolist() == WORDS.tolist()
    if read is read_h5:
        assert read(tmp_path, X=ROWS, Y=WORDS.astype(object)).labels.tolist() == WORDS.tolist()


@READERS
def test_pictures_are_rows(read, tmp_path):
    pictures = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    found = read(tmp_path, train_set_x=pictures, train_set_y=[0, 1], list_classes=np.array([b"non-cat", b"cat"]))
    np.testing.assert_array_equal(found.X, pictures.reshape(2, -1).T)
    assert found.pictures
    with pytest.raises(BadInput, match="a picture a row"):
        read(tmp_path, {"orientation": "columns"}, X=pictures, Y=[0, 1])


@READERS
def test_labels_of_another_name(read, tmp_path):
    assert read(tmp_path, {"label": "ill"}, X=ROWS, Y=LABELS, ill=1 - LABELS).labels.tolist() == (1 - LABELS).tolist()


@READERS
def test_to_predict_the_test_set_comes_before_the_training_set(read, tmp_path):
    arrays = {"X_train": ROWS[:9], "y_train": LABELS[:9], "X_test": ROWS[9:], "y_test": LABELS[9:]}
    np.testing.assert_array_equal(read(tmp_path, **arrays).X, ROWS[:9].T)
    np.testing.assert_array_equal(read(tmp_path, {"features": 3}, **arrays).X, ROWS[9:].T)


@READERS
def test_one_axis_is_one_feature(read, tmp_path):
    np.testing.assert_array_equal(read(tmp_path, X=ROWS[:, 0], Y=LABELS).X, ROWS[:, :1].T)


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no such arrays": ({"a": ROWS}, {}, "holds the arrays a; expected X and Y"),
    "a test set alone": ({"X_test": ROWS, "y_test": LABELS}, {}, "holds the arrays X_test, y_test; expected"),
    "no labels": ({"X": ROWS}, {}, "holds the arrays X; expected X and Y"),
    "labels that are not there": ({"X": ROWS, "Y": LABELS}, {"label": "ill"}, "no labels 'ill'; its arrays are X, Y"),
    "other examples": ({"X": ROWS, "Y": LABELS[1:]}, {}, r"X has shape \(40, 3\), and there are 39 labels"),
    "the other way": ({"X": ROWS, "Y": LABELS}, {"orientation": "columns"}, "examples as columns that match"),
    "a square": ({"X": np.eye(4), "Y": [0, 1, 0, 1]}, {}, r"X has shape \(4, 4\): .*--examples says which"),
    "one-hot labels": ({"X": ROWS, "Y": np.eye(2)[LABELS]}, {}, r"Y has shape \(40, 2\); expected one label an example"),
    "nan": ({"X": np.where(ROWS[3, 1] == ROWS, np.nan, ROWS), "Y": LABELS}, {}, "X, row 4, column 2 is nan"),
    "a label of nan": ({"X": ROWS, "Y": np.where(np.arange(40) == 7, np.nan, LABELS)}, {}, "Y, entry 8 is nan"),
    "complex numbers": ({"X": ROWS * 1j, "Y": LABELS}, {}, "X is of dtype complex128; expected real numbers"),
    "no examples": ({"X": np.zeros((0, 3)), "Y": np.zeros(0)}, {}, r"X has shape \(0, 3\); expected examples"),
    "one number": ({"X": 3.0, "Y": [1.0]}, {}, "X is one number"),
    "another size": ({"X": ROWS}, {"features": 4}, r"X has shape \(40, 3\); expected 4 features, as the model has"),
}


@READERS
@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_said_with_its_key(wrong, read, tmp_path):
    arrays, told, words = WRONG[wrong]
    with pytest.raises(BadInput, match=words) as caught:
        read(tmp_path, told, **arrays)
    assert str(caught.value).startswith(str(tmp_path))


def test_a_square_is_settled_by_the_option_and_by_a_models_size(tmp_path):
    X, Y = np.arange(16.0).reshape(4, 4), [0, 1, 0, 1]
    np.testing.assert_array_equal(read_npz(tmp_path, {"orientation": "rows"}, X=X, Y=Y).X, X.T)
    np.testing.assert_array_equal(read_npz(tmp_path, {"orientation": "columns"}, X=X, Y=Y).X, X)
    np.testing.assert_array_equal(read_npz(tmp_path, {"features": 4}, X=X[:3]).X, X[:3].T)


@pytest.mark.parametrize("content", [b"text", b"PK\x05\x06", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive(content, tmp_path):
    (tmp_path / "d.npz").write_bytes(content)
    with pytest.raises(BadInput, match=r"d\.npz"):
        read_examples(str(tmp_path / "d.npz"), Wanted())


def test_a_damaged_archive_and_one_of_objects(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, X=ROWS, Y=LABELS)
    whole = path.read_bytes()
    at = whole.index(ROWS.tobytes()[:8])
    path.write_bytes(whole[:at] + b"damaged!" + whole[at + 8 :])
    with pytest.raises(BadInput, match="X cannot be read"):
        read_examples(str(path), Wanted())
    np.savez(path, X=ROWS, Y=WORDS.astype(object))
    with pytest.raises(BadInput, match="Y cannot be read: Object arrays"):
        read_examples(str(path), Wanted())


def test_a_compressed_archive_is_read(tmp_path):
    np.savez_compressed(tmp_path / "d.npz", X=ROWS, Y=LABELS)
    np.testing.assert_array_equal(read_examples(str(tmp_path / "d.npz"), Wanted()).X, ROWS.T)


def test_what_is_no_hdf5(tmp_path):
    pytest.importorskip("h5py")
    (tmp_path / "d.h5").write_text("text")
    with pytest.raises(BadInput, match="cannot be read as HDF5"):
        read_examples(str(tmp_path / "d.h5"), Wanted())


def test_without_h5py_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "d.h5").write_text("text")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r'd\.h5 needs h5py: pip install "\.\[data\]" in a clone'):
        read_examples(str(tmp_path / "d.h5"), Wanted())


def test_texts_that_are_not_in_utf_8(tmp_path):
    with pytest.raises(BadInput, match="Y holds texts that are not in UTF-8"):
        read_npz(tmp_path, X=ROWS, Y=np.where(LABELS, b"\xff", b"no"))
