"""The results of trials, kept in a file so that a run can be cut and resumed, and the report."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

from scripts.mutation.faults import Fault
from scripts.mutation.rules import RULES
from scripts.mutation.trial import CAUGHT, HALFWAY, Result

LEAST_CAUGHT = 0.97
EXPLAINED = Path(__file__).with_name("explained.txt")


class Results:
    """The result of each fault, by its key; the file is written whole after each."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, threading.Lock()
        self.known: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.is_file() else {}

    def needs_run(self, fault: Fault, tests: str, *, plain: bool) -> bool:
        """Whether a fault is to be run: it was not, or it survived other tests than there are now."""
        known = self.known.get(fault.key)
        if known is None or (known["status"] != CAUGHT and known["tests"] != tests):
            return True
        return known["status"] == HALFWAY and not plain

    def compiled_finder(self, fault: Fault) -> str | None:
        """The compiled test that found a fault, if it was one."""
        stage, _, by = self.known.get(fault.key, {"by": ""})["by"].partition(": ")
        return by if stage == "compiled" and "::" in by else None

    def add(self, fault: Fault, result: Result, tests: str) -> None:
        with self.lock:
            where = {"rule": fault.rule, "path": fault.path, "place": fault.place}
            self.known[fault.key] = where | result._asdict() | {"tests": tests}
            self._write()

    def forget(self, fault: Fault) -> None:
        with self.lock:
            self.known.pop(fault.key, None)
            self._write()

    def _write(self) -> None:
        half = self.path.with_suffix(".half")
        half.write_text(json.dumps(self.known, indent=1))
        os.replace(half, self.path)


def explanations(text: str) -> dict[str, str]:
    """The reason for each fault that changes no result, by path, rule and lines.

    Records are separated by empty lines: `path: rule`, `- line`, `+ line`, and the reason.
    """
    found = {}
    for record in text.split("\n\n"):
        lines = [line for line in record.splitlines() if not line.startswith("#")]
        if lines:
            head, before, after, *reason = lines
            if not (before.startswith("- ") and after.startswith("+ ") and reason):
                raise ValueError(f"{EXPLAINED.name}: {record!r}; expected path: rule, - line, + line, and a reason")
            found["\n".join([head, before, after])] = " ".join(reason)
    return found


def report(root: Path, planted: list[Fault], results: Results) -> int:
    """Print the table and the survivors; 1 if too few are caught, explained ones aside, or some were not run."""
    reasons = explanations(EXPLAINED.read_text())
    rows: dict[str, list[list[Fault]]] = {rule: [[], [], [], []] for rule in RULES}
    for fault in planted:
        known = results.known.get(fault.key)
        caught, explained, survived, open_ = rows[fault.rule]
        if known is None or known["status"] == HALFWAY:
            open_.append(fault)
        elif known["status"] == CAUGHT:
            caught.append(fault)
        else:
            (explained if fault.shown in reasons else survived).append(fault)
    titles = ("caught", "changes nothing", "survived", "not run")
    print(f"{'rule':20}{'made':>6}" + "".join(f"{title:>17}" for title in titles))
    for rule, row in rows.items():
        if any(row):
            print(f"{rule:20}{sum(map(len, row)):6}" + "".join(f"{len(faults):17}" for faults in row))
    totals = [[fault for row in rows.values() for fault in row[i]] for i in range(4)]
    print(f"{'all':20}{len(planted):6}" + "".join(f"{len(faults):17}" for faults in totals))
    caught, explained, survived, not_run = totals
    for fault in explained:
        print(f"\nChanges nothing: {fault.shown}\n{reasons[fault.shown]}")
    for fault in survived:
        print(f"\nSurvived {results.known[fault.key]['by']}, {fault.place}: {fault.key}")
        print(fault.diff((root / fault.path).read_bytes()))
    judged = len(caught) + len(survived)
    share = len(caught) / judged if judged else 0.0
    print(f"\n{len(caught)} of {judged} caught: {100 * share:.1f} %; at least {100 * LEAST_CAUGHT:g} % expected")
    return 0 if share >= LEAST_CAUGHT and not not_run else 1
