"""The measured figures, as JSON files in docs/figures: what measures writes them, and `scripts/figures` draws from them.

A file holds one topic: the machine, the versions, the date, the commit and the command, and its rows. An estimate is a
list of a median and the ends of its 95 % interval, which are null where no interval was kept.
"""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from fastbackprop import machine
from fastbackprop.kernels.blocking import VECTOR_BYTES
from fastbackprop.resources import usable_cores
from fastbackprop.team import get_num_threads
from scripts import ROOT
from scripts.measuring.others import Others

FOLDER = ROOT / "docs" / "figures"


def path(topic: str) -> Path:
    return FOLDER / f"{topic}.json"


@cache  # what is measured may load another library with a BLAS of its own
def described_machine() -> dict[str, Any]:
    return {
        "processor": machine.model(),
        "LLVM name": llvm.get_host_cpu_name(),
        "cores": usable_cores(),
        "BLAS": machine.blas(),
        "vector bytes": VECTOR_BYTES,
        "threads": get_num_threads(),
    }


def commit() -> str | None:
    """The commit that is measured, with "+" where files of the tree differ from it; None outside a clone."""
    try:
        head = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", "fastbackprop", "scripts", "asv_benches")
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changed else "")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


class Measurement:
    """A topic that is measured from now on, by a command, at the commit of now; `write` replaces the topic's file."""

    def __init__(self, topic: str, command: str) -> None:
        self.topic = topic
        self._known = {
            "topic": topic,
            "command": command,
            "date": datetime.date.today().isoformat(),
            "commit": commit(),
            "machine": described_machine(),
        }
        self._others = Others()

    def write(self, rows: Sequence[Mapping[str, Any]], more_versions: Mapping[str, str] | None = None) -> Path:
        busy = self._others.cores()
        record = {
            **self._known,
            "versions": machine.versions() | dict(more_versions or {}),
            "cores busy with other work": None if busy is None else round(busy, 2),
        }
        FOLDER.mkdir(exist_ok=True)
        path(self.topic).write_text(as_text(record, rows), encoding="utf-8")
        return path(self.topic)


def as_text(record: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    """JSON with a row on each line, so that a change of one is a change of one line."""
    head = json.dumps(record, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n".join("  " + json.dumps(_rounded(row), ensure_ascii=False) for row in rows)
    return f'{head},\n "rows": [\n{lines}\n ]\n}}\n'


def _rounded(value: Any) -> Any:
    """Five digits: more than any measurement of time has."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(entry) for entry in value]
    return value


def read(topic: str) -> dict[str, Any]:
    return json.loads(path(topic).read_text(encoding="utf-8"))
