"""A function that reaches outside is read and not run, and nothing is changed."""

import random
import sys
import warnings

import numpy as np
import pytest

from fastbackprop.examination import DIFFERS, NOT_JUDGED

from ..support.learner import module, the_only_one

NOT_RUN = {
    "a file": ("open('costs.txt', 'w')", "reaches open"),
    "input": ("input()", "reaches input"),
    "exec": ("exec('1')", "reaches exec"),
    "a saved array": ("np.save('AL', AL)", "reaches save"),
    "the network": ("import socket", "imports socket"),
    "a process": ("import subprocess", "imports subprocess"),
    "a helper that does": ("helper()", "helper reaches open"),
    "a lambda that does": ("(lambda: open('x'))()", "reaches open"),
    "a global that it sets": ("global last; last = AL", "changes the global last"),
    "a module that it changes": ("np.precision = 3", "changes np.precision"),
    "an object": ("thing.cost", "reaches thing"),
    "a class": ("Helper()", "reaches Helper"),
    "a large array": ("data.shape", "reads the global array data"),
    "what it could not be stopped in": ("try: pass\n    except: pass", "catches every exception"),
    "a library": ("shutil.rmtree('/nowhere')", "reaches the module shutil"),
    "one of its functions": ("rmtree('/nowhere')", "reaches shutil.rmtree"),
}
BEFORE = """
import shutil
import numpy as np
from shutil import rmtree
class Helper: cost = 0
thing, data = Helper(), np.zeros(1_000_000)
def helper(): return open("x")
"""


@pytest.mark.parametrize("case", NOT_RUN)
def test_what_reaches_outside_is_read_and_not_run(case):
    line, reason = NOT_RUN[case]
    first = "    m = Y.shape[1]\n    losses"
    finding = the_only_one(module((first, f"    {line}\n{first}"), before=BEFORE))
    assert (finding.name, finding.verdict) == ("compute_cost", NOT_JUDGED)
    assert reason in finding.explanation


def test_a_loop_that_catches_what_it_can_is_stopped_all_the_same():
    endless = "    while True:\n        try: np.sum(1)\n        except Exception: pass"
    finding = the_only_one(module(("    return np.array(cost)", endless)))
    assert (finding.name, finding.verdict) == ("compute_cost", DIFFERS)
    assert "does not end" in finding.explanation


@pytest.mark.parametrize(
    "endless",
    [
        "while True: pass",
        "while True:\n        pass",
        "while True:\n        m += 1",
        "while m < np.inf: m = m + 1",
        "for _ in iter(int, 1): pass",
        "return [0 for _ in iter(int, 1)]",
        "return all(0 == 0 for _ in iter(int, 1))",
        "return (lambda f: f(f))(lambda f: f(f) if m else 0)",
    ],
)
def test_whatever_does_not_end_is_stopped(endless):
    """On each version of Python another kind of loop escapes the events of lines, or those of instructions."""
    finding = the_only_one(module(("    return np.array(cost)", f"    {endless}")))
    assert finding.name == "compute_cost"
    assert "does not end" in finding.explanation or "RecursionError" in finding.explanation


def test_nothing_is_touched(capsys, monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("a figure is shown"))
    noisy = (
        "    costs = []\n    parameters",
        "    costs = []\n    print('hello')\n    warnings.warn('hello')\n    np.random.rand(3)\n    random.random()\n"
        "    fig, axes = plt.subplots(2)\n    axes[0].plot([1])\n    plt.show()\n    parameters",
    )
    own = module(noisy, before="import random\nimport warnings\nimport matplotlib.pyplot as plt\n")
    before = {name: value for name, value in own.items()}
    trace = sys.gettrace()
    np.random.seed(5)
    random.seed(5)
    state, python_state, figures, filters = np.random.get_state(), random.getstate(), plt.get_fignums(), list(warnings.filters)
    with np.errstate(all="raise"):
        finding = the_only_one(own)
        assert np.geterr() == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")
    assert (finding.name, finding.details) == ("L_layer_model", ("seed",))  # draws of its own come before the start
    assert capsys.readouterr() == ("", "")
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), state, strict=True))
    assert random.getstate() == python_state
    assert plt.get_fignums() == figures
    assert warnings.filters == filters
    assert sys.gettrace() is trace
    assert own.keys() == before.keys()
    assert all(own[name] is before[name] for name in own)
