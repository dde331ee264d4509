"""The suite that asv follows: complete, measured with units, and in the process that asv makes."""

import ast
import inspect
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from asv_benches.benchmarks import bench_accuracy, bench_activations, bench_batches, bench_ratio, table
from fastbackprop.testing import CASES
from scripts import ROOT

BENCHMARKS = ROOT / "asv_benches" / "benchmarks"


def test_every_function_is_timed():
    assert sorted(name for names in table.FAMILIES.values() for name in names) == sorted(CASES)


@pytest.mark.parametrize("family", ["new_family", "training"])
def test_a_function_without_a_benchmark_is_an_import_error(family):
    cases = CASES | {"new_function": replace(CASES["relu"], family=family)}
    with pytest.raises(LookupError, match=f"new_function.*{family}"):
        table.families(cases)


def test_every_timed_class_has_its_ratio():
    ratios = {cls.timed for cls in vars(bench_ratio).values() if inspect.isclass(cls) and hasattr(cls, "timed")}
    modules = [
        bench_activations,
        bench_ratio.bench_layers,
        bench_ratio.bench_network,
        bench_ratio.bench_training,
        bench_batches,
    ]
    classes = {
        cls
        for module in modules
        for cls in vars(module).values()
        if inspect.isclass(cls) and cls.__module__ == module.__name__ and any(name.startswith("time_") for name in dir(cls))
    }
    assert ratios == classes


def test_a_call_too_short_for_the_clock_is_repeated():
    case = bench_activations.Activations()
    case.setup("fast", "relu", "one", "float64")
    arguments, number = case.arguments, case.number
    assert number > 10
    case.setup("fast", "relu", "one", "float64")
    assert case.arguments is arguments and case.number == number


@pytest.mark.parametrize("dtype", table.DTYPES)
def test_the_error_of_sigmoid_is_that_of_exact_arithmetic(dtype, monkeypatch):
    case = bench_accuracy.Sigmoid()
    case.setup(dtype)
    assert 0 < case.track_largest_error(dtype) <= 4
    exact = np.array(list(map(float, case.exact))).astype(dtype).reshape(1, -1)
    monkeypatch.setattr(bench_accuracy.fastbackprop, "sigmoid", lambda Z: (exact, Z))
    assert case.track_largest_error(dtype) <= 0.5001
    monkeypatch.setattr(bench_accuracy.fastbackprop, "sigmoid", lambda Z: (exact + 3 * np.spacing(exact), Z))
    assert 2.4 < case.track_largest_error(dtype) <= 3.6


AS_ASV = """
import os, sys
sys.path.insert(0, os.environ["SUITE"])
import benchmarks
assert not any(name.startswith("OPENBLAS_CORE") or name == "OPENBLAS_L2_SIZE" for name in os.environ)
import fastbackprop
from benchmarks import bench_peak, bench_ratio, bench_memory
from scripts.measuring import timing
threads = {os.environ[name] for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")}
assert threads == {str(fastbackprop.get_num_threads())}, threads
print([fastbackprop.__file__, timing.__file__])
"""


def test_asv_measures_the_installed_package_with_the_clones_clock(tmp_path):
    """`scripts` is found though the clone is not on the path: nothing else of the clone can be."""
    shutil.copytree(ROOT / "fastbackprop", tmp_path / "fastbackprop", ignore=shutil.ignore_patterns("__pycache__"))
    environment = os.environ | {
        **{"PYTHONPATH": str(tmp_path), "SUITE": str(BENCHMARKS.parent)},
        **{"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "1"},
    }
    result = subprocess.run(
        [sys.executable, "-c", AS_ASV], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True
    )
    package, clock = ast.literal_eval(result.stdout)
    assert package.startswith(str(tmp_path))
    assert clock == str(ROOT / "scripts" / "measuring" / "timing.py")
