"""The kernels in a folder of their own, with a small one beside them, for tests of what shows in other processes only.

The copy of the package is empty but for its kernels, so that nothing large is compiled.
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

# A kernel that tells what it was compiled with: a tile, and what a function in another file says.
PROBE = """
from fastbackprop.kernels.kinds import OUT
from fastbackprop.kernels.activations import told
from fastbackprop.kernels.blocking import MR
from fastbackprop.kernels.jit import entry

@entry(OUT)
def tell(x):
    x[0, 0] = MR
    x[0, 1] = told(x[0, 1])
"""
TOLD = """
@inner
def told(x):
    return {}.0
"""

TELL = """
import json, sys
import numba, numpy as np
from fastbackprop.kernels import jit
from fastbackprop.kernels.probe import tell

x = np.zeros((1, 2))
tell["d"](x)
stats = [dispatcher.stats for dispatcher in tell.dispatchers.values()]
compiled, loaded = (sum(getattr(s, name).total() for s in stats) for name in ("cache_misses", "cache_hits"))
json.dump({"MR": x[0, 0], "told": x[0, 1], "compiled": compiled, "loaded": loaded}, sys.stdout)
"""


class Copy:
    """The kernels in a folder of their own, run in other processes with a disk cache of their own."""

    def __init__(self, folder: Path) -> None:
        self.site, self.cache = folder / "site", folder / "cache"
        self.kernels = self.site / "fastbackprop" / "kernels"
        shutil.copytree(PACKAGE / "kernels", self.kernels, ignore=shutil.ignore_patterns("__pycache__"))
        (self.site / "fastbackprop" / "__init__.py").touch()
        (self.kernels / "probe.py").write_text(PROBE)
        self.append("activations.py", TOLD.format(1))

    def append(self, file: str, text: str) -> None:
        with open(self.kernels / file, "a") as end:
            end.write(text)

    def run(self, program: str, before: str = "", where: Path | None = None, **environment: str) -> Any:
        """What the program prints as JSON; it imports the copy, or what lies `where`, and its warnings are errors."""
        settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        settings |= {"PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": str(self.cache), **environment}
        command = [sys.executable, "-W", "error", "-c", before + program]
        done = subprocess.run(command, cwd=where or self.site, env=settings, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
