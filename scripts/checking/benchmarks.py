"""`asv check`, and each benchmark once with its smallest parameters: run by ``scripts/test``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from asv_runner.discovery import disc_benchmarks

from fastbackprop.kernels.jit import cache_folder
from scripts import ROOT

FOLDER = ROOT / "asv_benches"


def patterns(benchmarks: Path = FOLDER / "benchmarks") -> Iterator[str]:
    """A pattern for each benchmark with its first parameters, which are the smallest, and the fast implementation."""
    sys.path.insert(0, str(benchmarks.parent))  # asv imports the folder by its own name
    for benchmark in disc_benchmarks(str(benchmarks)):
        chosen = []
        for name, values in zip(benchmark.param_names, benchmark.params, strict=True):
            chosen.append(re.escape(values[-1] if name == "implementation" else values[0]))
        ending = rf"\({', '.join(chosen)}\)" if chosen else ""
        yield f"^{re.escape(benchmark.name)}{ending}$"


def asv(*arguments: str, home: str) -> str:
    """What asv prints; SystemExit with it where asv fails, or a benchmark."""
    command = [sys.executable, "-m", "asv", "--config", str(FOLDER / "asv.conf.json"), *arguments]
    # asv keeps facts about the machine in the home folder; the machine code is that of the tests before.
    environment = os.environ | {"HOME": home, "USERPROFILE": home}
    if folder := cache_folder():
        environment["NUMBA_CACHE_DIR"] = str(folder.parent)
    result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{result.stdout}\nasv {arguments[0]} failed")
    return result.stdout


def main() -> None:
    chosen = [argument for pattern in patterns() for argument in ("--bench", pattern)]
    with tempfile.TemporaryDirectory() as home:
        asv("machine", "--yes", home=home)
        asv("check", "--python=same", home=home)
        # A benchmark that is forked imports nothing again, as one in a process of its own would, which is how asv measures.
        forked = ("--launch-method=forkserver",) if sys.platform == "linux" else ()
        printed = asv("run", "--python=same", "--quick", "--dry-run", "--show-stderr", *forked, *chosen, home=home)
    if f"Running {len(chosen) // 2} total benchmarks" not in printed:
        raise SystemExit(f"{printed}\nnot every benchmark ran")
    print(f"{len(chosen) // 2} benchmarks")


if __name__ == "__main__":
    main()
