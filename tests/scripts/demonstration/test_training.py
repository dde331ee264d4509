"""The demo's turns: said before, ticked, and marked where seconds are scaled."""

import re

import numpy as np
import pytest

pytest.importorskip("threadpoolctl")
from scripts.demonstration.data import Problem
from scripts.demonstration.training import compare, sides_of
from scripts.measuring.timing import FEWEST


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    X, X_held_out = rng.standard_normal((2, 4, 30))
    Y, Y_held_out = ((x[:1] > 0).astype(float) for x in (X, X_held_out))
    return Problem("a plane", X, Y, X_held_out, Y_held_out, [4, 3, 1], 1000)


def test_seconds_are_scaled_where_turns_are_slices(problem):
    sides = sides_of(problem)
    assert sides["reference"].scaled == ", scaled from slices"
    assert sum(sides["reference"].turns) == problem.num_iterations
    assert sides["fast"].scaled == "" and set(sides["fast"].turns) == {problem.num_iterations}


def test_each_turn_ticks_after_what_is_to_come_was_said(problem, capsys):
    compare(problem)
    lines = capsys.readouterr().out.splitlines()
    (waiting,) = (line for line in lines if "follow, about" in line)
    ticks = " ".join(map(str, range(1, FEWEST + 1)))
    assert re.fullmatch(rf"  {FEWEST} turns of reference, fast follow, about \d+ s: {ticks}", waiting)
    after = lines[lines.index(waiting) + 1 :]
    (reference,) = (line for line in after if line.startswith("  reference  "))
    (fast,) = (line for line in after if line.startswith("  fast  "))
    assert "scaled from slices" in reference and "scaled" not in fast
