"""Results have the documented shapes, for any shapes of the arguments: an answer of another shape would be a third."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import assert_same_bits

sizes = st.integers(1, 4)
any_shape = st.lists(sizes, max_size=3).map(tuple)


@st.composite
def near(draw, *shape):
    """An array of this shape as a rule, else of one that NumPy may broadcast with it, or of any."""
    kind = draw(st.sampled_from(["as it is"] * 6 + ["fewer", "more", "one"] * 2 + ["any"]))
    shape = {
        "as it is": lambda: shape,
        "fewer": lambda: shape[1:],
        "more": lambda: (draw(sizes), *shape),
        "one": lambda: tuple(draw(st.sampled_from([1, n])) for n in shape),
        "any": lambda: draw(any_shape),
    }[kind]()
    return np.random.default_rng(draw(st.integers(0, 9))).uniform(0.1, 0.9, shape)


def shapes(call):
    """The shapes of all arrays that a call returns; None where it refuses, which it does before any work."""
    try:
        result = call()
    except ValueError:
        return None
    if isinstance(result, dict):
        return {key: np.shape(value) for key, value in result.items()}
    return [np.shape(value) for value in (result if isinstance(result, tuple) else (result,))]


@settings(max_examples=200)
@given(data=st.data(), n=sizes, n_prev=sizes, m=sizes)
def test_one_layer(data, n, n_prev, m):
    dA, Z, A, W, b = (data.draw(near(*shape)) for shape in ((n, m), (n, m), (n_prev, m), (n, n_prev), (n, 1)))
    for name in ("sigmoid_backward", "relu_backward"):
        assert shapes(lambda name=name: getattr(bp, name)(dA, Z)) in (None, [dA.shape])
    for activation in ("relu", "sigmoid", None):
        if activation is None:
            forward = shapes(lambda: bp.linear_forward(A, W, b)[0])
            backward = shapes(lambda: bp.linear_backward(dA, (A, W, b)))
        else:
            forward = shapes(lambda activation=activation: _outputs(*bp.linear_activation_forward(A, W, b, activation)))
            backward = shapes(lambda activation=activation: bp.linear_activation_backward(dA, ((A, W, b), Z), activation))
        if forward is not None:
            assert set(forward) == {np.shape(np.dot(W, A))}
        if backward is not None:
            assert backward == [A.shape, W.shape, (len(W), 1)]


def _outputs(A, cache):
    return A, cache[1]


@settings(max_examples=200)
@given(data=st.data(), n_0=sizes, n_1=sizes, m=sizes)
def test_the_network(data, n_0, n_1, m):
    W1, b1, W2, b2 = (data.draw(near(*shape)) for shape in ((n_1, n_0), (n_1, 1), (1, n_1), (1, 1)))
    X, Z1, A1, Z2 = (data.draw(near(*shape)) for shape in ((n_0, m), (n_1, m), (n_1, m), (1, m)))
    AL, Y = data.draw(near(1, m)), data.draw(near(1, m))
    forward = shapes(lambda: bp.L_model_forward(X, {"W1": W1, "b1": b1, "W2": W2, "b2": b2})[0])
    if forward is not None:
        assert forward == [np.shape(np.dot(W2, np.dot(W1, X)))]
    assert shapes(lambda: bp.compute_cost(AL, Y)) in (None, [()])
    caches: Any = [((X, W1, b1), Z1), ((A1, W2, b2), Z2)]
    expected = {"dA0": X.shape, "dW1": W1.shape, "db1": (len(Z1) if Z1.ndim else 0, 1)}
    expected |= {"dA1": A1.shape, "dW2": W2.shape, "db2": (1, 1)}
    assert shapes(lambda: bp.L_model_backward(AL, Y, caches)) in (None, expected)


@settings(max_examples=200)
@given(data=st.data(), n=sizes, n_prev=sizes)
def test_an_update(data, n, n_prev):
    W, dW = data.draw(near(n, n_prev)), data.draw(near(n, n_prev))
    b, db = data.draw(near(n, 1)), data.draw(near(n, 1))
    rate: Any = data.draw(near())
    updated = shapes(lambda: bp.update_parameters({"W1": W, "b1": b}, {"dW1": dW, "db1": db}, rate))
    if updated is not None:
        assert updated["W1"] == W.shape
        assert updated["b1"] == (b.shape if b.size > 1 else np.broadcast_shapes(b.shape, db.shape))


def test_a_cache_that_spreads_to_the_gradient_is_served_as_in_the_reference(rng):
    dA, Z = rng.standard_normal((3, 4)), rng.standard_normal((3, 1))
    assert_same_bits(bp.sigmoid_backward(dA, Z), reference.sigmoid_backward(dA, Z))
