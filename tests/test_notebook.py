"""patch() and unpatch(): which names are bound to what, in which namespaces, and what stays the user's own."""

import importlib
import inspect
import pickle
import pydoc
import sys
import types
import warnings

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.takeover import original
from fastbackprop.testing import CASES

from .support.learner import OWN

SUM_IN_DB = ("db = np.sum(dZ, axis=1, keepdims=True) / m", "db = np.sum(dZ, axis=1, keepdims=True)")
STRICT_MASK = ("dZ[cache <= 0] = 0", "dZ[cache < 0] = 0")
WRONG_SIGN = ('parameters[f"W{l}"] - learning_rate', 'parameters[f"W{l}"] + learning_rate')

rng = np.random.default_rng(3)
X = rng.standard_normal((5, 40))
Y = (X[:1] + rng.standard_normal((1, 40)) > 0).astype(float)


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    """Makes a module of the user's own of a text, with a source that can be read."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(*replacements, name="own_helper", before="", text=OWN):
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / f"{name}.py").write_text(before + text, encoding="utf-8")
        made.append(name)
        importlib.invalidate_caches()
        sys.modules.pop(name, None)
        return importlib.import_module(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)


def verdicts(report):
    return {row.name: row.verdict for row in report.rows}


def trained(namespace, iterations=230, **options):
    np.random.seed(7)
    return namespace["L_layer_model"](X, Y, [5, 4, 1], 0.2, iterations, **options)


def assert_close(actual, expected):
    assert actual.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(actual[key], expected[key], rtol=1e-9, atol=1e-13)


def test_a_module_is_patched_and_unpatched(own_module, capsys):
    own = own_module()
    before = dict(vars(own))
    expected = trained(before, print_cost=True)
    lines = capsys.readouterr().out
    report = bp.patch(own)
    wanted = dict.fromkeys(CASES, "replaced") | {"initialize_parameters_deep": "left", "L_layer_model": "taken over"}
    assert verdicts(report) == wanted
    assert len(report.replaced) == 13
    for name in CASES:
        assert (vars(own)[name] is before[name]) == (name == "initialize_parameters_deep")
        assert original(vars(own)[name]) is before[name]
    assert_close(trained(vars(own), print_cost=True), expected)
    assert capsys.readouterr().out == lines
    bp.unpatch(own)
    assert all(vars(own)[name] is before[name] for name in CASES)


def test_what_help_and_inspect_show_stays_the_users(own_module):
    own = own_module(("def relu(Z):\n", 'def relu(Z):\n    """My relu."""\n'))
    signatures = {name: inspect.signature(vars(own)[name]) for name in CASES}
    sources = {name: inspect.getsource(vars(own)[name]) for name in CASES}
    shown = pydoc.render_doc(own.relu)
    bp.patch(own)
    for name in CASES:
        assert inspect.signature(vars(own)[name]) == signatures[name]
        assert inspect.getsource(vars(own)[name]) == sources[name]
        assert (vars(own)[name].__module__, vars(own)[name].__qualname__) == ("own_helper", name)
    assert own.relu.__doc__ == "My relu."
    assert pydoc.render_doc(own.relu) == shown


def test_a_namespace_is_patched(own_module):
    namespace = dict(vars(own_module()))
    module = sys.modules["own_helper"]
    report = bp.patch(namespace)
    assert len(report.replaced) == 13
    assert original(namespace["relu"]) is module.relu
    assert original(module.relu) is module.relu  # the module itself was not named


def test_without_a_namespace_it_is_the_callers_and_its_helper_modules(own_module):
    helper = own_module()
    mine = types.ModuleType("mine")
    code = "import numpy as np\nimport own_helper as dnn\nfrom own_helper import sigmoid\nimport fastbackprop\n"
    exec(code, vars(mine))
    exec("report = fastbackprop.patch()", vars(mine))
    assert original(helper.L_layer_model) is not helper.L_layer_model
    assert original(vars(mine)["sigmoid"]) is original(helper.sigmoid)
    assert vars(mine)["sigmoid"] is helper.sigmoid
    exec("fastbackprop.unpatch()", vars(mine))
    assert original(helper.L_layer_model) is helper.L_layer_model
    assert vars(mine)["sigmoid"] is helper.sigmoid


@pytest.mark.parametrize("where", [3, "relu", [1]])
def test_another_kind_of_place_is_a_type_error(where):
    for function in (bp.patch, bp.unpatch):
        with pytest.raises(TypeError, match=f"where is of type {type(where).__name__}"):
            function(where)


CALLERS = {
    "linear_backward": {"linear_activation_backward", "L_model_backward"},
    "relu_backward": {"linear_activation_backward", "L_model_backward"},
    "update_parameters": set(),
}


@pytest.mark.parametrize(
    ("fault", "culprit", "how"),
    [
        (SUM_IN_DB, "linear_backward", "db is a sum over the examples instead of their mean"),
        (STRICT_MASK, "relu_backward", "lets the gradient pass where Z == 0"),
        (WRONG_SIGN, "update_parameters", "W"),
    ],
)
def test_a_planted_fault_is_the_one_cause_and_its_callers_keep_their_code(own_module, fault, culprit, how):
    own = own_module(fault)
    functions = {name: vars(own)[name] for name in CASES}
    Z = np.array([[0.0, 1.0, -1.0, 2.0]])
    dA = np.ones((1, 4))
    before = trained(functions, 20), own.relu_backward(dA, Z)
    report = bp.patch(own)
    left = {row.name: row.how for row in report.rows if row.verdict == "left"}
    assert set(left) == {culprit, "initialize_parameters_deep", "L_layer_model"} | CALLERS[culprit]
    assert how in left[culprit] and "another function" in left[culprit]
    for caller in CALLERS[culprit]:
        assert left[caller] == f"it calls {culprit}, which is another function"
    for name in left:
        assert vars(own)[name] is functions[name]
    assert culprit in left["L_layer_model"] or any(caller in left["L_layer_model"] for caller in CALLERS[culprit])
    assert_close(trained(vars(own), 20), before[0])
    np.testing.assert_array_equal(own.relu_backward(dA, Z), before[1])


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_call_that_the_fast_function_refuses_is_the_users(own_module):
    own = own_module()
    A, W, b = np.ones((3, 4)), np.ones((2, 3)), np.ones(4)  # b of another shape than (2, 1): NumPy broadcasts it
    Z = own.linear_forward(A, W, b)[0]
    own_errors: dict = {}
    refused: dict[str, tuple] = {"relu": ("text",), "linear_forward": (A, W.T, b), "compute_cost": (A, None)}
    for name, args in refused.items():
        with pytest.raises(Exception) as info:
            vars(own)[name](*args)
        own_errors[name] = args, type(info.value), str(info.value)
    bp.patch(own)
    np.testing.assert_array_equal(own.linear_forward(A, W, b)[0], Z)
    for name, (args, kind, said) in own_errors.items():
        with pytest.raises(kind) as again:
            vars(own)[name](*args)
        assert str(again.value) == said


def test_judging_leaves_no_trace(own_module, capsys, recwarn):
    own = own_module(before="import warnings\nseen = []\n")
    np.random.seed(11)
    state = pickle.dumps(np.random.get_state())
    filters = list(warnings.filters)
    bp.patch(own)
    assert pickle.dumps(np.random.get_state()) == state
    assert capsys.readouterr() == ("", "")
    assert not recwarn.list
    assert list(warnings.filters) == filters


ODD = """
import functools
import numpy as np

class relu:
    def __call__(self, Z):
        return np.maximum(0, Z), Z

sigmoid = functools.partial(lambda Z: (1 / (1 + np.exp(-Z)), Z))

def relu_backward(dA, cache):
    while True:
        pass

def sigmoid_backward(dA, cache):
    with open("weights.txt") as file:
        return file.read()

def compute_cost(AL, Y):
    raise RuntimeError("not written yet")

def linear_forward(A, W, b):
    global calls
    calls = 1
    return W @ A + b, (A, W, b)

def linear_backward(dZ, cache):
    name = input("name: ")

def L_model_forward(X, parameters):
    yield X
"""


def test_odd_things_of_these_names_are_left_in_bounded_time(own_module):
    own = own_module(text=ODD)
    before = dict(vars(own))
    report = bp.patch(own)
    assert not report.replaced
    assert dict(vars(own)) == before
    how = {row.name: row.how for row in report.rows}
    assert "does not end" in how["relu_backward"]
    assert "reaches open" in how["sigmoid_backward"]
    assert "raises RuntimeError: not written yet" in how["compute_cost"]
    assert "changes the global calls" in how["linear_forward"]
    assert "reaches input" in how["linear_backward"]
    assert "L_model_forward" in how
    assert "a class" in how["relu"] and "of type partial" in how["sigmoid"]


def test_who_calls_what_cannot_be_judged_is_left_too(own_module):
    own = own_module(before="import functools\n", text=OWN + "\n\nrelu = functools.partial(relu)\n")
    how = {row.name: row.how for row in bp.patch(own).rows if row.verdict == "left"}
    assert how["linear_activation_forward"] == how["L_model_forward"] == "it calls relu, which is of type partial"
    assert set(how) == {
        *("relu", "linear_activation_forward", "L_model_forward"),
        "L_layer_model",
        "initialize_parameters_deep",
    }


COUNTED = """
import functools
calls = []
def counted(function):
    @functools.wraps(function)
    def wrapper(*args):
        calls.append(function.__name__)
        return function(*args)
    return wrapper
"""


def test_a_decorated_function_is_left_and_so_are_its_callers(own_module):
    own = own_module(("def linear_forward", "@counted\ndef linear_forward"), before=COUNTED)
    how = {row.name: row.how for row in bp.patch(own).rows if row.verdict == "left"}
    assert how["linear_forward"] == "it is a decorated function, not a plain function"
    for caller in ("linear_activation_forward", "L_model_forward"):
        assert how[caller] == "it calls linear_forward, which is a decorated function"
    trained(vars(own), 20)
    assert own.calls == ["linear_forward"] * 40


@pytest.mark.parametrize("effect", ["calls.append(1)", "print(Z)", "np.random.rand()", "plt.plot(Z)"])
def test_a_function_that_does_more_is_left_and_so_are_its_callers(own_module, effect):
    change = ("    A = Z * (Z > 0)", f"    {effect}\n    A = Z * (Z > 0)")
    own = own_module(change, before="import matplotlib.pyplot as plt\ncalls = []\n")
    how = {row.name: row.how for row in bp.patch(own).rows if row.verdict == "left"}
    assert {"relu", "linear_activation_forward", "L_model_forward", "L_layer_model"} < set(how)
    assert how["L_model_forward"].startswith("it calls relu, which ")


def test_the_report_is_a_table(own_module):
    own = own_module(SUM_IN_DB)
    report = bp.patch(own)
    lines = str(report).splitlines()
    assert lines[0] == "fastbackprop: 9 of 14 functions run on its kernels"
    assert len(lines) == 15
    assert repr(report) == str(report)
    assert str(bp.patch({})) == "fastbackprop: no functions of the course's names were found"


def test_a_second_patch_judges_again(own_module):
    own = own_module()
    bp.patch(own)
    wrapped = own.relu
    exec("def relu_backward(dA, cache):\n    return dA", vars(own))
    report = bp.patch(own)
    assert verdicts(report)["relu_backward"] == "left"
    assert verdicts(report)["L_model_backward"] == "left"
    assert original(own.relu) is original(wrapped)
    assert original(own.L_model_backward) is own.L_model_backward


def test_it_is_not_in_a_star_import():
    assert "patch" not in bp.__all__ and "unpatch" not in bp.__all__
