"""Faults planted in a learner's module are found and named, each alone; what may not run is read; nothing is touched."""

import random
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.examination import ABSENT, DIFFERS, NOT_JUDGED, OTHER_FORM, SAME, examine, judge
from fastbackprop.examination.runs import arguments, probes
from fastbackprop.examination.sandbox import untouched
from fastbackprop.testing import CASES

OWN = (Path(__file__).parent / "modules" / "own.py").read_text(encoding="utf-8")


def module(*replacements, before=""):
    """The names of the learner's module, with each (old, new) replaced in its text."""
    text = OWN
    for old, new in replacements:
        assert text.count(old) >= 1, f"not in the module: {old}"
        text = text.replace(old, new)
    namespace = {"__name__": "own"}
    exec(compile(before + text, "own.py", "exec"), namespace)
    return namespace


def verdicts(namespace):
    """The findings that are not "same", by name."""
    findings = examine(namespace)
    assert [finding.name for finding in findings] == list(CASES)
    return {finding.name: finding for finding in findings if finding.verdict != SAME}


def the_only_one(namespace):
    found = verdicts(namespace)
    assert len(found) == 1, found
    return found.popitem()[1]


def test_a_right_module_is_the_same_throughout():
    assert verdicts(module()) == {}


def test_the_fast_functions_and_the_reference_are_known():
    for own in (bp, bp.reference):
        findings = examine(vars(own))
        assert {(finding.verdict, finding.details) for finding in findings} == {(SAME, ("own",))}


# --------------------------------------------------------------------------------------------------------- faults

FAULTS = {
    "db is a sum": (
        ("db = np.sum(dZ, axis=1, keepdims=True) / m", "db = np.sum(dZ, axis=1, keepdims=True)"),
        "linear_backward",
        "db is a sum over the examples instead of their mean",
    ),
    "dW is a sum": (("dW = np.dot(dZ, A_prev.T) / m", "dW = np.dot(dZ, A_prev.T)"), "linear_backward", "dW is a sum over"),
    "dW is divided twice": (
        ("dW = np.dot(dZ, A_prev.T) / m", "dW = np.dot(dZ, A_prev.T) / m / m"),
        "linear_backward",
        "dW is divided by m once too often",
    ),
    "two parts are sums": (
        ("T) / m\n    db = np.sum(dZ, axis=1, keepdims=True) / m", "T)\n    db = np.sum(dZ, axis=1, keepdims=True)"),
        "linear_backward",
        "dW, db is a sum over the examples",
    ),
    "db has lost a dimension": (
        ("db = np.sum(dZ, axis=1, keepdims=True) / m", "db = np.sum(dZ, axis=1) / m"),
        "linear_backward",
        "db has shape (4,), expected (4, 1), with the right numbers",
    ),
    "W is not transposed": (("np.dot(W.T, dZ)", "np.dot(W, dZ)"), "linear_backward", "W dZ for dA_prev, where W^T is wanted"),
    "A_prev is not transposed": (("np.dot(dZ, A_prev.T)", "np.dot(dZ, A_prev)"), "linear_backward", "where A_prev^T is wanted"),
    "mask without 0": (("dZ[cache <= 0] = 0", "dZ[cache < 0] = 0"), "relu_backward", "lets the gradient pass where Z == 0"),
    "input written to": (("dZ = dA.copy()", "dZ = dA"), "relu_backward", "writes to its argument dA"),
    "mask by dA": (("dZ[cache <= 0] = 0", "dZ[dA <= 0] = 0"), "relu_backward", "sign of dA"),
    "update of the wrong sign": (("] - learning_rate", "] + learning_rate"), "update_parameters", "adds the gradients"),
    "update without the last layer": (
        ("for l in range(1, len(parameters) // 2 + 1):", "for l in range(1, len(parameters) // 2):"),
        "update_parameters",
        "is left as it was",
    ),
    "update without b": (
        ('parameters[f"b{l}"] = parameters[f"b{l}"] - learning_rate * grads[f"db{l}"]', "pass"),
        "update_parameters",
        "b is left as it was",
    ),
    "cost is a sum": (("cost = -np.sum(losses) / m", "cost = -np.sum(losses)"), "compute_cost", "is a sum over the examples"),
    "cost of the wrong sign": (("cost = -np.sum(losses)", "cost = np.sum(losses)"), "compute_cost", "has the wrong sign"),
    "squared error": (("-np.sum(losses) / m", "np.sum((AL - Y) ** 2) / m"), "compute_cost", "is the mean squared error"),
    "epsilon in the logarithm": (
        ("Y * np.log(AL) + (1 - Y) * np.log(1 - AL)", "Y * np.log(AL + 1e-8) + (1 - Y) * np.log(1 - AL + 1e-8)"),
        "compute_cost",
        "adds 1e-08 inside its logarithms",
    ),
    "sigmoid of -Z": (("1.0 / (1.0 + np.exp(-Z))", "1.0 / (1.0 + np.exp(Z))"), "sigmoid", "exp(Z) for exp(-Z)"),
    "leaky relu": (("A = Z * (Z > 0)", "A = np.where(Z > 0, Z, 0.01 * Z)"), "relu", "leaky relu"),
    "cache is A": (("    return A, Z\n\n\ndef relu", "    return A, A\n\n\ndef relu"), "sigmoid", "keeps A in its cache"),
    "slope alone": (("return dA * (s * (1 - s))", "return s * (1 - s)"), "sigmoid_backward", "leaves dA out"),
    "b left out": (("return W @ A + b, (A", "return W @ A, (A"), "linear_forward", "leaves b out"),
    "softmax output": (
        ("sigmoid(Z) if", "(np.exp(Z) / np.sum(np.exp(Z), axis=0), Z) if"),
        "linear_activation_forward",
        "with activation 'sigmoid' applies softmax",
    ),
    "linear output": (
        (
            'A, cache = linear_activation_forward(A, parameters[f"W{l}"], parameters[f"b{l}"], activation=activation)',
            'Z, c = linear_forward(A, parameters[f"W{l}"], parameters[f"b{l}"]); '
            "A, cache = (Z if l == L else np.maximum(0, Z)), (c, Z)",
        ),
        "L_model_forward",
        "has a linear output, not a sigmoid",
    ),
    "unknown activation": (
        ('else "sigmoid"\n', 'else "softmax"\n'),
        "L_model_forward",
        "raises ValueError: activation is 'softmax'",
    ),
    "dAL of the wrong sign": (
        ("(1 - Y) / (1 - AL) - Y / AL", "Y / AL - (1 - Y) / (1 - AL)"),
        "L_model_backward",
        "dAL of the wrong sign",
    ),
    "AL - Y as dAL": (("dA = (1 - Y) / (1 - AL) - Y / AL", "dA = AL - Y"), "L_model_backward", "starts from AL - Y as dAL"),
    "no gradient of the first layer": (
        ("for l in reversed(range(L)):", "for l in reversed(range(1, L)):"),
        "L_model_backward",
        "entries",
    ),
    "one iteration less": (("in range(num_iterations)", "in range(1, num_iterations)"), "L_layer_model", "one iteration less"),
    "rate ignored": (
        ("(parameters, grads, learning_rate)\n        if", "(parameters, grads, 0.0075)\n        if"),
        "L_layer_model",
        "takes 0.0075 whatever",
    ),
    "raises": (
        ("m = Y.shape[1]\n    losses", "m = count\n    losses"),
        "compute_cost",
        "raises NameError: name 'count' is not defined",
    ),
    "raises where m is 1": (
        ("cost = -np.sum(losses) / m", "cost = -np.sum(losses) / (m if m > 1 else None)"),
        "compute_cost",
        "(layers [2, 3, 1], m = 1)",
    ),
    "does not end": (("    return np.array(cost)", "    while True: pass"), "compute_cost", "does not end"),
    "other arguments": (
        ("def linear_forward(A, W, b):", "def linear_forward(A, W):\n    b = 0"),
        "linear_forward",
        "takes (A, W), the reference (A, W, b)",
    ),
    "start scaled by 1/sqrt": (
        (
            "W = 0.01 * np.random.randn(layer_dims[l], layer_dims[l - 1])",
            "W = np.random.randn(layer_dims[l], layer_dims[l - 1]) / np.sqrt(layer_dims[l - 1])",
        ),
        "initialize_parameters_deep",
        "W is randn scaled by 1 / sqrt(n_prev), not by 0.01",
    ),
    "start of He": (
        ("W = 0.01 *", "W = np.sqrt(2 / layer_dims[l - 1]) *"),
        "initialize_parameters_deep",
        "sqrt(2 / n_prev) (He)",
    ),
    "start seeded and scaled": (
        (
            "    parameters = {}\n    for l in range(1, len(layer_dims)):\n        W = 0.01 *",
            "    parameters = {}\n    np.random.seed(7)\n    for l in range(1, len(layer_dims)):\n        W = 0.1 *",
        ),
        "initialize_parameters_deep",
        "it calls np.random.seed(7) itself; W is randn scaled by 0.1, not by 0.01",
    ),
    "start of zeros": (("W = 0.01 *", "W = 0 *"), "initialize_parameters_deep", "every W is 0"),
    "uniform start": (
        ("0.01 * np.random.randn(", "0.01 * np.random.rand("),
        "initialize_parameters_deep",
        "other numbers than 0.01 * randn",
    ),
    "float32 gradients": (
        ("dW = np.dot(dZ, A_prev.T) / m", "dW = (np.dot(dZ, A_prev.T) / m).astype('float32')"),
        "linear_backward",
        "dW is float32",
    ),
    "a factor of two": (
        ("dA_prev = np.dot(W.T, dZ)", "dA_prev = 2 * np.dot(W.T, dZ)"),
        "linear_backward",
        "dA_prev is 2 times the reference's",
    ),
    "anything else": (
        ("dA_prev = np.dot(W.T, dZ)", "dA_prev = np.dot(W.T, dZ) + 0.125"),
        "linear_backward",
        "where the reference has",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_named_alone(fault):
    replacement, name, how = FAULTS[fault]
    finding = the_only_one(module(replacement))
    assert (finding.name, finding.verdict) == (name, DIFFERS)
    assert how in finding.explanation


def test_a_call_with_a_mask_of_its_own_is_judged_where_it_is():
    inlined = ("dZ = relu_backward(dA, activation_cache)", "dZ = np.where(activation_cache < 0, 0, dA)")
    finding = the_only_one(module(inlined))
    assert finding.name == "linear_activation_backward"
    assert "with activation 'relu' lets the gradient pass where Z == 0" in finding.explanation


INLINE = """def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    np.random.seed(6)
    p = {}
    for l in range(1, len(layers_dims)):
        p[f"W{l}"] = 0.01 * np.random.randn(layers_dims[l], layers_dims[l - 1])
        p[f"b{l}"] = np.zeros((layers_dims[l], 1))
    L = len(layers_dims) - 1
    for _ in range(num_iterations):
        A = [X]
        for l in range(1, L + 1):
            Z = p[f"W{l}"] @ A[-1] + p[f"b{l}"]
            A.append(np.maximum(0, Z) if l < L else 1 / (1 + np.exp(-Z)))
        dZ = A[L] - Y
        for l in range(L, 0, -1):
            dW, db = dZ @ A[l - 1].T / Y.shape[1], dZ.mean(axis=1, keepdims=True)
            dZ = (p[f"W{l}"].T @ dZ) * (A[l - 1] > 0)
            p[f"W{l}"] = p[f"W{l}"] - learning_rate * dW
            p[f"b{l}"] = p[f"b{l}"] - learning_rate * db
    return p
"""


def test_a_training_that_calls_nobody_is_judged_by_its_numbers():
    whole = OWN[OWN.index("def L_layer_model") :]
    finding = the_only_one(module((whole, INLINE)))
    assert (finding.name, finding.verdict) == ("L_layer_model", OTHER_FORM)
    assert "np.random.seed(6)" in finding.explanation
    finding = the_only_one(
        module((whole, INLINE.replace("(A[l - 1] > 0)", "(A[l - 1] >= 0)").replace("np.random.seed(6)", "")))
    )
    assert (finding.name, finding.verdict) == ("L_layer_model", DIFFERS)


def test_two_faults_are_two_findings():
    found = verdicts(module(("dZ[cache <= 0] = 0", "dZ[cache < 0] = 0"), ("= np.dot(W.T, dZ)", "= -np.dot(W.T, dZ)")))
    assert set(found) == {"relu_backward", "linear_backward"}
    assert "dA_prev has the wrong sign" in found["linear_backward"].explanation


ZEROS: dict[str, Callable[..., list[np.ndarray]]] = {
    "relu_backward": lambda dA, cache: [cache],
    "linear_activation_backward": lambda dA, cache, activation: [cache[1]],
    "L_model_backward": lambda AL, Y, caches: [Z for _, Z in caches[:-1]],
}


@pytest.mark.parametrize("name", ZEROS)
def test_the_probes_contain_pre_activations_that_are_zero(name):
    for activation, number in probes(name):
        Zs = ZEROS[name](*arguments(name, activation, number))
        assert Zs
        assert all(np.any(Z == 0) for Z in Zs)


# ---------------------------------------------------------------------------------------------------------- other forms

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
    "no dA": (('        grads["dA" + str(l)] = dA\n', ""), "L_model_backward", "does not return dA0", "fewer keys"),
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
    "a float": (("return np.array(cost)", "return float(cost)"), "compute_cost", "the cost as a float", "cost"),
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
    """Consistent in itself: a sigmoid without a cache, an update with other argument names, a start that takes a seed."""
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


# ------------------------------------------------------------------------------------------------------- read, not run

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
    assert (finding.name, finding.verdict, finding.details) == ("compute_cost", OTHER_FORM, ("cost",))  # 1 * array: a float64
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


# ------------------------------------------------------------------------------------------------------ nothing touched


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
