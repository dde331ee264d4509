"""A copy of the project in which faults are planted, and pytest in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.mutation.faults import PACKAGE, Fault


class Run(NamedTuple):
    """The result of a run of tests: pytest's exit status, or none after a timeout; its output; its duration."""

    status: int | None
    output: str
    seconds: float


class Stopped(Exception):
    """A run was ended because its result is no longer needed."""


class Workplace:
    """The copy always lies at the same place, so that machine code of kernels without a fault is found on disk."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root, self.folder = root, folder / "tree"
        self.plan = folder / "plan.json"
        self.process: subprocess.Popen[str] | None = None
        self.stopped = False
        self.folder.mkdir(parents=True, exist_ok=True)
        self._copy()

    def _copy(self) -> None:
        """Bring the copy up to date; files that did not change keep their time stamps, which Numba checks."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=self.root, capture_output=True, check=True).stdout.decode()
        wanted = {name for name in listed.split("\0") if name and (self.root / name).is_file()}
        for path in self.folder.rglob("*"):
            inside = path.relative_to(self.folder)
            if path.is_file() and inside.as_posix() not in wanted and "__pycache__" not in inside.parts:
                path.unlink()
        for name in wanted:
            origin, copy = self.root / name, self.folder / name
            if not copy.is_file() or copy.read_bytes() != origin.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(origin, copy)

    def _caches(self) -> set[Path]:
        return set((self.folder / PACKAGE).rglob("fastbackprop-*"))

    @contextlib.contextmanager
    def planted(self, fault: Fault) -> Iterator[None]:
        """The copy with one fault; machine code that was compiled meanwhile is removed with it."""
        path = self.folder / fault.path
        text, stamp, known = path.read_bytes(), path.stat(), self._caches()
        path.write_bytes(fault.planted(text))
        try:
            yield
        finally:
            path.write_bytes(text)
            os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
            for cache in self._caches() - known:
                shutil.rmtree(cache)

    def pytest(
        self,
        tests: Sequence[str],
        *,
        plain: bool,
        limit: float,
        timeout: float,
        record: Path | None = None,
        first_failure: bool = True,
    ) -> Run:
        """Run tests, or all tests of files, in this order; the limits hold where nothing else runs."""
        crowd = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # a test that waits for processors does not hang
        limit, timeout = crowd * limit, crowd * timeout
        files = list(dict.fromkeys(test.split("::")[0] for test in tests))
        plan = {"limit": limit, "order": list(tests), "record": str(record or ""), "package": str(self.folder / PACKAGE)}
        self.plan.write_text(json.dumps(plan))
        # The last one is set for commands; tests run programs in folders of their own.
        dropped = "NUMBA_", "FASTBACKPROP_NUM_THREADS", "PYTHONSAFEPATH"
        environment = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        environment |= {
            "MUTATION_PLAN": str(self.plan),
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",  # a fault of the same length within a second would go unnoticed
            "CI": "1",  # examples are drawn from a fixed seed
        }
        if plain:
            environment["NUMBA_DISABLE_JIT"] = "1"
        plugins = "-p", "no:cacheprovider", "-p", "scripts.mutation.plugin"
        command = [sys.executable, "-m", "pytest", "-q", *plugins, "--tb=line", *files]
        if first_failure:
            command.insert(3, "-x")
        begun = time.monotonic()
        self.process = subprocess.Popen(
            command, cwd=self.folder, env=environment, text=True, errors="replace", start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = self.process.communicate(timeout=timeout)
            status: int | None = self.process.returncode
        except subprocess.TimeoutExpired:
            output, status = "", None
        finally:
            self._end()
        if self.stopped:
            raise Stopped
        return Run(status, output, time.monotonic() - begun)

    def _end(self) -> None:
        """End all processes of the run, with all that they started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """End the run, if there is one, and all that might follow; any thread may call it."""
        self.stopped = True
        self._end()
