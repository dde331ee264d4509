"""One layer: checks, allocates, calls a kernel, returns results of the reference's shapes.

Arrays may have any strides, be read-only, misaligned or of foreign byte order; they are never written to. Results are
new arrays in C order, of the dtype that the same formula has in NumPy. Lists, and all else that has ``__array__``, are
taken as arrays; caches hold the very objects that were passed. The reference answers calls that the kernels do not cover
(scalars, float16, longdouble, integer results, subclasses of ndarray, operands to be broadcast), and the logger
``fastbackprop`` records each of these, with the reason, at DEBUG.
"""

from typing import Any

import numpy as np
from numpy import empty, ndarray
from numpy.typing import ArrayLike, NDArray

from fastbackprop import arguments, operands
from fastbackprop.activations import LINEAR
from fastbackprop.fallbacks import by_reference, on_copies
from fastbackprop.kernels.blocking import WAKE_OPERATIONS
from fastbackprop.operands import KERNEL_DTYPES
from fastbackprop.team import ALONE, NOBODY, in_team

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
    if not (type(A_prev) is type(W) is ndarray and W.ndim == 2 and (dtype := W.dtype) in KERNEL_DTYPES):
        return None
    try:  # takes less time than to look how many dimensions there are; kernels do not serve more than two
        shape = _, m = len(W), A_prev.shape[1]
    except IndexError:
        return None
    Z = empty(shape, dtype)
    A = Z if activation is LINEAR else empty(shape, dtype)
    kernel, function = activation.layer[dtype.char]
    if W.size * m < WAKE_OPERATIONS:
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
