"""The function that takes a model's place: its source, positions, arguments and names are the model's own."""

import ast
import inspect
import linecache
import pickle
import traceback

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.takeover.rewrite import definition
from fastbackprop.takeover.step import NoStep

from ..support.taken import OWN, assert_as_own, assert_same, changed, namespace, taken

X = np.random.default_rng(1).standard_normal((5, 40))
Y = (X[:1] > 0).astype(float)
LINE = '                print(f"Cost after iteration {i}: {cost:f}")\n'


def call(space):
    return space["L_layer_model"](X, Y, [5, 4, 1], 0.1, 230, True)


def error_of(space, function="L_layer_model"):
    with pytest.raises(Exception) as info:
        call(space)
    return [(frame.lineno, getattr(frame, "colno", 0), frame.name, frame.line) for frame in traceback.extract_tb(info.tb)
            if frame.name == function]  # fmt: skip


@pytest.mark.parametrize(
    "replaced",
    [
        (LINE, "                print(costs[3 +\n                            i])\n"),  # in a statement of their own
        ("    return parameters\n\n\ndef L", "    return parameters\n\n\ndef L"),
        ("    for i in range(num_iterations):\n        AL", "    for i in range(num_iterations + '3'):\n        AL"),
        ("        if i % 100 == 0:\n", "        if i > 60 and i % (i - 61) == 0:\n"),  # in a condition
        ("    costs = []\n", "    costs = 1 / 0\n"),
    ],
)
@pytest.mark.parametrize("indented", [False, True])
def test_a_traceback_has_their_lines_and_columns(replaced, indented):
    text = changed(replaced)
    if replaced[0] == replaced[1]:  # at the end
        text = text[: text.rindex("    return")] + "    return parameters + 3\n"
    if indented:
        at = text.index("def L_layer_model")
        text = text[:at] + "if True:\n" + "".join("    " + line + "\n" for line in text[at:].splitlines())
    own, (space, row) = namespace(text), taken(text)
    assert row.verdict == "taken over"
    ours, theirs = error_of(space), error_of(own)
    assert [frame[1:] for frame in ours[-1:]] == [frame[1:] for frame in theirs[-1:]]
    assert ours[-1][0] == theirs[-1][0]


def test_an_error_in_a_step_comes_from_their_line():
    own, (space, _) = namespace(OWN), taken(OWN)
    found = []
    for names in (own, space):
        with pytest.raises(ValueError) as info:
            names["L_layer_model"](X[:3], Y, [5, 4, 1])
        frames = traceback.extract_tb(info.tb)
        found.append([(frame.lineno, frame.name) for frame in frames if frame.filename.startswith("<learner")])
    assert found[0] == found[1]


FORMS = '''"""A helper."""
from __future__ import annotations

import functools
import numpy as np


class Unknown:
    pass

'''


def test_signature_source_documentation_and_defaults():
    text = changed(
        ("def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):\n",
         "def L_layer_model(X: NotThere, Y, layers_dims, learning_rate=0.1, num_iterations=30, print_cost=False, *rest,\n"
         "                  seed: int = 7, scale=None, **options) -> NotThere:\n"
         '    """My model.\n\n      Indented,\n  and less.\n    """\n    np.random.seed(seed)\n'),
        text=FORMS + OWN.replace("import numpy as np\n", "", 1),
    )  # fmt: skip
    own, (space, row) = namespace(text), taken(text)
    assert row.verdict == "taken over"
    ours, theirs = space["L_layer_model"], own["L_layer_model"]
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert inspect.getsource(ours) == inspect.getsource(theirs)
    for name in ("__doc__", "__name__", "__qualname__", "__module__", "__annotations__", "__defaults__", "__kwdefaults__"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.__globals__ is space
    assert_as_own(text, lambda names: names["L_layer_model"](X, Y, [5, 4, 1], seed=3, more=1))
    for names in (own, space):
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'layers_dims'"):
            names["L_layer_model"](X, Y)


def test_globals_are_read_when_it_is_called():
    text = changed(("        if i % 100 == 0:", "        if i % EVERY == 0:"), ("costs = []", "costs = COSTS"))
    text = "EVERY, COSTS = 50, []\n" + text

    def changing(space):
        call(space)
        space["EVERY"], space["COSTS"] = 20, ["new"]
        return call(space), space["COSTS"]

    assert assert_as_own(text, changing) > 400


def test_defaults_that_are_shared():
    text = changed(("print_cost=False):", "print_cost=False, seen=[]):"), ("costs = []", "costs = seen"))
    text = text[: text.rindex("    return")] + "    return parameters, seen\n"
    assert assert_as_own(text, lambda space: (call(space), call(space))) > 400


def test_import_in_the_module_and_methods_of_modules():
    text = changed(("    costs = []\n", "    np.random.seed(1)\n    costs = []\n"))
    assert_as_own(text, call)


def test_cells_whose_statements_are_compiled_one_by_one():
    text = changed(("    costs = []\n", "    np.random.seed(1)\n    costs = list(np.zeros(1))\n"))
    file = "<cell 1>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    own: dict = {"__name__": "own"}
    for node in ast.parse(text).body:
        exec(compile(ast.Module([node], []), file, "exec", dont_inherit=True), own)
    expected = call(own)
    assert {row.name: row.verdict for row in bp.patch(own).rows}["L_layer_model"] == "taken over"
    assert_same(call(own), expected)


def test_source_that_has_changed_or_is_not_there():
    reasons = {}
    space = namespace(OWN, source=False)
    reasons["none"] = bp.patch(space)
    for name, (old, new) in {
        "another number": ("0.0075, num_iterations=3000", "0.0075, num_iterations=3001"),
        "another line": ("        if i % 100 == 0:\n            costs", "        if i % 10 == 0:\n            costs"),
        "broken": ("def L_layer_model(", "def L_layer_model(("),
        "empty": (OWN, ""),
    }.items():
        space = namespace(OWN)
        file = space["L_layer_model"].__code__.co_filename
        other = OWN.replace(old, new)
        linecache.cache[file] = len(other), None, other.splitlines(keepends=True), file
        reasons[name] = bp.patch(space)
        if name != "another number":  # a default is no part of the code: the function keeps its own
            np.random.seed(2)
            call(space)
    how = {name: next(row for row in report.rows if row.name == "L_layer_model") for name, report in reasons.items()}
    assert {name: row.verdict for name, row in how.items()} == dict.fromkeys(how, "left") | {"another number": "taken over"}
    assert "source" in how["none"].how and "changed" in how["another line"].how and "source" in how["broken"].how


def test_lines_that_moved():
    space = namespace(OWN)
    file = space["L_layer_model"].__code__.co_filename
    moved = "# a comment\n\n" + OWN
    linecache.cache[file] = len(moved), None, moved.splitlines(keepends=True), file
    with pytest.raises(NoStep):
        definition(space["L_layer_model"])


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("def same(function):\n    return function\n\n\n", "decorated"),
        ("def same(function):\n    @functools.wraps(function)\n    def call(*args, **options):\n"
         "        return function(*args, **options)\n    return call\n\n\n", ""),
    ],
)  # fmt: skip
def test_decorated(before, reason):
    text = "import functools\n" + before + changed(("def L_layer_model(", "@same\ndef L_layer_model("))
    _, row = taken(text)
    assert row.verdict == "left" and reason in row.how


def test_a_class_and_a_nested_function_are_no_models():
    text = OWN + "\n\nclass Model:\n    def train(self, X, Y):\n        return L_layer_model(X, Y, [5, 1])\n"
    assert_as_own(text, lambda space: space["Model"]().train(X, Y))


def test_a_model_of_another_name_and_one_that_calls_it():
    text = OWN.replace("L_layer_model", "fit") + "\n\ndef L_layer_model(*args):\n    return fit(*args), 1\n"
    own, space = namespace(text), namespace(text)
    report = bp.patch(space)
    assert {row.name: row.verdict for row in report.rows}["fit"] == "taken over"
    results = []
    for names in (own, space):
        np.random.seed(3)
        results.append(call(names))
    assert_same(results[1], results[0])


def test_it_can_be_called_again_and_within_itself():
    text = changed(("    costs = []\n", "    costs = []\n    if num_iterations == 230:\n"
                    "        L_layer_model(X, Y, layers_dims, learning_rate, 120)\n"))  # fmt: skip
    assert assert_as_own(text, lambda space: (call(space), call(space))) > 600


def test_functions_that_hold_others_in_a_closure():
    """A step that a factory made may be a decorated one: it is left, and the model too."""
    text = changed(("def L_model_forward(X, parameters):", "def made(layer):\n    def L_model_forward(X, parameters):"))
    at, end = text.index("    def L_model_forward"), text.index("def compute_cost")
    body = text[at:end].rstrip().split("\n")
    inner = [body[0], *("    " + line for line in body[1:])]
    body = "\n".join(inner).replace("linear_activation_forward(", "layer(")
    text = (
        text[:at]
        + body
        + "\n\n    return L_model_forward\n\n\nL_model_forward = made(linear_activation_forward)\n\n\n"
        + text[end:]
    )

    assert assert_as_own(text, call, verdict="left") == 0


def test_a_generator_of_results():
    text = OWN[: OWN.rindex("    return parameters")] + "    yield parameters\n"
    assert assert_as_own(text, lambda space: list(call(space))) > 200


def test_the_random_state_after_it():
    def drawn(space):
        call(space)
        return pickle.dumps(np.random.get_state())

    assert_as_own(OWN, drawn)
