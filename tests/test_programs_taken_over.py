"""Programs as people write them, under `patch`, in IPython and by ``run``: what their authors see is the same to rounding."""

import functools
import importlib.util

import pytest

from .support.outcomes import assert_same_outcome
from .support.program_table import LEFT, PROGRAMS
from .support.programs import run_program

by_name = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
in_all_ways = pytest.mark.parametrize("takeover", ["patch", "patch itself", "load_ext", "run"])


@functools.cache
def outcome(name, takeover=None):
    program = next(program for program in PROGRAMS if program.name == name)
    for package in (program.needs, "IPython" if takeover == "load_ext" else ""):
        if package and importlib.util.find_spec(package) is None:
            pytest.skip(f"the program {name} under {takeover} needs {package}")
    return run_program(program, takeover)


@by_name
@in_all_ways
def test_what_it_leaves_behind_is_its_own_to_rounding(program, takeover):
    assert_same_outcome(outcome(program.name, takeover), outcome(program.name))


@by_name
@in_all_ways
def test_the_report_says_of_each_function_what_became_of_it(program, takeover):
    report = outcome(program.name, takeover).report
    assert {name: verdict for name, (verdict, _) in report.items()} == program.expected
    for name, (verdict, how) in report.items():
        assert how or verdict != LEFT, f"{name} is left without a reason"


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.fault], ids=lambda program: program.name)
def test_a_planted_fault_is_named_as_the_one_cause(program):
    report = outcome(program.name, "patch").report
    assert [name for name, (_, how) in report.items() if how.startswith("another function: ")] == [program.fault]
    others = {name: how for name, (verdict, how) in report.items() if verdict == LEFT and not how.startswith("yours")}
    del others[program.fault]
    assert others
    for name, how in others.items():
        assert any(callee in how for callee in (program.fault, *others)), f"{name}: {how}"
