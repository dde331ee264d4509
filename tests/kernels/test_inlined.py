"""Inner functions compiled to IR alone, and as Numba does it by itself, where its internals are others: the same bits."""

import gc
import subprocess
import sys

import pytest

from fastbackprop.kernels import inlined, jit
from fastbackprop.kernels.jit import JIT

pytestmark = pytest.mark.skipif(not JIT, reason="nothing is compiled")

PROGRAM = """
import numba.core.codegen
import numba.core.compiler
{change}
from fastbackprop.kernels import inlined
import hashlib, numpy as np, fastbackprop as bp
rng = np.random.default_rng(0)
print(inlined.FOUND, hashlib.sha256(bp.sigmoid(rng.standard_normal((3, 50)))[0].tobytes()).hexdigest())
"""


def run(change, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # each compiles
    output = subprocess.run([sys.executable, "-c", PROGRAM.format(change=change)], capture_output=True, text=True, timeout=300)
    assert output.returncode == 0, output.stderr
    return output.stdout.split()


def test_the_internals_are_found():
    """Else everything works, and the first calls take twice as long: see what has become of them."""
    assert inlined.FOUND


LATE = "from fastbackprop.kernels import libraries; libraries.{} = lambda self, one, two: None"
CHANGES = {
    "a name is gone": ("del numba.core.codegen.JITCodeLibrary", False),
    "another signature of a decorator": ("numba.core.compiler_machinery.register_pass = lambda mutates_CFG: None", False),
    # What is called in another way than it was written for, which only a compile brings up.
    "an inner function fails": (LATE.format("IrLibrary.add_ir_module"), True),
    "a routine fails": (LATE.format("CodeLibrary._optimize_final_module"), True),
}


def test_where_the_internals_are_others_the_bits_are_the_same(tmp_path, monkeypatch):
    found, usual = run("", tmp_path / "usual", monkeypatch)
    assert found == "True"
    for name, (change, imports) in CHANGES.items():
        lost, without = run(change, tmp_path / name, monkeypatch)
        assert (lost, without) == (str(imports), usual), name


def test_the_collector_stays_as_the_user_wants_it():
    before = gc.get_threshold()
    with jit._no_collections():
        assert gc.get_threshold()[0] == 0
        gc.disable()  # as another thread may
    try:
        assert not gc.isenabled()
        assert gc.get_threshold() == before
    finally:
        gc.enable()
