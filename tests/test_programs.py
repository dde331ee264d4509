"""The programs that the tests of `patch`, ``run`` and the extension take up are sane ones: by their own code alone."""

import numpy as np
import pytest

from .support.outcomes import NUMBER, assert_same_outcome, assert_same_text
from .support.program_table import PROGRAMS, START
from .support.programs import run_program

by_name = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)


def costs_of(outcome):
    """Its list of costs, or what it printed of them."""
    costs = outcome.results.get("costs") or outcome.results.get("RESULTS", {}).get("costs")
    lines = [line for line in outcome.stdout.splitlines() if line.startswith(("Cost after iteration", "Cost after epoch"))]
    return costs or [float(NUMBER.findall(line)[-1]) for line in lines]


@by_name
def test_it_is_a_sane_program(program):
    if program.needs:
        pytest.importorskip(program.needs, reason=f"the program {program.name} needs {program.needs}")
    own = run_program(program)
    costs = [float(cost) for cost in costs_of(own)]
    assert len(costs) > 1
    assert np.isfinite(costs).all()
    assert (costs[-1] < 0.75 * costs[0]) == program.falls
    assert own.warnings == []
    assert own.exit_code == program.exit_code
    assert program.expected.get(START, "left") == "left"
    assert_same_outcome(run_program(program), own)


@pytest.mark.parametrize("name", ["v3_star_import", "copy_2021", "command_line_fails"])
def test_a_process_of_its_own_leaves_the_same(name):
    program = next(program for program in PROGRAMS if program.name == name)
    assert_same_outcome(run_program(program, "python"), run_program(program))


def test_numbers_in_texts_agree_to_their_last_digit():
    assert_same_text("cost 0.693147, [-0.  3.] at 12", "cost 0.693148, [0. 3.] at 12")
    for actual, own in [
        ("cost 0.693147", "cost 0.693149"),
        ("cost 0.69314718056", "cost 0.69314718456"),
        ("cost 0.5", "cost: 0.5"),
        ("at 12", "at 13"),
        ("0.5", "np.float64(0.5)"),
        ("1.0\n", "1.0\n2.0\n"),
    ]:
        with pytest.raises(AssertionError):
            assert_same_text(actual, own)
