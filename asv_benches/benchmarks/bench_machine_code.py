"""Machine code that calls leave on disk: how many compiled entries and routines, and how many bytes."""

import tempfile
from pathlib import Path

from .new_process import CALLS, PREPARATION, run

PROGRAMS = {call: PREPARATION + text for call, text in CALLS.items()}
PROGRAMS["warmup"] = "import sys; from fastbackprop.cli import main; sys.argv[1:] = ['warmup']; main()"


class MachineCode:
    params = tuple(PROGRAMS)
    param_names = ("call",)

    def setup(self, call):
        with tempfile.TemporaryDirectory() as folder:
            run(PROGRAMS[call], folder)
            self.sizes = [file.stat().st_size for file in Path(folder).rglob("*.code")]

    def track_bytes(self, call):
        return sum(self.sizes)

    def track_entries(self, call):
        return len(self.sizes)

    track_bytes.unit = "bytes"  # type: ignore[attr-defined]
    track_entries.unit = "entries and routines"  # type: ignore[attr-defined]
