"""Starts, gradients, updates and predictions of each generation, against the reference."""

import itertools

import numpy as np
import pytest

from fastbackprop import reference
from fastbackprop.compat import dnn_app_utils_v2, dnn_app_utils_v3, dnn_utils, dnn_utils_v2
from fastbackprop.testing import CASES, Size, assert_same_form, assert_within_bound

from ..support.recorded import lecun, start
from ..support.trainings import drawn

APPLICATIONS = [dnn_app_utils_v2, dnn_app_utils_v3]
SIZE = Size((6, 5, 4, 1), 7)
each_application = pytest.mark.parametrize("module", APPLICATIONS, ids=lambda module: module.__name__.split(".")[-1])


def names_of_both(module):
    return sorted(set(module.__all__) & set(CASES) - {"initialize_parameters_deep", "L_model_backward"})


@pytest.mark.parametrize(
    ("module", "name"), [(m, n) for m in (dnn_utils, dnn_utils_v2, *APPLICATIONS) for n in names_of_both(m)]
)
def test_numbers_and_form_are_the_references(module, name):
    case = CASES[name]
    for activation in case.activations or (None,):
        args, expected_args = (case.make(SIZE, "float64", activation=activation) for _ in range(2))
        bound = case.bound(*expected_args)
        expected = getattr(reference, name)(*expected_args)
        actual = getattr(module, name)(*args)
        assert_within_bound(actual, expected, bound)
        assert_same_form(actual, expected)


# ---------------------------------------------------------------------------------------------------------------- starts


def assert_same_start(actual, expected):
    assert list(actual) == list(expected)
    for key, value in expected.items():
        assert actual[key].shape == value.shape
        assert actual[key].dtype == np.float64
        assert actual[key].tobytes() == value.tobytes(), key


@each_application
def test_the_start_of_two_layers_is_seeded_with_1_and_scaled_by_a_hundredth(module):
    np.random.seed(1)
    expected = reference.initialize_parameters_deep([6, 4, 2])
    after = drawn()
    np.random.seed(7)
    assert_same_start(module.initialize_parameters(6, 4, 2), expected)
    assert drawn() == after


@each_application
def test_the_deep_start_is_seeded_with_1_and_scaled_by_the_root_of_the_inputs(module):
    np.random.seed(1)
    expected: dict = {}
    for l, (n_prev, n) in enumerate(itertools.pairwise(SIZE.layers), start=1):
        expected |= {f"W{l}": np.random.randn(n, n_prev) / np.sqrt(n_prev), f"b{l}": np.zeros((n, 1))}
    after = drawn()
    np.random.seed(7)
    assert_same_start(module.initialize_parameters_deep(SIZE.layers), expected)
    assert drawn() == after


@each_application
@pytest.mark.parametrize(
    ("name", "sizes", "error", "message"),
    [
        ("initialize_parameters", (3, 0, 1), ValueError, "n_h is 0; expected at least 1"),
        ("initialize_parameters", (3, 2, 1.5), TypeError, "n_y is 1.5; expected a whole number"),
        ("initialize_parameters_deep", ([3],), ValueError, "layer_dims is"),
        ("initialize_parameters_deep", ([3, 2.5, 1],), TypeError, r"layer_dims\[1\] is 2.5"),
    ],
)
def test_a_refused_start_draws_nothing(module, name, sizes, error, message):
    np.random.seed(7)
    before = drawn()
    with pytest.raises(error, match=message):
        getattr(module, name)(*sizes)
    assert drawn() == before


# ------------------------------------------------------------------------------------------------- gradients and updates


@pytest.mark.parametrize(("module", "shift"), [(dnn_app_utils_v2, 1), (dnn_app_utils_v3, 0)])
def test_gradient_keys_are_those_of_the_generation(module, shift):
    case = CASES["L_model_backward"]
    args = case.make(SIZE, "float64")
    expected, bound = reference.L_model_backward(*case.make(SIZE, "float64")), case.bound(*args)

    def renamed(tree):
        return {f"dA{int(key[2:]) + shift}" if key[:2] == "dA" else key: value for key, value in tree.items()}

    actual = module.L_model_backward(*args)
    L = len(SIZE.layers) - 1
    assert {key for key in actual if key[:2] == "dA"} == {f"dA{l + shift}" for l in range(L)}
    assert list(actual) == list(renamed(expected))
    assert_within_bound(actual, renamed(expected), renamed(bound))


@each_application
def test_an_update_changes_the_dict_and_not_its_arrays(module):
    parameters = module.initialize_parameters_deep(SIZE.layers)
    old, bits = dict(parameters), {key: value.tobytes() for key, value in parameters.items()}
    grads = {f"d{key}": np.ones_like(value) for key, value in parameters.items()}
    assert module.update_parameters(parameters, grads, 0.5) is parameters
    for key in old:
        assert old[key].tobytes() == bits[key]
        np.testing.assert_array_equal(parameters[key], old[key] - 0.5)


@each_application
def test_gradients_of_either_generation_update(module):
    X, Y = np.random.default_rng(0).normal(size=(6, 7)), np.array([[0, 1, 1, 0, 1, 0, 1]])
    parameters, expected = (module.initialize_parameters_deep(SIZE.layers) for _ in range(2))
    for _ in range(3):
        AL, caches = module.L_model_forward(X, parameters)
        parameters = module.update_parameters(parameters, module.L_model_backward(AL, Y, caches), 0.1)
    expected = reference.L_layer_model(X, Y, SIZE.layers, 0.1, 3, parameters=expected)
    for key, value in expected.items():
        np.testing.assert_allclose(parameters[key], value, rtol=1e-12, atol=1e-15)  # three steps of sums of few terms


# ------------------------------------------------------------------------------------------------------------ prediction


def problem(m=7):
    rng = np.random.default_rng(3)
    return rng.normal(size=(6, m)), rng.integers(0, 2, (1, m)), {k: 3 * v for k, v in start(SIZE.layers, 5, lecun).items()}


@each_application
def test_predictions_are_floats_and_the_accuracy_is_printed(module, capsys):
    X, y, parameters = problem(300)
    outputs, _ = reference.L_model_forward(X, parameters)
    expected = np.where(outputs > 0.5, 1.0, 0.0)
    assert 0 < expected.mean() < 1
    predictions = module.predict(X, y, parameters)
    assert predictions.dtype == np.float64
    assert predictions.shape == (1, 300)
    np.testing.assert_array_equal(predictions, expected)
    assert capsys.readouterr().out == "Accuracy: " + str(np.sum((expected == y) / 300)) + "\n"


@each_application
@pytest.mark.parametrize("form", [lambda y: y[0], lambda y: y.tolist(), lambda y: y == 1, lambda y: y.astype(np.uint8)])
def test_labels_that_spread_to_a_row(module, form, capsys):
    X, y, parameters = problem()
    module.predict(X, y, parameters)
    module.predict(X, form(y), parameters)
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


@each_application
def test_one_picture_with_its_label_in_a_list(module, capsys):
    X, _, parameters = problem(1)
    (prediction,) = module.predict(X, [1], parameters).ravel()
    assert capsys.readouterr().out == f"Accuracy: {prediction}\n"


@each_application
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y, p: (X, y.T, p), ValueError, r"y has shape \(7, 1\); expected \(1, 7\).*: use np\.asarray\(y\)\.reshape"),
        (lambda X, y, p: (X, y[:, 1:], p), ValueError, r"y has shape \(1, 6\); expected \(1, 7\), one label an example of X$"),
        (lambda X, y, p: (X[1:], y, p), ValueError, r"\(5, 7\)"),
        (lambda X, y, p: (X, None, p), TypeError, "y is None"),
        (lambda X, y, p: (X, p, y), TypeError, "y is of type dict"),
        (lambda X, y, p: (X, y, {k: p[k] for k in ("W1", "b1")}), ValueError, "parameters make 5 outputs an example"),
        (lambda X, y, p: (X, y, {k: v for k, v in p.items() if k != "b2"}), KeyError, "b2"),
    ],
)
def test_what_is_no_question_prints_nothing(module, change, error, message, capsys):
    with pytest.raises(error, match=message):
        module.predict(*change(*problem()))
    assert capsys.readouterr().out == ""
