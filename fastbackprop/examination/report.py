"""``python -m fastbackprop verify --module``: a user's module is imported, examined, and the findings are printed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastbackprop.examination import ABSENT, DIFFERS, NOT_JUDGED, Finding, examine


def run_examination(name: str, write: Callable[[str], Any] = print) -> int:
    """Examine a module and write a table; returns the exit code: 0, 1 when a function differs, 2 without functions."""
    try:
        module = load(name)
    except ImportError as error:
        print(f"fastbackprop verify: {error}", file=sys.stderr)
        return 2
    findings = examine(vars(module))
    if all(finding.verdict == ABSENT for finding in findings):
        print(f"fastbackprop verify: {name} has none of the fourteen functions", file=sys.stderr)
        return 2
    write(f"{'function':<28} {'verdict':<21}  how")
    for finding in findings:
        write(_line(finding))
    differing = [finding for finding in findings if finding.verdict == DIFFERS]
    for finding in differing:
        write(f"DIFFERS: {finding.name}: {finding.explanation}")
    if differing:
        return 1
    unjudged = sum(finding.verdict == NOT_JUDGED for finding in findings)
    judged = sum(finding.verdict != ABSENT for finding in findings) - unjudged
    write(f"none of the {judged} functions that were judged differs from the reference")
    return 0


def _line(finding: Finding) -> str:
    return f"{finding.name:<28} {finding.verdict:<21}  {finding.explanation}".rstrip()


def load(name: str) -> types.ModuleType:
    """The module of a name, or of a path that ends in .py; raises ImportError with one line about why there is none."""
    path = Path(name)
    is_file = path.suffix == ".py"
    if is_file and not path.is_file():
        raise ImportError(f"there is no file {name}")
    sys.path.insert(0, str(path.resolve().parent) if is_file else os.getcwd())  # its own imports lie beside it
    try:
        return _load_file(path) if is_file else importlib.import_module(name)
    except (Exception, SystemExit) as error:  # anything that the module raises when it is imported
        text = str(error).partition("\n")[0]
        raise ImportError(f"{name} cannot be imported: {type(error).__name__}{f': {text}' if text else ''}") from error


def _load_file(path: Path) -> types.ModuleType:
    name = path.stem if path.stem not in sys.modules else f"{path.stem} ({path})"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
