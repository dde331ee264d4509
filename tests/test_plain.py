"""The kernels as plain Python (NUMBA_DISABLE_JIT=1), on the NumPy twins of what emits machine code.

The tests marked ``plain`` run both compiled, with all others, and in a separate process where nothing is compiled.
"""

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import kernels
from fastbackprop.activations import HIDDEN, OUTPUTS
from fastbackprop.batches import Batches
from fastbackprop.kernels import jit
from fastbackprop.shares import Share
from fastbackprop.testing import CASES, Size

TESTS = Path(__file__).parent


@pytest.mark.plain
def test_the_public_functions_reach_every_kernel_in_both_dtypes():
    """Thus the comparison with the reference on tiny arrays covers every kernel."""
    for name, case in CASES.items():
        for activation in case.activations or (None,):
            for dtype in ("float32", "float64"):
                getattr(bp, name)(*case.make(Size((2, 3, 1), 4), dtype, activation=activation))
    for dtype in ("float32", "float64"):  # a given start decides the dtype of a training
        X, Y, layers, rate, _ = CASES["L_layer_model"].make(Size((2, 3, 1), 4), dtype)
        _, start = CASES["L_model_forward"].make(Size((2, 3, 1), 4), dtype)
        for algorithm in ("direct", "gram"):
            bp.L_layer_model(X, Y, layers, rate, 2, parameters=start, algorithm=algorithm)
        bp.train(X, Y, layers, epochs=2, batch_size=3, optimizer=bp.Adam(), parameters=start)
        wide = np.ones((100, 4), dtype)  # by gram descent
        bp.train(wide, Y, [100, 1], epochs=100, optimizer=bp.Momentum())
        whole: dict[str, Any] = {"hidden": HIDDEN["relu"], "output": OUTPUTS["sigmoid"], "optimizer": bp.Adam()}
        Batches(X, Y.astype(dtype), list(layers), start, **whole).loss_and_gradients()
        share = Share(X, Y.astype(dtype), list(layers), start, **whole)
        total = np.zeros(share.P.size)
        share.add(None, X.shape[1], True, total)
        share.step(total, X.shape[1], True)
    entries = {
        f"{module.name}.{name}": entry
        for module in pkgutil.iter_modules(kernels.__path__)
        for name, entry in vars(importlib.import_module(f"{kernels.__name__}.{module.name}")).items()
        if isinstance(entry, jit.Entry) and module.name != "threads"  # a helper's loop: one thread needs none
    }
    assert entries
    unreached = {name: sorted(set(entry.dtypes) - set(entry)) for name, entry in entries.items()}
    unreached = {name: missing for name, missing in unreached.items() if missing}
    assert not unreached


def test_the_plain_kernels_keep_the_contract():
    files = [str(path) for path in TESTS.rglob("test_*.py") if "mark.plain" in path.read_text(encoding="utf-8")]
    command = [sys.executable, "-m", "pytest", "-m", "plain", "-q", "-p", "no:cacheprovider", *files]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    run = subprocess.run(command, env=environment, cwd=TESTS.parent, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
    assert "skipped" not in run.stdout


@pytest.mark.plain
def test_plain_means_plain():
    """In that process a kernel is a Python function; elsewhere it is not."""
    plain = os.environ.get("NUMBA_DISABLE_JIT") == "1"
    assert jit.JIT is not plain
    assert np.all(np.isfinite(bp.sigmoid(np.zeros((1, 1)))[0]))
