"""What identifies the examples of a training, whatever rank holds which of them: a sum over all numbers, each with its place.

Sums of 64 bits, in two lanes, do not depend on how an array is cut. They tell other data from these, not an attack.
"""

import numpy as np

_PIECE = 2**16  # numbers that are worked on at a time
_MASK = 2**64 - 1
_ODD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)  # the lanes' multipliers of the place
# A finalizer of 64 bits, variant 13. Source: D. Stafford, Better bit mixing, 2011.
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _mixed(words: np.ndarray) -> np.ndarray:
    words ^= words >> np.uint64(30)
    words *= _FIRST
    words ^= words >> np.uint64(27)
    words *= _SECOND
    words ^= words >> np.uint64(31)
    return words


def fingerprint(values: np.ndarray, row: int, column: int, width: int) -> tuple[int, int]:
    """Two sums over a part (n, m) of a matrix of `width` columns, whose first number stands in that row and column.

    The sums of parts, modulo 2^64, are that of the matrix. Numbers count as float64.
    """
    totals = [0, 0]
    n, m = values.shape
    depth = max(1, _PIECE // max(1, m))
    for i in range(0, n, depth):
        for j in range(0, m, _PIECE):
            part = np.array(values[i : i + depth, j : j + _PIECE], np.float64, order="C")  # a copy, to be mixed in place
            rows = np.arange(row + i, row + i + len(part), dtype=np.uint64).reshape(-1, 1) * np.uint64(width)
            places = rows + np.arange(column + j, column + j + part.shape[1], dtype=np.uint64)
            for lane, odd in enumerate(_ODD):
                mixed = _mixed(part.view(np.uint64) ^ _mixed(places * odd))
                totals[lane] = (totals[lane] + int(mixed.sum(dtype=np.uint64))) & _MASK
    return totals[0], totals[1]


def identified(parts: list[tuple[int, int]], shape: tuple[int, int]) -> str:
    """The words for a matrix of this shape, from the fingerprints of its parts."""
    sums = [sum(lane) & _MASK for lane in zip(*parts, strict=True)]
    return f"sums {shape[0]} x {shape[1]} {sums[0]:016x}{sums[1]:016x}"
