"""Inner functions compiled to IR alone, and as Numba does it by itself, where its internals are others: the same bits."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from fastbackprop.kernels import inlined, jit
from fastbackprop.kernels.jit import JIT

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not JIT, reason="nothing is compiled")

PROGRAM = """
import numba.core.codegen
import numba.core.compiler
{change}
from fastbackprop.kernels import inlined
import hashlib, numpy as np
from fastbackprop.kernels.elementwise import _activation_job, sigmoid_chunk
from fastbackprop.kernels.jit import entry
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import IN, NUMBER, OUT, TABLE
from fastbackprop.kernels.matrix import matrix
from fastbackprop.kernels.memory import bare
from fastbackprop.kernels.threads import do_chunks
from tests.kernels.support.probes import mailbox

@entry(IN, OUT, NUMBER, TABLE)
def activated(Z, A, slope, team):
    rows, columns = Z.shape
    Z, A = matrix(Z), matrix(A)  # values of other types by the same names
    job, chunks = _activation_job(rows, columns, Z, A, slope, bare(team))
    do_chunks(chunks > 1, bare(team), sigmoid_chunk, held(job), chunks)

Z = np.random.default_rng(0).standard_normal((3, 50))
A = np.empty_like(Z)
activated["d"](Z, A, 0.0, mailbox(1))
assert np.allclose(A, 1 / (1 + np.exp(-Z)))
print(inlined.FOUND, "pipeline_class" in inlined.INTO_CODE, hashlib.sha256(A.tobytes()).hexdigest())
"""  # an entry that reaches one routine and, through it, inner functions


def run(change, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))  # each compiles
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(change=change)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
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
    found, kept, usual = run("", tmp_path / "usual", monkeypatch)
    assert (found, kept) == ("True", "True")
    for name, (change, imports) in CHANGES.items():
        assert run(change, tmp_path / name, monkeypatch) == [str(imports), "False", usual], name


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
