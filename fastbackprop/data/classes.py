"""Two classes of any two values, and the labels 0 and 1 that stand for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput
from fastbackprop.data.examples import Examples

LISTED = 5  # values that an error names at most


@dataclass(frozen=True)
class Classes:
    """The values that stand for 0 and 1: the smaller number, or the first in the alphabet, is 0."""

    zero: float | str
    one: float | str

    def __str__(self) -> str:
        return f"{self.zero} is taken as 0, {self.one} as 1"

    def labels(self, examples: Examples) -> NDArray[np.float64]:
        """The examples' labels as a row of 0 and 1."""
        if examples.labels is None:
            raise BadInput(f"{examples.path} holds no labels")
        found, inverse = np.unique(examples.labels, return_inverse=True)
        codes = np.array([self._code(value) for value in found])[inverse]
        if unknown := np.flatnonzero(codes < 0).tolist():
            place, came = examples.place(unknown[0]), _plain(examples.labels[unknown[0]])
            expected = f"one of the model's classes, {self.zero} and {self.one}"
            raise BadInput(f"{examples.path}: {place} is {came}; expected {expected}")
        return codes.astype(np.float64).reshape(1, -1)

    def _code(self, value: Any) -> int:
        """0 or 1, or -1 for a value of neither class; a number may be written as text."""
        plain = _plain(value)
        if isinstance(plain, str) and not isinstance(self.zero, str):
            try:
                plain = float(plain)
            except ValueError:
                return -1
        return (self.zero, self.one).index(plain) if plain in (self.zero, self.one) else -1


def find_classes(examples: Examples) -> Classes:
    """The two values of the labels; a BadInput where there are not two."""
    if examples.labels is None:
        raise BadInput(f"{examples.path} holds no labels")
    found, first = np.unique(examples.labels, return_index=True)
    values = [_plain(value) for value in found]
    if len(values) == 1:
        raise BadInput(f"{examples.path}: every label is {values[0]} (the first is {examples.place(0)}); expected two classes")
    if len(values) > 2:
        listed = ", ".join(map(str, values[:LISTED])) + (", ..." if len(values) > LISTED else "")
        place = examples.place(int(np.sort(first)[2]))
        raise BadInput(f"{examples.path}: {place} is a third class; expected two, found {len(values)}: {listed}")
    return Classes(*values)


def _plain(value: Any) -> float | str:
    """The value as text and JSON show it: whole numbers without a point."""
    if isinstance(value, np.str_):
        return str(value)
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
