"""Programs as people write them, under `patch`, in IPython and by ``run``: what their authors see is the same to rounding."""

import functools
import importlib.util

import pytest

from .support.outcomes import assert_same_outcome
from .support.program_table import LEFT, PROGRAMS
from .support.programs import run_program

WAYS = "patch", "patch itself", "load_ext", "run"
# A program with something replaced in it differs in what is judged, which is the same in all ways.
CASES = [(program, way) for program in PROGRAMS for way in WAYS if way == WAYS[0] or not program.replaced]
CASES += [(program, "run in a new process") for program in PROGRAMS if program.name == "helper_module"]


@functools.cache
def outcome(name, takeover=None):
    program = next(program for program in PROGRAMS if program.name == name)
    for package in (program.needs, "IPython" if takeover == "load_ext" else ""):
        if package and importlib.util.find_spec(package) is None:
            pytest.skip(f"the program {name} under {takeover} needs {package}")
    return run_program(program, takeover)


@pytest.mark.parametrize(("program", "takeover"), CASES, ids=lambda value: getattr(value, "name", value))
def test_what_it_leaves_behind_is_its_own_to_rounding_and_the_report_says_how(program, takeover):
    assert_same_outcome(outcome(program.name, takeover), outcome(program.name))
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
