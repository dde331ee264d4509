"""Tables: what is taken as header, label and delimiter, and the place of what is wrong."""

import io

import numpy as np
import pytest

from fastbackprop.bad_input import BadInput
from fastbackprop.data import Wanted, read_examples, tables

from ..support.tables import LABELS, NAMES, ROWS, WORDS, csv_text, write


@pytest.fixture
def read(tmp_path):
    """Read a table of text."""

    def reading(text, **told):
        path = tmp_path / "t.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_examples(str(path), Wanted(**told))

    return reading


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("names", [None, [*NAMES, "ill"]])
def test_every_number_comes_back(names, delimiter, read):
    found = read(csv_text(names=names, delimiter=delimiter))
    np.testing.assert_array_equal(found.X, ROWS.T)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert found.names == (None if names is None else NAMES)
    assert found.label == ("-1" if names is None else "ill")


def test_the_first_of_many_pieces_is_no_other_than_the_last(read, monkeypatch):
    monkeypatch.setattr(tables, "LINES", 7)
    np.testing.assert_array_equal(read(csv_text(names=[*NAMES, "ill"])).X, ROWS.T)
    with pytest.raises(BadInput, match=r"line 40, column 2 is 'x'; expected a number$"):
        read(csv_text().replace(repr(float(ROWS[39, 1])), "x"))


@pytest.mark.parametrize("label", ["ill", "4", "-1"])
def test_the_label_by_name_and_number(label, read):
    np.testing.assert_array_equal(read(csv_text(names=[*NAMES, "ill"]), label=label).X, ROWS.T)


@pytest.mark.parametrize(("label", "kept"), [("height", [0, 2, 3]), ("1", [1, 2, 3]), ("-2", [0, 1, 3])])
def test_another_column_as_label(label, kept, read):
    found = read(csv_text(names=[*NAMES, "ill"]), label=label)
    table = np.column_stack([ROWS, LABELS])
    np.testing.assert_array_equal(found.X, table[:, kept].T)
    assert found.label in NAMES


def test_a_name_that_is_a_number_is_a_name_first(read):
    assert read("a,x2,c\n1,2,3\n".replace("x2", "one"), label="one").labels == [2]
    with pytest.raises(BadInput, match="no column '0'"):
        read("1,2,3\n", label="0")


def test_examples_as_columns(read):
    text = "\n".join([",".join(map(repr, row)) for row in ROWS.T.tolist()] + [",".join(WORDS)])
    found = read(text, orientation="columns")
    np.testing.assert_array_equal(found.X, ROWS.T)
    assert found.labels.tolist() == WORDS.tolist()
    assert found.place(2) == "line 4, column 3"
    first = read("\n".join([",".join(WORDS), *text.splitlines()[:-1]]), orientation="columns", label="1")
    np.testing.assert_array_equal(first.X, ROWS.T)


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + csv_text().encode(),
        csv_text().replace("\n", "\r\n"),
        csv_text().replace("\n", "\n\n"),
        csv_text(delimiter=", "),
        csv_text().rstrip("\n"),
        csv_text(delimiter='","').replace("\n", '"\n"').rstrip('"').join(['"', ""]),
    ],
    ids=["byte order mark", "Windows", "blank lines", "blanks", "no last line end", "quotes"],
)
def test_ways_to_write_the_same_table(text, read):
    found = read(text)
    np.testing.assert_array_equal(found.X, ROWS.T)
    np.testing.assert_array_equal(found.labels, LABELS)


WRONG = {
    "a header that is none": ("1,b,c\n1,2,3\n", {}, r"line 1, column 2 is 'b'; expected a number \(a header is"),
    "a name that is missing": (",a,y\n0,1,2\n", {}, r"line 1, column 1 has no name"),
    "a first line of nothing but nan": ("nan,nan,1\n1,2,0\n", {}, "line 1, column 1 is 'nan'; expected a finite number"),
    "infinity": ("1,2,0\n1,-inf,1", {}, "line 2, column 2 is '-inf'; expected a finite number"),
    "a number beyond float64": ("1,2,0\n1,1e999,1", {}, "line 2, column 2 is '1e999'; expected a finite number"),
    "a label of nan": ("1,2,0\n1,3,nan", {}, "line 2, column 3 is nan; expected a label"),
    "a label that is not there": ("a,b\n1,2\n", {"label": "c"}, r"no column 'c' .* a name of the header \(a, b\) or a number"),
    "a name without a header": ("1,2\n", {"label": "c"}, "no column 'c' .* has no header, from 1 to 2"),
    "a number beyond the last": ("1,2\n", {"label": "3"}, "no column '3'"),
    "a name that is there twice": ("a,a\n1,2\n", {"label": "a"}, "2 columns named 'a'"),
    "ragged": ("a,b\n1,2\n\n3\n", {}, "line 4 has columns: 1; expected 2, as in line 1"),
    "not text": (b"1,2\n\xff\xfe,1\n", {}, "not text in UTF-8"),
    "NUL": (b"1,2\n\0,1\n", {}, "line"),
    "an open quote": ('1,2\n"3,1\n', {}, "line"),
    "a spreadsheet": (b"PK\x03\x04\xff", {}, "not text in UTF-8"),
    "columns of text": ("1,2\nx,3\n0,1\n", {"orientation": "columns"}, "line 2, column 1 is 'x'"),
    "columns that are ragged": ("1,2\n3\n", {"orientation": "columns"}, "line 2 has columns: 1"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_said_with_its_place(wrong, read):
    text, told, words = WRONG[wrong]
    with pytest.raises(BadInput, match=words) as caught:
        read(text, **told)
    assert "t.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------------- .npy


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array(order, tmp_path):
    path, table = tmp_path / "t.npy", np.asarray(np.column_stack([ROWS, LABELS]), order=order)
    np.save(path, table)
    found = read_examples(str(path), Wanted())
    np.testing.assert_array_equal(found.X, ROWS.T)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert found.place(4) == "row 5, column 4"
    np.save(path, table.T)
    np.testing.assert_array_equal(read_examples(str(path), Wanted(orientation="columns")).X, ROWS.T)
    np.save(path, table.astype(np.uint8))
    assert read_examples(str(path), Wanted()).pictures
    np.testing.assert_array_equal(read_examples(str(path), Wanted(label="1")).labels, ROWS[:, 0].astype(np.uint8))


def saved(array, **options):
    memory = io.BytesIO()
    np.save(memory, array, **options)
    return memory.getvalue()


def claimed(shape):
    memory = io.BytesIO()
    np.lib.format.write_array_header_1_0(memory, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return memory.getvalue() + bytes(80)


WRONG_ARRAYS = {
    "text": (b"text", "is not a .npy file"),
    "half of it": (saved(ROWS)[:-80], "cannot be read"),
    "a header of a huge array": (claimed((10**7, 10**6)), "cannot be read"),
    "objects": (saved(np.array([[1, "a"]], object)), "cannot be read"),
    "texts": (saved(np.array([["a", "b"]])), "dtype <U1; expected real numbers"),
    "complex numbers": (saved(ROWS * 1j), "dtype complex128; expected real numbers"),
    "records": (saved(np.zeros((2, 2), "f,f")), "expected real numbers"),
    "nan": (saved(np.array([[1, 0], [np.nan, 1]])), "row 2, column 1 is nan; expected a finite number"),
    "one axis": (saved(np.zeros(5)), r"shape \(5,\); expected a table"),
    "three axes": (saved(np.zeros((5, 5, 5))), "expected a table"),
    "no rows": (saved(np.zeros((0, 5))), "t.npy"),
    "no features": (saved(np.zeros((5, 1))), "no features"),
}


@pytest.mark.parametrize("wrong", WRONG_ARRAYS)
def test_an_array_that_is_wrong(wrong, tmp_path):
    content, words = WRONG_ARRAYS[wrong]
    path = tmp_path / "t.npy"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=words) as caught:
        read_examples(str(path), Wanted())
    assert str(path) in str(caught.value)


def test_to_predict_the_label_is_the_one_of_the_training(tmp_path):
    path = write(tmp_path / "t.csv", csv_text(WORDS, [*NAMES, "ill"]))
    found = read_examples(str(path), Wanted(features=3, model_label="ill"))
    np.testing.assert_array_equal(found.labels, WORDS)
    assert found.names == NAMES
