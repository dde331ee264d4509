"""Classes of any values, and the whole numbers from 0 on that stand for them; labels that are numbers themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastbackprop.bad_input import BadInput
from fastbackprop.data.examples import Examples

LISTED = 5  # values that an error names at most


@dataclass(frozen=True)
class Classes:
    """The values that stand for 0, 1 and so on, in ascending order of numbers, or in that of the alphabet."""

    values: tuple[float | str, ...]

    def __str__(self) -> str:
        if len(self.values) == 2:
            return f"{self.values[0]} is taken as 0, {self.values[1]} as 1"
        return f"{_listed(self.values)} are taken as 0 to {len(self.values) - 1}"

    def labels(self, examples: Examples) -> NDArray[np.float64]:
        """The examples' labels as a row of whole numbers."""
        if examples.labels is None:
            raise BadInput(f"{examples.path} holds no labels")
        found, inverse = np.unique(examples.labels, return_inverse=True)
        codes = np.array([self._code(value) for value in found])[inverse]
        if unknown := np.flatnonzero(codes < 0).tolist():
            place, came = examples.place(unknown[0]), _plain(examples.labels[unknown[0]])
            named = _listed(self.values) if len(self.values) > 2 else " and ".join(map(str, self.values))
            expected = f"one of the model's classes, {named}"
            raise BadInput(f"{examples.path}: {place} is {came}; expected {expected}")
        return codes.astype(np.float64).reshape(1, -1)

    def _code(self, value: Any) -> int:
        """The number of the value's class, or -1 where it is of none; a number may be written as text."""
        plain = _plain(value)
        if isinstance(plain, str) and not isinstance(self.values[0], str):
            try:
                plain = float(plain)
            except ValueError:
                return -1
        return self.values.index(plain) if plain in self.values else -1


def find_classes(examples: Examples, several: bool = False) -> Classes:
    """The values of the labels; a BadInput where there are not two, or with `several` not two or more."""
    if examples.labels is None:
        raise BadInput(f"{examples.path} holds no labels")
    found, first = np.unique(examples.labels, return_index=True)
    values = [_plain(value) for value in found]
    if len(values) == 1:
        raise BadInput(f"{examples.path}: every label is {values[0]} (the first is {examples.place(0)}); expected two classes")
    if len(values) > 2 and not several:
        place = examples.place(int(np.sort(first)[2]))
        raise BadInput(
            f"{examples.path}: {place} is a third class; expected two, found {len(values)}: {_listed(values)} "
            "(--output softmax takes several classes, --output identity numbers)"
        )
    return Classes(tuple(values))


def number_labels(examples: Examples) -> NDArray[np.float64]:
    """The labels as a row of numbers."""
    if examples.labels is None:
        raise BadInput(f"{examples.path} holds no labels")
    if examples.labels.dtype.kind == "U":
        for i, label in enumerate(examples.labels.tolist()):
            try:
                float(label)
            except ValueError:
                raise BadInput(f"{examples.path}: {examples.place(i)} is {label}; expected a number") from None
    return examples.labels.astype(np.float64).reshape(1, -1)


def _listed(values: Sequence[float | str]) -> str:
    return ", ".join(map(str, values[:LISTED])) + (", ..." if len(values) > LISTED else "")


def _plain(value: Any) -> float | str:
    """The value as text and JSON show it: whole numbers without a point."""
    if isinstance(value, np.str_):
        return str(value)
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
