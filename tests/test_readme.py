"""The README's Python runs as it stands, and so does its advice for the start."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_there_is_python_to_run():
    assert BLOCKS


@pytest.mark.parametrize("block", BLOCKS)
def test_python_in_the_readme_runs(block):
    exec(compile(block, str(README), "exec"), {})


TESTS = Path(__file__).parent
SECTION = README.read_text(encoding="utf-8").split("## What is guaranteed")[1].split("Where the fast functions differ")[0]
GUARANTEES = re.findall(r"^- \*\*(.*?)\*\*(.*?)(?=^- |\Z)", SECTION, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("guarantee", "words"), GUARANTEES, ids=[name for name, _ in GUARANTEES])
def test_each_guarantee_names_the_test_that_proves_it(guarantee, words):
    """A file and a function in it; without a file the one named before."""
    named = re.findall(r"`([\w/]+\.py)?::(test_\w+)`", words)
    assert named
    file = ""
    for given, name in named:
        file = given or file
        assert re.search(rf"^def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE), f"{file}::{name}"
