"""The reference itself: the yardstick of everything else."""

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import fastbackprop
from fastbackprop import reference
from fastbackprop.testing import CASES, Size, assert_same_bits, assert_same_form, assert_within_bound, map_arrays

SIZE = Size((4, 5, 3, 1), 6)
PAGES = {path.stem: path for path in Path(reference.__file__).parent.glob("*.py")}
EVERY_CALL = [(name, activation) for name, case in CASES.items() for activation in case.activations or (None,)]


def imported(page):
    """The modules that a page imports from."""
    for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_it_imports_numpy_alone():
    assert list(imported(PAGES["__init__"])) == ["numpy"]


@pytest.mark.parametrize("page", PAGES.values(), ids=list(PAGES))
def test_a_page_imports_numpy_and_pages(page):
    assert all(name == "numpy" or name.startswith("fastbackprop.reference") for name in imported(page))


def test_no_page_is_called_like_a_function():
    """`fastbackprop.reference.sigmoid` is the function, whatever has been imported."""
    assert {"general", "outputs"} <= PAGES.keys()
    assert not PAGES.keys() & {*fastbackprop.__all__, "train"}


def test_its_names_are_the_fourteen_and_activations():
    public = {name for name, value in vars(reference).items() if inspect.isfunction(value) and name[0] != "_"}
    activations = {function.__name__ for pair in reference.ACTIVATIONS.values() for function in pair}
    assert set(fastbackprop.__all__) == public - (activations - set(fastbackprop.__all__))
    assert len(fastbackprop.__all__) == 14


@pytest.mark.parametrize(("name", "activation"), EVERY_CALL)
def test_inputs_are_never_written(name, activation):
    args = CASES[name].make(SIZE, "float64", "read-only", activation=activation)  # NumPy raises on a write
    getattr(reference, name)(*args)


def test_shapes_and_keys():
    X, parameters = CASES["L_model_forward"].make(SIZE, "float64")
    _, Y = CASES["compute_cost"].make(SIZE, "float64")
    AL, caches = reference.L_model_forward(X, parameters)
    assert AL.shape == (1, 6)
    assert [Z.shape for _, Z in caches] == [(5, 6), (3, 6), (1, 6)]
    cost = reference.compute_cost(AL, Y)
    assert type(cost) is np.ndarray
    assert cost.shape == ()
    grads = reference.L_model_backward(AL, Y, caches)
    assert {key: value.shape for key, value in grads.items()} == {
        **{f"dA{l}": (SIZE.layers[l], 6) for l in range(3)},
        **{f"dW{l}": parameters[f"W{l}"].shape for l in (1, 2, 3)},
        **{f"db{l}": parameters[f"b{l}"].shape for l in (1, 2, 3)},
    }


def test_initialization_draws_from_the_global_generator_layer_by_layer():
    np.random.seed(1)
    parameters = reference.initialize_parameters_deep((4, 5, 1))
    np.random.seed(1)
    assert_same_bits(parameters["W1"], np.random.randn(5, 4) * 0.01)
    assert_same_bits(parameters["W2"], np.random.randn(1, 5) * 0.01)
    assert_same_bits((parameters["b1"], parameters["b2"]), (np.zeros((5, 1)), np.zeros((1, 1))))


def test_gradients_against_central_differences_in_extended_precision():
    X, parameters = map_arrays(lambda x: x.astype(np.longdouble), CASES["L_model_forward"].make(SIZE, "float64"))
    _, Y = CASES["compute_cost"].make(SIZE, "float64")
    step = np.longdouble(1e-6)  # the error is that of the third derivative, about step^2

    def cost():
        return reference.compute_cost(reference.L_model_forward(X, parameters)[0], Y)

    AL, caches = reference.L_model_forward(X, parameters)
    assert all(np.min(np.abs(Z)) > 100 * step for _, Z in caches)  # away from the kink
    grads = reference.L_model_backward(AL, Y, caches)
    for key, value in {**parameters, "A0": X}.items():
        gradient = grads[f"d{key}"] / (SIZE.m if key == "A0" else 1)
        for i in np.ndindex(*value.shape):
            at = value[i]
            value[i] = at + step
            above = cost()
            value[i] = at - step
            below = cost()
            value[i] = at
            assert gradient[i] == pytest.approx((above - below) / (2 * step), abs=1e-10)


def test_relu_backward_is_a_new_array_and_zero_where_z_is_zero():
    dA, Z = np.ones((1, 3)), np.array([[-1.0, 0.0, 1.0]])
    dZ = reference.relu_backward(dA, Z)
    np.testing.assert_array_equal(dZ, [[0, 0, 1]])
    np.testing.assert_array_equal(dA, np.ones((1, 3)))


def test_saturation_warns_as_plain_numpy_does():
    """It warns where exp overflows, and where a probability is exactly 0 or 1: nothing here changes how NumPy treats it."""
    Z, Y = np.array([[-1e4, 1e4, np.inf, -np.inf]]), np.array([[1.0, 0.0, 1.0, 0.0]])
    with pytest.warns(RuntimeWarning) as of_sigmoid:
        AL, _ = reference.sigmoid(Z)
    np.testing.assert_array_equal(AL, [[0, 1, 1, 0]])
    with pytest.warns(RuntimeWarning) as of_its_gradient:
        reference.sigmoid_backward(np.ones((1, 4)), Z)
    with pytest.warns(RuntimeWarning) as of_the_cost:
        reference.compute_cost(AL, Y)
    with pytest.warns(RuntimeWarning) as of_the_network:
        reference.L_model_backward(AL, Y, [((np.ones((2, 4)), np.ones((1, 2)), np.zeros((1, 1))), Z)])
    for said, expected in (
        (of_sigmoid, "overflow encountered in exp"),
        (of_its_gradient, "overflow encountered in exp"),
        (of_the_cost, "divide by zero encountered in log"),
        (of_the_network, "divide by zero encountered in divide"),
    ):
        assert expected in [str(warning.message) for warning in said]


@pytest.mark.usefixtures("saturating")
def test_what_silences_numpy_silences_it():
    """A warning would be an error here."""
    args = CASES["L_layer_model"].make(SIZE, "float64")
    X, Y, layers, _, iterations = args
    reference.L_layer_model(1e4 * X, Y, layers, 1e3, iterations)


@pytest.mark.parametrize("name", ["linear_activation_forward", "linear_activation_backward"])
def test_an_unknown_activation_is_named(name):
    *args, _ = CASES[name].make(SIZE, "float64")
    with pytest.raises(ValueError, match=r"'softplus'.*'sigmoid'.*'relu'"):
        getattr(reference, name)(*args, "softplus")


def training(**options):
    X, Y, layers, rate, _ = CASES["L_layer_model"].make(SIZE, "float64")
    np.random.seed(0)
    return reference.L_layer_model(X, Y, layers, rate, 201, **options)


def test_costs_are_collected_whether_printed_or_not(capsys):
    _, costs = training(return_costs=True)
    assert capsys.readouterr().out == ""
    assert len(costs) == 3
    assert all(type(cost) is float for cost in costs)
    assert costs[2] < costs[0]
    _, printed_costs = training(return_costs=True, print_cost=True)
    assert printed_costs == costs
    lines = "".join(f"Cost after iteration {i}: {cost:f}\n" for i, cost in zip((0, 100, 200), costs, strict=True))
    assert capsys.readouterr().out == lines


def test_training_is_the_loop_over_its_parts():
    X, Y, layers, rate, _ = CASES["L_layer_model"].make(SIZE, "float64")
    np.random.seed(0)
    start = parameters = reference.initialize_parameters_deep(layers)
    kept = dict(start)
    for _ in range(201):
        AL, caches = reference.L_model_forward(X, parameters)
        parameters = reference.update_parameters(parameters, reference.L_model_backward(AL, Y, caches), rate)
    assert_same_bits(training(), parameters)
    assert_same_form(training(), parameters)
    assert_same_bits(training(parameters=kept), parameters)
    assert_within_bound(kept, reference.L_layer_model(X, Y, layers, rate, 0, parameters=kept), 0.0)
