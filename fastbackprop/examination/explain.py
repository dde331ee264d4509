"""How the result of a user's function differs from the reference's, in one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop.examination.runs import Run
from fastbackprop.examination.variants import VARIANTS
from fastbackprop.testing import leaves, map_arrays

_RESULT = "the result"
_PARTS = {
    "sigmoid": ("A", "cache"),
    "relu": ("A", "cache"),
    "linear_forward": ("Z", "cache"),
    "linear_activation_forward": ("A", "cache"),
    "L_model_forward": ("AL", "caches"),
    "linear_backward": ("dA_prev", "dW", "db"),
    "linear_activation_backward": ("dA_prev", "dW", "db"),
}


@dataclass
class Leaf:
    """One array of a result: which part it is, and whether it is the reference's."""

    part: str
    actual: Any
    expected: Any
    limit: Any
    run: Run

    @property
    def fault(self) -> str:
        """The fault of its form, "numbers" where these are wrong, "" where nothing is."""
        if type(self.actual) is not type(self.expected):
            return f"is of type {type(self.actual).__name__}, expected {type(self.expected).__name__}"
        if np.shape(self.actual) != np.shape(self.expected):
            return f"has shape {np.shape(self.actual)}, expected {np.shape(self.expected)}"
        if np.asarray(self.actual).dtype != np.asarray(self.expected).dtype:
            return f"is {np.asarray(self.actual).dtype}, expected {np.asarray(self.expected).dtype}"
        return "" if _close(self.actual, self.expected, self.limit) else "numbers"


def _close(actual: Any, expected: Any, limit: Any) -> bool:
    if np.shape(actual) != np.shape(expected):
        return False
    return bool(np.all((np.abs(actual - expected) <= limit) | (actual == expected)))


def paired(name: str, run: Run, value: Any) -> list[Leaf]:
    """The arrays of a result beside the reference's; raises AssertionError where they are nested otherwise."""
    return [
        Leaf(_part(name, where), a, e, limit, run) for where, a, e, limit in leaves(value, run.expected, run.tolerance, _RESULT)
    ]


def _part(name: str, where: str) -> str:
    """A place as the course calls it: dW1, A, cache[0]."""
    where = re.sub(rf"^{_RESULT}\['(\w+)'\]", r"\1", where)
    if found := re.match(rf"^{_RESULT}\[(\d+)\]", where):
        where = _PARTS[name][int(found[1])] + where[found.end() :]
    return where


def explain(name: str, runs: list[Run], results: list[Any]) -> str:
    """The sentence, for runs of which at least one is not the reference's; "" where all are."""
    compared: list[list[Leaf]] = []
    for run, result in zip(runs, results, strict=True):
        try:
            compared.append([] if run.error else paired(name, run, result))
        except (AssertionError, TypeError) as error:  # TypeError: keys that cannot be sorted
            return f"returns another form: {error}"
    wrong = [bool(run.error) or any(leaf.fault for leaf in group) for run, group in zip(runs, compared, strict=True)]
    if not any(wrong):
        return ""
    faulty = {run.activation for run, is_wrong in zip(runs, wrong, strict=True) if is_wrong}
    prefix = "" if faulty == {run.activation for run in runs} else f"with activation {faulty.copy().pop()!r} "
    concerned = [i for i, run in enumerate(runs) if run.activation in faulty]
    return prefix + _explain(name, [(runs[i], compared[i]) for i in concerned])


def _explain(name: str, answers: list[tuple[Run, list[Leaf]]]) -> str:
    failed = [run for run, _ in answers if run.error]
    answered = [(run, group) for run, group in answers if not run.error]
    raised = failed[0].error + (f" ({failed[0].label})" if answered else "") if failed else ""
    if not any(leaf.fault for _, group in answered for leaf in group):
        return raised
    how = _known_variant(name, answered) or _by_parts([leaf for _, group in answered for leaf in group])
    return f"{how}; {raised}" if raised else how


def _known_variant(name: str, answers: list[tuple[Run, list[Leaf]]]) -> str:
    for how, variant in VARIANTS.get(name, ()):
        if all(_matches(variant, run, group) for run, group in answers):
            return how
    return ""


def _matches(variant: Callable[..., Any], run: Run, group: list[Leaf]) -> bool:
    options = {"parameters": run.start} if run.start is not None else {}
    try:
        value = variant(*map_arrays(np.copy, run.args), **options)
        expected = [leaf for _, leaf, _, _ in leaves(value, run.expected)]
        return all(_close(leaf.actual, other, _room(other, leaf.limit)) for leaf, other in zip(group, expected, strict=True))
    except Exception:  # the variant is made for other shapes
        return False


def _room(other: Any, limit: Any) -> Any:
    return limit + 1e-13 * np.max(np.abs(other), initial=0)


# A sentence about a part, and the part as computed from the reference's. `m` is the number of examples.
_TRANSFORMS: tuple[tuple[str, Callable[[Leaf, int], Any]], ...] = (
    ("has the wrong sign", lambda leaf, m: -leaf.expected),
    ("is a sum over the examples instead of their mean: the division by m is missing", lambda leaf, m: m * leaf.expected),
    ("has the wrong sign, and the division by m is missing", lambda leaf, m: -m * leaf.expected),
    ("is divided by m once too often", lambda leaf, m: leaf.expected / m),
    ("is divided by m squared", lambda leaf, m: leaf.expected / m**2),
    ("is 0", lambda leaf, m: 0 * leaf.expected),
    ("is left as it was", lambda leaf, m: leaf.run.args[0][leaf.part]),
    ("is transposed", lambda leaf, m: leaf.expected.T),
)


def _by_parts(group: list[Leaf]) -> str:
    """A sentence for each part that is wrong; dW1 and dW2 are one part where the same holds for both."""
    said: dict[str, list[str]] = {}
    for letter, parts in _grouped(group, lambda leaf: re.sub(r"\d+$", "", leaf.part)):
        how = _transformed(parts)
        if how:
            said.setdefault(how, []).append(letter)
            continue
        for part, same in _grouped(parts, lambda leaf: leaf.part):
            if any(leaf.fault for leaf in same):
                said.setdefault(_transformed(same) or _generic(same), []).append(part)
    return "; ".join(_sentence(parts, how) for how, parts in said.items())


def _sentence(parts: list[str], how: str) -> str:
    if parts == [_RESULT]:
        return how
    return f"{', '.join(parts)} {how}"


def _grouped(group: list[Leaf], key: Callable[[Leaf], str]) -> Iterator[tuple[str, list[Leaf]]]:
    found: dict[str, list[Leaf]] = {}
    for leaf in group:
        found.setdefault(key(leaf), []).append(leaf)
    yield from found.items()


def _transformed(group: list[Leaf]) -> str:
    if not any(leaf.fault for leaf in group):
        return ""
    for how, transform in _TRANSFORMS:
        if all(_is_transformed(leaf, transform) for leaf in group):
            return how
    ratios = np.concatenate([_ratios(leaf) for leaf in group])
    if ratios.size and np.all(np.isfinite(ratios)) and np.ptp(ratios) <= 1e-9 * np.abs(ratios[0]):
        return f"is {ratios[0]:.6g} times the reference's"
    return ""


def _is_transformed(leaf: Leaf, transform: Callable[[Leaf, int], Any]) -> bool:
    try:
        other = transform(leaf, leaf.run.size.m)
        return _close(leaf.actual, other, _room(other, np.max(leaf.limit, initial=0)))
    except Exception:  # of other shapes, or no number at all
        return False


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic, float, int)) and np.asarray(value).dtype.kind in "biuf"


def _ratios(leaf: Leaf) -> np.ndarray:
    if not _is_numeric(leaf.actual) or np.shape(leaf.actual) != np.shape(leaf.expected):
        return np.array([np.nan])
    nonzero = leaf.expected != 0
    return np.asarray(leaf.actual)[nonzero] / np.asarray(leaf.expected)[nonzero]


def _generic(group: list[Leaf]) -> str:
    """The first fault of form, or the largest difference."""
    for leaf in group:
        if leaf.fault not in ("", "numbers"):
            same = _is_numeric(leaf.actual) and np.size(leaf.actual) == np.size(leaf.expected)
            flat = same and _close(np.ravel(leaf.actual), np.ravel(leaf.expected), np.ravel(leaf.limit + 0 * leaf.expected))
            return leaf.fault + (", with the right numbers" if flat else "")
    distances = [np.abs(leaf.actual - leaf.expected) for leaf in group]
    worst = int(np.argmax([np.max(np.nan_to_num(distance, nan=np.inf), initial=0) for distance in distances]))
    i = np.unravel_index(np.argmax(np.nan_to_num(distances[worst], nan=np.inf)), distances[worst].shape)
    leaf = group[worst]
    at = f" at {list(map(int, i))}" if i else ""
    return (
        f"is {np.asarray(leaf.actual)[i]:.6g}{at} where the reference has {np.asarray(leaf.expected)[i]:.6g} ({leaf.run.label})"
    )
