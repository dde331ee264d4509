"""A user's text twice, once patched, and what a call of both does: results, output, random state, errors."""

from __future__ import annotations

import contextlib
import io
import itertools
import linecache
import pickle
import re
import warnings
from typing import Any
from unittest import mock

import numpy as np

import fastbackprop as bp
from fastbackprop.algorithms import Direct

from .learner import OWN

_numbers = itertools.count()
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:e[-+]?\d+)?")

LOOP = OWN[
    OWN.index("    for i in range(num_iterations):") : OWN.index("    return parameters\n", OWN.index("def L_layer_model"))
]
STEP = LOOP[: LOOP.index("        if i % 100 == 0:")].split("\n", 1)[1]  # forward, cost, backward, update


def changed(*replacements, text=OWN):
    for old, new in replacements:
        assert old in text, f"not in the text: {old}"
        text = text.replace(old, new)
    return text


def with_loop(loop, end="    return parameters\n", before=""):
    """The learner's module with another loop in its model; STEP in it stands for the step."""
    head = OWN[: OWN.index(LOOP)]
    return before + head + loop.replace("        STEP\n", STEP) + end


def namespace(text, source=True):
    """The names that a text binds; its functions have a source that can be read."""
    name = f"<learner {next(_numbers)}>"
    if source:
        linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
    made = {"__name__": "own"}
    exec(compile(text, name, "exec", dont_inherit=True), made)
    return made


def taken(text):
    """The names that a text binds, patched, and what became of its model."""
    space = namespace(text)
    report = bp.patch(space)
    name = "two_layer_model" if "two_layer_model" in space else "L_layer_model"
    row = next(row for row in report.rows if row.name == name)
    return space, row


class Outcome:
    """What a call did."""

    def __init__(self, call, space, seed=3):
        np.random.seed(seed)
        self.result = self.error = None
        out = io.StringIO()
        with warnings.catch_warnings(record=True), contextlib.redirect_stdout(out):
            warnings.simplefilter("always")
            try:
                self.result = call(space)
            except Exception as error:
                self.error = type(error), str(error)
        self.printed, self.random = out.getvalue(), pickle.dumps(np.random.get_state())


def assert_same(actual: Any, expected: Any, rtol=1e-9, atol=1e-12):
    """The same kinds, shapes, dtypes, keys in the same order, and numbers to rounding."""
    assert type(actual) is type(expected), (type(actual), type(expected))
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        for key in expected:
            assert_same(actual[key], expected[key], rtol, atol)
    elif isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected)
        for a, b in zip(actual, expected, strict=True):
            assert_same(a, b, rtol, atol)
    elif isinstance(expected, (np.ndarray, np.generic, float)):
        assert np.shape(actual) == np.shape(expected) and np.result_type(actual) == np.result_type(expected)
        np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), rtol=rtol, atol=atol)
    else:
        assert actual == expected


def assert_as_own(text, call, rtol=1e-9, atol=1e-12, verdict="taken over"):
    """A call does the same with and without the patch; returns the number of iterations that ran compiled."""
    own = Outcome(call, namespace(text))
    space, row = taken(text)
    assert row.verdict == verdict, row
    with counted() as iterations:
        ours = Outcome(call, space)
    assert ours.error == own.error
    assert _NUMBER.sub("#", ours.printed) == _NUMBER.sub("#", own.printed)
    printed = [[float(number) for number in _NUMBER.findall(outcome.printed)] for outcome in (ours, own)]
    np.testing.assert_allclose(printed[0], printed[1], rtol=1e-7, atol=atol)
    assert ours.random == own.random
    assert_same(ours.result, own.result, rtol, atol)
    return sum(iterations)


@contextlib.contextmanager
def counted():
    """The lengths of the compiled stretches within."""
    lengths, stretch = [], Direct.stretch

    def count(self, iterations, every):
        lengths.append(iterations)
        return stretch(self, iterations, every)

    with mock.patch.object(Direct, "stretch", count):
        yield lengths
