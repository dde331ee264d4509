"""Whether the operands of a layer, of a network and of a step fit together, by their shapes.

What does not fit raises, with the shapes that came and what was expected.
"""

import math

import numpy as np

from fastbackprop.activations import LINEAR, OUTPUT, RELU
from fastbackprop.arguments import as_row, numbers, shape_error, some_examples, spreads


def broadcasts(*shapes):
    """Whether NumPy broadcasts the shapes to a common one."""
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


def column(name, b_shape, n):
    """Check that a bias for n units is not of shape (n,): NumPy adds that along the examples where n == m."""
    if b_shape == (n,) and n > 1:
        raise ValueError(f"{name} has shape {b_shape}; expected ({n}, 1), one row a unit")


def product_shape(W_name, W_shape, A_name, A_shape):
    """The shape of ``np.dot(W, A)``."""
    if not W_shape or not A_shape:
        return W_shape or A_shape
    if W_shape[-1] != A_shape[-2:][0]:
        raise shape_error(f"as many columns of {W_name} as rows of {A_name}", **{W_name: W_shape, A_name: A_shape})
    return W_shape[:-1] + (A_shape[:-2] + A_shape[-1:] if len(A_shape) > 1 else ())


def layer_forward(A_shape, W_shape, b_shape, A_name="A_prev", l=""):
    """The shape of Z of layer ``l``."""
    some_examples(A_name, A_shape)
    Z_shape = product_shape(f"W{l}", W_shape, A_name, A_shape)
    if len(Z_shape) == 2:
        column(f"b{l}", b_shape, Z_shape[0])
    if not spreads(b_shape, Z_shape):
        expected = f"({Z_shape[0]}, 1)" if len(Z_shape) == 2 else f"to spread to {Z_shape}, the shape of the product"
        raise shape_error(f"b{l} {expected}", **{f"W{l}": W_shape, A_name: A_shape, f"b{l}": b_shape})
    return Z_shape


def gradient(dA_shape, Z_shape, activation):
    """Check that ``dA * g'(Z)`` has the shape of dA: Z may be spread to it, but for a mask it has that shape itself."""
    if not (Z_shape == dA_shape if activation.masks else spreads(Z_shape, dA_shape)):
        raise shape_error("equal shapes", dA=dA_shape, Z=Z_shape)


def layer_backward(dA_shape, Z_shape, A_shape, W_shape, activation, dA_name="dA", l=""):
    """Check all shapes of the backward step of layer ``l``; LINEAR: dA is dZ. Without a mask, dA and Z may spread to dZ's."""
    A_name, W_name, Z_name = ("A_prev", "W", "Z") if l == "" else (f"A{l - 1}", f"W{l}", f"Z{l}")
    some_examples(A_name, A_shape)
    if len(A_shape) != 2 or len(W_shape) != 2 or W_shape[1] != A_shape[0]:
        raise shape_error(f"{W_name} (n, n_prev) and {A_name} (n_prev, m)", **{W_name: W_shape, A_name: A_shape})
    n, m = W_shape[0], A_shape[1]
    if not activation.masks and broadcasts(dA_shape, Z_shape):
        fits = np.broadcast_shapes(dA_shape, Z_shape) == (n, m)
    else:
        fits = dA_shape == Z_shape == (n, m)
    if not fits:
        given = {dA_name: dA_shape} if activation is LINEAR else {dA_name: dA_shape, Z_name: Z_shape}
        raise shape_error(f"{' and '.join(given)} ({n}, {m})", **given, **{W_name: W_shape, A_name: A_shape})


def cost(AL_shape, Y_shape):
    """Check that both are (1, m); AL may lack the first axis, which NumPy's dot does not need, or be a scalar for m = 1."""
    some_examples("Y", Y_shape)
    fits = len(Y_shape) == 2 and Y_shape[0] == 1 and AL_shape in (Y_shape, Y_shape[1:], () if Y_shape[1] == 1 else None)
    if not fits:
        m = math.prod(Y_shape)
        hints = [as_row(name) for name, shape in (("AL", AL_shape), ("Y", Y_shape)) if shape != (1, m)]
        expected = "both to be (1, m)" + (f": use {' and '.join(hints)}" if math.prod(AL_shape) == m else "")
        raise shape_error(expected, AL=AL_shape, Y=Y_shape)


def network_forward(X, layers):
    """Check that X and the layers' ``(W, b)`` hold numbers, and that each fits the one before it."""
    name, shape = "X", numbers("X", X).shape
    for l, (W, b) in enumerate(layers, start=1):
        shape = layer_forward(shape, numbers(f"W{l}", W).shape, numbers(f"b{l}", b).shape, name, l)
        name = f"A{l}"


def labels(AL_shape, Y_shape):
    """Check that there is one label an output."""
    if math.prod(AL_shape) != math.prod(Y_shape):
        raise shape_error("one label an output", AL=AL_shape, Y=Y_shape)


def network_backward(AL, Y, layers):
    """Check that outputs, labels and the layers' ``(A_prev, W, b, Z)`` hold numbers and fit, the last layer first."""
    name, shape = "AL", numbers("AL", AL).shape
    labels(shape, numbers("Y", Y).shape)
    for l in range(len(layers), 0, -1):
        A_prev, W, _, Z = layers[l - 1]
        A_prev, W, Z = numbers(f"A{l - 1}", A_prev), numbers(f"W{l}", W), numbers(f"Z{l}", Z)
        g = OUTPUT.activation if l == len(layers) else RELU
        layer_backward(shape, Z.shape, A_prev.shape, W.shape, g, name, l)
        name, shape = f"dA{l - 1}", A_prev.shape


def step(key, W_shape, dW_shape, rate_shape):
    """Check that ``W - learning_rate * dW`` has the shape of W; a bias of one number may take the shape of its gradient."""
    shape = W_shape
    if key.startswith("b"):
        if len(dW_shape) == 2:
            column(key, W_shape, dW_shape[0])
        if math.prod(W_shape) == 1 and not spreads(dW_shape, W_shape):
            shape = dW_shape
    if not (spreads(dW_shape, shape) and spreads(rate_shape, shape)):
        shapes = {key: W_shape, f"d{key}": dW_shape} | ({"learning_rate": rate_shape} if rate_shape else {})
        raise shape_error(f"equal shapes, or shapes that spread to that of {key}", **shapes)
