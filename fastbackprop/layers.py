"""One layer: checks, allocates, calls a kernel, returns results of the reference's shapes.

Arrays may have any strides, be read-only, misaligned or of foreign byte order; they are never written to. Results are
new arrays in C order, of the dtype that the same formula has in NumPy. Lists, and all else that has ``__array__``, are
taken as arrays; caches hold the very objects that were passed. The reference answers calls that the kernels do not cover
(scalars, float16, longdouble, integer results, subclasses of ndarray, operands to be broadcast), and the logger
``fastbackprop`` records each of these, with the reason, at DEBUG.
"""

import logging
from typing import Any

import numpy as np
from numpy import array, empty, ndarray
from numpy.typing import ArrayLike, NDArray

from fastbackprop import arguments, operands, reference
from fastbackprop.activations import LINEAR, RELU, SIGMOID
from fastbackprop.kernels.blocking import SHARED_ELEMENTS, WAKE_OPERATIONS
from fastbackprop.operands import KERNEL_DTYPES
from fastbackprop.team import ALONE, NOBODY, in_team

logger = logging.getLogger("fastbackprop")


def by_reference(name, why):
    """The reference's function of this name, which is about to answer a call."""
    logger.debug("%s: the reference answers, since %s", name, why)
    return getattr(reference, name)


def on_copies(serve, operands, *rest):
    """What `serve` returns of copies of operands that it refused, though their dtypes and shapes fit.

    Kernels refuse strides that lead between the elements, as in a field of records; a copy has none.
    """
    results = serve(*(array(x, order="C") for x in operands), *rest)
    if results is None:
        raise RuntimeError("a kernel refused operands in C order")
    return results


# -------------------------------------------------------------------------------------------------------- activations


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
    if not (type(Z) is ndarray and Z.ndim and (dtype := Z.dtype) in KERNEL_DTYPES):
        return None
    A: Any = empty(Z.shape, dtype)
    Z, to = (Z, A) if Z.ndim == 2 else (Z.reshape(1, -1), A.reshape(1, -1))
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


# ------------------------------------------------------------------------------------------------------------ forward


def linear_forward(A: ArrayLike, W: ArrayLike, b: ArrayLike) -> tuple[NDArray[Any], tuple[Any, Any, Any]]:
    """``Z = W A + b``.

    Parameters
    ----------
    A : array (n_prev, m)
        Activations of the layer before, or the input.
    W : array (n, n_prev)
    b : array (n, 1)

    Returns
    -------
    Z : array (n, m)
    cache
        ``(A, W, b)``, the very objects.

    Raises
    ------
    TypeError
        An argument does not hold real numbers.
    ValueError
        Shapes that do not fit, or no examples (m = 0).

    Notes
    -----
    Differs from the reference on purpose: a ``b`` of shape (n,), n > 1, raises; NumPy adds it along the wrong axis
    where n == m.

    Examples
    --------
    >>> A, W, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, -1.0]]), np.array([[0.5]])
    >>> Z, cache = bp.linear_forward(A, W, b)
    >>> Z.tolist()
    [[-1.5, -1.5]]
    """
    Z, _ = serve_forward(A, W, b, LINEAR) or forward(A, W, b, LINEAR, "A")
    return Z, (A, W, b)


def linear_activation_forward(
    A_prev: ArrayLike, W: ArrayLike, b: ArrayLike, activation: str
) -> tuple[NDArray[Any], tuple[tuple[Any, Any, Any], NDArray[Any]]]:
    """``Z = W A_prev + b`` and ``A = g(Z)`` in one pass.

    Parameters
    ----------
    A_prev : array (n_prev, m)
    W : array (n, n_prev)
    b : array (n, 1)
    activation : {"relu", "sigmoid", "tanh"}

    Returns
    -------
    A : array (n, m)
    cache
        ``((A_prev, W, b), Z)``, the very objects and Z (n, m).

    Raises
    ------
    TypeError, ValueError
        As ``linear_forward``; ValueError for another activation.

    Notes
    -----
    Differs from the reference on purpose as ``linear_forward`` and ``sigmoid`` do.

    Examples
    --------
    >>> A_prev, W, b = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([[1.0, -1.0]]), np.array([[0.5]])
    >>> A, (linear_cache, Z) = bp.linear_activation_forward(A_prev, W, b, "relu")
    >>> Z.tolist(), A.tolist()
    ([[-1.5, 1.5]], [[0.0, 1.5]])
    """
    g = arguments.activation_named(activation)
    Z, A = serve_forward(A_prev, W, b, g) or forward(A_prev, W, b, g)
    return A, ((A_prev, W, b), Z)


def serve_forward(A_prev, W, b, activation):
    """``Z, A`` of one layer, LINEAR: A is Z; or None where the kernels do not take the operands as they stand."""
    if not (type(A_prev) is type(W) is ndarray and A_prev.ndim == W.ndim == 2 and (dtype := W.dtype) in KERNEL_DTYPES):
        return None
    shape = len(W), A_prev.shape[1]
    Z = empty(shape, dtype)
    A = Z if activation is LINEAR else empty(shape, dtype)
    kernel, function = activation.layer[dtype.char]
    if W.size * shape[1] < WAKE_OPERATIONS:
        done = kernel(A_prev, W, b, Z, A, function, ALONE, NOBODY)
    else:
        done = in_team(kernel, A_prev, W, b, Z, A, function)
    return (Z, A) if done else None


def forward(A_prev, W, b, activation, A_name="A_prev"):
    """``Z, A`` of one layer, of any operands; LINEAR: A is Z."""
    (A_prev, W, b), why = operands.layer_forward(A_prev, W, b, A_name)
    if not why:
        made = serve_forward(A_prev, W, b, activation)
        return made or on_copies(serve_forward, (A_prev, W, b), activation)
    if activation is LINEAR:
        Z, _ = by_reference("linear_forward", why)(A_prev, W, b)
        return Z, Z
    A, (_, Z) = by_reference("linear_activation_forward", why)(A_prev, W, b, activation.name)
    return Z, A


# ----------------------------------------------------------------------------------------------------------- backward


def linear_backward(dZ: ArrayLike, cache: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Gradients of one layer from dZ.

    Parameters
    ----------
    dZ : array (n, m)
    cache
        ``(A_prev, W, b)``, as ``linear_forward`` returned it; b is not used.

    Returns
    -------
    dA_prev : array (n_prev, m)
        ``W^T dZ``
    dW : array (n, n_prev)
        ``dZ A_prev^T / m``
    db : array (n, 1)
        ``rowsum(dZ) / m``

    Raises
    ------
    TypeError
        An argument does not hold real numbers.
    ValueError
        Shapes that do not fit, no examples (m = 0), or a cache of another form.

    Examples
    --------
    >>> A_prev, W, b = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([[1.0, -1.0]]), np.array([[0.5]])
    >>> dA_prev, dW, db = bp.linear_backward(np.array([[1.0, 2.0]]), (A_prev, W, b))
    >>> dA_prev.tolist(), dW.tolist(), db.tolist()
    ([[1.0, 2.0], [-1.0, -2.0]], [[2.5, 2.5]], [[1.5]])
    """
    A_prev, W, b = arguments.linear_cache(cache)
    return serve_backward(dZ, dZ, A_prev, W, LINEAR) or backward(dZ, dZ, A_prev, W, b, LINEAR)


def linear_activation_backward(dA: ArrayLike, cache: Any, activation: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Gradients of one layer from dA: ``dZ = dA * g'(Z)``, then those of ``linear_backward``.

    Parameters
    ----------
    dA : array (n, m)
    cache
        ``((A_prev, W, b), Z)``, as ``linear_activation_forward`` returned it; b is not used.
    activation : {"relu", "sigmoid", "tanh"}

    Returns
    -------
    dA_prev, dW, db
        As ``linear_backward``.

    Raises
    ------
    TypeError, ValueError
        As ``linear_backward``; ValueError for another activation.

    Notes
    -----
    Differs from the reference on purpose as ``sigmoid_backward`` does.

    Examples
    --------
    >>> A_prev, W, b = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([[1.0, -1.0]]), np.array([[0.5]])
    >>> A, cache = bp.linear_activation_forward(A_prev, W, b, "relu")
    >>> dA_prev, dW, db = bp.linear_activation_backward(np.array([[1.0, 2.0]]), cache, "relu")
    >>> dW.tolist(), db.tolist()
    ([[2.0, 1.0]], [[1.0]])
    """
    g = arguments.activation_named(activation)
    A_prev, W, b, Z = arguments.layer_cache(cache)
    return serve_backward(dA, Z, A_prev, W, g) or backward(dA, Z, A_prev, W, b, g)


def serve_backward(dA, Z, A_prev, W, activation):
    """``dA_prev, dW, db`` of one layer, LINEAR: dA is dZ, passed again as Z; or None as `serve_forward`."""
    if not (type(A_prev) is type(W) is ndarray and A_prev.ndim == W.ndim == 2 and (dtype := W.dtype) in KERNEL_DTYPES):
        return None
    shape = A_prev.shape
    dA_prev, dW, db = empty(shape, dtype), empty(W.shape, dtype), empty((len(W), 1), dtype)
    kernel, function = activation.layer_backward[dtype.char]
    if W.size * shape[1] < WAKE_OPERATIONS:
        done = kernel(dA, Z, A_prev, W, dA_prev, dW, db, function, ALONE, NOBODY)
    else:
        done = in_team(kernel, dA, Z, A_prev, W, dA_prev, dW, db, function)
    return (dA_prev, dW, db) if done else None


def backward(dA, Z, A_prev, W, b, activation):
    """``dA_prev, dW, db`` of one layer, of any operands; LINEAR: dA is dZ, passed again as Z."""
    (dA, Z, A_prev, W), dtypes, why = operands.layer_backward(dA, Z, A_prev, W, activation)
    if not why:
        gradients = serve_backward(dA, Z, A_prev, W, activation)
        gradients = gradients or on_copies(serve_backward, (dA, Z, A_prev, W), activation)
        with np.errstate(over="ignore"):  # infinite without a warning, as a product in the narrower dtype is
            return tuple(x.astype(dtype, copy=False) for x, dtype in zip(gradients, dtypes, strict=True))
    if activation is LINEAR:
        return by_reference("linear_backward", why)(dA, (A_prev, W, b))
    return by_reference("linear_activation_backward", why)(dA, ((A_prev, W, b), Z), activation.name)
