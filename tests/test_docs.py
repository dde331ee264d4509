"""README and docs: their Python runs, errors that they quote are raised, tests that they name exist, and Sphinx builds.

The Python of a section (of "##") is one program, as a reader would type it. A block of text that follows directly and is an
error has to be what the block before it raises.
"""

import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastbackprop as bp

TESTS = Path(__file__).parent
ROOT = TESTS.parent
DOCS = ROOT / "docs"
PAGES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *DOCS.glob("*.md"))}
BLOCK = re.compile(r"^( *)```(python|text)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
ERROR = re.compile(r"\w+Error: ")


def sections():
    """The Python of each section: its blocks, and with each the error that follows it, or None."""
    found = {}
    for page, text in PAGES.items():
        for section in re.split(r"^## ", text, flags=re.MULTILINE):
            blocks = [(kind, body, at) for (_, kind, body), at in ((m.groups(), m.span()) for m in BLOCK.finditer(section))]
            program = []
            for i, (kind, body, (_, end)) in enumerate(blocks):
                if kind == "python":
                    follower, text_after, (begin, _) = blocks[i + 1] if i + 1 < len(blocks) else ("", "", (end, end))
                    quoted = follower == "text" and ERROR.match(text_after) and not section[end:begin].strip()
                    program.append(
                        (re.sub(r"^ {2}", "", body, flags=re.MULTILINE) if body[:1] == " " else body, quoted and text_after)
                    )
            if program:
                found[f"{page}: {section.partition(chr(10))[0]}"] = program
    return found


SECTIONS = sections()


def test_there_is_python_to_run_and_there_are_errors_to_raise():
    assert {name.partition(":")[0] for name in SECTIONS} >= {"README.md", "docs/guide.md", "docs/recipes.md"}
    assert sum(bool(quoted) for program in SECTIONS.values() for _, quoted in program) >= 4


@pytest.mark.parametrize("section", SECTIONS)
def test_python_on_the_pages_runs(section, monkeypatch, tmp_path, caplog):
    program = SECTIONS[section]
    for module in re.findall(r"^import (pandas)", "\n".join(block for block, _ in program), re.MULTILINE):
        pytest.importorskip(module, reason=f"{section} needs {module}: pip install '.[test]'")
    monkeypatch.chdir(tmp_path)
    caplog.set_level("WARNING", logger="fastbackprop")  # restored afterwards, whatever the page sets
    namespace = {"__name__": "__main__"}
    for block, quoted in program:
        code = compile(block, section, "exec")
        if quoted:
            with pytest.raises(Exception) as error:
                exec(code, namespace)
            assert f"{error.type.__name__}: {error.value}" == quoted.strip()
        else:
            exec(code, namespace)


# ----------------------------------------------------------------------------------------------------- what is guaranteed


def named_tests(text):
    """File and function of each test that is named: a file and a function in it; without a file the one named before."""
    file = ""
    for given, name in re.findall(r"`([\w/]+\.py)?::(test_\w+)`", text):
        file = given or file
        yield file, name


@pytest.mark.parametrize("page", PAGES)
def test_each_test_that_a_page_names_exists(page):
    for file, name in named_tests(PAGES[page]):
        assert re.search(rf"^def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE), f"{file}::{name}"


GUARANTEED, DIFFERENT = PAGES["docs/guarantees.md"].split("## ")[1:]
GUARANTEES = re.findall(r"^- \*\*(.*?)\*\*(.*?)(?=^- |\Z)", GUARANTEED, re.DOTALL | re.MULTILINE)
DIFFERENCES = [(line.split("|")[1].strip(), line) for line in DIFFERENT.splitlines() if line.startswith("| ")][2:]


@pytest.mark.parametrize(("what", "words"), GUARANTEES + DIFFERENCES, ids=[name for name, _ in GUARANTEES + DIFFERENCES])
def test_each_guarantee_and_each_difference_names_the_test_that_proves_it(what, words):
    assert list(named_tests(words))


def test_none_is_lost():
    """As many as there are bullets, and rows."""
    assert len(GUARANTEES) == len(re.findall("^- ", GUARANTEED, re.MULTILINE)) > 10
    assert len(DIFFERENCES) == DIFFERENT.count("\n| ") - 2 > 5


# ------------------------------------------------------------------------------------------------------------ links, API


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md"])
def test_links_lead_to_files(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / page).parent / link).is_file(), link


BESIDE = ("predict", "set_num_threads", "get_num_threads", "num_threads")


@pytest.mark.parametrize("name", [*bp.__all__, *BESIDE])
def test_the_example_of_a_docstring_is_right(name):
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(bp, name), name, globs={"np": np, "bp": bp})
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    failed, attempted = runner.run(example, out=report.append)
    assert attempted
    assert not failed, "".join(report)


def test_the_api_page_has_every_public_function():
    listed = re.findall(r"^\.\. autofunction:: (\w+)$", PAGES["docs/api.md"], re.MULTILINE)
    assert sorted(listed) == sorted([*bp.__all__, *BESIDE])


def test_sphinx_builds_the_pages_without_a_warning(tmp_path):
    for module in ("sphinx", "myst_parser", "numpydoc"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed, and the documentation was NOT built: pip install '.[docs]'")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(DOCS), str(tmp_path / "html")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    written = {path.stem for path in (tmp_path / "html").glob("*.html")}
    assert written >= {Path(page).stem for page in PAGES if page.startswith("docs")}
    api = (tmp_path / "html" / "api.html").read_text(encoding="utf-8")
    assert all(f'id="fastbackprop.{name}"' in api for name in (*bp.__all__, *BESIDE))
    assert "unsupported" not in api
