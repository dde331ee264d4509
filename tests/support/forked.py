"""Commands of the package in processes that have imported and loaded all that they need: forked from one that did so once.

A new process takes longer to import NumPy, Matplotlib and Numba and to load the kernels than most programs run.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECONDS = 300  # of a command that hangs

_SERVER = f"""
import gc, json, os, signal, sys, warnings
import matplotlib.pyplot, numpy
from fastbackprop import cli
from fastbackprop.kernels import jit
import fastbackprop.takeover.script

for entry in jit.Entry.all:
    for char in entry.dtypes:
        entry[char]
gc.collect()
gc.freeze()  # else a collection in a child, and that at its end, copy all that is here
print("ready", flush=True)
for line in sys.stdin:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.12 warns of threads, which here are OpenBLAS's
        child = os.fork()
    if child == 0:
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()
signal.alarm({SECONDS})
asked = json.loads(line)
for number, (path, flags) in enumerate(asked["files"]):
    os.dup2(os.open(path, flags), number)
os.chdir(asked["folder"])
os.environ.update(asked["environment"])
exec(asked["before"], {{}})
sys.exit(cli.main(asked["arguments"]))
"""


@functools.cache
def _server() -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        env=os.environ | {"PYTHONPATH": path, "MPLBACKEND": "agg"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(server.communicate)  # it ends with its input
    assert server.stdout is not None and server.stdout.readline() == "ready\n"
    return server


def command(
    arguments: list[str], folder: Path, scratch: Path, before: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """``fastbackprop ARGUMENTS`` in a folder, with more in its environment, after some code; its output goes through files
    in the folder ``scratch``."""
    out, err, server = scratch / "out", scratch / "err", _server()
    written = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [(os.devnull, os.O_RDONLY), (str(out), written), (str(err), written)]
    asked = {"arguments": arguments, "folder": str(folder), "environment": environment, "before": before, "files": files}
    assert server.stdin is not None and server.stdout is not None
    print(json.dumps(asked), file=server.stdin, flush=True)
    code = int(server.stdout.readline())
    return subprocess.CompletedProcess(arguments, code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))
