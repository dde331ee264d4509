"""Style and types: ruff, then mypy. `scripts/check` runs it, and `scripts/test` beside what needs the other core."""

import subprocess
import sys

from scripts import ROOT
from scripts.checking.beside import INTERRUPTED

COMMANDS = {"ruff: style": ("ruff check .", "ruff format --check ."), "mypy: types": ("mypy",)}


def main() -> None:
    for title, commands in COMMANDS.items():
        print(f"==> {title}", flush=True)
        for command in commands:
            try:
                code = subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT).returncode
            except KeyboardInterrupt:  # the command says so itself
                code = INTERRUPTED
            if code != 0:
                raise SystemExit(code)


if __name__ == "__main__":
    main()
