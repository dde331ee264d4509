"""The objects that are taken as arrays, and the calls that the reference answers, which the log records."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import CASES, assert_same_bits, assert_same_form, map_arrays

from .support.arguments import A_PREV, AL, CACHE, DZ, LAYERS, PARAMETERS, SIZE, B, W, X, Y

THROUGH_THE_REFERENCE = {
    "sigmoid of a number": ("sigmoid", lambda: (0.5,)),
    "sigmoid of float16": ("sigmoid", lambda: (DZ.astype("float16"),)),
    "sigmoid of longdouble": ("sigmoid", lambda: (DZ.astype(np.longdouble),)),
    "sigmoid of uint8": ("sigmoid", lambda: (np.array([[0, 1, 200]], np.uint8),)),
    "relu of integers": ("relu", lambda: (np.array([[-1, 0, 3]]),)),
    "relu of a number": ("relu", lambda: (-2,)),
    "sigmoid_backward of float16": ("sigmoid_backward", lambda: (DZ.astype("float16"), DZ.astype("float16"))),
    "relu_backward of integers": ("relu_backward", lambda: (np.array([[5, 6]]), np.array([[0.5, -0.5]]))),
    "a number for b": ("linear_forward", lambda: (A_PREV, W, 5)),
    "b of one row": ("linear_forward", lambda: (A_PREV, W, np.array([[1.0, 2, 3, 4, 5]]))),
    "W of longdouble": ("linear_forward", lambda: (A_PREV, W.astype(np.longdouble), B)),
    "integers all over": (
        "linear_forward",
        lambda: (np.arange(6).reshape(3, 2), np.ones((2, 3), int), np.array([[1], [2]])),
    ),
    "a number for b and an activation": ("linear_activation_forward", lambda: (A_PREV, W, 5.0, "relu")),
    "longdouble backward": ("linear_backward", lambda: (DZ.astype(np.longdouble), CACHE)),
    "cost of longdouble": ("compute_cost", lambda: (AL.astype(np.longdouble), Y)),
    "a number for db": ("update_parameters", lambda: ({"W1": W, "b1": B}, {"dW1": W, "db1": 0.5}, 0.1)),
    "a row for dW": ("update_parameters", lambda: ({"W1": W, "b1": B}, {"dW1": W[:1], "db1": B}, 0.1)),
    "longdouble parameters": (
        "L_model_forward",
        lambda: (X, map_arrays(lambda x: x.astype(np.longdouble), PARAMETERS)),
    ),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", THROUGH_THE_REFERENCE)
def test_what_no_kernel_serves_is_the_reference_and_says_so(case, fallbacks):
    name, arguments = THROUGH_THE_REFERENCE[case]
    expected = getattr(reference, name)(*arguments())
    assert fallbacks() == []
    actual = getattr(bp, name)(*arguments())
    assert_same_form(actual, expected)
    assert_same_bits(actual, expected)
    messages = fallbacks()
    answered = "linear_activation_forward" if name == "L_model_forward" else name  # layer by layer
    assert messages
    assert all(message.startswith(f"{answered}: the reference answers, since ") for message in messages)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: bp.sigmoid(DZ.astype("float16")), "float16"),
        (lambda: bp.linear_forward(A_PREV, W, 5), "b"),
        (lambda: bp.linear_forward(A_PREV, W.astype(np.longdouble), B), np.dtype(np.longdouble).name),
    ],
)
def test_the_log_states_the_reason(call, reason, fallbacks):
    call()
    (message,) = fallbacks()
    assert reason in message


def test_nothing_is_logged_where_the_kernels_answer(fallbacks):
    for name, case in CASES.items():
        for dtype in ("float32", "float64"):
            getattr(bp, name)(*case.make(SIZE, dtype))
    assert fallbacks() == []


# ------------------------------------------------------------------------------------------- taken as arrays, and names


def test_lists_are_taken_as_arrays():
    A, cache = bp.sigmoid([[0, 2.0]])
    assert_same_bits(A, bp.sigmoid(np.array([[0, 2.0]]))[0])
    assert cache == [[0, 2.0]]
    assert_same_bits(bp.relu([[-1.0, 2.0]])[0], np.array([[0, 2.0]]))
    assert_same_bits(bp.relu_backward([[5.0, 6.0]], [[0.5, -0.5]]), np.array([[5.0, 0.0]]))
    Z, _ = bp.linear_forward(A_PREV.tolist(), W.tolist(), B.tolist())
    assert_same_bits(Z, bp.linear_forward(A_PREV, W, B)[0])
    assert_same_bits(bp.compute_cost(AL.tolist(), Y.tolist()), bp.compute_cost(AL, Y))
    for actual, expected in zip(
        bp.linear_backward(DZ.tolist(), [x.tolist() for x in CACHE]), bp.linear_backward(DZ, CACHE), strict=True
    ):
        assert_same_bits(actual, expected)


class Table:
    """The part of a data frame that the functions use: an array on request."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


def test_what_turns_into_an_array_is_taken_as_one():
    A, _ = bp.linear_activation_forward(Table(A_PREV), Table(W), Table(B), "sigmoid")
    assert_same_bits(A, bp.linear_activation_forward(A_PREV, W, B, "sigmoid")[0])
    np.random.seed(0)
    expected = bp.L_layer_model(X, Y, LAYERS, num_iterations=5)
    np.random.seed(0)
    assert_same_bits(bp.L_layer_model(Table(X), Table(Y), LAYERS, num_iterations=5), expected)
