"""``fastbackprop info``: what the package runs on, for people and for reports of a fault."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any

from fastbackprop import machine
from fastbackprop.commands import options, print_json
from fastbackprop.extras import EXTRAS, MODULES
from fastbackprop.kernels import disk_cache, jit
from fastbackprop.resources import usable_cores
from fastbackprop.team import get_num_threads
from fastbackprop.whole_file import try_folder

DESCRIPTION = "Print versions, processor, threads, NumPy's BLAS, the disk cache of compiled kernels and the extras."


def add_options(parser: argparse.ArgumentParser) -> None:
    options.add_json(parser)


def disk_cache_state() -> tuple[Path | None, str | None]:
    """The folder for machine code, and the reason why nothing can be kept there, if there is one."""
    folder = jit.cache_folder()
    if folder is None:
        return None, disk_cache.said["folder"]
    try:
        try_folder(folder / "info")
    except OSError as error:
        return folder, error.strerror or str(error)
    return folder, None


def extras() -> dict[str, str | None]:
    """The version of each extra's library; None where it is not installed."""
    found = {}
    for extra, library in EXTRAS.items():
        there = importlib.util.find_spec(MODULES.get(library, library)) is not None
        found[extra] = importlib.metadata.version(library) if there else None
    return found


def information() -> dict[str, Any]:
    """All of it."""
    folder, reason = disk_cache_state()
    return {
        "versions": machine.versions(),
        "processor": machine.processor(),
        "cores": usable_cores(),
        "threads": get_num_threads(),
        "compiled": jit.JIT,
        "blas": machine.blas(),
        "disk_cache": {"folder": None if folder is None else str(folder), "writable": reason is None, "reason": reason},
        "extras": extras(),
    }


def run(arguments: argparse.Namespace) -> None:
    """Print the information."""
    known = information()
    if arguments.json:
        print_json(known)
        return
    cache = known["disk_cache"]
    for line in machine.facts():
        print(line)
    print(
        f"disk cache     {cache['folder'] or 'none'}, {'writable' if cache['writable'] else 'not writable: ' + cache['reason']}"
    )
    states = [f"{name} ({EXTRAS[name]} {version or 'is not installed'})" for name, version in known["extras"].items()]
    print(f"extras         {', '.join(states)}")
