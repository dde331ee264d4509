"""What a program leaves behind, and how it is compared with what its own code alone leaves behind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

RTOL = 1e-9  # of a whole training in float64: the contract
ATOL = 1e-13  # entries that are sums of terms of order one which cancel
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)


@dataclass
class Outcome:
    """``results``: global names; ``figures``: their axes as dicts; ``random_state``: NumPy's and Python's afterwards.

    ``report`` has the verdict and the reason of each function that was judged; without a takeover it is empty.
    """

    results: dict[str, Any]
    stdout: str
    figures: list[list[dict[str, Any]]]
    random_state: Any
    warnings: list[str]
    exit_code: int | None
    report: dict[str, tuple[str, str]] = field(default_factory=dict)


def assert_same_outcome(actual: Outcome, own: Outcome) -> None:
    """Check everything that the program's author can see; numbers agree to rounding."""
    assert actual.exit_code == own.exit_code, f"the exit code is {actual.exit_code} instead of {own.exit_code}"
    assert_same_text(actual.stdout, own.stdout)
    assert_same("results", actual.results, own.results)
    assert_same("figures", actual.figures, own.figures)
    assert_identical(actual.random_state, own.random_state)
    assert actual.warnings == own.warnings, f"warned {actual.warnings} instead of {own.warnings}"


def assert_same_text(actual: str, own: str) -> None:
    """The same text, in which numbers agree to one unit of their last digit or to ``RTOL``; integers exactly.

    Runs of blanks count as one: NumPy pads what it prints to the longest number, and a sign of zero may be longer.
    """
    assert _words(actual) == _words(own), f"printed\n{actual}\ninstead of\n{own}"
    for printed, expected in zip(NUMBER.findall(actual), NUMBER.findall(own), strict=True):
        if "." not in expected and "e" not in expected.lower():
            assert printed == expected, f"{printed} instead of {expected}"
            continue
        x, y = float(printed), float(expected)
        last = 10.0 ** (_exponent(expected) - _decimals(expected))
        assert abs(x - y) <= max(last * (1 + 1e-9), RTOL * abs(y), ATOL), f"{printed} instead of {expected}"


def _words(text: str) -> list[str]:
    """The text between the numbers; a number that is no integer counts as such."""
    marked = NUMBER.sub(lambda number: "<x>" if "." in number[0] or "e" in number[0].lower() else number[0], text)
    return [" ".join(line.split()) for line in re.sub(r"(?<=\[) +", "", marked).splitlines()]


def _decimals(number: str) -> int:
    return len(re.split("e", number, flags=re.IGNORECASE)[0].partition(".")[2])


def _exponent(number: str) -> int:
    return int((re.split("e", number, flags=re.IGNORECASE) + ["0"])[1])


def assert_same(where: str, actual: Any, own: Any) -> None:
    """The same tree: types, keys in their order, shapes, dtypes; numbers within the tolerance of a training."""
    assert type(actual) is type(own), f"{where} is of type {type(actual).__name__} instead of {type(own).__name__}"
    if isinstance(own, Mapping):
        assert list(actual) == list(own), f"{where} has the keys {list(actual)} instead of {list(own)}"
        for key in own:
            assert_same(f"{where}[{key!r}]", actual[key], own[key])
    elif isinstance(own, (list, tuple)):
        assert len(actual) == len(own), f"{where} has {len(actual)} items instead of {len(own)}"
        for i, (x, y) in enumerate(zip(actual, own, strict=True)):
            assert_same(f"{where}[{i}]", x, y)
    elif isinstance(own, np.ndarray):
        assert (actual.shape, actual.dtype) == (own.shape, own.dtype), f"{where}: {actual.shape} {actual.dtype}"
        _assert_close(where, actual, own)
    elif isinstance(own, (float, np.floating)):
        _assert_close(where, actual, own)
    elif hasattr(own, "to_numpy"):  # pandas
        assert_same(where, actual.to_numpy(), own.to_numpy())
    else:
        assert actual == own, f"{where} is {actual!r} instead of {own!r}"


def _assert_close(where: str, actual: Any, own: Any) -> None:
    if np.asarray(own).dtype.kind == "f":
        np.testing.assert_allclose(actual, own, rtol=RTOL, atol=ATOL, err_msg=where)
    else:
        np.testing.assert_array_equal(actual, own, err_msg=where)


def assert_identical(actual: Any, own: Any) -> None:
    """The same random state."""
    for x, y in zip(actual, own, strict=True):
        if isinstance(y, np.ndarray):
            np.testing.assert_array_equal(x, y, err_msg="the random state is another one")
        elif isinstance(y, (tuple, list)):
            assert_identical(x, y)
        else:
            assert x == y, "the random state is another one"


def drawn(figure: Any) -> list[dict[str, Any]]:
    """What a figure of matplotlib shows: the lines, points, bars and texts of its axes."""
    return [
        {
            "title": axes.get_title(),
            "labels": (axes.get_xlabel(), axes.get_ylabel()),
            "legend": [text.get_text() for text in axes.get_legend().get_texts()] if axes.get_legend() else [],
            "lines": [
                (line.get_label(), line.get_linestyle(), *(np.array(data, dtype=float) for data in line.get_data()))
                for line in axes.get_lines()
            ],
            "points": [np.array(points.get_offsets(), dtype=float) for points in axes.collections],
            "colors": [None if (c := points.get_array()) is None else np.array(c, dtype=float) for points in axes.collections],
            "texts": [text.get_text() for text in axes.texts],
        }
        for axes in figure.axes
    ]
