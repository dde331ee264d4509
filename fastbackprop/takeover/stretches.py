"""What a descent computes of a user's loop, as work for another thread: one iteration, or stretches with the wanted costs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastbackprop.algorithms import Direct


def tried(descent: Direct, limits: Callable[[Any], bool]) -> tuple[dict[str, np.ndarray], float] | None:
    """Work: one iteration; returns the parameters that it makes and its cost, or None where it comes to the limits."""
    descent.prepare()
    if limits(descent):
        return None
    (cost,) = descent.stretch(1, 1)
    return descent.parameters(), cost


def costs_of(descent: Direct, cuts: Sequence[tuple[int, int, int]], limits: Callable[[Any], bool]) -> dict[int, float] | None:
    """Work: train by these stretches; returns the costs by iteration, or None where the training comes to its limits."""
    found: dict[int, float] = {}
    for begin, length, every in cuts:
        done = descent.done
        costs = descent.stretch(length, every)
        if descent.done < done + length:
            return None
        found |= {begin + j * every: cost for j, cost in enumerate(costs)}
    return None if limits(descent) or not np.isfinite(list(found.values())).all() else found


def stretches(begin: int, end: int, wanted: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Cut iterations `begin` .. `end` - 1 into stretches (begin, length, every), so that the cost of each wanted one is known.

    A stretch knows the cost of its first iteration and of each `every`-th one after it.
    """
    at, i = begin, 0
    while at < end:
        if i == len(wanted) or wanted[i] > at:
            stop = end if i == len(wanted) else wanted[i]
            yield at, stop - at, stop - at
        else:
            j = i  # the last of those that lie equally far apart
            while j + 1 < len(wanted) and wanted[j + 1] - wanted[j] == wanted[i + 1] - wanted[i]:
                j += 1
            stop = wanted[j + 1] if j + 1 < len(wanted) else end
            yield at, stop - at, wanted[i + 1] - wanted[i] if j > i else stop - at
            i = j + 1
        at = stop
