"""Times trainings on 1, 2 and 4 ranks, with larger latencies put in; docs/many_machines.md shows the figures."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.measuring import records

RANKS = (1, 2, 4)


def mpiexec() -> str:
    """The command that starts ranks: that beside the interpreter, or on the path."""
    found = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
    if found is None or importlib.util.find_spec("mpi4py") is None:
        raise SystemExit("scripts/bench-ranks needs mpi4py and an mpiexec: pip install mpi4py mpich")
    return found


def rows_of(ranks: int, repeats: int) -> Iterator[dict[str, Any]]:
    """What the worker measures on so many ranks, each row as soon as it is there."""
    parts = [mpiexec(), "-n", str(ranks), sys.executable, "-m", "scripts.spreading.worker", str(repeats)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(parts, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise SystemExit(f"scripts/bench-ranks: the worker on {ranks} ranks ended with exit code {process.returncode}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench-ranks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="of each measurement. Default: 7")
    options = parser.parse_args()
    measurement = records.Measurement("ranks", "scripts/bench-ranks")
    rows = []
    for ranks in RANKS:
        for row in rows_of(ranks, options.repeats):
            print(json.dumps(row), flush=True)
            rows.append(row)
    print(f"{len(rows)} rows in {measurement.write(rows)}; scripts/figures draws the tables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
