"""A matrix as kernels pass it on: flat memory, the index of its first element, and two strides counted in elements."""

from typing import NamedTuple

from fastbackprop.kernels.blocking import VECTOR_BYTES
from fastbackprop.kernels.borrowed import is_plain
from fastbackprop.kernels.intrinsics import by_dtype
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.kinds import Numbers
from fastbackprop.kernels.memory import flat

# Numbers in a vector register, for a number of the dtype.
lanes_of = by_dtype({"d": VECTOR_BYTES // 8, "f": VECTOR_BYTES // 4})
# Bytes of a number of the dtype.
size_of = by_dtype({"d": 8, "f": 4})


class Matrix(NamedTuple):
    """Element (i, j) is data[at + i * row + j * column]."""

    data: Numbers
    at: int
    row: int
    column: int


@inner
def _itemsize(X):
    """X.itemsize as a constant, by which dividing is a shift."""
    return size_of(X.dtype.type(0))


@inner
def matrix(X):
    """The matrix of a 2-D array that is not odd; the array has to be kept. A stride along a single element means nothing."""
    row, column = X.strides
    size = _itemsize(X)
    return Matrix(flat(X), 0, row // size, column // size)


@inner
def is_odd(X):
    """Whether strides of a 2-D array lead between its elements, as in a field of records: kernels leave it alone.

    Along a single element no stride leads anywhere, and NumPy calls an array contiguous whatever it is there.
    """
    row, column = X.strides
    size = _itemsize(X)
    return (X.shape[0] > 1 and row % size != 0) or (X.shape[1] > 1 and column % size != 0)


@inner
def serves(X, rows, columns, like):
    """Whether what was given is a matrix of this shape, not odd nor empty, of the dtype of `like`."""
    return is_plain(X, like) and X.shape[0] == rows > 0 and X.shape[1] == columns > 0 and not is_odd(X)


@inner
def part(A, i, j):
    """A from row i and column j on."""
    return Matrix(A.data, A.at + i * A.row + j * A.column, A.row, A.column)


@inner
def transposed(A):
    """A^T."""
    return Matrix(A.data, A.at, A.column, A.row)
