"""Functions of another form: the fast ones answer in that form, and change what the user's own would change."""

import inspect

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.examination.runs import arguments, probes, tolerance
from fastbackprop.takeover.adapters import adapter, uncovered
from fastbackprop.takeover.decide import Judge
from fastbackprop.takeover.report import ADAPTED, LEFT, REPLACED
from fastbackprop.testing import CASES

from ..support.learner import module

W, B = (f'parameters[f"{x}{{l}}"] = parameters[f"{x}{{l}}"] - learning_rate * grads[f"d{x}{{l}}"]' for x in "Wb")
IN_PLACE = (f'parameters[f"{x}{{l}}"] -= learning_rate * grads[f"d{x}{{l}}"]' for x in "Wb")
UPDATE = "def update_parameters(parameters, grads, learning_rate):\n"
SIGMOID_ALONE = ("    return A, Z\n\n\ndef relu", "    return A\n\n\ndef relu"), ("sigmoid(Z) if", "(sigmoid(Z), Z) if")
OTHER_ORDER = ("forward(A, W, b)", "forward(W, A, b)"), ("linear_forward(A_prev, W, b)", "linear_forward(W, A_prev, b)")
KEY = '        grads["dA" + str(l)] = dA\n'

# name: (function, replacements in the learner's module)
FORMS = {
    "activation alone": ("sigmoid", SIGMOID_ALONE),
    "cost as a float": ("compute_cost", [("np.array(cost)", "float(cost)")]),
    "cost as a scalar": ("compute_cost", [("np.array(cost)", "cost")]),
    "cost of shape (1, 1)": ("compute_cost", [("np.array(cost)", "np.array([[cost]])")]),
    "cost of shape (1,)": ("compute_cost", [("np.array(cost)", "np.array([cost])")]),
    "old keys": ("L_model_backward", [(KEY, KEY.replace("str(l)", "str(l + 1)"))]),
    "no dA": ("L_model_backward", [(KEY, "")]),
    "no dA0": ("L_model_backward", [(KEY, "        if l:\n    " + KEY)]),
    "other names": ("update_parameters", [(UPDATE, UPDATE.replace("parameters,", "params,") + "    parameters = params\n")]),
    "other order": ("linear_forward", OTHER_ORDER),
    "a copy": ("update_parameters", [(UPDATE, UPDATE + "    parameters = dict(parameters)\n")]),
    "in place": ("update_parameters", list(zip((W, B), IN_PLACE, strict=True))),
    "nothing": (
        "update_parameters",
        [(B + "\n    return parameters", B), ("        parameters = update_parameters(", "        update_parameters(")],
    ),
    "one argument more": (
        "compute_cost",
        [("def compute_cost(AL, Y)", "def compute_cost(AL, Y, weight=1.0)"), ("-np.sum(losses)", "-weight * np.sum(losses)")],
    ),
}


def of_form(form):
    name, replacements = FORMS[form]
    return name, module(*replacements)


def decided(form):
    name, own = of_form(form)
    return name, own[name], Judge().decide(own[name])


def in_reference_order(function, name, args):
    """The arguments in the order of the user's function, which has the reference's names where its order is another."""
    names = list(inspect.signature(getattr(bp.reference, name)).parameters)
    own = list(inspect.signature(function).parameters)[: len(names)]
    return [args[names.index(n)] for n in own] if set(own) == set(names) else args


def identities(tree):
    """Which arrays and dicts a tree holds, by place."""
    if isinstance(tree, dict):
        return id(tree), {key: identities(value) for key, value in tree.items()}
    return [identities(item) for item in tree] if isinstance(tree, (list, tuple)) else id(tree)


def close(actual, expected, limit):
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        for key in expected:
            close(actual[key], expected[key], limit)
    elif isinstance(expected, (tuple, list)):
        assert type(actual) is type(expected) and len(actual) == len(expected)
        for a, e in zip(actual, expected, strict=True):
            close(a, e, limit)
    elif expected is None:
        assert actual is None
    else:
        assert type(actual) is type(expected)
        assert np.shape(actual) == np.shape(expected) and np.asarray(actual).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(actual, expected, rtol=0, atol=limit)


def largest(tree):
    if isinstance(tree, (dict, list, tuple)):
        return max(largest(part) for part in (tree.values() if isinstance(tree, dict) else tree))
    return float(np.max(tree, initial=0))


@pytest.mark.parametrize("form", FORMS)
def test_the_adapter_answers_in_the_users_form(form):
    name, function, decision = decided(form)
    assert decision.verdict == ADAPTED, decision
    for activation, number in probes(name):
        args = in_reference_order(function, name, arguments(name, activation, number))
        others = in_reference_order(function, name, arguments(name, activation, number))
        plain = arguments(name, activation, number)
        expected = getattr(bp.reference, name)(*arguments(name, activation, number))
        limit = largest(tolerance(name, plain, expected))
        own, fast = function(*args), decision.serve(*others)
        close(fast, own, limit)
        close(others, args, limit)  # what the call changed in its arguments, it changed in both
        if isinstance(own, dict):
            assert (fast is others[0]) == (own is args[0])


@pytest.mark.parametrize("form", ["a copy", "in place", "nothing"])
def test_an_update_changes_the_objects_that_the_users_own_changes(form):
    name, function, decision = decided(form)
    seen = []
    for call in (function, decision.serve):
        parameters, grads, rate = arguments(name, None, 0)
        before = identities(parameters)
        call(parameters, grads, rate)
        after = identities(parameters)
        seen.append((before[0] == after[0], [before[1][key] == after[1][key] for key in parameters]))
    assert seen[0] == seen[1]


def test_an_argument_that_the_reference_lacks_is_answered_by_the_users_own():
    name, function, decision = decided("one argument more")
    AL, Y = arguments(name, None, 0)
    assert decision.serve(AL, Y, 3.0) == function(AL, Y, 3.0)
    assert decision.serve(AL, Y, weight=3.0) == function(AL, Y, 3.0)
    np.testing.assert_allclose(decision.serve(AL=AL, Y=Y, weight=1.0), function(AL, Y), rtol=1e-14)


def test_keywords_of_the_users_own_names():
    _, function, decision = decided("other names")
    parameters, grads, rate = arguments("update_parameters", None, 0)
    others, _, _ = arguments("update_parameters", None, 0)
    expected = function(params=parameters, grads=grads, learning_rate=rate)
    actual = decision.serve(params=others, learning_rate=rate, grads=grads)
    close(actual, expected, 1e-14)
    with pytest.raises(TypeError, match="parameters"):
        decision.serve(parameters=others, grads=grads, learning_rate=rate)


@pytest.mark.parametrize(
    ("replacement", "name", "why"),
    [
        (("grads = {}\n", 'grads = {"loss": 0.0}\n'), "L_model_backward", "returns loss as well"),
        (("    return np.array(cost)", "    print(cost)\n    return np.array(cost)"), "compute_cost", "prints as well"),
        (("    A = Z * (Z > 0)", "    np.random.rand()\n    A = Z * (Z > 0)"), "relu", "draws random numbers as well"),
        (("    return np.array(cost)", "    plt.plot(m)\n    return np.array(cost)"), "compute_cost", "draws a figure as well"),
        (("    return np.array(cost)", "    return np.array([[[cost]]])"), "compute_cost", "shape (1, 1, 1)"),
    ],
)  # fmt: skip
def test_a_form_without_an_adapter_is_left(replacement, name, why):
    own = module(replacement, before="import matplotlib.pyplot as plt\n")
    decision = Judge().decide(own[name])
    assert decision.verdict == LEFT and decision.serve is None
    assert why in decision.how


def test_every_form_of_the_cases_has_an_adapter_or_is_uncovered():
    assert uncovered("compute_cost", ["old keys"]) == ["old keys"]
    for form in FORMS:
        name, own = of_form(form)
        details = Judge()._finding(name, own[name]).details
        assert details and not uncovered(name, details)
        assert callable(adapter(name, own[name], details))


def test_the_learners_own_functions_are_replaced():
    own = module()
    verdicts = {name: Judge().decide(own[name]).verdict for name in CASES}
    assert verdicts.pop("initialize_parameters_deep") == LEFT
    assert verdicts.pop("L_layer_model") == LEFT  # it has no source here
    assert set(verdicts.values()) == {REPLACED}
