"""Mini-batches, momentum and Adam, as the second course's notebooks define them."""

from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike, NDArray

import fastbackprop
from fastbackprop import arguments


def shuffled(m: int, seed: Any) -> NDArray[np.int64]:
    """An order of m examples from NumPy's global generator, seeded."""
    np.random.seed(seed)
    return np.random.permutation(m)


def random_mini_batches(
    X: ArrayLike, Y: ArrayLike, mini_batch_size: int = 64, seed: int = 0
) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """The examples in an order that the seed determines, cut into batches; the last one may be smaller.

    Parameters
    ----------
    X : array (n_0, m)
        Examples are columns.
    Y : array (1, m)
        Labels.
    mini_batch_size : int
    seed : int
        NumPy's global generator is seeded with it.

    Returns
    -------
    list of tuples
        ``(mini_batch_X, mini_batch_Y)`` of each batch.

    Raises
    ------
    TypeError
        An array does not hold real numbers, or mini_batch_size is no whole number.
    ValueError
        Shapes that do not fit, no examples, or a mini_batch_size below 1.
    """
    columns = arguments.numbers("X", X)
    if columns.ndim != 2:
        raise ValueError(f"X has shape {columns.shape}; expected (n_0, m), examples are columns")
    arguments.some_examples("X", columns.shape)
    labels = arguments.label_row(Y, columns.shape)
    size = arguments.count("mini_batch_size", mini_batch_size, at_least=1)
    m = columns.shape[1]
    order = shuffled(m, seed)
    columns, labels = columns[:, order], labels[:, order]
    return [(columns[:, i : i + size], labels[:, i : i + size]) for i in range(0, m, size)]


def update_parameters_with_gd(parameters: Any, grads: Any, learning_rate: float) -> Any:
    """One step of gradient descent: ``W <- W - learning_rate dW``, likewise b.

    Parameters
    ----------
    parameters : dict
        ``W1, b1, ..., WL, bL``; its entries are rebound to new arrays.
    grads : mapping
        ``dW1, db1, ..., dWL, dbL``.
    learning_rate : float

    Returns
    -------
    The object ``parameters``.

    Raises
    ------
    TypeError, ValueError, KeyError
        As ``fastbackprop.update_parameters``.
    """
    return fastbackprop.update_parameters(parameters, grads, learning_rate)


def initialize_velocity(parameters: Any) -> dict[str, NDArray[Any]]:
    """A velocity of 0 for each weight and bias.

    Parameters
    ----------
    parameters : mapping
        ``W1, b1, ..., WL, bL``.

    Returns
    -------
    dict
        ``dW1, db1, ..., dWL, dbL``, each of the shape of its parameter.

    Raises
    ------
    TypeError, ValueError
        ``parameters`` is no mapping, or empty.
    KeyError
        ``parameters`` lacks a key.
    """
    return {
        f"d{name}{l}": np.zeros_like(value)
        for l, layer in enumerate(arguments.layer_parameters(parameters), start=1)
        for name, value in zip("Wb", layer, strict=True)
    }


def initialize_adam(parameters: Any) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Averages of 0 of the gradients, and of their squares.

    Parameters
    ----------
    parameters : mapping
        ``W1, b1, ..., WL, bL``.

    Returns
    -------
    v, s : dict
        ``dW1, db1, ..., dWL, dbL``, each of the shape of its parameter.

    Raises
    ------
    TypeError, ValueError
        ``parameters`` is no mapping, or empty.
    KeyError
        ``parameters`` lacks a key.
    """
    return initialize_velocity(parameters), initialize_velocity(parameters)


def _steps(parameters: Any, grads: Any, **averages: Any) -> list[tuple[Any, ...]]:
    """``key, W, dW`` for each W and b, with its entry in each of the averages; all of one shape."""
    steps = []
    for key, W, dW in arguments.layer_steps(parameters, grads):
        arrays = (W, dW, *(arguments.entry(name, average, f"d{key}") for name, average in averages.items()))
        if not all(type(x) is ndarray and x.dtype.char in "fd" and x.shape == W.shape for x in arrays):
            names = (key, f"d{key}", *(f"d{key} in {name}" for name in averages))
            arrays = tuple(arguments.numbers(name, x) for name, x in zip(names, arrays, strict=True))
            if len({x.shape for x in arrays}) != 1:
                raise arguments.shape_error("equal shapes", **{name: x.shape for name, x in zip(names, arrays, strict=True)})
        steps.append((key, *arrays))
    return steps


def update_parameters_with_momentum(parameters: Any, grads: Any, v: Any, beta: float, learning_rate: float) -> tuple[Any, Any]:
    """One step with momentum: ``v <- beta v + (1 - beta) dW`` and ``W <- W - learning_rate v``, likewise b.

    Parameters
    ----------
    parameters, v : dict
        ``W1, b1, ..., WL, bL`` and their velocities ``dW1, ...``; their entries are rebound to new arrays. Nothing is changed
        where anything raises.
    grads : mapping
        ``dW1, db1, ..., dWL, dbL``.
    beta, learning_rate : float

    Returns
    -------
    The objects ``parameters, v``.

    Raises
    ------
    TypeError
        An array does not hold real numbers.
    ValueError
        Shapes that do not fit, or a number that is not finite.
    KeyError
        ``parameters``, ``grads`` or ``v`` lacks a key.
    """
    beta, rate = arguments.real("beta", beta), arguments.real("learning_rate", learning_rate)
    for key, W, dW, velocity in _steps(parameters, grads, v=v):
        velocity = beta * velocity + (1 - beta) * dW
        v[f"d{key}"], parameters[key] = velocity, W - rate * velocity
    return parameters, v


def update_parameters_with_adam(
    parameters: Any,
    grads: Any,
    v: Any,
    s: Any,
    t: int,
    learning_rate: float = 0.01,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> tuple[Any, Any, Any]:
    """Step t of Adam: ``v <- beta1 v + (1 - beta1) dW``, ``s <- beta2 s + (1 - beta2) dW^2``, and

    ``W <- W - learning_rate (v / (1 - beta1^t)) / (sqrt(s / (1 - beta2^t)) + epsilon)``, likewise b.

    Parameters
    ----------
    parameters, v, s : dict
        ``W1, b1, ..., WL, bL`` and the averages ``dW1, ...`` of their gradients and of the squares of these; their entries
        are rebound to new arrays. Nothing is changed where anything raises.
    grads : mapping
        ``dW1, db1, ..., dWL, dbL``.
    t : int
        The number of the step, from 1.
    learning_rate, beta1, beta2, epsilon : float

    Returns
    -------
    The objects ``parameters, v, s``.

    Raises
    ------
    TypeError
        An array does not hold real numbers, or t is no whole number.
    ValueError
        Shapes that do not fit, a t below 1, a number that is not finite, or a beta that forgets nothing.
    KeyError
        ``parameters``, ``grads``, ``v`` or ``s`` lacks a key.
    """
    t = arguments.count("t", t, at_least=1)
    given = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    rate, beta1, beta2, epsilon = (arguments.real(name, value) for name, value in given.items())
    for name, beta in (("beta1", beta1), ("beta2", beta2)):
        if beta**t == 1:
            raise ValueError(f"{name} is {beta:g}; expected a number for which 1 - {name}^t, a divisor, is not 0")
    steps = _steps(parameters, grads, v=v, s=s)
    steps.reverse()
    scale, share = rate / (1 - beta1**t), 1 - beta2**t
    while steps:  # emptied on the way: old averages that nobody else holds are freed, and their memory serves the next ones
        key, W, dW, mean, mean_square = steps.pop()
        mean = beta1 * mean + (1 - beta1) * dW
        mean_square = beta2 * mean_square + (1 - beta2) * (dW * dW)
        v[f"d{key}"], s[f"d{key}"] = mean, mean_square
        change = np.sqrt(mean_square / share)
        change += epsilon
        change = mean / change
        change *= scale
        parameters[key] = W - change
    return parameters, v, s
