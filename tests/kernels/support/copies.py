"""The kernels in a separate folder, with a small one beside them, for tests of what only shows in other processes.

The copy of the package holds its kernels alone, so that nothing large is compiled.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastbackprop

PACKAGE = Path(fastbackprop.__file__).parent

# A kernel that reports what it was compiled with: a tile, and the result of a function in another file.
PROBE = """
from fastbackprop.kernels.kinds import OUT
from fastbackprop.kernels.activations import reported
from fastbackprop.kernels.blocking import MR
from fastbackprop.kernels.jit import entry
"""
KERNEL = """
@entry(OUT)
def {}(x):
    x[0, 0] = MR
    x[0, 1] = reported(x[0, 1])
"""
REPORTED = """
@inner
def reported(x):
    return {}.0
"""

REPORT = """
import json, sys
import numba, numpy as np
from fastbackprop.kernels import jit
from fastbackprop.kernels.probe import report

x = np.zeros((1, 2))
report["d"](x)
stats = [dispatcher.stats for dispatcher in report.dispatchers.values()]
compiled, loaded = (sum(getattr(s, name).total() for s in stats) for name in ("cache_misses", "cache_hits"))
found = {"MR": x[0, 0], "reported": x[0, 1], "compiled": compiled, "loaded": loaded}
json.dump({**found, "readied": "numba.np.arraymath" in sys.modules}, sys.stdout)
"""


class Copy:
    """The kernels in a separate folder, run in other processes with a separate disk cache; or another copy with its own."""

    def __init__(self, folder: Path, of: "Copy | None" = None) -> None:
        self.site, self.cache = folder / "site", folder / "cache"
        self.kernels = self.site / "fastbackprop" / "kernels"
        if of is not None:
            shutil.copytree(of.site.parent, folder, dirs_exist_ok=True)
            return
        shutil.copytree(PACKAGE / "kernels", self.kernels, ignore=shutil.ignore_patterns("__pycache__"))
        (self.site / "fastbackprop" / "__init__.py").touch()
        (self.kernels / "probe.py").write_text(PROBE + KERNEL.format("report"))
        self.append("activations.py", REPORTED.format(1))

    def append(self, file: str, text: str) -> None:
        with open(self.kernels / file, "a") as end:
            end.write(text)

    def run(self, program: str, before: str = "", where: Path | None = None, **environment: str) -> Any:
        """The JSON that the program prints; it imports the copy, or the package in `where`, and its warnings are errors."""
        settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        settings |= {"PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": str(self.cache), **environment}
        command = [sys.executable, "-W", "error", "-c", before + program]
        done = subprocess.run(command, cwd=where or self.site, env=settings, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
