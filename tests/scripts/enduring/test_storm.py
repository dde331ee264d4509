"""The storm, for a few trials of each mode: of its interrupts two with each algorithm, with and without a checkpoint."""

import os
import random
import signal
import subprocess
import sys

import pytest

from fastbackprop.kernels import jit
from scripts import ROOT
from scripts.enduring.storm import MOST, Interrupts, stubbornly

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no signal can be timed here"),
    pytest.mark.skipif(not jit.JIT, reason="nothing is compiled"),
]


@pytest.mark.parametrize(
    "arguments", ["interrupts --trials 24", "cold --trials 1", "exits --trials 2", "forks --trials 2", "callers --minutes 0.03"]
)
def test_a_few_trials_of_the_storm(arguments):
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.enduring.storm", *arguments.split()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{arguments.split()[0]}: " in done.stdout


def test_interrupts_microseconds_apart_all_end_in_the_call():
    moments, before = random.Random(5), [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)]
    try:
        for _ in range(2000):  # of so many, eight escaped when an interrupt within the handler of a second had none itself
            gaps = [moments.uniform(2e-6, 2e-5) for _ in range(MOST - 1)]
            interrupts = Interrupts(moments.uniform(1e-6, 3e-4), gaps, real=False)

            def call(interrupts=interrupts):
                interrupts.begin()
                interrupts.end()
                return 7

            assert stubbornly(call, [0]) == 7
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGALRM), before, strict=True):
            signal.signal(number, handler)
