"""A matrix as kernels pass it on: flat memory, the index of its first element, and two strides counted in elements."""

from typing import Any, NamedTuple

import numpy as np

from fastbackprop.kernels.blocking import VECTOR_BYTES
from fastbackprop.kernels.intrinsics import LINE_BYTES, by_dtype, flat, gap
from fastbackprop.kernels.jit import inner

# Numbers in a vector register, for a number of the dtype.
lanes_of = by_dtype({"d": VECTOR_BYTES // 8, "f": VECTOR_BYTES // 4})
# Bytes of a number of the dtype.
size_of = by_dtype({"d": 8, "f": 4})


class Matrix(NamedTuple):
    """Element (i, j) is data[at + i * row + j * column]."""

    data: Any
    at: int
    row: int
    column: int


@inner
def matrix(X):
    """The matrix of a 2-D array: a view, or a C-ordered copy where strides run backwards or between the elements."""
    row, column = X.strides
    size = X.itemsize
    if row < 0 or column < 0 or row % size != 0 or column % size != 0:
        copy = np.empty(X.size, X.dtype)
        for i in range(X.shape[0]):
            for j in range(X.shape[1]):
                copy[i * X.shape[1] + j] = X[i, j]
        return Matrix(copy, 0, X.shape[1], 1)
    return Matrix(flat(X), 0, row // size, column // size)


@inner
def part(A, i, j):
    """A from row i and column j on."""
    return Matrix(A.data, A.at + i * A.row + j * A.column, A.row, A.column)


@inner
def transposed(A):
    """A^T."""
    return Matrix(A.data, A.at, A.column, A.row)


@inner
def workspace(size, one):
    """A row of `size` numbers of the dtype of `one`, from the start of a cache line on."""
    data = np.empty(size + LINE_BYTES, np.asarray(one).dtype)
    return Matrix(data, gap(data), size, 1)
