"""A decision holds for as long as the names that it rests on stand for the same; a marked function follows them."""

import functools
import importlib
import sys

import numba
import numpy as np
import pytest

from fastbackprop import patch
from fastbackprop.takeover import CHANGES, Takeover, decide, original

from ..support.learner import OWN

rng = np.random.default_rng(3)
X = rng.standard_normal((5, 40))
Y = (X[:1] > 0).astype(float)
Z = np.array([[-2.0, 0.0, 3.0]])


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Makes modules of the user's own of a text."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(text=OWN, name="bound"):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        made.append(name)
        importlib.invalidate_caches()
        return importlib.import_module(name)

    yield make
    for name in made:
        sys.modules.pop(name, None)


def marked(module, takeover=None):
    takeover = takeover or Takeover()
    for name, value in list(vars(module).items()):
        setattr(module, name, takeover.mark(value))
    return takeover


def verdicts(takeover):
    return {row.name: row.verdict for row in takeover.report().rows}


def trained(module):
    np.random.seed(5)
    return module.L_layer_model(X, Y, [5, 4, 1], 0.2, 30)


def leaky(Z):
    return np.maximum(0.5 * Z, Z), Z


def double(function):
    @functools.wraps(function)
    def doubled(Z):
        A, cache = function(Z)
        return 2 * A, cache

    return doubled


REBOUND = {
    "a lambda": lambda own: lambda Z: (np.maximum(0.5 * Z, Z), Z),
    "a function of another name": lambda own: leaky,
    "the module's own function in a wrapper": lambda own: double(own.relu),
    "a partial": lambda own: functools.partial(lambda f, Z: (f(Z, 0), Z), np.minimum),
}


@pytest.mark.parametrize("how", REBOUND)
def test_what_is_bound_to_a_name_later_is_what_is_called(own, how):
    plain, module = own(name="plain"), own(name="fast")
    takeover = marked(module)
    assert verdicts(takeover)["L_layer_model"] == "taken over"
    before = trained(module)
    for key, value in trained(plain).items():
        np.testing.assert_allclose(before[key], value, rtol=1e-9)
    for one in (plain, module):
        one.relu = REBOUND[how](one)
    after = trained(module)
    for key, value in trained(plain).items():
        np.testing.assert_allclose(after[key], value, rtol=1e-9)
    assert verdicts(takeover)["L_model_forward"] == "left"


@pytest.mark.parametrize("how", REBOUND)
def test_what_is_bound_to_a_steps_name_has_to_compute_it(own, how):
    module = own()
    module.relu = REBOUND[how](module)
    expected = trained(module)
    report = {row.name: row for row in patch(module).rows}
    for name in ("linear_activation_forward", "L_model_forward", "L_layer_model"):
        assert report[name].verdict == "left" and "relu" in report[name].how
    assert report["L_model_backward"].verdict == "replaced"
    for key, value in trained(module).items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-9)


def test_a_right_one_may_be_bound_too(own):
    module = own()
    module.relu = lambda Z: (np.maximum(0, Z), Z)
    assert verdicts(marked(module))["L_layer_model"] == "taken over"


SCALED = "import numpy as np\nSCALE = 1\ndef relu(Z):\n    return SCALE * np.maximum(0, Z), Z\n"


def test_data_that_a_judged_function_reads_may_change(own):
    module = own(SCALED)
    takeover = marked(module)
    function = original(module.relu)
    assert takeover.decision(function).verdict == "replaced"
    np.testing.assert_array_equal(module.relu(Z)[0], [[0, 0, 3]])
    module.SCALE = 2
    np.testing.assert_array_equal(module.relu(Z)[0], [[0, 0, 6]])
    assert takeover.decision(function).verdict == "left"


def test_a_function_whose_names_change_at_each_call_is_left_in_the_end(own, monkeypatch):
    module = own(SCALED.replace("SCALE *", "(SCALE > 0) *"))
    takeover = marked(module)
    judged = []
    judge = decide.judge

    def counted(*args):
        judged.append(args[0])
        return judge(*args)

    monkeypatch.setattr(decide, "judge", counted)
    for scale in range(1, 3 * CHANGES):
        module.SCALE = scale
        np.testing.assert_array_equal(module.relu(Z)[0], [[0, 0, 3]])
    assert len(judged) == CHANGES + 1
    assert "has changed" in takeover.report().rows[0].how


def test_data_that_a_model_reads_are_no_reason_to_judge_again(own, monkeypatch):
    update = "parameters = update_parameters(parameters, grads, {})"
    assert update.format("learning_rate") in OWN
    text = OWN.replace(update.format("learning_rate"), update.format("RATE")) + "\n\nRATE = 0.1\n"
    plain, module = own(text, "plain"), own(text, "fast")
    takeover = marked(module)
    assert verdicts(takeover)["L_layer_model"] == "taken over"
    monkeypatch.setattr(decide, "judge", None)
    for rate in (0.1, 0.2, 0.3):
        plain.RATE = module.RATE = rate
        for key, value in trained(plain).items():
            np.testing.assert_allclose(trained(module)[key], value, rtol=1e-9)


def test_a_wrapper_of_the_users_around_a_marked_function_is_another_function(own):
    module = own()
    takeover = marked(module)
    module.relu(Z)
    wrapped = double(module.relu)
    assert original(wrapped) is wrapped
    assert takeover.add(wrapped, "relu") is None
    assert {row.name: row.how for row in takeover.report().rows}["relu"] == "it is a decorated function, not a plain function"
    np.testing.assert_array_equal(wrapped(Z)[0], [[0, 0, 6]])


COUNTED = """import functools
calls = []
def counted(function):
    {wraps}
    def wrapper(*args):
        calls.append(len(args))
        return function(*args)
    return wrapper


"""


@pytest.mark.parametrize("wraps", ["@functools.wraps(function)", ""])
def test_what_a_decorator_does_is_done_at_each_call(own, wraps):
    text = COUNTED.format(wraps=wraps) + OWN.replace("def linear_forward(", "@counted\ndef linear_forward(")
    plain, module = own(text, "plain"), own(text, "fast")
    takeover = marked(module)
    expected, actual = trained(plain), trained(module)
    for key in expected:
        np.testing.assert_allclose(actual[key], expected[key], rtol=1e-9)
    assert module.calls == plain.calls != []
    for name, verdict in verdicts(takeover).items():
        reaches = name in ("linear_forward", "linear_activation_forward", "L_model_forward", "L_layer_model")
        assert (verdict == "left") == (reaches or name == "initialize_parameters_deep")


def test_inactive_functions_are_the_users_own(own):
    module = own(SCALED)
    takeover = marked(module)
    calls = []
    function = original(module.relu)
    takeover.active = False
    sys.setprofile(lambda frame, event, arg: calls.append(frame.f_code) if event == "call" else None)
    try:
        module.relu(Z)
    finally:
        sys.setprofile(None)
    assert function.__code__ in calls
    assert not takeover._serving


def test_ctrl_c_while_a_function_is_judged_leaves_it_to_its_next_call(own, monkeypatch):
    module = own()
    takeover = marked(module)
    judge, calls = decide.judge, []

    def interrupted(*args):
        calls.append(args[0])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return judge(*args)

    monkeypatch.setattr(decide, "judge", interrupted)
    state = np.random.get_state(legacy=False)["state"]["key"].copy()
    with pytest.raises(KeyboardInterrupt):
        module.L_layer_model(X, Y, [5, 4, 1], 0.2, 30)
    np.testing.assert_array_equal(np.random.get_state(legacy=False)["state"]["key"], state)
    assert sys.gettrace() is None or "coverage" in sys.modules
    trained(module)
    assert verdicts(takeover)["L_layer_model"] == "taken over"


def test_a_fault_in_judging_leaves_the_function(own, monkeypatch):
    module = own(SCALED)
    takeover = marked(module)

    def fails(*args):
        raise RecursionError("too deep")

    monkeypatch.setattr(decide, "judge", fails)
    np.testing.assert_array_equal(module.relu(Z)[0], [[0, 0, 3]])
    (row,) = takeover.report().rows
    assert (row.verdict, row.how) == ("left", "it could not be judged: RecursionError: too deep")


def test_numba_compiles_the_users_function(own):
    module = own("import numpy as np\ndef relu(Z):\n    return np.maximum(0, Z), Z\n")
    marked(module)
    compiled = numba.njit(module.relu)
    np.testing.assert_array_equal(compiled(Z)[0], [[0, 0, 3]])
    assert module.relu(Z)[0].shape == Z.shape


def test_code_that_is_put_into_a_function_is_what_runs(own):
    """As IPython's autoreload does."""
    plain, module = own(name="plain"), own(name="fast")
    takeover = marked(module)
    trained(module)
    for one in (plain, module):
        original(one.relu).__code__ = leaky.__code__
    for key, value in trained(plain).items():
        np.testing.assert_allclose(trained(module)[key], value, rtol=1e-9)
    assert verdicts(takeover)["relu"] == "left"
