"""The bar."""

import subprocess
import sys

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.testing import assert_same_bits

from ..support.trainings import LAYERS, X, Y, train


@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_the_bar_shows_iterations_and_cost(algorithm, capsys):
    pytest.importorskip("tqdm")
    shown = train(progress=True, algorithm=algorithm)
    output = capsys.readouterr()
    assert "250/250" in output.err
    assert f"cost {shown[1][-1]:.6f}" in output.err
    assert output.out == ""
    assert_same_bits(shown, train(algorithm=algorithm))


def test_the_bar_and_the_lines_together(capsys):
    pytest.importorskip("tqdm")
    train(print_cost=True)
    lines = capsys.readouterr().out
    train(print_cost=True, progress=True)
    assert capsys.readouterr().out == lines


def test_the_bar_begins_where_the_checkpoint_is(tmp_path, capsys):
    pytest.importorskip("tqdm")
    train(130, checkpoint=tmp_path / "training.npz")
    train(131, checkpoint=tmp_path / "training.npz", progress=True)
    shown = capsys.readouterr().err
    assert "130/131" in shown
    assert "131/131" in shown
    assert " 1/131" not in shown


def test_what_the_reference_serves_has_no_bar():
    wide = X.astype(np.longdouble)
    if wide.dtype == X.dtype:
        pytest.skip("longdouble is float64 here")
    pytest.importorskip("tqdm")
    with pytest.raises(ValueError, match=r"progress.*float32 or float64"):
        bp.L_layer_model(wide, Y, LAYERS, progress=True)


FIRST_LOOKUPS = """
import numpy as np
import fastbackprop as bp
from fastbackprop.extras import progress
from fastbackprop.kernels import jit

happened, missing, bar = [], jit.Entry.__missing__, progress.tqdm
def recorded(entry, char):
    happened.append(entry.__name__)
    return missing(entry, char)
def shown(**options):
    happened.append("bar")
    return bar(**options)
jit.Entry.__missing__, progress.tqdm = recorded, shown
bp.set_num_threads(2)
X = np.random.default_rng(0).standard_normal((60, 2000)).astype({dtype!r})
bp.L_layer_model(X, (X[:1] > 0).astype(float), [60, 30, 1], 0.1, 30, algorithm={algorithm!r}, progress=True)
print(*happened)
"""


@pytest.mark.parametrize(("algorithm", "dtype"), [("direct", "f"), ("gram", "d")])
def test_the_clock_of_the_bar_starts_when_all_is_compiled(algorithm, dtype):
    pytest.importorskip("tqdm")
    program = FIRST_LOOKUPS.format(algorithm=algorithm, dtype=dtype)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    *lookups, last = run.stdout.split() or [run.stderr]
    assert last == "bar"
    assert f"{algorithm}_descent" in lookups
