"""The tool that plants faults: its faults are many, of every kind, real changes that parse; its results outlive a cut.

The tool itself shows whether the tests of the package find them; that takes an hour or so, and no test runs it.
"""

import ast
import shutil
import subprocess
import textwrap
from collections import Counter

import pytest

from scripts import ROOT
from scripts.mutation import faults
from scripts.mutation.coverage import Coverage
from scripts.mutation.faults import Fault
from scripts.mutation.results import EXPLAINED, Results, explanations, report
from scripts.mutation.rules import RULES
from scripts.mutation.trial import Result
from scripts.mutation.workplace import Workplace

EACH = 8


@pytest.fixture(scope="module")
def candidates():
    return faults.candidates(ROOT)


@pytest.fixture
def package(tmp_path):
    """A function that makes a package of these files and returns its folder."""

    def make(**files):
        for name, text in files.items():
            path = tmp_path / faults.PACKAGE / f"{name.replace('_of_', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


def planted(root, rule):
    """The faults that a rule plants in the one file of a package, line by line."""
    return [(fault.shown_before, fault.shown_after) for fault in faults.candidates(root) if fault.rule == rule]


def test_every_rule_has_faults_to_plant_and_a_sample_has_a_hundred(candidates):
    sample = faults.sample(candidates, EACH, seed=1)
    assert len(sample) >= 100
    of_rule = Counter(fault.rule for fault in sample)
    assert {rule for rule in RULES if of_rule[rule] >= 5} == set(RULES)
    assert len({fault.key for fault in sample}) == len(sample)


def test_a_fault_is_python_and_another_program(candidates):
    trees = {source.path: (source.text, ast.dump(source.tree)) for source in faults.sources(ROOT)}
    for fault in faults.sample(candidates, 20, seed=2):
        text, tree = trees[fault.path]
        assert ast.dump(ast.parse(fault.planted(text))) != tree, fault


def test_faults_are_in_kernels_and_their_callers(candidates):
    paths = {fault.path.removeprefix(f"{faults.PACKAGE}/") for fault in candidates}
    assert {"layers.py", "network.py", "training.py"} <= paths
    assert sum(path.startswith("kernels/") for path in paths) > 5
    assert "kernels/blocking.py" not in paths
    assert not any(path.startswith(("reference/", "extras/", "testing/")) for path in paths)


def test_a_sample_stays_while_something_else_changes(candidates):
    """Lines and files that appear and disappear elsewhere do not change which faults are drawn."""
    sample = faults.sample(candidates, EACH, seed=1)
    moved = [
        fault._replace(begin=fault.begin + 100, end=fault.end + 100, line=fault.line + 7) for fault in reversed(candidates)
    ]
    assert {fault.key for fault in faults.sample(moved, EACH, seed=1)} == {fault.key for fault in sample}
    assert {fault.key for fault in faults.sample(candidates, EACH, seed=2)} != {fault.key for fault in sample}


KERNEL = '''
from fastbackprop.kernels.jit import with_twin
from fastbackprop.kernels.blocking import BLOCK
from fastbackprop.kernels.intrinsics import relax
from fastbackprop.kernels.microkernel import ADD, BIAS, ZERO
WAYS, ONE, TWO = 0, 1, 2

def _twin(a):
    return a - 1

@with_twin(_twin)
def intrinsic(context, a):
    def emit(context, builder, mask):
        builder.load(a, mask)
        return builder.add(a, a)
    return emit

def way(rows):
    """Which way: 1 - 1."""
    return ONE if rows > 3 else TWO

def kernel(rows, columns, step, mean, A, B, team):
    if rows < BLOCK:
        return
    for j in range(0, columns, step):
        here = min(step, columns - j)
        product(rows, here, mean, A, B, BIAS, ADD if j > 0 else ZERO)
        store(A.data, A.at + j * A.row, activate(load(B.data, B.at + j), ONE))
'''


@pytest.mark.parametrize(
    "rule, expected",
    {
        "wrong edge": {("here = min(step, columns - j)", "here = (step)"), ("builder.load(a, mask)", "builder.load(a, None)")},
        "wrong comparison": {("ADD if j > 0 else ZERO", "ADD if (j >= 0) else ZERO")},
        "dropped factor": {("here, mean, A", "here, mean / mean, A")},
        "flipped sign": {("columns - j", "(columns + j)"), ("builder.add(a, a)", "builder.sub(a, a)")},
        "missing epilogue": {("BIAS, ADD", "ZERO, ADD"), ("activate(load(B.data, B.at + j), ONE)", "load(B.data, B.at + j)")},
        "stale workspace": {("else ZERO)", "else ADD)")},
        "wrong split": {("range(0, columns, step)", "range(0 + step, columns, step)")},
        "off by one panel": {("A.at + j * A.row", "A.at + j * A.row + 1")},
        "wrong stride": {("j * A.row", "j * A.column")},
        "wrong order": {("product(rows, here, mean, A, B", "product(here, rows, mean, A, B")},
    }.items(),
)
def test_a_rule_makes_the_slip_that_it_is_about(rule, expected, package):
    found = planted(package(kernels_of_layer=KERNEL), rule)
    for before, after in expected:
        assert any(before in old and old.replace(before, after) == new for old, new in found), (before, after, found)


def test_what_only_decides_on_speed_or_stands_in_is_left_alone(package):
    lines = {fault.shown_before for fault in faults.candidates(package(kernels_of_layer=KERNEL))}
    assert not any("BLOCK" in line or "a - 1" in line or "rows > 3" in line for line in lines)


HERE, OTHER = "tests/kernels/test_here.py", "tests/test_other.py"
PROJECT = {
    "fastbackprop/here.py": "def f():\n    return 1\n",
    HERE: """
        from pathlib import Path
        def test_first(): assert Path("third").exists()
        def test_second(): pass
        def test_third(): Path("third").touch()
        """,
    OTHER: """
        def test_one(): pass
        def test_two(): assert False
        """,
    "conftest.py": """
        from hypothesis import settings
        settings.register_profile("ci")
        """,
}


@pytest.fixture
def place(tmp_path):
    """A copy of a project of two files of tests, one of them named after a module."""
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    shutil.copytree(ROOT / "scripts" / "mutation", tmp_path / "scripts" / "mutation")
    shutil.copy(ROOT / "scripts" / "__init__.py", tmp_path / "scripts")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return Workplace(tmp_path, tmp_path / "build")


def test_a_module_is_covered_by_the_whole_test_file_of_its_name(place):
    """Whatever is recorded of it: where nothing is compiled, its tests may be skipped."""
    fault = Fault("wrong constant", "fastbackprop/here.py", "f", 0, 1, "1", "2", "1", "2", 2)
    coverage = Coverage(place, place.root / "coverage")
    reaches = {"passed": True, "seconds": 0.1, "reached": ["fastbackprop/here.py:1"]}
    for recorded in ([], ["test_third"]):
        coverage.tests = {f"{OTHER}::test_one": reaches} | {f"{HERE}::{name}": reaches for name in recorded}
        coverage.__dict__.pop("_reached", None)
        assert coverage.compiled_tests(fault) == [*(f"{HERE}::{name}" for name in recorded), HERE, f"{OTHER}::test_one"]


def test_a_file_stands_for_its_tests_that_are_not_named(place):
    run = place.pytest([f"{HERE}::test_third", HERE, f"{OTHER}::test_one"], plain=False, limit=60, timeout=60)
    assert run.status == 0, run.output
    assert "4 passed" in run.output


FAULT = Fault("wrong edge", "fastbackprop/kernels/layer.py", "kernel", 4, 5, "n", "n - 1", "f(n)", "f(n - 1)", 1)


def test_results_outlive_a_cut(tmp_path):
    path = tmp_path / "results.json"
    survivor = FAULT._replace(statement="g(n)", becomes="g(n - 1)")
    before = Results(path)
    assert before.needs_run(FAULT, "tests", plain=True)
    before.add(FAULT, Result("caught", "test_a", 1.0), "tests")
    halfway = FAULT._replace(statement="i(n)")
    before.add(halfway, Result("halfway", "3 tests", 1.0), "tests")
    before.add(survivor, Result("survived", "3 tests", 1.0), "tests")
    after = Results(path)
    assert not after.needs_run(FAULT, "tests", plain=True)
    assert not after.needs_run(FAULT._replace(begin=90, end=91, line=9), "other tests", plain=False)
    assert after.needs_run(FAULT._replace(statement="h(n)"), "tests", plain=True)
    assert not after.needs_run(survivor, "tests", plain=False)
    assert after.needs_run(survivor, "other tests", plain=True)
    assert not after.needs_run(halfway, "tests", plain=True)
    assert after.needs_run(halfway, "tests", plain=False)


def test_the_report_fails_where_a_fault_survives_without_a_reason(tmp_path, monkeypatch, capsys):
    (tmp_path / "fastbackprop" / "kernels").mkdir(parents=True)
    (tmp_path / FAULT.path).write_text("    n\n")
    monkeypatch.setattr("scripts.mutation.results.EXPLAINED", tmp_path / "explained.txt")
    (tmp_path / "explained.txt").write_text("")
    results = Results(tmp_path / "results.json")
    assert report(tmp_path, [FAULT], results) == 1  # not run
    results.add(FAULT, Result("survived", "3 tests", 1.0), "tests")
    assert report(tmp_path, [FAULT], results) == 1
    assert "+    n - 1" in capsys.readouterr().out
    caught = FAULT._replace(statement="g(n)")
    results.add(caught, Result("caught", "test_a", 1.0), "tests")
    (tmp_path / "explained.txt").write_text(f"# Why\n\n{FAULT.shown}\nThe last one is never looked at.\n")
    assert report(tmp_path, [FAULT, caught], results) == 0
    assert "never looked at" in capsys.readouterr().out


def test_each_explanation_is_of_a_fault_that_can_be_made_and_has_a_reason(candidates):
    shown = {fault.shown for fault in candidates}
    for record, reason in explanations(EXPLAINED.read_text()).items():
        assert record in shown
        assert reason
