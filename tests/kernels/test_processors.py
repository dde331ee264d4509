"""What other processors run, on this one: results within their bounds, and none of the registers that they lack.

Name and features are both needed: the name alone keeps this processor's features.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from .support import processor

ROOT = Path(__file__).parents[2]
PROCESSORS = {
    "AVX2": ({"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}, 32, {"xmm", "ymm"}),
    "SSE2": ({"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}, 16, {"xmm"}),
}


def settings_of(name):
    """The environment for that processor's code; skips the test where this one can't run it."""
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("these are x86-64 processors")
    settings, _, _ = PROCESSORS[name]
    features = llvm.get_host_cpu_features()
    lacking = [name for name in settings["NUMBA_CPU_FEATURES"].split(",") if name and not features[name[1:]]]
    if lacking:
        pytest.skip(f"this processor has no {', '.join(lacking)}")
    others = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_") or name == "NUMBA_CACHE_DIR"}
    return others | settings


@pytest.mark.emulated
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_layer_on_this_processor(dtype):
    processor.check_layer(dtype)


@pytest.mark.emulated
@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_a_training_on_this_processor(algorithm):
    processor.check_training(algorithm)


@pytest.mark.parametrize("name", PROCESSORS)
def test_on_another_processor(name, tmp_path):
    _, vector_bytes, registers = PROCESSORS[name]
    environment = settings_of(name) | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-m", "tests.kernels.support.processor"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["vector_bytes"] == vector_bytes
    assert len(found["registers"]) > 10
    forbidden = {name: used for name, used in found["registers"].items() if not set(used) <= registers}
    assert not forbidden
    # The vector code uses the widest ones, and no call an element stands in for a multiply-add.
    for dtype in ("float64", "float32"):
        assert set(found["registers"][f"fastbackprop_outer_routine_{dtype}"]) >= {max(registers)}
    assert found["library"] == []
    # An entry loads the routines that its code names; were one missing, the linker would end the process.
    assert found["unreached"] == []
    if name != "AVX2":
        return
    # A small grid of what test_guarded.py runs, with what was compiled just now; `scripts/test-processors` runs all of it, on
    # SSE2 too, whose code takes longest to compile.
    command = [sys.executable, "-X", "faulthandler", "-W", "error", "-m", "tests.kernels.support.guarded", "once"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200)
    assert (run.returncode, run.stdout) == (0, "nothing beyond\n"), run.stderr
