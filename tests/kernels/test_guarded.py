"""Nothing beyond an operand is read, nor written: there the process would end. With the code of each x86-64 processor."""

import os
import platform
import subprocess
import sys

import pytest

from .test_processors import PROCESSORS, ROOT, settings_of


@pytest.mark.skipif(os.name != "posix", reason="memory that can't be touched is asked for by mprotect")
@pytest.mark.parametrize("processor", [pytest.param("this one", marks=pytest.mark.emulated), *PROCESSORS])
def test_kernels_stay_within_their_operands(processor):
    """A smaller grid of sizes where it takes long, with other code than this x86-64's; `scripts/test-processors` runs all."""
    this_one = processor == "this one"
    is_full = this_one and platform.machine() in ("x86_64", "AMD64")
    environment = os.environ if this_one else settings_of(processor)
    command = [sys.executable, "-X", "faulthandler", "-W", "error", "-m", "tests.kernels.guarded", *["full"] * is_full]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1200)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout == "nothing beyond\n"
