"""One gradient: the published figure stands beside the measured one of its size and dtype alone."""

import argparse

import pytest

pytest.importorskip("threadpoolctl")
from fastbackprop.testing import SIZES
from scripts.benching import functions, gradients
from scripts.drawing import tables
from scripts.measuring.timing import Estimate


def test_the_published_figure_is_that_of_its_row(monkeypatch, capsys):
    def measure(cls, method, parameters, repeats):
        assert hasattr(cls, method)
        size, dtype = parameters
        layers, m = SIZES[size]
        row = {"benchmark": cls.__name__, "size": size, "layers": list(layers), "m": m, "iterations": None, "dtype": dtype}
        times = {"reference": Estimate(4e-5, 3e-5, 5e-5), "fast": Estimate(2e-5, 1e-5, 3e-5)}
        return {**row, **times, "ratio": Estimate(2, 1, 3)}

    monkeypatch.setattr(functions, "measure", measure)
    measured = gradients.run(argparse.Namespace(threads=1, repeats=9))
    assert [(row["size"], row["dtype"]) for row in measured if row["published"]] == [("small", "float64")]
    out = capsys.readouterr().out
    assert out.count("SimpleChains.jl 0.005657 ms on a machine of its authors") == 1
    assert out.splitlines()[-1].startswith("SimpleChains.jl: README of")
    assert len(tables.gradients(measured).rows) == len(gradients.SIZES) * 2


def test_a_gradient_is_measured_as_asv_does():
    row = next(gradients.rows(2))
    assert (row["benchmark"], row["layers"], row["m"], row["dtype"]) == ("Gradient", [24, 8, 2], 200, "float64")
    assert row["fast"].median > 0
