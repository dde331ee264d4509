"""What a process needs before it loads NumPy, so that neither side of a comparison is held back; it imports neither."""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import sys
from pathlib import Path

# Where these are set, OpenBLAS may run kernels for another processor at half the speed: what times removes them.
OPENBLAS_OVERRIDES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
THREADS_OF_BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

# Parameters of glibc's malloc, by their numbers in <malloc.h>: M_TRIM_THRESHOLD and M_MMAP_THRESHOLD (its largest value).
_THRESHOLDS = {-1: 2**30, -3: 2**25}


def keep_freed_memory() -> bool:
    """Freed memory stays with the process; returns whether the C library can be asked to.

    Else glibc's thresholds, which move with what was freed before, decide which of two sides pays for fresh pages at each call:
    the reference took up to twice as long, depending on which side came first.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return False
    return all(mallopt(parameter, value) == 1 for parameter, value in _THRESHOLDS.items())


def prepare_blas(threads: int) -> None:
    """The BLAS that NumPy will load chooses its own kernels, and uses ``threads`` threads."""
    for name in OPENBLAS_OVERRIDES:
        os.environ.pop(name, None)
    os.environ.update(dict.fromkeys(THREADS_OF_BLAS, str(threads)))


def package_folder() -> Path:
    """The folder of the package that ``import fastbackprop`` would load."""
    spec = importlib.util.find_spec("fastbackprop")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("fastbackprop is not installed in this environment")
    return Path(spec.origin).parent


def machine_code_folder(package: Path, prefix: Path = Path(sys.prefix)) -> Path | None:
    """Where this very package keeps its machine code in an environment of asv, which one commit after another is installed in.

    None in other environments: what is measured there is compiled where its user keeps it.
    """
    if not (prefix / "asv-env-info.json").is_file():
        return None
    digest = hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(f"{source.relative_to(package)}\0".encode() + source.read_bytes() + b"\0")
    return prefix / "machine-code" / digest.hexdigest()[:16]
