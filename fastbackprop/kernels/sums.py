"""Compensated and pairwise sums."""

from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import inner

PIECE = 256  # terms that are summed pairwise


@inner
def two_sum(total, term, lost):
    """total + term rounded, and `lost` plus what the rounding lost. Source: Neumaier, ZAMM 54, 1974."""
    added = total + term
    if abs(total) >= abs(term):
        return added, lost + ((total - added) + term)
    return added, lost + ((term - added) + total)


@inner
def pairwise(terms, at):
    """Sum of a piece from terms[at] on, by halves."""
    stand_alone()
    half = PIECE // 2
    while half > 0:
        for j in range(at, at + half):
            terms[j] = terms[j] + terms[half + j]
        half //= 2
    return terms[at]


@inner
def add_row(n, x, source, to):
    """x[to + i] += x[source + i] for i < n; the two do not overlap."""
    stand_alone()
    for i in range(n):
        x[to + i] = x[to + i] + x[source + i]
