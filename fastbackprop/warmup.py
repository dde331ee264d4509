"""Compile every kernel ahead, into the disk cache: ``python -m fastbackprop warmup``.

Where there are two cores it runs two processes, one a dtype: kernels of the two dtypes have nothing in common, and within a
process one function at a time is compiled. They are separate processes, since these can be ended during a compile.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from fastbackprop.kernels import disk_cache, jit
from fastbackprop.kernels.notice import QUIET, notice
from fastbackprop.resources import usable_cores

LOOK_SECONDS = 0.1  # how late Ctrl-C acts where a signal does not end the wait for a process
INTERRUPTED = 130  # the exit code after Ctrl-C


def warm_up(kernels: Iterable[Any], dtypes: str) -> dict[str, Any]:
    """Compile or load entries, or routines by what says where they begin; returns their number, and why they are not kept.

    The routines that they call count too. Where one is not kept the others are not compiled.
    """
    counts = _kernels(), notice.compiled
    for kernel, char in [(kernel, char) for kernel in kernels for char in dtypes if char in kernel.dtypes]:
        kernel[char]
        if "unwritten" in disk_cache.said:
            break
    number, compiled = _kernels() - counts[0], notice.compiled - counts[1]
    return {"kernels": number, "compiled": compiled, "unkept": disk_cache.said.get("unwritten")}


def _kernels() -> int:
    """The number of entries and routines that this process has compiled or loaded, each dtype counted."""
    return len(jit.Routine.loaded) + sum(map(len, jit.Entry.all))


def run_process(dtypes: str, names: Sequence[str]) -> None:
    """Warm up in one process, and print the result of `warm_up`; without names all entries and all routines."""
    if names:
        chosen: list[Any] = [entry for entry in jit.Entry.all if f"{entry.__module__}.{entry.__name__}" in names]
    else:
        chosen = [*jit.Entry.all, *(routine.at for routine in jit.Routine.all)]
    print(json.dumps(warm_up(chosen, dtypes)))


def _process(dtypes: str, names: Sequence[str]) -> subprocess.Popen[str]:
    """A process with the modules of this one; Ctrl-C reaches it too, and is left to this one."""
    program = (
        f"import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path[:] = {sys.path!r}; "
        f"from fastbackprop.warmup import run_process; run_process({dtypes!r}, {list(names)!r})"
    )
    environment = os.environ | {QUIET: "1"}
    return subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)


def _result(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the process printed; a RuntimeError where it failed, after its traceback."""
    while True:
        try:
            out, _ = process.communicate(timeout=LOOK_SECONDS)
            break
        except subprocess.TimeoutExpired:
            pass
    if process.returncode != 0:
        raise RuntimeError(f"a process that compiles ended with exit code {process.returncode}")
    result: dict[str, Any] = json.loads(out)
    if result["unkept"]:
        raise RuntimeError(result["unkept"])
    return result


def run_warmup(names: Sequence[str] = (), processes: int | None = None) -> int:
    """Warm up in one or two processes, and print a summary; returns the exit code."""
    if not jit.JIT:
        print("fastbackprop warmup: there is nothing to compile, since NUMBA_DISABLE_JIT is set")
        return 0
    folder = jit.cache_folder()
    if folder is None:
        return _failed(disk_cache.said["folder"])
    groups = ("d", "f") if (processes or usable_cores()) > 1 else ("df",)
    begun, children, failure = time.perf_counter(), [], None
    print("fastbackprop warmup: the kernels for this processor, float64 and float32 ...", flush=True)
    try:
        for dtypes in groups:
            children.append(_process(dtypes, names))
        results = [_result(child) for child in children]
    except RuntimeError as error:
        failure = error  # said when the other has ended, whose own traceback would come after it
    except KeyboardInterrupt:
        print("fastbackprop warmup: interrupted; what has been compiled is kept", file=sys.stderr)
        return INTERRUPTED
    finally:
        for child in children:
            with child:
                child.kill()  # of no effect on one that has ended
    if failure is not None:
        return _failed(failure)
    kernels, compiled = (sum(result[what] for result in results) for what in ("kernels", "compiled"))
    print(
        f"fastbackprop warmup: {kernels} kernels in {time.perf_counter() - begun:.1f} s, {compiled} compiled and "
        f"{kernels - compiled} loaded; they are kept in {folder}"
    )
    return 0


def _failed(reason: object) -> int:
    print(f"fastbackprop warmup: {reason}", file=sys.stderr)
    return 1
