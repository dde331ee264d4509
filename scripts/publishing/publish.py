"""Builds the pages of what asv has measured, with the JavaScript libraries that they need beside them, fetched once by npm."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from scripts import ROOT
from scripts.publishing.libraries import LibraryError, beside

SUITE = ROOT / "asv_benches"
FETCHED = ROOT / "build" / "asv_libraries"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, default=SUITE / "html", metavar="FOLDER", help="where the pages go")


def run(options: argparse.Namespace) -> int:
    pages = options.output.resolve()
    process = subprocess.run([sys.executable, "-m", "asv", "publish", "--no-pull", "--html-dir", str(pages)], cwd=SUITE)
    if process.returncode:
        print("scripts/bench publish: asv built no pages; has it measured anything (asv run, in asv_benches)?", file=sys.stderr)
        return 2
    return complete(pages, FETCHED)


def complete(pages: Path, fetched: Path) -> int:
    """Put the libraries beside the pages, and say how to see them; returns the exit code."""
    npm = shutil.which("npm")
    try:
        if npm is None:
            raise LibraryError("npm is not on the path")
        beside(pages, fetched, npm)
        needs = "They need no network."
        code = 0
    except LibraryError as error:
        needs = f"They need a network to show anything: {error}."
        code = 1
    print(f"The pages are in {pages}. {needs} To see them: python -m http.server --bind 127.0.0.1 --directory {pages}")
    return code
