"""Later processes only load what a warmup compiles; where it can keep nothing, or nothing is compiled, it says so."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fastbackprop import warmup
from fastbackprop.kernels import disk_cache, jit

pytestmark = pytest.mark.skipif(not jit.JIT, reason="nothing is compiled")
ONE = "fastbackprop.kernels.update.descend"  # the entry that compiles fastest: it calls no routine
DONE = re.compile(
    r"fastbackprop warmup: (\d+) kernels in \d+\.\d s, (\d+) compiled and (\d+) loaded; they are kept in (.+)\n\Z"
)


def begin(*names, processes=2, before="", **environment):
    """A warmup in a process, of the named entries; of all where none is named."""
    program = f"import sys\nfrom fastbackprop import warmup\n{before}\nsys.exit(warmup.run_warmup({names!r}, {processes}))"
    return subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(process):
    """Exit code, output and errors."""
    out, errors = process.communicate(timeout=300)
    return process.returncode, out, errors


def counts(out):
    """Kernels, those compiled, those loaded, and the folder."""
    found = DONE.search(out)
    assert found, out
    return *map(int, found.groups()[:3]), Path(found[4])


@pytest.mark.parametrize("processes", [1, 2])
def test_what_it_compiles_the_next_process_loads(processes, tmp_path):
    for expected in ((2, 2, 0), (2, 0, 2)):
        code, out, errors = finished(begin(ONE, processes=processes, NUMBA_CACHE_DIR=str(tmp_path)))
        assert (code, errors) == (0, "")
        *found, folder = counts(out)
        assert tuple(found) == expected
        assert folder.parent == tmp_path
        assert sorted(file.name.split("-")[1] for file in folder.iterdir()) == ["float32", "float64"]


EVERYTHING = """
import json, sys
import fastbackprop as bp
from fastbackprop.kernels.notice import notice
from fastbackprop.testing import CASES, Size

for name, case in CASES.items():
    for activation in case.activations or (None,):
        for dtype in ("float32", "float64"):
            getattr(bp, name)(*case.make(Size((2, 3, 1), 4), dtype, activation=activation))
for algorithm in ("direct", "gram"):
    X, Y, layers, rate, _ = CASES["L_layer_model"].make(Size((2, 3, 1), 4), "float32")
    _, start = CASES["L_model_forward"].make(Size((2, 3, 1), 4), "float32")
    bp.L_layer_model(X, Y, layers, rate, 2, parameters=start, algorithm=algorithm)
json.dump(notice.compiled, sys.stdout)
"""


def test_after_a_warmup_nothing_is_left_to_compile():
    """It uses the disk cache of the test run: other tests need what it compiles."""
    command = [sys.executable, "-m", "fastbackprop", "warmup"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (run.returncode, run.stderr) == (0, "")
    kernels = counts(run.stdout)[0]
    assert kernels > sum(len(entry.dtypes) for entry in jit.Entry.all if entry.__module__.startswith("fastbackprop."))
    program = subprocess.run([sys.executable, "-c", EVERYTHING], capture_output=True, text=True, timeout=600)
    assert program.stdout, program.stderr
    assert json.loads(program.stdout) == 0


def test_where_no_folder_can_be_made_it_fails_before_it_compiles(tmp_path):
    (tmp_path / "file").touch()
    code, out, errors = finished(begin(NUMBA_CACHE_DIR=str(tmp_path / "file" / "cache")))
    assert (code, out) == (1, "")
    assert errors.startswith("fastbackprop warmup: no disk cache for compiled kernels in ")
    assert errors.count("\n") == 1


FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))"


@pytest.mark.skipif(os.name != "posix", reason="the limit is one of POSIX")
def test_on_a_full_disk_it_fails_after_the_first_compile(tmp_path):
    code, out, errors = finished(begin(before=FULL, NUMBA_CACHE_DIR=str(tmp_path)))
    assert (code, DONE.search(out)) == (1, None)
    assert errors.startswith(f"fastbackprop warmup: compiled kernels cannot be kept in {tmp_path}")
    assert errors.count("\n") == 1


def test_the_first_that_is_not_kept_is_the_last(monkeypatch):
    looked_up = []

    class Kernel(dict):
        dtypes = "df"

        def __missing__(self, char):
            looked_up.append(char)
            if len(looked_up) == 2:
                monkeypatch.setitem(disk_cache.said, "unwritten", "the disk is full")

    monkeypatch.delitem(disk_cache.said, "unwritten", raising=False)
    kernels: list[Any] = [Kernel(), Kernel()]
    assert warmup.warm_up(kernels, "df")["unkept"] == "the disk is full"
    assert looked_up == ["d", "f"]


def test_a_process_that_fails_shows_why(tmp_path):
    code, out, errors = finished(begin(before="sys.path.clear()", NUMBA_CACHE_DIR=str(tmp_path)))
    assert (code, DONE.search(out)) == (1, None)
    assert "ModuleNotFoundError: No module named 'fastbackprop'" in errors
    assert errors.endswith("fastbackprop warmup: a process that compiles ended with exit code 1\n")


@pytest.mark.skipif(os.name != "posix", reason="the signal is sent as a terminal on POSIX would")
def test_an_interrupt_ends_it_and_its_processes(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "fastbackprop", "warmup"], env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()  # it has begun
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    code, out, errors = finished(process)
    assert (code, out) == (warmup.INTERRUPTED, "")
    assert errors == "fastbackprop warmup: interrupted; what has been compiled is kept\n"
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_without_a_compiler_there_is_nothing_to_do():
    assert finished(begin(NUMBA_DISABLE_JIT="1")) == (
        0, "fastbackprop warmup: there is nothing to compile, since NUMBA_DISABLE_JIT is set\n", "",
    )  # fmt: skip
