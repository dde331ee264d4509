"""Nothing beyond an operand is read, nor written: there the process would end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.emulated
@pytest.mark.skipif(os.name != "posix", reason="memory that can't be touched is asked for by mprotect")
def test_kernels_stay_within_their_operands():
    command = [sys.executable, "-X", "faulthandler", "-W", "error", "-m", "tests.kernels.guarded"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout == "nothing beyond\n"
