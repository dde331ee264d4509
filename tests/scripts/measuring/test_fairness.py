"""What holds before NumPy is loaded: BLAS as it chooses itself, as many threads as are wanted, freed memory that stays."""

import os
import subprocess
import sys

import pytest

from scripts import ROOT
from scripts.measuring.fairness import OPENBLAS_OVERRIDES, THREADS_OF_BLAS, machine_code_folder, package_folder, prepare_blas


def test_blas_is_left_to_its_choice_and_has_its_threads(monkeypatch):
    for name in OPENBLAS_OVERRIDES + THREADS_OF_BLAS:
        monkeypatch.setenv(name, "forced")
    prepare_blas(3)
    assert not any(name in os.environ for name in OPENBLAS_OVERRIDES)
    assert {os.environ[name] for name in THREADS_OF_BLAS} == {"3"}


FAULTS = """
import resource
import numpy as np
from scripts.measuring.fairness import keep_freed_memory
if not keep_freed_memory():
    raise SystemExit(7)
def faults(): return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def arrays(): return [np.ones(3 * 10**6) for _ in range(3)]
arrays()
before = faults()
for _ in range(10):
    arrays()
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the thresholds are those of glibc's malloc")
def test_freed_memory_is_used_again():
    """Ten times three arrays of 24 MB: none of their 176,000 pages, or 340 huge ones, is fresh."""
    result = subprocess.run([sys.executable, "-c", FAULTS], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if result.returncode == 7:
        pytest.skip("a C library without mallopt")
    assert result.returncode == 0
    assert int(result.stdout) < 100


def test_each_package_has_its_folder_in_an_environment_of_asv(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("1")
    assert machine_code_folder(package, tmp_path) is None
    (tmp_path / "asv-env-info.json").write_text("{}")
    first = machine_code_folder(package, tmp_path)
    assert first is not None and first == machine_code_folder(package, tmp_path)
    (package / "a.py").write_text("2")
    assert machine_code_folder(package, tmp_path) != first


FOUND = """
import sys
from scripts.measuring.fairness import package_folder
print(package_folder())
assert "numpy" not in sys.modules
"""


def test_the_package_is_found_without_loading_it():
    result = subprocess.run([sys.executable, "-c", FOUND], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert result.stdout.strip() == str(package_folder())
