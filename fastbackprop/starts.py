"""What a training draws before its first iteration: the parameters to begin with, and which examples are set aside."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The deviation of the weights of a layer with n_prev inputs and n units.
STARTS: dict[str, Callable[[int, int], float]] = {
    "he": lambda n_prev, n: math.sqrt(2 / n_prev),
    "xavier": lambda n_prev, n: 1 / math.sqrt(n_prev),
    "glorot": lambda n_prev, n: math.sqrt(2 / (n_prev + n)),
    "small": lambda n_prev, n: 0.01,
}

# Numbers that are drawn at a time.
DRAWN = 2**18


def small_start(sizes: Sequence[int], randn: Callable[..., NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """What `initialize_parameters_deep` draws, by the `randn` of any of NumPy's legacy generators."""
    parameters = {}
    for l in range(1, len(sizes)):
        n, n_prev = sizes[l], sizes[l - 1]
        W, rows = np.empty((n, n_prev)), max(1, DRAWN // n_prev)
        for i in range(0, n, rows):  # the generator's numbers in its order; Ctrl-C would have to wait for all of them at once
            W[i : i + rows] = randn(min(rows, n - i), n_prev)
            W[i : i + rows] *= 0.01
        parameters[f"W{l}"], parameters[f"b{l}"] = W, np.zeros((n, 1))
    return parameters


def drawn(sizes: Sequence[int], kind: str, normal: Callable[[tuple[int, int]], Any]) -> dict[str, NDArray[np.float64]]:
    """``W_l`` of standard normal numbers times the deviation that STARTS has for this kind, and ``b_l = 0``."""
    return scaled(sizes, STARTS[kind], normal)


def scaled(
    sizes: Sequence[int], deviation: Callable[[int, int], float], normal: Callable[[tuple[int, int]], Any]
) -> dict[str, NDArray[np.float64]]:
    """``W_l`` of standard normal numbers times ``deviation(n_{l-1}, n_l)``, and ``b_l = 0``."""
    parameters = {}
    for l in range(1, len(sizes)):
        n_prev, n = sizes[l - 1], sizes[l]
        parameters[f"W{l}"] = normal((n, n_prev)) * deviation(n_prev, n)
        parameters[f"b{l}"] = np.zeros((n, 1))
    return parameters


def split(m: int, count: int, generator: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which `count` of m examples are set aside, and which are left, both in ascending order."""
    order = generator.permutation(m)
    return np.sort(order[:count]), np.sort(order[count:])
