"""Commands beside each other, on as many cores as there are; what each writes is shown in one piece."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from scripts import ROOT

INTERRUPTED = 130  # the exit code after Ctrl-C
PATIENCE = 10  # seconds for a command that Ctrl-C has reached too, before it is ended


def _begin(command: Sequence[str], folder: Path, output: IO[bytes] | None) -> subprocess.Popen[bytes]:
    errors = None if output is None else subprocess.STDOUT
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)


def _end(process: subprocess.Popen[Any]) -> None:
    """Wait for a process that ends by itself, then end it."""
    for end in (lambda: None, process.terminate, process.kill):
        end()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
            return


def beside(commands: Mapping[str, Sequence[str]], folder: Path = ROOT) -> list[str]:
    """Run commands by their titles, all at once, and return the titles of those that fail.

    The first writes as it goes. What the others write follows when it has ended, in their order.
    """
    failed: list[str] = []
    with contextlib.ExitStack() as stack:
        running: list[tuple[str, subprocess.Popen[bytes], IO[bytes] | None]] = []
        for title, command in commands.items():
            output: IO[bytes] | None = stack.enter_context(tempfile.TemporaryFile()) if running else None
            if output is None:
                others = "; beside it: ".join(["", *list(commands)[1:]])
                print(f"==> {title}{others}", flush=True)
            running.append((title, _begin(command, folder, output), output))
            stack.callback(_end, running[-1][1])
        for title, process, written in running:
            code = process.wait()
            if written is not None:
                written.seek(0)
                print(f"==> {title}", flush=True)
                sys.stdout.buffer.write(written.read())
                sys.stdout.flush()
            if code != 0:
                print(f"==> FAILED with exit code {code}: {title}", flush=True)
                failed.append(title)
    return failed
