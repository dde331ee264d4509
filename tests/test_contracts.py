"""What is meaningless is refused: before any work, in words that name the argument, with nothing half-changed."""

import contextlib
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.testing import CASES, Size, assert_same_bits

SIZE = Size((3, 4, 1), 5)
X, PARAMETERS = CASES["L_model_forward"].make(SIZE, "float64", "read-only")
A_PREV, W, B = CASES["linear_forward"].make(SIZE, "float64", "read-only")
DZ, CACHE = CASES["linear_backward"].make(SIZE, "float64", "read-only")
AL, Y, CACHES = CASES["L_model_backward"].make(SIZE, "float64", "read-only")
LAYERS = [3, 4, 1]


@contextlib.contextmanager
def refusing(kind, *fragments):
    """The block raises exactly ``kind``, and its message holds every one of ``fragments``."""
    with pytest.raises(kind) as caught:
        yield
    message = caught.value.args[0] if isinstance(caught.value, KeyError) else str(caught.value)
    assert type(caught.value) is kind
    for fragment in fragments:
        assert fragment in message, f"{fragment!r} is not in: {message}"


# --------------------------------------------------------------------------------------------------------- activation


@pytest.mark.parametrize("activation", ["tanh", "Relu", "", None, 1, ["relu"]])
def test_an_unknown_activation(activation):
    with refusing(ValueError, repr(activation), "'relu'", "'sigmoid'"):
        bp.linear_activation_forward(A_PREV, W, B, activation)
    with refusing(ValueError, repr(activation), "'relu'", "'sigmoid'"):
        bp.linear_activation_backward(DZ, (CACHE, DZ), activation)


# ------------------------------------------------------------------------------------------------ shapes that don't fit

WRONG_SHAPES: dict[str, tuple[Any, ...]] = {
    "linear_forward: W and A": (lambda: bp.linear_forward(A_PREV[:2], W, B), "(2, 5)", "(4, 3)"),
    "linear_forward: b": (lambda: bp.linear_forward(A_PREV, W, B[:3]), "b", "(3, 1)", "(4, 3)"),
    "linear_forward: flat b": (lambda: bp.linear_forward(A_PREV, W, B.ravel()), "b", "(4,)", "(4, 1)"),
    "linear_activation_forward": (
        lambda: bp.linear_activation_forward(A_PREV[:2], W, B, "relu"),
        *("(2, 5)", "(4, 3)"),
    ),
    "linear_backward: dZ and W": (lambda: bp.linear_backward(DZ[:3], CACHE), "dZ", "(3, 5)", "(4, 5)"),
    "linear_backward: dZ and A_prev": (lambda: bp.linear_backward(DZ[:, :4], CACHE), "dZ", "(4, 4)", "(4, 5)"),
    "linear_activation_backward: dA": (
        lambda: bp.linear_activation_backward(DZ[:, :4], (CACHE, DZ[:, :4]), "relu"),
        *("(4, 4)", "(4, 5)"),
    ),
    "linear_activation_backward: Z": (
        lambda: bp.linear_activation_backward(DZ, (CACHE, DZ[:3]), "sigmoid"),
        *("Z", "(3, 5)", "(4, 5)"),
    ),
    "relu_backward": (lambda: bp.relu_backward(DZ, DZ[:, :4]), "(4, 5)", "(4, 4)"),
    "sigmoid_backward": (lambda: bp.sigmoid_backward(DZ, DZ[:, :4]), "(4, 5)", "(4, 4)"),
    "L_model_forward: X": (lambda: bp.L_model_forward(X[:2], PARAMETERS), "(2, 5)", "(4, 3)"),
    "L_model_forward: W2": (
        lambda: bp.L_model_forward(X, {**PARAMETERS, "W2": np.ones((1, 3))}),
        *("W2", "(1, 3)", "(4, 5)"),
    ),
    "compute_cost: Y": (lambda: bp.compute_cost(AL, Y[:, :4]), "Y", "(1, 4)", "(1, 5)"),
    "compute_cost: Y on end": (lambda: bp.compute_cost(AL, Y.T), "Y", "(5, 1)", "(1, 5)"),
    "L_model_backward: Y": (lambda: bp.L_model_backward(AL, Y[:, :4], CACHES), "Y", "(1, 4)", "(1, 5)"),
    "L_model_backward: AL": (lambda: bp.L_model_backward(AL[:, :4], Y[:, :4], CACHES), "(1, 4)", "(1, 5)"),
    "update_parameters": (
        lambda: bp.update_parameters({"W1": W, "b1": B}, {"dW1": W.T, "db1": B}, 0.1),
        *("W1", "(4, 3)", "(3, 4)"),
    ),
    "L_layer_model: X": (lambda: bp.L_layer_model(X, Y, [4, 4, 1]), "X", "(3, 5)", "4"),
    "L_layer_model: Y on end": (lambda: bp.L_layer_model(X, Y.T, LAYERS), "Y", "(5, 1)", "(1, 5)"),
    "L_layer_model: flat Y": (lambda: bp.L_layer_model(X, Y.ravel(), LAYERS), "Y", "(5,)", "(1, 5)"),
    "L_layer_model: parameters": (
        lambda: bp.L_layer_model(X, Y, LAYERS, parameters={**PARAMETERS, "W2": np.ones((1, 3))}),
        *("W2", "(1, 3)", "(1, 4)"),
    ),
}


@pytest.mark.parametrize("case", WRONG_SHAPES)
def test_shapes_that_do_not_fit(case):
    call, *fragments = WRONG_SHAPES[case]
    with refusing(ValueError, *fragments):
        call()


# --------------------------------------------------------------------------------------------------------- no examples

NO_COLUMNS = np.empty((3, 0))
NO_EXAMPLES = {
    "linear_forward": lambda: bp.linear_forward(NO_COLUMNS, W, B),
    "linear_activation_forward": lambda: bp.linear_activation_forward(NO_COLUMNS, W, B, "relu"),
    "linear_backward": lambda: bp.linear_backward(DZ[:, :0], (NO_COLUMNS, W, B)),
    "linear_activation_backward": lambda: bp.linear_activation_backward(DZ[:, :0], ((NO_COLUMNS, W, B), DZ[:, :0]), "relu"),
    "L_model_forward": lambda: bp.L_model_forward(NO_COLUMNS, PARAMETERS),
    "compute_cost": lambda: bp.compute_cost(AL[:, :0], Y[:, :0]),
    "L_model_backward": lambda: bp.L_model_backward(
        AL[:, :0], Y[:, :0], [((np.empty((3, 0)), np.ones((1, 3)), np.ones((1, 1))), np.empty((1, 0)))]
    ),
    "L_layer_model": lambda: bp.L_layer_model(NO_COLUMNS, Y[:, :0], LAYERS),
}


@pytest.mark.parametrize("name", NO_EXAMPLES)
def test_no_examples(name):
    with refusing(ValueError, "no examples"):
        NO_EXAMPLES[name]()


# --------------------------------------------------------------------------------------------------------- missing keys


def without(tree, key):
    return {k: v for k, v in tree.items() if k != key}


MORE = {"other": None}  # keeps the number of keys, which says how many layers there are
GRADS = {f"d{key}": value for key, value in PARAMETERS.items()}
MISSING = {
    "L_model_forward: W2": (lambda: bp.L_model_forward(X, without(PARAMETERS, "W2") | MORE), "W2", "layer 2"),
    "L_model_forward: b1": (lambda: bp.L_model_forward(X, without(PARAMETERS, "b1") | MORE), "b1", "layer 1"),
    "update_parameters: W1": (
        lambda: bp.update_parameters(without(PARAMETERS, "W1") | MORE, GRADS, 0.1),
        *("W1", "layer 1"),
    ),
    "update_parameters: dW2": (
        lambda: bp.update_parameters(dict(PARAMETERS), without(GRADS, "dW2"), 0.1),
        *("dW2", "layer 2"),
    ),
    "update_parameters: db1": (
        lambda: bp.update_parameters(dict(PARAMETERS), without(GRADS, "db1"), 0.1),
        *("db1", "layer 1"),
    ),
    "L_layer_model": (
        lambda: bp.L_layer_model(X, Y, LAYERS, parameters=without(PARAMETERS, "b2")),
        *("b2", "layer 2"),
    ),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_missing_key(case):
    call, *fragments = MISSING[case]
    with refusing(KeyError, *fragments):
        call()


@pytest.mark.parametrize(
    ("grads", "kind"),
    [
        (without(GRADS, "db2"), KeyError),
        ({**GRADS, "dW2": np.ones((7, 7))}, ValueError),
        ({**GRADS, "db2": np.array([["a"]])}, TypeError),
    ],
)
def test_a_refused_update_changes_nothing(grads, kind):
    """What is wrong is in the last layer; the first has not moved."""
    parameters = dict(PARAMETERS)
    with pytest.raises(kind):
        bp.update_parameters(parameters, grads, 0.1)
    assert list(parameters) == list(PARAMETERS)
    assert all(parameters[key] is PARAMETERS[key] for key in PARAMETERS)


# --------------------------------------------------------------------------------------------- dtypes without a meaning

WRONG_DTYPES = {
    "complex128": lambda x: x.astype(complex),
    "object": lambda x: x.astype(object),
    "<U": lambda x: x.astype(str),
}
TAKERS = {
    "sigmoid": (lambda x: bp.sigmoid(x(DZ)), "Z"),
    "relu": (lambda x: bp.relu(x(DZ)), "Z"),
    "sigmoid_backward: dA": (lambda x: bp.sigmoid_backward(x(DZ), DZ), "dA"),
    "sigmoid_backward: cache": (lambda x: bp.sigmoid_backward(DZ, x(DZ)), "Z"),
    "relu_backward: dA": (lambda x: bp.relu_backward(x(DZ), DZ), "dA"),
    "relu_backward: cache": (lambda x: bp.relu_backward(DZ, x(DZ)), "Z"),
    "linear_forward: A": (lambda x: bp.linear_forward(x(A_PREV), W, B), "A"),
    "linear_forward: W": (lambda x: bp.linear_forward(A_PREV, x(W), B), "W"),
    "linear_forward: b": (lambda x: bp.linear_forward(A_PREV, W, x(B)), "b"),
    "linear_activation_forward: A_prev": (
        lambda x: bp.linear_activation_forward(x(A_PREV), W, B, "relu"),
        "A_prev",
    ),
    "linear_backward: dZ": (lambda x: bp.linear_backward(x(DZ), CACHE), "dZ"),
    "linear_backward: A_prev": (lambda x: bp.linear_backward(DZ, (x(A_PREV), W, B)), "A_prev"),
    "linear_backward: W": (lambda x: bp.linear_backward(DZ, (A_PREV, x(W), B)), "W"),
    "linear_activation_backward: dA": (
        lambda x: bp.linear_activation_backward(x(DZ), (CACHE, DZ), "relu"),
        "dA",
    ),
    "L_model_forward: X": (lambda x: bp.L_model_forward(x(X), PARAMETERS), "X"),
    "L_model_forward: W1": (lambda x: bp.L_model_forward(X, {**PARAMETERS, "W1": x(PARAMETERS["W1"])}), "W1"),
    "compute_cost: AL": (lambda x: bp.compute_cost(x(AL), Y), "AL"),
    "compute_cost: Y": (lambda x: bp.compute_cost(AL, x(Y)), "Y"),
    "L_model_backward: AL": (lambda x: bp.L_model_backward(x(AL), Y, CACHES), "AL"),
    "L_model_backward: Y": (lambda x: bp.L_model_backward(AL, x(Y), CACHES), "Y"),
    "update_parameters: W1": (
        lambda x: bp.update_parameters({**PARAMETERS, "W1": x(PARAMETERS["W1"])}, GRADS, 0.1),
        "W1",
    ),
    "update_parameters: dW1": (
        lambda x: bp.update_parameters(dict(PARAMETERS), {**GRADS, "dW1": x(GRADS["dW1"])}, 0.1),
        "dW1",
    ),
    "L_layer_model: X": (lambda x: bp.L_layer_model(x(X), Y, LAYERS), "X"),
    "L_layer_model: Y": (lambda x: bp.L_layer_model(X, x(Y), LAYERS), "Y"),
    "L_layer_model: parameters": (
        lambda x: bp.L_layer_model(X, Y, LAYERS, parameters={**PARAMETERS, "W1": x(PARAMETERS["W1"])}),
        "W1",
    ),
}


@pytest.mark.parametrize("dtype", WRONG_DTYPES)
@pytest.mark.parametrize("case", TAKERS)
def test_a_dtype_without_a_meaning(case, dtype):
    call, name = TAKERS[case]
    with refusing(TypeError, name, dtype):
        call(WRONG_DTYPES[dtype])


# ------------------------------------------------------------------------------------------------------------- training


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_training_refuses_what_is_not_finite(value):
    bad = X.copy()
    bad[1, 2] = value
    with refusing(ValueError, "X", "finite"):
        bp.L_layer_model(bad, Y, LAYERS)
    bad = Y.copy()
    bad[0, 2] = value
    with refusing(ValueError, "Y", "finite"):
        bp.L_layer_model(X, bad, LAYERS)


@pytest.mark.parametrize("labels", [[-1, 1, -1, 1, 1], [1, 2, 1, 2, 2], [0, 0.5, 1.5, 1, 0]])
def test_training_warns_of_labels_outside_0_1(labels):
    with pytest.warns(UserWarning, match=r"Y.*\[0, 1\]"):
        bp.L_layer_model(X, np.array([labels], float), LAYERS, num_iterations=1)


@pytest.mark.parametrize("labels", [[0, 1, 0, 1, 1], [0.1, 0.9, 0.5, 0, 1]])
def test_training_takes_labels_within_0_1_in_silence(labels):
    bp.L_layer_model(X, np.array([labels]), LAYERS, num_iterations=1)  # a warning would be an error


@pytest.mark.parametrize(
    ("layers", "fragment"),
    [([3, 0, 1], "0"), ([3, -2, 1], "-2"), ([3, 4, 2], "2"), ([3], "[3]"), ([], "[]")],
)
def test_training_refuses_layer_sizes_without_a_meaning(layers, fragment):
    with refusing(ValueError, "layers_dims", fragment):
        bp.L_layer_model(X, Y, layers)


@pytest.mark.parametrize("layers", [[3, 2.5, 1], [3, "4", 1], 3, None])
def test_training_refuses_layers_that_are_no_whole_numbers(layers):
    with refusing(TypeError, "layers_dims"):
        bp.L_layer_model(X, Y, layers)


@pytest.mark.parametrize(("X", "Y"), [(X, Y.T), (X * np.nan, Y), (X.astype(complex), Y)])
def test_training_refused_draws_nothing_from_the_generator(X, Y):
    """Before any work: a later call with the arguments put right starts as if there had been no first one."""
    np.random.seed(0)
    with pytest.raises((ValueError, TypeError)):
        bp.L_layer_model(X, Y, LAYERS)
    drawn = np.random.randn()
    np.random.seed(0)
    assert drawn == np.random.randn()


@pytest.mark.parametrize(("dtype", "rate"), [("float32", 1e20), ("float64", 1e150)])
def test_a_training_that_diverges_stops_and_gives_back_the_last_finite_parameters(dtype, rate):
    twice = np.concatenate([X, X], axis=1).astype(dtype)
    contradiction = np.repeat([[0, 1]], 5, axis=1).astype(dtype)  # each example with both labels: no step is small
    start = {key: value.astype(dtype) for key, value in PARAMETERS.items()}
    with pytest.raises(FloatingPointError, match=r"iteration \d+ .*learning_rate") as caught:
        bp.L_layer_model(twice, contradiction, LAYERS, rate, 1000, parameters=start)
    last, iteration = vars(caught.value)["parameters"], int(str(caught.value).split()[1])
    assert all(np.all(np.isfinite(value)) for value in last.values())
    assert iteration > 0
    assert_same_bits(last, bp.L_layer_model(twice, contradiction, LAYERS, rate, iteration, parameters=start))
