"""README and docs: their Python runs, prints and raises what they quote, tests that they name exist, and Sphinx builds.

The Python of a section (of "##") is one program, as a reader would type it; a block that begins with the name of a file is that
file. A block of text that follows directly is what the block before it prints, or the error that it raises.
"""

import doctest
import importlib.util
import re
import subprocess
import sys
import textwrap
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
    """The Python of each section: its blocks, and with each the text that follows it, or None."""
    found = {}
    for page, text in PAGES.items():
        for section in re.split(r"^## ", text, flags=re.MULTILINE):
            program: list[tuple[str, str | None]] = []
            end = 0
            for match in BLOCK.finditer(section):
                kind, body = match[2], textwrap.dedent(match[3])
                if kind == "python":
                    program.append((body, None))
                elif program and not section[end : match.start()].strip():
                    program[-1] = program[-1][0], body
                end = match.end()
            if program:
                found[f"{page}: {section.partition(chr(10))[0]}"] = program
    return found


SECTIONS = sections()


def test_there_is_python_to_run_and_text_to_compare():
    assert {name.partition(":")[0] for name in SECTIONS} >= {"README.md", "docs/guide.md", "docs/recipes.md"}
    assert sum(text is not None for program in SECTIONS.values() for _, text in program) >= 5


@pytest.mark.parametrize("section", SECTIONS)
def test_python_on_the_pages_runs(section, monkeypatch, tmp_path, caplog, capsys):
    program = SECTIONS[section]
    for module in re.findall(r"^import (pandas)", "\n".join(block for block, _ in program), re.MULTILINE):
        pytest.importorskip(module, reason=f"{section} needs {module}: pip install '.[test]'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    caplog.set_level("WARNING", logger="fastbackprop")  # restored afterwards, whatever the page sets
    namespace = {"__name__": "__main__"}
    for block, text in program:
        if file := re.match(r"# (\w+)\.py\n", block):
            Path(f"{file[1]}.py").write_text(block, encoding="utf-8")
            monkeypatch.setitem(sys.modules, file[1], None)  # to be forgotten at the end
            del sys.modules[file[1]]
            continue
        code = compile(block, section, "exec")
        capsys.readouterr()
        if text is not None and ERROR.match(text):
            with pytest.raises(Exception) as error:
                exec(code, namespace)
            assert f"{error.type.__name__}: {error.value}" == text.strip()
        else:
            exec(code, namespace)
            assert text is None or capsys.readouterr().out == text


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


BESIDE = ("train", "predict", "set_num_threads", "get_num_threads", "num_threads", "patch", "unpatch")


@pytest.mark.parametrize("name", [*bp.__all__, *BESIDE[:-2]])  # docs/recipes.md has one of patch
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
