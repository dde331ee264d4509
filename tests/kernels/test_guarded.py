"""Nothing beyond an operand is read, nor written: there the process would end. test_processors.py runs it with other code."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.emulated
@pytest.mark.skipif(os.name != "posix", reason="memory that can't be touched is asked for by mprotect")
def test_kernels_stay_within_their_operands():
    """A smaller grid of sizes where it takes long, on other processors than x86-64."""
    grid = ["full"] if platform.machine() in ("x86_64", "AMD64") else []
    command = [sys.executable, "-X", "faulthandler", "-W", "error", "-m", "tests.kernels.support.guarded", *grid]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout == "nothing beyond\n"
