"""Builds the wheel, installs it in a clean environment and tries it from there: run by ``scripts/test``."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts import ROOT


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        clean = scratch / "clean"
        python = str(clean / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))

        def run(*command: str) -> None:
            code = subprocess.run(command, cwd=scratch).returncode
            if code != 0:
                raise SystemExit(code)

        quietly = ("-qq", "--disable-pip-version-check")
        run(sys.executable, "-m", "pip", "wheel", *quietly, "--no-deps", "--wheel-dir", ".", str(ROOT))
        (wheel,) = scratch.glob("fastbackprop-*.whl")
        run(sys.executable, "-m", "virtualenv", "-q", "--no-periodic-update", str(clean))
        run(python, "-m", "pip", "install", *quietly, "--no-compile", str(wheel))  # a part of it is imported, once
        run(python, "-I", str(ROOT / "scripts" / "checking" / "installed.py"))


if __name__ == "__main__":
    main()
