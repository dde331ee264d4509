"""Inner functions compiled to IR alone, and as Numba does it by itself, where its internals are others: the same bits."""

import subprocess
import sys

import pytest

from fastbackprop.kernels import inlined
from fastbackprop.kernels.jit import JIT

pytestmark = pytest.mark.skipif(not JIT, reason="nothing is compiled")

PROGRAM = """
import numba.core.codegen
{change}
from fastbackprop.kernels import inlined
import hashlib, numpy as np, fastbackprop as bp
rng = np.random.default_rng(0)
Z, dA = rng.standard_normal((2, 3, 50))
print(inlined.FOUND, hashlib.sha256(bp.sigmoid(Z)[0].tobytes() + bp.sigmoid_backward(dA, Z).tobytes()).hexdigest())
"""


def run(change, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # each compiles
    output = subprocess.run([sys.executable, "-c", PROGRAM.format(change=change)], capture_output=True, text=True, timeout=300)
    assert output.returncode == 0, output.stderr
    return output.stdout.split()


def test_the_internals_are_found():
    """Else everything works, and the first calls take twice as long: see what has become of them."""
    assert inlined.FOUND


def test_without_the_internals_the_bits_are_the_same(tmp_path, monkeypatch):
    found, usual = run("", tmp_path / "usual", monkeypatch)
    change = "JITCodeLibrary = numba.core.codegen.JITCodeLibrary; del numba.core.codegen.JITCodeLibrary"
    lost, without = run(change, tmp_path / "without", monkeypatch)
    assert (found, lost) == ("True", "False")
    assert usual == without
