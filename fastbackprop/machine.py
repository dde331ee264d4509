"""What a result was computed on: processor, versions, NumPy's BLAS and the settings of the kernels."""

import platform
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np

import fastbackprop
from fastbackprop.kernels.blocking import VECTOR_BYTES
from fastbackprop.resources import usable_cores
from fastbackprop.team import get_num_threads


def facts() -> list[str]:
    """Lines to print beside results, each with its name in front."""
    kernels = f"vectors of {VECTOR_BYTES} bytes ({VECTOR_BYTES // 8} of float64), {get_num_threads()} threads"
    if numba.config.DISABLE_JIT:
        kernels = "not compiled (NUMBA_DISABLE_JIT is set)"
    return [
        f"processor      {processor()}, {usable_cores()} cores to use",
        f"versions       {', '.join(f'{name} {version}' for name, version in versions().items())}",
        f"NumPy's BLAS   {blas()}",
        f"fastbackprop   {kernels}",
    ]


def versions() -> dict[str, str]:
    """The versions of the package and of what it runs on."""
    return {
        "fastbackprop": fastbackprop.__version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "Numba": numba.__version__,
        "llvmlite": llvmlite.__version__,
    }


def processor() -> str:
    """The model's name and Numba's name for its kind, which implies its instructions."""
    return f"{model()} ({llvm.get_host_cpu_name()})"


def model() -> str:
    """The processor's model, as the system names it."""
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
        return {key.strip(): value.strip() for key, value in fields.items()}["model name"]
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def blas() -> str:
    """The BLAS that is loaded, where threadpoolctl is installed, else the one that NumPy was built with."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return _built_blas()
    pools: list[dict[str, Any]] = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return (
        "; ".join(
            f"{pool['internal_api']} {pool['version']}, kernel {pool.get('architecture', 'unknown')}, "
            f"{pool['num_threads']} threads"
            for pool in pools
        )
        or _built_blas()
    )


def _built_blas() -> str:
    try:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{built['name']} {built['version']}"
    except (TypeError, KeyError):  # NumPy before 1.26 only prints
        return "unknown"
