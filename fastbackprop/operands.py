"""Operands as the kernels take them, or the reason why the reference is to serve the call.

The kernels serve plain arrays whose result in the reference is float32 or float64, and compute in that dtype throughout.
Each function here with a kernel's name prepares a call of it from any operands, and returns ``operands, ..., why``:

- ``why`` is None: ``operands`` are plain arrays of one kernel dtype, and their shapes fit;
- ``why`` is a reason: the kernels do not cover this call, and ``operands`` are those to call the reference with.
"""

import numpy as np
from numpy import ndarray

from fastbackprop import shapes
from fastbackprop.activations import LINEAR, OUTPUT
from fastbackprop.arguments import operand

# `x.dtype in KERNEL_DTYPES` is false for the same dtypes in foreign byte order.
KERNEL_DTYPES = frozenset({np.dtype(np.float32), np.dtype(np.float64)})
# The dtypes that a learning rate of this type does not change: a NumPy scalar has a dtype of its own.
STEP_DTYPES = {
    float: KERNEL_DTYPES,
    int: KERNEL_DTYPES,
    np.float32: KERNEL_DTYPES,
    np.float64: frozenset({np.dtype(np.float64)}),
}

# --------------------------------------------------------------------------------------------- what the kernels cover


def _obstacle(dtypes, **operands):
    """Why the kernels cannot take these operands and return results of these dtypes."""
    for name, x in operands.items():
        if type(x) is not ndarray:
            return f"{name} is of type {type(x).__name__}"
        if x.ndim == 0:
            return f"{name} is a 0-d array"
        if x.dtype == np.float16:
            return f"{name} is of dtype float16"
    for dtype in dtypes:
        if dtype not in KERNEL_DTYPES:
            return f"a result is of dtype {dtype}"
    return None


def _no_matrix(**operands):
    """Why these operands are no matrices, which the kernels of a layer need."""
    for name, x in operands.items():
        if x.ndim != 2 or x.size == 0:
            return f"{name} has shape {x.shape}"
    return None


def _unequal(**operands):
    """Why these two operands are no pair for an elementwise kernel."""
    (one, x), (other, y) = operands.items()
    return f"{one} has shape {x.shape} and {other} {y.shape}" if x.shape != y.shape else None


def _no_negative(Z, activation):
    """Why ``-Z``, where the reference needs it, is not the negative of Z."""
    kind = np.result_type(Z).kind if activation.negates else None
    if kind == "b" and not isinstance(Z, bool):
        raise TypeError("Z is of dtype bool, which has no negative; expected numbers")
    return "the negative of an unsigned Z wraps around" if kind == "u" else None


def _cast(dtype, *operands):
    return tuple(np.asarray(x, dtype) for x in operands)


# --------------------------------------------------------------------------------------- result dtypes of the reference


def _label_dtypes(AL, Y):
    """The dtypes of ``AL`` and of ``(1 - Y) * log(1 - AL)``."""
    return np.result_type(AL), np.result_type(np.result_type(Y, 1), AL)


# ---------------------------------------------------------------------------------------------------------- activations


def activation_forward(Z, activation):
    """``Z, why`` for ``A = g(Z)``."""
    Z = operand("Z", Z)
    dtype = activation.dtype(Z)
    why = _no_negative(Z, activation) or _obstacle((dtype,), Z=Z)
    return (Z if why else np.asarray(Z, dtype)), why


def activation_backward(dA, Z, activation):
    """``(dA, Z), dtype, why`` for ``dZ = dA * g'(Z)``, with the dtype of dZ."""
    dA, Z = operand("dA", dA), operand("Z", Z)
    shapes.gradient(np.shape(dA), np.shape(Z), activation)
    dtype = activation.gradient_dtype(dA, Z)
    wide = np.result_type(dtype, Z)  # a small Z must not become 0, since relu depends on its sign
    why = _no_negative(Z, activation) or _obstacle((dtype, wide), dA=dA, Z=Z) or _unequal(dA=dA, Z=Z)
    return ((dA, Z) if why else _cast(wide, dA, Z)), dtype, why


# ------------------------------------------------------------------------------------------------------------ one layer


def layer_forward(A_prev, W, b, A_name):
    """``(A_prev, W, b), why`` for ``Z = W A_prev + b``."""
    A_prev, W, b = operand(A_name, A_prev), operand("W", W), operand("b", b)
    shapes.layer_forward(np.shape(A_prev), np.shape(W), np.shape(b), A_name)
    product = np.result_type(W, A_prev)
    dtype = np.result_type(product, b)
    why = _obstacle((product, dtype), **{A_name: A_prev, "W": W, "b": b}) or _no_matrix(**{A_name: A_prev, "W": W})
    if not why and b.shape != (W.shape[0], 1):
        why = f"b has shape {b.shape}"
    return ((A_prev, W, b) if why else _cast(dtype, A_prev, W, b)), why


def layer_backward(dA, Z, A_prev, W, activation):
    """``(dA, Z, A_prev, W), dtypes, why`` for the backward step, with the dtypes of dA_prev, dW and db.

    LINEAR: dA is dZ, passed again as Z.
    """
    name = "dZ" if activation is LINEAR else "dA"
    dA, Z, A_prev, W = operand(name, dA), operand("Z", Z), operand("A_prev", A_prev), operand("W", W)
    shapes.layer_backward(np.shape(dA), np.shape(Z), np.shape(A_prev), np.shape(W), activation, name)
    dZ = activation.gradient_dtype(dA, Z)
    # The m-th part of a sum of integers is float64.
    dtypes = np.result_type(W, dZ), np.result_type(dZ, A_prev), dZ if dZ.kind == "f" else np.dtype(np.float64)
    wide = np.result_type(*dtypes, Z)
    given = {name: dA, "Z": Z, "A_prev": A_prev, "W": W}
    why = _no_negative(Z, activation) or _obstacle((*dtypes, wide), **given) or _unequal(dA=dA, Z=Z)
    why = why or _no_matrix(**given)
    return ((dA, Z, A_prev, W) if why else _cast(wide, dA, Z, A_prev, W)), dtypes, why


# -------------------------------------------------------------------------------------- the cost, and a step of descent


def plain_labels(Y, AL):
    """Labels beside plain float64 outputs, bool or integers as a rule, in float64; all others as they are."""
    if type(Y) is type(AL) is ndarray and Y.dtype.kind in "biu" and AL.dtype == np.float64:
        return Y.astype(AL.dtype)
    return Y


def cross_entropy(AL, Y):
    """``(AL, Y), why`` for the cost."""
    AL, Y = operand("AL", AL), operand("Y", Y)
    shapes.cost(np.shape(AL), np.shape(Y))
    dtypes = _label_dtypes(AL, Y)
    why = _obstacle(dtypes, AL=AL, Y=Y) or _unequal(AL=AL, Y=Y)
    return ((AL, Y) if why else _cast(dtypes[-1], AL, Y)), why


def output_gradient(AL, Y, Z):
    """``(AL, Y, Z), why`` for dZ of the output layer; Y may have any shape of AL's size."""
    AL, Y, Z = operand("AL", AL), operand("Y", Y), operand("Z", Z)
    shapes.labels(np.shape(AL), np.shape(Y))
    dtypes = _label_dtypes(AL, Y)
    dtype = np.result_type(dtypes[-1], OUTPUT.activation.dtype(Z))
    why = _no_negative(Z, OUTPUT.activation) or _obstacle((*dtypes, dtype), AL=AL, Y=Y, Z=Z) or _unequal(AL=AL, Z=Z)
    return ((AL, Y, Z) if why else _cast(dtype, AL, Y.reshape(AL.shape), Z)), why


def descend(steps, learning_rate):
    """``steps, learning_rate, why`` for ``W - learning_rate * dW``; ``steps`` holds ``key, W, dW`` of each W and b."""
    rate = operand("learning_rate", learning_rate)
    steps = [(key, operand(key, W), operand(f"d{key}", dW)) for key, W, dW in steps]
    why = "learning_rate is an array" if isinstance(rate, ndarray) else None
    ready = []
    for key, W, dW in steps:
        shapes.step(key, np.shape(W), np.shape(dW), np.shape(rate))
        change = np.result_type(rate, dW)
        dtype = np.result_type(W, change)
        pair = {key: W, f"d{key}": dW}
        why = why or _obstacle((change, dtype), **pair) or _no_matrix(**pair) or _unequal(**pair)
        if not why:
            ready.append((key, *_cast(dtype, W, dW)))
    return (steps, rate, why) if why else (ready, rate, None)
