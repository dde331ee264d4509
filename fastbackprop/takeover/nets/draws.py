"""Whether an epoch's batches are the examples in some order, cut into pieces of one size: judged on small data."""

from __future__ import annotations

import contextlib
import io
import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop.examination.sandbox import Endless, drawings, untouched
from fastbackprop.takeover.nets.parts import UNKNOWN, known, letter
from fastbackprop.takeover.nets.probes import Iteration
from fastbackprop.takeover.nets.reader import Batches
from fastbackprop.takeover.nets.terms import parts
from fastbackprop.takeover.observers import is_constant
from fastbackprop.takeover.step import NoStep
from fastbackprop.takeover.terms import Term

_EXAMPLES = (11, 8, 3, 1)
_SIZE, _OTHER = 4, 7  # of a batch, and whatever else is a number: a seed, an epoch
_ARGUMENTS = 4  # X, Y, the size and the seed


@dataclass(frozen=True)
class Draw:
    """The names of the data of which batches are drawn, and whether their order is that of NumPy's generator seeded."""

    x: str
    y: str
    seeded: Seeded | None


@dataclass(frozen=True)
class Seeded:
    """A function whose order is ``np.random.permutation`` after ``np.random.seed``, and the names of two of its arguments."""

    function: str
    size: str
    seed: str


def draw_of(iteration: Iteration, batches: Batches, function: types.FunctionType) -> Draw:
    """How batches are drawn; raises NoStep where these are not what a training by batches takes."""
    found: dict[str, list[str]] = {"x": [], "y": []}
    for part in parts(batches.term):
        if part[0] == "before" and (what := letter(part[1])) and not is_constant(known(part, function)):
            found[what] += [part[1]] if part[1] not in found[what] else []
    fixed = _numbers(batches.term, function)
    if [len(names) for names in found.values()] != [1, 1]:
        raise NoStep(f"which names its batches are drawn of is not known: {', '.join(found['x'] + found['y']) or 'none'}")
    (x,), (y,) = found.values()
    data = ("before", x), ("before", y)
    with untouched():
        for m in _EXAMPLES:
            _check(iteration, batches.term, data, fixed, m)
        for one in batches.calls:
            _value(iteration, one, _numbers(one, function))
        return Draw(x, y, _seeded(iteration, batches.term, data, fixed))


def _seeded(iteration: Iteration, term: Term, data: tuple[Term, Term], fixed: dict[Term, Any]) -> Seeded | None:
    """The function that draws, if it does no more than to seed NumPy's generator with one of its arguments and to draw."""
    if term[0] != "call" or len(term[2]) != _ARGUMENTS:
        return None
    found = [
        [(name, one) for name, one in zip(term[2], term[3:], strict=True) if word in name.lower() and one not in data]
        for word in ("size", "seed")
    ]
    if [len(pairs) for pairs in found] != [1, 1]:
        return None
    (size, size_term), (seed, seed_term) = (pairs[0] for pairs in found)
    for less, m in enumerate(_EXAMPLES):
        values = {part: value - less if type(value) is int else value for part, value in fixed.items()}
        if not 0 < (length := iteration.value(size_term, dict(values))) < m:
            continue
        order, cut, state = _check(iteration, term, data, values, m)
        np.random.seed(iteration.value(seed_term, dict(values)))
        drawn = np.random.permutation(m)
        alike = not any(np.any(a != b) for a, b in zip(np.random.get_state(), state, strict=True))
        if not (np.array_equal(drawn, order) and alike and cut == length):
            return None
    return Seeded(term[1], size, seed)


def _numbers(term: Term, function: types.FunctionType) -> dict[Term, Any]:
    """Values for what a term takes from outside and is not X or Y; raises NoStep."""
    found = {}
    for part in parts(term):
        if part[0] in ("before", "outer", "carried", "number") and not (part[0] == "before" and letter(part[1])):
            found[part] = value = _number(part, function)
            if not is_constant(value):
                raise NoStep(f"{part[1]}, which its epochs are drawn by, is no number")
    return found


def _value(iteration: Iteration, term: Term, values: dict[Term, Any]) -> Any:
    """The value of a term of which nothing but random numbers is drawn; raises NoStep."""
    drawn = drawings()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            value = iteration.value(term, values)
        except (Endless, Exception) as error:
            raise NoStep(f"its epochs could not be drawn of small data: {error}") from None
    if printed.getvalue() or drawings() > drawn:
        raise NoStep("what its epochs are drawn by prints or draws figures")
    if changed := iteration.copies.changed():
        raise NoStep(f"what its epochs are drawn by changes {', '.join(changed)}, which outlives the call")
    return value


def _number(part: Term, function: types.FunctionType) -> Any:
    value = known(part, function)
    names = part[1] if isinstance(part[1], str) else ""
    if any(word in names.lower() for word in ("batch", "size")):
        return _SIZE
    return _OTHER if value is UNKNOWN or type(value) is int else value


def _check(iteration: Iteration, term: Term, names: tuple[Term, Term], fixed: dict[Term, Any], m: int) -> Any:
    """The order in which so many examples are drawn, the size of a batch, and NumPy's state after it; raises NoStep."""
    rng = np.random.default_rng(m)
    X, Y, order = rng.standard_normal((3, m)), rng.standard_normal((1, m)), np.arange(m)[np.newaxis]
    results, states, before = [], [], np.random.get_state()
    for data in ((X, Y), (order, order)):
        np.random.set_state(before)
        values = fixed | dict(zip(names, (data[0].copy(), data[1].copy()), strict=True))
        batches = _value(iteration, term, values)
        if type(batches) not in (list, tuple):
            raise NoStep("its batches are no list")
        results.append(batches)
        states.append(np.random.get_state())
    numbers = examples_in(results[1], m)
    if numbers is None or any(np.any(a != b) for a, b in zip(*states, strict=True)):
        raise NoStep("its batches are not the examples in some order, cut into pieces of one size")
    drawn = (
        np.concatenate([batch[0] for batch in results[0]], axis=1),
        np.concatenate([batch[1] for batch in results[0]], axis=1),
    )
    if not (np.array_equal(drawn[0], X[:, numbers[0]]) and np.array_equal(drawn[1], Y[:, numbers[0]])):
        raise NoStep("its batches are not the examples in some order, cut into pieces of one size")
    return *numbers, states[0]


def examples_in(batches: Any, m: int) -> tuple[np.ndarray, int] | None:
    """The numbers of the examples in batches that were drawn of these numbers, and the size of a batch; None where they are no
    such batches."""
    try:
        x, y = (np.concatenate([batch[i] for batch in batches], axis=1) for i in (0, 1))
        sizes = {batch[0].shape[1] for batch in batches[:-1]}
        last = batches[-1][0].shape[1]
        pairs = all(len(batch) == 2 and batch[0].shape[0] == 1 for batch in batches)
    except Exception:  # they are something else
        return None
    size = sizes.pop() if sizes else last
    if sizes or not pairs or not 0 < last <= size or x.shape != (1, m) or y.shape != (1, m) or not np.array_equal(x, y):
        return None
    if x.min() < 0 or x.max() >= m:
        return None
    return x[0].astype(np.int64), size
