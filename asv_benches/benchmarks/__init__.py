"""The benchmarks that asv follows: times, memory, and with `track_` what survives a change of machine.

asv imports this folder by its own name, beside the installed package of any commit. What measures, `scripts/measuring`, is
taken from the clone that holds the benchmarks, as they are; nothing else of that clone can be imported.
"""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType


def _load(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _prepare() -> None:
    """The rules of a fair comparison, most of which have to hold before NumPy is loaded."""
    _load("scripts", Path(__file__).parents[2] / "scripts" / "__init__.py")
    from scripts.measuring.fairness import keep_freed_memory, machine_code_folder, package_folder, prepare_blas

    package = package_folder()
    threads = _load("resources_of_fastbackprop", package / "resources.py").usable_cores()
    prepare_blas(threads)
    keep_freed_memory()
    if folder := machine_code_folder(package):
        os.environ["NUMBA_CACHE_DIR"] = str(folder)

    import numpy as np

    import fastbackprop

    fastbackprop.set_num_threads(threads)
    np.seterr(all="ignore")  # the reference warns where it saturates, and a warning takes longer than a small call


if __name__ == "benchmarks":  # scripts and tests, which import it as a part of the clone, prepare their processes themselves
    _prepare()
