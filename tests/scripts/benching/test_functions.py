"""The table of every function: it has the rows that asv follows, and the goals stand beside it."""

import argparse

import pytest

pytest.importorskip("threadpoolctl")
from fastbackprop.testing import CASES, TIMED
from scripts import ROOT
from scripts.benching import functions
from scripts.measuring.timing import Estimate


def test_every_family_has_a_module_of_benchmarks():
    assert set(functions.FAMILIES) == {"batches", *(case.family for case in CASES.values())}
    for family in functions.FAMILIES:
        assert (ROOT / "asv_benches" / "benchmarks" / f"bench_{family}.py").is_file()


def test_each_function_and_size_is_a_row_with_its_goal(monkeypatch, capsys):
    def measure(cls, method, parameters, repeats):
        *function, size, dtype = parameters
        named = {"benchmark": ", ".join(function), "size": size, "layers": [7, 1], "m": 3, "iterations": None, "dtype": dtype}
        return {
            **named,
            "reference": Estimate(4e-3, 3e-3, 5e-3),
            "fast": Estimate(2e-3, 1e-3, 3e-3),
            "ratio": Estimate(2, 1, 3),
        }

    monkeypatch.setattr(functions, "measure", measure)
    figures = functions.run(argparse.Namespace(families=["activations"], threads=1, repeats=9))
    assert len(figures) == 4 * len(TIMED) * 2
    assert figures[0]["benchmark"] == "sigmoid"
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line.endswith(" (wanted 5)")] == [
        *("sigmoid", "sigmoid"),
        *("sigmoid_backward", "sigmoid_backward"),
    ]
    assert lines[3].split()[:7] == ["sigmoid", "[7,", "1],", "3", "float64", "4", "2"]


def test_an_unknown_family_is_refused():
    with pytest.raises(SystemExit, match="unknown family banana"):
        functions.run(argparse.Namespace(families=["banana"], threads=1, repeats=9))
