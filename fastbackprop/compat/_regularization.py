"""L2 and dropout for the network of three layers, as the second course's notebooks define them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import fastbackprop
from fastbackprop import arguments, shapes
from fastbackprop.compat._costs import compute_cost
from fastbackprop.compat._three_layers import KEYS, gradients, three_layers

SEED = 1  # of dropout: each call draws the same masks
CACHE = "(z1, D1, a1, W1, b1, z2, D2, a2, W2, b2, z3, a3, W3, b3), as forward_propagation_with_dropout returns it"


def compute_cost_with_regularization(A3: ArrayLike, Y: ArrayLike, parameters: Any, lambd: float) -> Any:
    """The mean cross-entropy, plus ``lambd / (2 m)`` times the sum of the squares of all weights.

    Parameters
    ----------
    A3 : array (1, m)
        Outputs.
    Y : array (1, m)
        Labels.
    parameters : mapping
        ``W1, b1, W2, b2, W3, b3``.
    lambd : float

    Returns
    -------
    NumPy scalar

    Raises
    ------
    TypeError
        An argument does not hold real numbers.
    ValueError
        Shapes other than (1, m), no examples, parameters of another number of layers, or a lambd that is not finite.
    KeyError
        ``parameters`` lacks a key.
    """
    lambd = arguments.real("lambd", lambd)
    weights = [arguments.numbers(f"W{l}", W) for l, (W, _) in enumerate(three_layers(parameters), start=1)]
    cost = compute_cost(A3, Y)
    return cost + lambd / (2 * np.shape(Y)[1]) * sum(np.sum(np.square(W)) for W in weights)


def backward_propagation_with_regularization(
    X: ArrayLike, Y: ArrayLike, cache: Sequence[Any], lambd: float
) -> dict[str, NDArray[Any]]:
    """Gradients of `compute_cost_with_regularization`.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (n_3, m)
        Labels.
    cache : sequence
        As ``forward_propagation`` returned it.
    lambd : float

    Returns
    -------
    dict
        ``dZ3, dW3, db3, dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1``; dZ and dA are not divided by m.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, a cache of another form, or a lambd that is not finite.
    """
    lambd = arguments.real("lambd", lambd)
    grads = dict(zip(KEYS, gradients(X, Y, cache), strict=True))
    m = grads["dZ3"].shape[1]
    for l, W in ((1, cache[2]), (2, cache[6]), (3, cache[10])):
        grads[f"dW{l}"] = grads[f"dW{l}"] + lambd / m * np.asarray(W)
    return grads


def part_kept(keep_prob: Any) -> float:
    """``keep_prob`` as a float, above 0 and at most 1."""
    value = arguments.real("keep_prob", keep_prob)
    if not 0 < value <= 1:
        raise ValueError(f"keep_prob is {keep_prob!r}; expected the part of the units that is kept, above 0 and at most 1")
    return value


def forward_propagation_with_dropout(
    X: ArrayLike, parameters: Any, keep_prob: float = 0.5
) -> tuple[NDArray[Any], tuple[Any, ...]]:
    """Outputs of the network with units of both hidden layers left out at random, and the others divided by keep_prob.

    NumPy's global generator is seeded with 1 each time: the masks are the same in all calls for one X.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    parameters : mapping
        ``W1, b1, W2, b2, W3, b3``.
    keep_prob : float
        The probability that a unit is kept, above 0 and at most 1.

    Returns
    -------
    A3 : array (n_3, m)
    cache : tuple
        ``(Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3)``, with the masks D1 and D2 of bool.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, no examples, parameters of another number of layers, or a keep_prob outside (0, 1].
    KeyError
        ``parameters`` lacks a key.
    """
    kept = part_kept(keep_prob)
    (W1, b1), (W2, b2), (W3, b3) = layers = three_layers(parameters)
    shapes.network_forward(X, layers)
    np.random.seed(SEED)
    A1, (_, Z1) = fastbackprop.linear_activation_forward(X, W1, b1, "relu")
    D1, A1 = _dropped(A1, kept)
    A2, (_, Z2) = fastbackprop.linear_activation_forward(A1, W2, b2, "relu")
    D2, A2 = _dropped(A2, kept)
    A3, (_, Z3) = fastbackprop.linear_activation_forward(A2, W3, b3, "sigmoid")
    return A3, (Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3)


def _dropped(A: NDArray[Any], kept: float) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """A mask from NumPy's global generator, and A behind it."""
    mask = np.random.rand(*A.shape) < kept
    return mask, A * mask / kept


def backward_propagation_with_dropout(
    X: ArrayLike, Y: ArrayLike, cache: Sequence[Any], keep_prob: float
) -> dict[str, NDArray[Any]]:
    """Gradients of the mean cost of `forward_propagation_with_dropout`, through the same masks.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (n_3, m)
        Labels.
    cache : sequence
        As ``forward_propagation_with_dropout`` returned it.
    keep_prob : float
        As it was in the forward step.

    Returns
    -------
    dict
        ``dZ3, dW3, db3, dA2, dZ2, dW2, db2, dA1, dZ1, dW1, db1``; dZ and dA are not divided by m, and dA are those behind
        the masks.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, a cache of another form, or a keep_prob outside (0, 1].
    """
    kept = part_kept(keep_prob)
    try:
        Z1, D1, A1, W1, b1, Z2, D2, A2, W2, b2, Z3, A3, W3, b3 = cache
    except (TypeError, ValueError):
        raise arguments.malformed("cache", CACHE, cache) from None
    kept_cache = (Z1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3)
    return dict(zip(KEYS, gradients(X, Y, kept_cache, (D1, D2), kept), strict=True))
