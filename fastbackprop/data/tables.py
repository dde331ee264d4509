"""Tables with a label in one column: .csv and .npy. Lines, rows and columns are counted from 1."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput
from fastbackprop.data.examples import Examples, Wanted, numbers, some

LINES = 10_000  # that are held as text at a time
NAMES = 10  # of columns, that an error lists at most
_DELIMITERS = ",;\t"


# ----------------------------------------------------------------------------------------------------------- which column


def _column(path: Path, said: str, names: Sequence[str] | None, width: int) -> int:
    """The index of the column that `said` names, or counts from 1, or from the end with a minus."""
    found = [i for i, name in enumerate(names or ()) if name == said]
    if len(found) > 1:
        raise BadInput(f"{path} has {len(found)} columns named {said!r}; expected one")
    if found:
        return found[0]
    try:
        number = int(said)
    except ValueError:
        number = 0
    if number and -width <= number <= width:
        return number - 1 if number > 0 else width + number
    some_names = ", ".join(itertools.islice(names or (), NAMES)) + (", ..." if names and len(names) > NAMES else "")
    known = f"a name of the header ({some_names}) or a number" if names else "a number, since the file has no header,"
    raise BadInput(f"{path} has no column {said!r} for the label; expected {known} from 1 to {width}, or -1 for the last")


def label_column(path: Path, wanted: Wanted, names: Sequence[str] | None, width: int) -> int | None:
    """The index of the label's column; None where a model is predicted for and the table has nothing but its inputs."""
    if wanted.label is not None:
        return _column(path, wanted.label, names, width)
    if wanted.features is None:
        return width - 1
    if width == wanted.features + 1 and wanted.model_label is not None:
        return _column(path, wanted.model_label, names, width)
    return None


# ------------------------------------------------------------------------------------------------------------------- .csv


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not blank, each with its number, all of the first one's width."""
    width, first = 0, 0
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            delimiter = max(_DELIMITERS, key=head.count)  # the first of those that are there equally often
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            for cells in reader:
                if not cells:
                    continue
                if not width:
                    width, first = len(cells), reader.line_num
                if len(cells) != width:
                    raise BadInput(
                        f"{path}: line {reader.line_num} has columns: {len(cells)}; expected {width}, as in line {first}"
                    )
                yield reader.line_num, [cell.strip() for cell in cells]
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not text in UTF-8; expected lines of numbers with commas between them") from None
    except csv.Error as error:
        raise BadInput(f"{path}: line {reader.line_num} cannot be read: {error}") from None


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _values(path: Path, rows: list[list[str]], lines: list[int], columns: list[str], hint: str) -> NDArray[np.float64]:
    """The cells as numbers. `columns` are the words for each column; `hint` ends a complaint about the first line."""
    try:
        values = np.array(rows, np.float64)
    except ValueError:
        values = np.array(np.nan)
    if np.isfinite(values).all():
        return values
    for line, cells in zip(lines, rows, strict=True):
        for column, cell in zip(columns, cells, strict=True):
            value = _number(cell)
            if value is None or not math.isfinite(value):
                what = f"is {cell!r}" if cell else "is empty"
                finite = "a number" if value is None else "a finite number"
                raise BadInput(f"{path}: line {line}, {column} {what}; expected {finite}{hint if line == lines[0] else ''}")
    raise AssertionError("every cell is a finite number")


def _labels(path: Path, cells: list[str], place: Callable[[int], str]) -> NDArray[np.generic]:
    """Labels as numbers where all are, else as texts."""
    for i, cell in enumerate(cells):
        if not cell or not math.isfinite(_number(cell) or 0):
            raise BadInput(f"{path}: {place(i)} is {cell or 'empty'}; expected a label")
    try:
        return np.array(cells, np.float64)
    except ValueError:
        return np.array(cells)


def read_csv(path: Path, wanted: Wanted) -> Examples:
    """A table of text. A first line without a single number is its header; with examples as columns there is none."""
    found = _lines(path)
    first = next(found, None)
    if first is None:
        raise BadInput(f"{path} holds no lines; expected a table of numbers")
    if wanted.orientation == "columns":
        return _read_columns(path, wanted, [first, *found])
    width, names = len(first[1]), None
    if all(_number(cell) is None for cell in first[1]):
        names = first[1]
        if "" in names:
            raise BadInput(
                f"{path}: line {first[0]}, column {names.index('') + 1} has no name; expected one in each column of a header "
                "(pandas: index=False)"
            )
    else:
        found = itertools.chain([first], found)
    label = label_column(path, wanted, names, width)
    columns = [f"column {i + 1} ({names[i]})" if names else f"column {i + 1}" for i in range(width) if i != label]
    hint = "" if names else " (a header is a first line without a single number)"
    pieces = [np.empty((0, len(columns)))]
    labels: list[str] = []
    lines: list[int] = []
    while rows := list(itertools.islice(found, LINES)):
        numbers_of, cells = [line for line, _ in rows], [row for _, row in rows]
        if label is not None:
            labels += [row.pop(label) for row in cells]
        pieces.append(_values(path, cells, numbers_of, columns, hint if not lines else ""))
        lines += numbers_of
    X = np.concatenate(pieces).T
    some(path, "the table", X)
    features = None if names is None else [name for i, name in enumerate(names) if i != label]
    if label is None:
        return Examples(path, f"{width} columns", X, None, None, str, features)
    called = names[label] if names else str(label - width)

    def place(i: int) -> str:
        return f"line {lines[i]}, column {label + 1}"

    Y = _labels(path, labels, place)
    return Examples(path, f"{len(columns)} columns and the label {called}", X, Y, called, place, features)


def _read_columns(path: Path, wanted: Wanted, found: list[tuple[int, list[str]]]) -> Examples:
    """A table of text whose lines are features."""
    lines, rows = [line for line, _ in found], [cells for _, cells in found]
    height, m = len(rows), len(rows[0])
    label = label_column(path, wanted, None, height)
    places = [f"column {i + 1}" for i in range(m)]
    cells = [] if label is None else rows.pop(label)
    line = 0 if label is None else lines.pop(label)
    X = _values(path, rows, lines, places, "")
    some(path, "the table", X)
    if label is None:
        return Examples(path, f"{height} lines", X, None, None, str)

    def place(i: int) -> str:
        return f"line {line}, column {i + 1}"

    Y = _labels(path, cells, place)
    return Examples(path, f"{height - 1} lines and the label in line {line}", X, Y, str(label - height), place)


# ------------------------------------------------------------------------------------------------------------------- .npy


def map_npy(path: Path) -> NDArray[np.generic]:
    """The array of two axes in a file, mapped: one that the header alone is as large as is not allocated for."""
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise BadInput(f"{path} is not a .npy file; expected an array that np.save wrote")
    try:
        mapped: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # of any kind: NumPy raises several
        raise BadInput(f"{path} cannot be read: {error}") from None
    if mapped.ndim != 2:
        raise BadInput(f"{path} has shape {mapped.shape}; expected a table: examples by features and a label")
    return mapped


def read_npy(path: Path, wanted: Wanted) -> Examples:
    """An array of two axes with the label in one column, or row where examples are columns."""
    mapped = map_npy(path)
    array = np.array(numbers(path, "the array", mapped))
    table, axes = (array.T, ("column", "row")) if wanted.orientation == "columns" else (array, ("row", "column"))
    width = table.shape[1]
    label = label_column(path, wanted, None, width)
    X = table.T if label is None else np.delete(table, label, axis=1).T
    some(path, "the array", X)
    pictures = mapped.dtype == np.uint8
    if label is None:
        return Examples(path, f"{width} {axes[1]}s", X, None, None, str, pictures=pictures)

    def place(i: int) -> str:
        return f"{axes[0]} {i + 1}, {axes[1]} {label + 1}"

    where = f"{width - 1} {axes[1]}s and the label in {axes[1]} {label + 1}"
    return Examples(path, where, X, table[:, label], str(label - width), place, pictures=pictures)
