"""What a measurement ran on: processor, BLAS kernel, threads and versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

import fastbackprop
from fastbackprop.kernels.blocking import VECTOR_BYTES
from fastbackprop.resources import usable_cores
from fastbackprop.team import get_num_threads, num_threads

# Where set, OpenBLAS may run kernels for another processor at half the speed: scripts that time remove them.
OPENBLAS_OVERRIDES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def facts() -> list[str]:
    """Lines that say which machine gave the figures below them."""
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, Numba {numba.__version__}"
    lines = [
        f"processor      {_processor()}, {usable_cores()} cores to use",
        f"versions       fastbackprop {fastbackprop.__version__}, {versions}",
        f"NumPy's BLAS   {_blas()}",
        f"fastbackprop   vectors of {VECTOR_BYTES} bytes, {get_num_threads()} threads",
    ]
    if hasattr(os, "getloadavg"):
        lines.append(f"load before    {os.getloadavg()[0]:.1f}: what else runs slows NumPy's threads most of all")
    forced = [f"{name}={os.environ[name]}" for name in OPENBLAS_OVERRIDES if name in os.environ]
    if forced:
        lines.append(f"BEWARE         NumPy's BLAS is forced by {' '.join(forced)}: its own choice may be faster")
    return lines


@contextmanager
def same_threads(n: int) -> Iterator[None]:
    """NumPy's BLAS and fastbackprop may use ``n`` threads each."""
    with num_threads(n), threadpool_limits(limits=n, user_api="blas"):
        yield


def _processor() -> str:
    """The model's name and Numba's name for its kind, which says which instructions there are."""
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
        model = {key.strip(): value.strip() for key, value in fields.items()}["model name"]
    except (OSError, KeyError):
        model = platform.processor() or platform.machine()
    return f"{model} ({llvm.get_host_cpu_name()})"


def _blas() -> str:
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    if not pools:
        return "unknown to threadpoolctl"
    return "; ".join(
        f"{pool['internal_api']} {pool['version']}, kernel {pool.get('architecture', 'unknown')}, {pool['num_threads']} threads"
        for pool in pools
    )
