"""The grid of fits has each cell once, tells models apart, and says which cells are slower."""

import sys

import numpy as np
import pytest

pytest.importorskip("threadpoolctl")
pytest.importorskip("sklearn")
from scripts.comparing import grid, tables
from scripts.comparing.grid import Cell
from scripts.measuring.timing import Estimate


@pytest.fixture
def small(monkeypatch):
    """A table of 60 examples in the place of one with more."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((60, 6))
    X[:, 4] = 3.0  # without deviation
    monkeypatch.setitem(grid.TABLES, "cancer", tables.Table(60, 6, 2, 3, lambda: (X, rng.permutation(60) % 2)))


def test_each_cell_is_there_once():
    every = [*grid.cells()]
    assert len({*every}) == len({*map(str, every)}) == len(every) == 2 * 4 * 2 * (2 * 4 + 1)


@pytest.mark.parametrize(("solver", "batch"), [("adam", 32), ("sgd", 1), ("sgd", None), ("lbfgs", None)], ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_both_sides_fit_the_same(small, solver, batch, dtype):
    ratio, apart = grid.measure(Cell("cancer", (3,), solver, batch, dtype), 1, 1)
    assert ratio.median > 0
    assert not apart


def test_models_that_differ_are_told_apart(small):
    from fastbackprop.extras.sklearn_mlp import MLPClassifier

    cell = Cell("cancer", (3,), "adam", 32, "float64")
    data = grid.examples(cell)
    mine, other = (grid.fitted(MLPClassifier, cell, *data) for _ in range(2))
    assert not grid.are_apart(cell, mine, other)
    other.coefs_[1] += 1e-6
    assert grid.are_apart(cell, mine, other)
    later = grid.fitted(MLPClassifier, cell._replace(batch=200), *data)
    assert grid.are_apart(cell._replace(dtype="float32"), mine, later)


def test_a_slower_cell_and_a_differing_one_are_named(monkeypatch, capsys):
    figures = {"adam": (Estimate(2.0, 1.9, 2.1), False), "sgd": (Estimate(0.9, 0.8, 0.99), True)}
    monkeypatch.setattr(grid, "measure", lambda cell, threads, repeats: figures[cell.solver])
    chosen = ["grid", "--only", "digits", "(16)", "by", "200", "float32"]
    for solver in figures:
        monkeypatch.setattr(sys, "argv", [*chosen, solver])
        assert grid.main() == (solver == "sgd")
        out = capsys.readouterr().out
        assert ("slower are digits (16,) sgd by 200, float32" in out) is (solver == "sgd")
        assert ("models differ: digits (16,) sgd by 200, float32" in out) is (solver == "sgd")
