"""The same numbers in another form, and what a function may return."""

import numpy as np
import pytest

from fastbackprop.examination import DIFFERS, OTHER_FORM, judge
from fastbackprop.examination.sandbox import untouched
from fastbackprop.testing import CASES

from ..support.learner import module, the_only_one, verdicts

FORMS = {
    "costs": (
        ('{cost:f}")\n    return parameters', '{cost:f}")\n    return parameters, costs'),
        "L_layer_model",
        "returns (parameters, costs)",
        "costs",
    ),
    "old keys": (('grads["dA" + str(l)]', 'grads["dA" + str(l + 1)]'), "L_model_backward", "dA1 .. dAL", "old keys"),
    "more keys": (
        ("    return grads", "    grads['dAL'] = dA\n    return grads"),
        "L_model_backward",
        "dAL as well",
        "more keys",
    ),
    "no dA": (('        grads["dA" + str(l)] = dA\n', ""), "L_model_backward", "does not return dA0", "no dA"),
    "a copy": (
        (
            "    for l in range(1, len(parameters) // 2 + 1):",
            "    parameters = dict(parameters)\n    for l in range(1, len(parameters) // 2 + 1):",
        ),
        "update_parameters",
        "updates a copy",
        "copy",
    ),
    "in the arrays": (
        ('parameters[f"W{l}"] = parameters[f"W{l}"] -', 'parameters[f"W{l}"] -='),
        "update_parameters",
        "writes into the arrays",
        "arrays",
    ),
    "nothing returned": (
        ("    return parameters\n\n\ndef L_layer", "\n\ndef L_layer"),
        "update_parameters",
        "returns nothing",
        "nothing",
    ),
    "a float": (("return np.array(cost)", "return float(cost)"), "compute_cost", "the cost as a float", "cost as a float"),
    "no cache": (("    return A, Z\n\n\ndef relu", "    return A\n\n\ndef relu"), "sigmoid", "without a cache", "no cache"),
    "a seed in the start": (
        ("    parameters = {}\n", "    parameters = {}\n    np.random.seed(3)\n"),
        "initialize_parameters_deep",
        "np.random.seed(3)",
        "start",
    ),
    "a seed in the training": (
        ("    costs = []\n", "    costs = []\n    np.random.seed(1)\n"),
        "L_layer_model",
        "seeds NumPy's generator",
        "seed",
    ),
    "another default": (("learning_rate=0.0075", "learning_rate=0.01"), "L_layer_model", "learning_rate=0.01", "defaults"),
    "another order": (
        ("learning_rate=0.0075, num_iterations=3000", "num_iterations=3000, learning_rate=0.0075"),
        "L_layer_model",
        "in the order",
        "argument order",
    ),
    "one more argument": (
        ("def compute_cost(AL, Y)", "def compute_cost(AL, Y, lambd=0)"),
        "compute_cost",
        "takes lambd as well",
        "more arguments",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_numbers_in_another_form(form):
    replacement, name, how, detail = FORMS[form]
    finding = the_only_one(module(replacement)) if form != "no cache" else verdicts(module(replacement)).pop(name)
    assert (finding.name, finding.verdict) == (name, OTHER_FORM)
    assert how in finding.explanation
    assert detail in finding.details


def test_callees_of_another_form_do_not_make_their_callers_differ():
    """The module is consistent in itself: a sigmoid without a cache, other argument names, a start that takes a seed."""
    own = module(
        ("    return A, Z\n\n\ndef relu", "    return A\n\n\ndef relu"),
        (
            'A, activation_cache = sigmoid(Z) if activation == "sigmoid" else relu(Z)',
            'A, activation_cache = (sigmoid(Z), Z) if activation == "sigmoid" else relu(Z)',
        ),
        (
            "def update_parameters(parameters, grads, learning_rate):\n",
            "def update_parameters(params, grads, rate):\n    parameters, learning_rate = params, rate\n",
        ),
        (
            "update_parameters(parameters, grads, learning_rate)\n        if",
            "update_parameters(params=parameters, grads=grads, rate=learning_rate)\n        if",
        ),
        (
            "def initialize_parameters_deep(layer_dims):\n",
            "def initialize_parameters_deep(layer_dims, seed=3):\n    np.random.seed(seed)\n",
        ),
        ("W = 0.01 *", "W = 0.5 *"),
        ("initialize_parameters_deep(layers_dims)", "initialize_parameters_deep(layers_dims, seed=5)"),
    )
    found = verdicts(own)
    assert {name: finding.verdict for name, finding in found.items()} == {
        "sigmoid": OTHER_FORM,
        "initialize_parameters_deep": DIFFERS,
        "update_parameters": OTHER_FORM,
        "L_layer_model": OTHER_FORM,
    }
    assert found["L_layer_model"].details == ("own start",)


STRANGE = [
    *("None", "'A'", "[]", "{}", "3", "(1,)", "(1, 2)", "(1, 2, 3)", "{1: 2, 'a': 3}", "{'W1': None}", "iter([1])", "int"),
    *("np.zeros((0, 3))", "np.full((4, 5), np.nan)", "np.array([None, 'a'], object)", "np.ma.array([1.0], mask=[1])"),
    *("np.array('A')", "np.array(1 + 2j)", "(np.ones((3, 5), object), np.ones((4, 3)), [np.ones(1), 2])"),
    "{'W1': 'A', 'b1': [1], 'W2': 3, 'b2': {}}",
]


@pytest.mark.parametrize("value", STRANGE)
def test_whatever_a_function_returns_it_differs(value):
    with untouched():
        for name in CASES:
            namespace = {"__name__": "own", "np": np}
            exec(f"def {name}(*args): return {value}", namespace)
            finding = judge(name, namespace, {})
            assert finding.verdict == DIFFERS
            assert finding.explanation
