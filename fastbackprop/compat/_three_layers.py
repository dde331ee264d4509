"""The network of the second course's helper modules, of three layers: ``[LINEAR -> RELU] * 2 -> LINEAR -> SIGMOID``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import fastbackprop
from fastbackprop import arguments

LAYERS = 3
KEYS = ("dZ3", "dW3", "db3", "dA2", "dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1")
KEYS_OF_MEAN = ("dz3", "dW3", "db3", "da2", "dz2", "dW2", "db2", "da1", "dz1", "dW1", "db1")
CACHE = "(z1, a1, W1, b1, z2, a2, W2, b2, z3, a3, W3, b3), as forward_propagation returns it"


def sigmoid(x: ArrayLike) -> NDArray[Any]:
    """``1 / (1 + exp(-x))``, without a cache.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array of the shape of x

    Raises
    ------
    TypeError
        x does not hold real numbers.
    """
    return fastbackprop.sigmoid(x)[0]


def relu(x: ArrayLike) -> NDArray[Any]:
    """``max(0, x)``, without a cache.

    Parameters
    ----------
    x : array of any shape

    Returns
    -------
    array of the shape of x

    Raises
    ------
    TypeError
        x does not hold real numbers.
    """
    return fastbackprop.relu(x)[0]


def three_layers(parameters: Any) -> list[tuple[Any, Any]]:
    """``W, b`` of each of the three layers."""
    layers = arguments.layer_parameters(parameters)
    if len(layers) != LAYERS:
        raise ValueError(f"parameters are of {len(layers)} layers; expected three, W1, b1, W2, b2, W3 and b3")
    return layers


def forward_propagation(X: ArrayLike, parameters: Any) -> tuple[NDArray[Any], tuple[Any, ...]]:
    """Outputs of the network.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    parameters : mapping
        ``W1, b1, W2, b2, W3, b3``.

    Returns
    -------
    a3 : array (n_3, m)
    cache : tuple
        ``(z1, a1, W1, b1, z2, a2, W2, b2, z3, a3, W3, b3)``.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, no examples, or parameters of another number of layers.
    KeyError
        ``parameters`` lacks a key.
    """
    three_layers(parameters)
    a3, caches = fastbackprop.L_model_forward(X, parameters)
    (_, W1, b1), z1 = caches[0]
    (a1, W2, b2), z2 = caches[1]
    (a2, W3, b3), z3 = caches[2]
    return a3, (z1, a1, W1, b1, z2, a2, W2, b2, z3, a3, W3, b3)


def gradients(
    X: Any, Y: Any, cache: Any, masks: Sequence[Any] = (), keep_prob: float = 1, *, of_mean: bool = False
) -> tuple[Any, ...]:
    """``dZ3, dW3, db3, dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1``, those of Z and A of the cost's sum unless ``of_mean``.

    With dropout ``masks`` are D1 and D2, and ``cache`` holds the activations that they have passed.
    """
    try:
        _, A1, W1, _, _, A2, W2, b2, _, A3, W3, b3 = cache
    except (TypeError, ValueError):
        raise arguments.malformed("cache", CACHE, cache) from None
    X, Y = arguments.numbers("X", X), arguments.numbers("Y", Y)
    A1, A3 = arguments.numbers("a1", A1), arguments.numbers("a3", A3)
    if not arguments.spreads(Y.shape, A3.shape):
        raise arguments.shape_error("one label an output", a3=A3.shape, Y=Y.shape)
    if X.shape != (np.shape(W1)[1], A1.shape[1]):
        raise arguments.shape_error("the examples that a1 was computed from", X=X.shape, W1=np.shape(W1), a1=A1.shape)
    m = X.shape[1]
    dZ3 = (A3 - Y) / m if of_mean else A3 - Y
    dA2, dW3, db3 = fastbackprop.linear_backward(dZ3, (A2, W3, b3))
    if masks:
        dA2 = dA2 * masks[1] / keep_prob
    dZ2 = fastbackprop.relu_backward(dA2, A2)
    dA1, dW2, db2 = fastbackprop.linear_backward(dZ2, (A1, W2, b2))
    if masks:
        dA1 = dA1 * masks[0] / keep_prob
    dZ1 = fastbackprop.relu_backward(dA1, A1)
    # linear_backward would make the gradient of X too, which may be much larger than all others.
    dW1, db1 = np.dot(dZ1, X.T), dZ1.sum(axis=1, keepdims=True)
    if of_mean:
        for of_means in (dW3, db3, dW2, db2):  # linear_backward has divided by m once more
            of_means *= m
    else:
        dW1, db1 = dW1 / m, db1 / m
    return dZ3, dW3, db3, dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1


def backward_propagation(X: ArrayLike, Y: ArrayLike, cache: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Gradients of the mean cost.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (n_3, m)
        Labels.
    cache : sequence
        As ``forward_propagation`` returned it.

    Returns
    -------
    dict
        ``dz3, dW3, db3, da2, dz2, dW2, db2, da1, dz1, dW1, db1``, all divided by m.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, or a cache of another form.
    """
    return dict(zip(KEYS_OF_MEAN, gradients(X, Y, cache, of_mean=True), strict=True))


def backward_propagation_of_sums(X: ArrayLike, Y: ArrayLike, cache: Sequence[Any]) -> dict[str, NDArray[Any]]:
    """Gradients of the mean cost with respect to weights and biases, and of its sum with respect to all else.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (n_3, m)
        Labels.
    cache : sequence
        As ``forward_propagation`` returned it.

    Returns
    -------
    dict
        ``dZ3, dW3, db3, dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1``; dZ and dA are not divided by m.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, or a cache of another form.
    """
    return dict(zip(KEYS, gradients(X, Y, cache), strict=True))


def predict(X: ArrayLike, y: ArrayLike, parameters: Any) -> NDArray[np.int64]:
    """Predicted labels of examples; prints ``Accuracy: ...``, the part of them that equals the given labels.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    y : array (1, m), or one that NumPy broadcasts to it
        The right labels.
    parameters : mapping
        ``W1, b1, W2, b2, W3, b3``.

    Returns
    -------
    array (1, m) of int64
        1 where the output exceeds 0.5, else 0.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, no examples, parameters of another number of layers or of more than one output.
    KeyError
        ``parameters`` lacks a key.
    """
    labels = arguments.numbers("y", y)
    a3, _ = forward_propagation(X, parameters)
    if len(a3) != 1:
        raise ValueError(f"parameters make {len(a3)} outputs an example; predict expects 1")
    if not arguments.spreads(labels.shape, a3.shape):
        hint = f": use {arguments.as_row('y')}" if labels.size == a3.size else ""
        raise ValueError(f"y has shape {labels.shape}; expected {a3.shape}, one label an example of X{hint}")
    p = (a3 > 0.5).astype(np.int64)
    print(f"Accuracy: {np.mean(p == labels)!s}")
    return p


def predict_dec(parameters: Any, X: ArrayLike) -> NDArray[np.bool_]:
    """Predicted labels of examples, for `plot_decision_boundary`.

    Parameters
    ----------
    parameters : mapping
        ``W1, b1, W2, b2, W3, b3``.
    X : array (n_0, m)
        Examples are columns.

    Returns
    -------
    array (n_3, m) of bool
        Where the output exceeds 0.5.

    Raises
    ------
    TypeError, ValueError, KeyError
        As ``forward_propagation``.
    """
    return forward_propagation(X, parameters)[0] > 0.5
