"""Elementwise functions: sigmoid and relu, and dZ from dA. Arrays are taken, and results made, as in `layers`."""

from typing import Any

from numpy import empty, ndarray
from numpy.typing import ArrayLike, NDArray

from fastbackprop import operands
from fastbackprop.activations import RELU, SIGMOID
from fastbackprop.fallbacks import by_reference, on_copies
from fastbackprop.kernels.blocking import SHARED_ELEMENTS
from fastbackprop.operands import KERNEL_DTYPES
from fastbackprop.team import ALONE, NOBODY, in_team


def sigmoid(Z: ArrayLike) -> tuple[NDArray[Any], Any]:
    """``A = 1 / (1 + exp(-Z))``.

    Parameters
    ----------
    Z : array, any shape

    Returns
    -------
    A : array, shape of Z
        At most 4 ulp from the exact value. Of the dtype of Z; float64 for int32 and int64.
    cache
        The object ``Z``.

    Raises
    ------
    TypeError
        Z does not hold real numbers.

    Notes
    -----
    Differs from the reference on purpose: in the tails, where ``1 / (1 + exp(-Z))`` loses digits, and is 0 once exp
    overflows.

    Examples
    --------
    >>> A, cache = bp.sigmoid(np.array([[-1.0, 0.0, 1.0]]))
    >>> A.round(3).tolist()
    [[0.269, 0.5, 0.731]]
    """
    A = _serve_activation(Z, SIGMOID)
    return (_activate(Z, SIGMOID) if A is None else A), Z


def relu(Z: ArrayLike) -> tuple[NDArray[Any], Any]:
    """``A = max(0, Z)``.

    Parameters
    ----------
    Z : array, any shape

    Returns
    -------
    A : array, shape and dtype of Z
    cache
        The object ``Z``.

    Raises
    ------
    TypeError
        Z does not hold real numbers.

    Examples
    --------
    >>> A, cache = bp.relu(np.array([[-1.0, 0.0, 2.0]]))
    >>> A.tolist()
    [[0.0, 0.0, 2.0]]
    """
    A = _serve_activation(Z, RELU)
    return (_activate(Z, RELU) if A is None else A), Z


def _serve_activation(Z, activation):
    """``A = g(Z)``, or None where the kernels do not take Z as it stands."""
    if not (type(Z) is ndarray and (ndim := Z.ndim) and (dtype := Z.dtype) in KERNEL_DTYPES):
        return None
    A: Any = empty(Z.shape, dtype)
    to = A
    if ndim != 2:
        Z, to = Z.reshape(1, -1), A.reshape(1, -1)
    kernel, function = activation.activate[dtype.char]
    if Z.size < SHARED_ELEMENTS:
        done = kernel(Z, to, function, ALONE, NOBODY)
    else:
        done = in_team(kernel, Z, to, function)
    return A if done else None


def _activate(Z, activation):
    """``A = g(Z)`` of any Z."""
    Z, why = operands.activation_forward(Z, activation)
    if why:
        A, _ = by_reference(activation.name, why)(Z)
        return A
    A = _serve_activation(Z, activation)
    return on_copies(_serve_activation, (Z,), activation) if A is None else A


def relu_backward(dA: ArrayLike, cache: Any) -> NDArray[Any]:
    """``dZ = dA`` where ``Z > 0``, 0 where ``Z <= 0``.

    Parameters
    ----------
    dA : array, shape of Z
    cache : array
        Z, as ``relu`` returned it.

    Returns
    -------
    dZ : array, shape and dtype of dA
        A new array; ``dA`` where Z is nan.

    Raises
    ------
    TypeError
        dA or Z does not hold real numbers.
    ValueError
        Their shapes differ.

    Examples
    --------
    >>> Z = np.array([[-1.0, 0.0, 2.0]])
    >>> bp.relu_backward(np.array([[5.0, 6.0, 7.0]]), Z).tolist()
    [[0.0, 0.0, 7.0]]
    """
    dZ = _serve_activation_backward(dA, cache, RELU)
    return _activation_gradient(dA, cache, RELU) if dZ is None else dZ


def sigmoid_backward(dA: ArrayLike, cache: Any) -> NDArray[Any]:
    """``dZ = dA * s * (1 - s)`` with ``s = sigmoid(Z)``.

    Parameters
    ----------
    dA : array, shape of Z
    cache : array
        Z, as ``sigmoid`` returned it.

    Returns
    -------
    dZ : array, shape of dA
        At most ``8 u |dA|`` from the exact value (u: unit roundoff).

    Raises
    ------
    TypeError
        dA or Z does not hold real numbers.
    ValueError
        The shape of Z is not that of dA, and does not spread to it.

    Notes
    -----
    Differs from the reference on purpose: in the right tail, where ``1 - s`` loses digits, and is 0 from Z = 37 on.

    Examples
    --------
    >>> bp.sigmoid_backward(np.array([[2.0]]), np.array([[0.0]])).tolist()
    [[0.5]]
    """
    dZ = _serve_activation_backward(dA, cache, SIGMOID)
    return _activation_gradient(dA, cache, SIGMOID) if dZ is None else dZ


def _serve_activation_backward(dA, Z, activation):
    """``dZ = dA * g'(Z)``, or None where the kernels do not take the operands as they stand."""
    if not (type(dA) is type(Z) is ndarray and Z.ndim and (dtype := Z.dtype) is dA.dtype and dtype in KERNEL_DTYPES):
        return None
    if (shape := Z.shape) != dA.shape:
        return None
    dZ: Any = empty(shape, dtype)
    dA, Z, to = (dA, Z, dZ) if Z.ndim == 2 else (x.reshape(1, -1) for x in (dA, Z, dZ))
    kernel, function = activation.activate_backward[dtype.char]
    if Z.size < SHARED_ELEMENTS:
        done = kernel(dA, Z, to, function, ALONE, NOBODY)
    else:
        done = in_team(kernel, dA, Z, to, function)
    return dZ if done else None


def _activation_gradient(dA, Z, activation):
    """``dZ = dA * g'(Z)`` of any dA and Z."""
    (dA, Z), dtype, why = operands.activation_backward(dA, Z, activation)
    if why:
        return by_reference(activation.backward.__name__, why)(dA, Z)
    dZ = _serve_activation_backward(dA, Z, activation)
    if dZ is None:
        dZ = on_copies(_serve_activation_backward, (dA, Z), activation)
    return dZ.astype(dtype, copy=False)
