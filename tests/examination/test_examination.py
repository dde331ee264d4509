"""A learner's module as a whole: right functions, missing ones, and functions that are more than their text."""

import sys

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.examination import ABSENT, DIFFERS, NOT_JUDGED, OTHER_FORM, SAME, examine

from ..support.learner import OWN, module, the_only_one, verdicts


def test_a_right_module_is_the_same_throughout():
    assert verdicts(module()) == {}


def test_the_fast_functions_and_the_reference_are_known():
    for own in (bp, bp.reference):
        findings = examine(vars(own))
        assert {(finding.verdict, finding.details) for finding in findings} == {(SAME, ("own",))}


@pytest.mark.parametrize("value", [3, np.vectorize(abs), type("Sigmoid", (), {"__call__": lambda self, Z: (Z, Z)})()])
def test_what_is_no_function_is_not_judged(value):
    own = module()
    own["sigmoid"] = value
    finding = the_only_one(own)
    assert (finding.name, finding.verdict) == ("sigmoid", NOT_JUDGED)
    assert type(value).__name__ in finding.explanation


def test_names_that_are_missing_are_absent():
    own = module()
    for name in ("L_layer_model", "L_model_backward"):
        del own[name]
    assert {name: f.verdict for name, f in verdicts(own).items()} == {"L_layer_model": ABSENT, "L_model_backward": ABSENT}
    assert {finding.verdict for finding in examine({})} == {ABSENT}


# ---------------------------------------------------------------------------------------- decorators, closures, modules

DECORATED = """
import functools
import numpy as np
calls = []
def counted(function):
    count = {{"calls": 0}}
    @functools.wraps(function)
    def wrapper(*args, **options):
        count["calls"] += {count}
        {log}
        return {factor} * function(*args, **options)
    return wrapper
"""
DECORATE = ("def compute_cost", "@counted\ndef compute_cost")


def test_a_decorated_function_is_judged_with_its_decorator():
    own = module(DECORATE, before=DECORATED.format(count=0, log="", factor=1))
    finding = the_only_one(own)
    assert (finding.name, finding.verdict, finding.details) == (
        "compute_cost",
        OTHER_FORM,
        ("cost as a NumPy scalar",),
    )  # 1 * array: a float64
    finding = the_only_one(module(DECORATE, before=DECORATED.format(count=0, log="", factor=3)))
    assert (finding.verdict, finding.explanation) == (DIFFERS, "is 3 times the reference's")


def test_state_that_outlives_a_call_changes_in_the_copy_alone():
    own = module(DECORATE, before=DECORATED.format(count=1, log="calls.append(args[0])", factor=1))
    finding = the_only_one(own)
    assert finding.verdict == OTHER_FORM
    assert "changes calls, count, which outlives the call" in finding.explanation
    assert own["calls"] == []
    assert own["compute_cost"].__closure__[0].cell_contents == {"calls": 0}


def test_callees_in_a_module_of_the_users_own_are_right_ones_too(tmp_path, monkeypatch):
    (tmp_path / "own_helper.py").write_text(OWN.replace("dZ[cache <= 0] = 0", "dZ[cache < 0] = 0"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_helper", raising=False)
    own = module(
        ("relu_backward(dA, activation_cache)", "helper.relu_backward(dA, activation_cache)"),
        before="import own_helper as helper\nfrom own_helper import compute_cost as price\n",
    )
    own["relu_backward"] = own["helper"].relu_backward
    finding = the_only_one(own)
    assert finding.name == "relu_backward"
    own = module(
        ("compute_cost(AL, Y)\n        grads", "price(AL, Y)\n        grads"),
        before="from own_helper import compute_cost as price\n",
    )
    assert verdicts(own) == {}
