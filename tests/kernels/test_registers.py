"""The machine code of the micro-kernels: within a loop over the depth a tile's sums stay in vector registers.

Where LLVM wrote some of them to the stack at each step, no result was wrong, and products took up to a third longer.
"""

import re

import llvmlite.binding as llvm
import numba
import pytest
from numba.core.registry import cpu_target

from fastbackprop.kernels import jit
from fastbackprop.kernels.blocking import FUSED, INNER_COLUMNS, INNER_ROWS, MR, NV
from fastbackprop.kernels.libraries import VectorLibrary
from fastbackprop.kernels.microkernel import inner_routine, outer_routine

pytestmark = [
    pytest.mark.skipif(not jit.JIT, reason="nothing is compiled"),
    pytest.mark.skipif(not llvm.get_process_triple().startswith("x86_64") or not FUSED, reason="it reads AVX2 and AVX-512"),
]
SUMS = {outer_routine: MR * NV, inner_routine: INNER_ROWS * INNER_COLUMNS}  # of a full tile


def innermost_loops(assembly):
    """The lines from a label to a jump back to it, where no other label lies between."""
    lines = assembly.splitlines()
    begins = {match[1]: n for n, line in enumerate(lines) if (match := re.match(r"(\.L\w+):", line))}
    for n, line in enumerate(lines):
        match = re.match(r"\s+j\w+\s+(\.L\w+)", line)
        if match and begins.get(match[1], n) < n:
            body = lines[begins[match[1]] + 1 : n]
            if not any(re.match(r"\.L\w+:", inside) for inside in body):
                yield body


def assembly_of(routine, T, monkeypatch):
    """What LLVM makes of the routine; it rewrites a module that it compiles, and a second time does better."""
    optimize, modules = VectorLibrary._optimize_final_module, []

    def optimized(library):
        optimize(library)
        modules.append(str(library._final_module))

    monkeypatch.setattr(VectorLibrary, "_optimize_final_module", optimized)
    options = jit._OPTIONS | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    compiled = numba.njit(**routine.passes, **options)(routine.function)
    compiled.compile(tuple(argument(T) for argument in routine.arguments))
    return cpu_target.target_context.codegen()._tm.emit_assembly(llvm.parse_assembly(modules[-1]))


@pytest.mark.parametrize("routine", list(SUMS), ids=lambda routine: routine.__name__)
@pytest.mark.parametrize("T", [numba.float64, numba.float32], ids=str)
def test_sums_stay_in_registers(routine, T, monkeypatch):
    assembly = assembly_of(routine, T, monkeypatch)
    loops = [body for body in innermost_loops(assembly) if "".join(body).count("vfmadd") >= SUMS[routine]]
    assert loops
    for body in loops:
        assert not [line for line in body if re.search(r"mov\w+\s+%[yz]mm\d+, -?\d*\(%r[sb]p\)", line)]
