"""What is meaningless is refused: before any work, with a message that names the argument, and nothing is half-changed."""

from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.testing import assert_same_bits, assert_within_bound, map_arrays

from .support.arguments import A_PREV, AL, CACHE, CACHES, DZ, GRADS, LAYERS, PARAMETERS, B, W, X, Y, refusing, untyped

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
    "sigmoid_backward: dA that would be spread": (
        lambda: bp.sigmoid_backward(DZ[:1], DZ),
        *("dA", "(1, 5)", "Z", "(4, 5)"),
    ),
    "sigmoid_backward: a cache of another form": (
        lambda: bp.sigmoid_backward(DZ, (DZ, DZ)),
        *("dA", "(4, 5)", "Z", "(2, 4, 5)"),
    ),
    "linear_forward: b that would spread Z": (
        lambda: bp.linear_forward(A_PREV[:, 0], W, B),
        *("b", "(4, 1)", "(4,)"),
    ),
    "linear_activation_backward: dA and Z of one row": (
        lambda: bp.linear_activation_backward(DZ[:1], (CACHE, DZ[:1]), "sigmoid"),
        *("dA", "(1, 5)", "Z", "(4, 5)"),
    ),
    "update_parameters: dW that would spread W": (
        lambda: bp.update_parameters({"W1": W[:1], "b1": B}, {"dW1": W, "db1": B}, 0.1),
        *("W1", "(1, 3)", "dW1", "(4, 3)"),
    ),
    "update_parameters: a rate that would spread W": (
        lambda: untyped.update_parameters({"W1": W, "b1": B}, {"dW1": W, "db1": B}, np.ones((2, 1, 1))),
        *("W1", "(4, 3)", "learning_rate", "(2, 1, 1)"),
    ),
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


# ------------------------------------------------------------------------------------------------- no container, no number

NO_CONTAINERS: dict[str, tuple[Any, ...]] = {
    "caches: None": (lambda: untyped.L_model_backward(AL, Y, None), TypeError, "caches is None", "one a layer"),
    "caches: a number": (lambda: untyped.L_model_backward(AL, Y, 5), TypeError, "caches is of type int", "one a layer"),
    "caches: [1]": (
        lambda: untyped.L_model_backward(AL, Y, [1]),
        ValueError,
        "caches[0] is of type int",
        "((A_prev, W, b), Z)",
    ),
    "caches: [None]": (lambda: untyped.L_model_backward(AL, Y, [None]), ValueError, "caches[0] is None", "((A_prev, W, b), Z)"),
    "cache: None": (lambda: untyped.linear_backward(DZ, None), ValueError, "cache is None", "(A_prev, W, b)"),
    "cache: an array": (
        lambda: untyped.linear_backward(DZ, DZ),
        ValueError,
        "cache is an array of shape (4, 5)",
        "(A_prev, W, b)",
    ),
    "cache of an activation: None": (lambda: untyped.relu_backward(DZ, None), TypeError, "Z is None"),
    "parameters: None": (lambda: untyped.L_model_forward(X, None), TypeError, "parameters is None", "a dict of W1, b1"),
    "parameters: [1]": (lambda: untyped.L_model_forward(X, [1]), TypeError, "parameters is of type list", "a dict of W1, b1"),
    "parameters: a list": (lambda: untyped.predict(X, [W, B]), TypeError, "parameters is of type list", "a dict of W1, b1"),
    "parameters: an array": (
        lambda: untyped.predict(X, W),
        TypeError,
        "parameters is an array of shape (4, 3)",
        "a dict of W1",
    ),
    "parameters: a number": (lambda: untyped.predict(X, 5), TypeError, "parameters is of type int", "a dict of W1, b1"),
    "parameters: empty": (lambda: untyped.L_model_forward(X, {}), ValueError, "parameters has entries: 0", "W1, b1"),
    "update: None": (lambda: untyped.update_parameters(None, GRADS, 0.1), TypeError, "parameters is None", "a dict of W1, b1"),
    "update: a list": (lambda: untyped.update_parameters([W, B], GRADS, 0.1), TypeError, "parameters is of type list"),
    "update: read-only": (
        lambda: untyped.update_parameters(MappingProxyType(PARAMETERS), GRADS, 0.1),
        *(TypeError, "parameters is of type mappingproxy"),
    ),
    "grads: None": (
        lambda: untyped.update_parameters({**PARAMETERS}, None, 0.1),
        TypeError,
        "grads is None",
        "a dict of dW1, db1",
    ),
    "grads: [1]": (lambda: untyped.update_parameters({**PARAMETERS}, [1], 0.1), TypeError, "grads is of type list", "dW1, db1"),
    "training: [1]": (
        lambda: untyped.L_layer_model(X, Y, LAYERS, parameters=[1]),
        *(TypeError, "parameters is of type list", "a dict of W1, b1"),
    ),
    "training: a number": (lambda: untyped.L_layer_model(X, Y, LAYERS, parameters=7), TypeError, "parameters is of type int"),
    "X: None": (lambda: untyped.L_layer_model(None, Y, LAYERS), TypeError, "X is None", "real numbers"),
    "Z: a dict": (lambda: untyped.sigmoid({}), TypeError, "Z is of type dict", "real numbers"),
    "W1: None": (lambda: untyped.L_model_forward(X, {**PARAMETERS, "W1": None}), TypeError, "W1 is None", "real numbers"),
}


@pytest.mark.parametrize("case", NO_CONTAINERS)
def test_what_is_no_container_or_number_is_named(case):
    call, kind, *fragments = NO_CONTAINERS[case]
    with refusing(kind, *fragments):
        call()


class Series:
    """The part of a data frame's column that the functions use."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __len__(self):
        return len(self.values)


@pytest.mark.parametrize("kind", [Series, list, tuple, np.array])
@pytest.mark.parametrize("column", [False, True])
def test_the_error_shows_how_labels_become_a_row(kind, column):
    labels = kind(Y.reshape(-1, 1) if column else Y.ravel())
    for call in (lambda: bp.L_layer_model(X, labels, LAYERS), lambda: bp.compute_cost(AL, labels)):
        with refusing(ValueError, "Y has shape (5, 1)" if column else "Y has shape (5,)", "np.asarray(Y).reshape(1, -1)"):
            call()
    row = np.asarray(labels).reshape(1, -1)  # the message's advice
    assert_same_bits(bp.compute_cost(AL, row), bp.compute_cost(AL, Y))


def test_the_error_shows_no_way_for_labels_of_another_number():
    for call in (lambda: bp.L_layer_model(X, Y.ravel()[:4], LAYERS), lambda: bp.compute_cost(AL, Y.ravel()[:4])):
        with pytest.raises(ValueError, match=r"\(4,\)") as caught:
            call()
        assert "reshape" not in str(caught.value)


def test_the_error_shows_how_objects_become_numbers():
    """A frame with a column of bool becomes an array of objects."""
    frame = Series(np.array([[0.5, True], [1.5, False]], object))
    for name, call in (
        ("X", lambda: bp.L_layer_model(frame, [[0, 1]], [2, 1])),
        ("X", lambda: bp.L_model_forward(frame, {"W1": np.ones((1, 2)), "b1": np.ones((1, 1))})),
        ("Y", lambda: bp.compute_cost([[0.5, 0.5]], Series(np.array([[True, False]], object)))),
        ("Z", lambda: bp.sigmoid(frame)),
    ):
        with refusing(TypeError, name, "object", ".astype(float)"):
            call()
    bp.L_layer_model(np.asarray(frame).astype(float), [[0, 1]], [2, 1], num_iterations=1)


MASKED: dict[str, tuple[Any, str]] = {
    "sigmoid": (lambda x: bp.sigmoid(x(DZ)), "Z"),
    "relu_backward": (lambda x: bp.relu_backward(x(DZ), DZ), "dA"),
    "linear_forward": (lambda x: bp.linear_forward(A_PREV, x(W), B), "W"),
    "linear_backward": (lambda x: bp.linear_backward(DZ, (x(A_PREV), W, B)), "A_prev"),
    "linear_activation_forward": (lambda x: bp.linear_activation_forward(A_PREV, W, x(B), "relu"), "b"),
    "linear_activation_backward": (lambda x: bp.linear_activation_backward(DZ, (CACHE, x(DZ)), "sigmoid"), "Z"),
    "L_model_forward": (lambda x: bp.L_model_forward(x(X), PARAMETERS), "X"),
    "compute_cost": (lambda x: bp.compute_cost(AL, x(Y)), "Y"),
    "L_model_backward": (lambda x: bp.L_model_backward(x(AL), Y, CACHES), "AL"),
    "update_parameters": (lambda x: bp.update_parameters({**PARAMETERS}, {**GRADS, "dW2": x(GRADS["dW2"])}, 0.1), "dW2"),
    "L_layer_model: X": (lambda x: bp.L_layer_model(x(X), Y, LAYERS, num_iterations=1), "X"),
    "L_layer_model: Y": (lambda x: bp.L_layer_model(X, x(Y), LAYERS, num_iterations=1), "Y"),
    "L_layer_model: parameters": (
        lambda x: bp.L_layer_model(X, Y, LAYERS, parameters={**PARAMETERS, "b1": x(B)}, num_iterations=1),
        "b1",
    ),
}


@pytest.mark.parametrize("case", MASKED)
def test_masked_entries_are_refused(case):
    call, name = MASKED[case]
    with refusing(ValueError, f"{name} has masked entries, 1 of "):
        call(lambda x: np.ma.array(x, mask=np.arange(x.size).reshape(x.shape) == 0))


@pytest.mark.parametrize("case", MASKED)
def test_a_masked_array_that_masks_nothing_is_an_array_like_any_other_class(case):
    """Served by the reference; a training takes its data."""
    call, _ = MASKED[case]
    np.random.seed(0)
    expected = call(lambda x: x)
    np.random.seed(0)
    actual = map_arrays(np.asarray, call(np.ma.array))
    assert_within_bound(actual, expected, map_arrays(lambda x: 1e-12 * (1 + np.abs(x)), expected))


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


@pytest.mark.parametrize(
    ("layers", "fragment"),
    [
        *(([3, 0, 1], "0"), ([3, -2, 1], "-2"), ([3, 4, 2], "2"), ([3], "[3]"), ([], "[]")),
        *(([3, 10**9, 10**9, 1], "W2 has 1000000000000000000 numbers"), ([3, 10**30, 1], "W1 has 3000")),
    ],
)
def test_training_refuses_layer_sizes_without_a_meaning(layers, fragment):
    with refusing(ValueError, "layers_dims", fragment):
        bp.L_layer_model(X, Y, layers)


@pytest.mark.parametrize("layers", [[3, 2.5, 1], [3, "4", 1], 3, None, {1, 2, 3}, {3: 4, 4: 1}])
def test_training_refuses_layers_that_are_no_whole_numbers(layers):
    with refusing(TypeError, "layers_dims"):
        bp.L_layer_model(X, Y, layers)


@pytest.mark.parametrize(("X", "Y"), [(X, Y.T), (X * np.nan, Y), (X.astype(complex), Y)])
def test_training_refused_draws_nothing_from_the_generator(X, Y):
    """A refusal comes before any work: a later call with correct arguments starts as if there had been no first one."""
    np.random.seed(0)
    with pytest.raises((ValueError, TypeError)):
        bp.L_layer_model(X, Y, LAYERS)
    drawn = np.random.randn()
    np.random.seed(0)
    assert drawn == np.random.randn()
