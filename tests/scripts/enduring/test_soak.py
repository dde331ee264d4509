"""The soak, for a few kills."""

import os
import subprocess
import sys

import pytest

from scripts import ROOT


@pytest.mark.skipif(os.name != "posix", reason="children are forked")
def test_a_few_kills_of_the_soak():
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.enduring.soak", "--kills", "10", "--minutes", "2"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 kills" in done.stdout
