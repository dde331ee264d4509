"""A learner's module with something replaced in it, and the findings of the examination."""

from pathlib import Path

from fastbackprop.examination import SAME, examine
from fastbackprop.testing import CASES

OWN = Path(__file__).with_name("own.py").read_text(encoding="utf-8")


def module(*replacements, before=""):
    """The names of the learner's module, with each (old, new) replaced in its text."""
    text = OWN
    for old, new in replacements:
        assert text.count(old) >= 1, f"not in the module: {old}"
        text = text.replace(old, new)
    namespace = {"__name__": "own"}
    exec(compile(before + text, "own.py", "exec"), namespace)
    return namespace


def verdicts(namespace):
    """The findings that are not "same", by name."""
    findings = examine(namespace)
    assert [finding.name for finding in findings] == list(CASES)
    return {finding.name: finding for finding in findings if finding.verdict != SAME}


def the_only_one(namespace):
    found = verdicts(namespace)
    assert len(found) == 1, found
    return found.popitem()[1]
