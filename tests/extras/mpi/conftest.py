"""Programs under mpiexec, which comes with the wheel mpich."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("program.py")
SECONDS = 120  # of a program that hangs


def mpiexec():
    """The command that starts ranks: that beside the interpreter, or on the path."""
    if importlib.util.find_spec("mpi4py") is None:
        pytest.skip("mpi4py is not installed, and trainings on several processes were NOT tested: pip install '.[test]'")
    found = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
    if found is None:
        pytest.skip("there is no mpiexec, and trainings on several processes were NOT tested: pip install '.[test]'")
    return found


def environment():
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "FASTBACKPROP_QUIET": "1", "FASTBACKPROP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def start():
    """A function that starts a program of `program.py` on some ranks, or the package's own."""
    command = mpiexec()
    begun = []

    def start(ranks, *arguments, module=False, **options):
        program = ["-m", "fastbackprop.extras.mpi"] if module else [str(PROGRAM)]
        parts = [command, "-n", str(ranks), sys.executable, "-W", "error", *program, *map(str, arguments)]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
        begun.append(subprocess.Popen(parts, env=environment(), start_new_session=True, **options))
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def ended(start):
    """A function that runs one to its end; returns the exit code, stdout and stderr."""

    def run(ranks, *arguments, **options):
        process = start(ranks, *arguments, **options)
        out, err = process.communicate(timeout=SECONDS)
        return process.returncode, out, err

    return run
