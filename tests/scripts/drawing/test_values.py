"""Measured values as text."""

import pytest

from scripts.drawing.values import estimate, in_words, microseconds, milliseconds, verdict


def test_an_estimate_without_an_interval_says_so():
    assert estimate([2.0, 1.5, 2.5]) == "2.00 [1.50, 2.50]"
    assert estimate([94.0, None, None]) == "94 (no interval)"


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ([1.2, 1.1, 1.3], "faster"),
        ([0.9, 0.8, 0.95], "slower"),
        ([1.2, 0.9, 1.3], "equal"),
        ([0.9, 0.8, 1.0], "equal"),
        ([1.2, None, None], "faster?"),
        ([0.9, None, None], "slower?"),
    ],
)
def test_a_side_is_faster_only_with_its_whole_interval(ratio, expected):
    assert verdict(ratio) == expected


def test_times_have_four_digits_and_no_powers_of_ten():
    assert [milliseconds([s]) for s in (3.759e-3, 0.5335, 12.3456, 4394e-3)] == ["3.759", "533.5", "12,346", "4,394"]
    assert [microseconds([s]) for s in (1.23456e-6, 0.5, 2e-3)] == ["1.235", "500,000", "2,000"]


def test_layers_in_words_have_no_brackets():
    assert in_words([2, 4, 1]) == "2-4-1"
