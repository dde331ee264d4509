"""``load_data``: the arrays of the two files, and one clear line where they are not what is expected."""

import re
import sys

import numpy as np
import pytest

from fastbackprop.compat import dnn_app_utils_v2, dnn_app_utils_v3

h5py = pytest.importorskip("h5py")
load_data = dnn_app_utils_v3.load_data
TRAIN, TEST = "train_catvnoncat.h5", "test_catvnoncat.h5"
CLASSES = np.array([b"non-cat", b"cat"])


def entries():
    rng = np.random.default_rng(0)
    found: dict = {}
    for name, part, m in ((TRAIN, "train", 5), (TEST, "test", 3)):
        pictures = rng.integers(0, 256, (m, 4, 4, 3), dtype=np.uint8)
        found[name] = {f"{part}_set_x": pictures, f"{part}_set_y": rng.integers(0, 2, m), "list_classes": CLASSES}
    return found


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for name, datasets in files.items():
        with h5py.File(folder / name, "w") as file:
            file.update(datasets)
    return folder


def check(loaded, files):
    train_x, train_y, test_x, test_y, classes = loaded
    for part, x, y, name in (("train", train_x, train_y, TRAIN), ("test", test_x, test_y, TEST)):
        expected_x, expected_y = files[name][f"{part}_set_x"], files[name][f"{part}_set_y"]
        assert x.dtype == np.uint8
        assert y.dtype == expected_y.dtype
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y.reshape(1, -1), strict=True)
    assert list(classes) == list(CLASSES)
    assert classes[1].decode("utf-8") == "cat"


def test_both_generations_read_alike():
    assert dnn_app_utils_v2.load_data is load_data


@pytest.mark.parametrize("form", [str, lambda folder: folder])
def test_a_folder_that_is_named(form, tmp_path):
    files = entries()
    check(load_data(form(write(tmp_path, files))), files)


def test_the_folder_datasets_of_the_working_directory(tmp_path, monkeypatch):
    files = entries()
    write(tmp_path / "datasets", files)
    monkeypatch.chdir(tmp_path)
    check(load_data(), files)


def test_labels_in_a_column(tmp_path):
    files = entries()
    expected = entries()
    files[TRAIN]["train_set_y"] = files[TRAIN]["train_set_y"].reshape(-1, 1)
    check(load_data(write(tmp_path, files)), expected)


def test_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    where = re.escape(str(tmp_path / "datasets"))
    with pytest.raises(FileNotFoundError, match=f"^{where} is not a folder; expected the files {TRAIN} and {TEST} in it$"):
        load_data()


@pytest.mark.parametrize("missing", [[TRAIN], [TEST], [TRAIN, TEST]])
def test_no_file(missing, tmp_path):
    write(tmp_path, {name: value for name, value in entries().items() if name not in missing})
    named = " and no ".join(missing)
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(str(tmp_path))} holds no file {named}; expected the files"):
        load_data(tmp_path)


def change(key, value):
    def changed(files):
        name = TRAIN if key.startswith("train") else TEST
        if value is None:
            del files[name][key]
        else:
            files[name][key] = value

    return changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (change("train_set_x", None), f"{TRAIN} holds no train_set_x; expected arrays train_set_x, train_set_y$"),
        (change("test_set_y", None), f"{TEST} holds no test_set_y; expected arrays test_set_x, test_set_y, list_classes$"),
        (change("list_classes", None), f"{TEST} holds no list_classes; "),
        (
            change("train_set_y", np.zeros(4, int)),
            r"train_set_x has shape \(5, 4, 4, 3\), train_set_y \(4,\); expected one",
        ),
        (change("test_set_x", np.zeros(3)), r"test_set_x has shape \(3,\), test_set_y \(3,\)"),
        (change("test_set_x", np.float64(3)), r"test_set_x has shape \(\), test_set_y \(3,\)"),
    ],
)
def test_a_file_of_other_contents(changed, message, tmp_path):
    files = entries()
    changed(files)
    with pytest.raises(ValueError, match=message):
        load_data(write(tmp_path, files))


def test_a_group_is_no_array(tmp_path):
    write(tmp_path, entries())
    with h5py.File(tmp_path / TRAIN, "a") as file:
        del file["train_set_x"]
        file.create_group("train_set_x")
    with pytest.raises(ValueError, match=f"{TRAIN} holds no train_set_x"):
        load_data(tmp_path)


@pytest.mark.parametrize("damage", [lambda raw: b"", lambda raw: b"id,label\n1,0\n", lambda raw: raw[: len(raw) // 2]])
def test_a_file_that_is_damaged_or_of_another_kind(damage, tmp_path):
    path = write(tmp_path, entries()) / TEST
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} cannot be read as HDF5: "):
        load_data(tmp_path)


def test_without_h5py_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r'^load_data needs h5py: pip install "\.\[data\]" in a clone of fastbackprop$'):
        load_data(write(tmp_path, {}))
