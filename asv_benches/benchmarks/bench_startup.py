"""The start of a new process: the import, and the first call of a function with a cold and with a warm disk cache."""

from pathlib import Path

from .new_process import CALLS, PREPARATION, run

# Before the package is imported: the folder is empty for each process, which removes it, or the one that was filled.
COLD = """
import atexit, os, tempfile
folder = tempfile.TemporaryDirectory()
atexit.register(folder.cleanup)
os.environ["NUMBA_CACHE_DIR"] = folder.name
"""
WARM = """
import os
os.environ["NUMBA_CACHE_DIR"] = {!r}
"""


class Import:
    number, warmup_time = 1, 0  # a second import in the same process costs nothing

    def timeraw_import(self):
        return "import fastbackprop"


class FirstCall:
    params = (tuple(CALLS), ("warm", "cold"))
    param_names = ("call", "disk_cache")
    # A cold one compiles for up to ten seconds.
    number, warmup_time, rounds, repeat, min_run_count = 1, 0, 1, (3, 10, 20.0), 1

    def setup(self, call, disk_cache):
        """asv begins in an empty folder, which it removes, and sets up before every sample."""
        self.folder = Path("disk_cache").resolve()
        if disk_cache == "warm" and not self.folder.exists():
            run(PREPARATION + CALLS[call], str(self.folder))

    def timeraw_first_call(self, call, disk_cache):
        folder = COLD if disk_cache == "cold" else WARM.format(str(self.folder))
        return CALLS[call], folder + PREPARATION
