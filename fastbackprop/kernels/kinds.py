"""The types of what kernels take, as functions of the arrays' dtype, and of what one thread hands to another.

A job for the team is a `NamedTuple` whose annotations say what its fields are: `int`, `bool`, `float`, other named tuples, or
one of the classes below. `ADDRESS` is the kind of its address.
"""

import functools
from typing import TYPE_CHECKING, Any, TypeAlias, get_type_hints

from numba import types

from fastbackprop.kernels.borrowed import Borrowed, Given

if TYPE_CHECKING:
    # Within kernels they are what Numba infers; type checkers see its twins, arrays and numbers of NumPy.
    Number: TypeAlias = Any
    Numbers: TypeAlias = Any
    Words: TypeAlias = Any
    Reals: TypeAlias = Any
else:

    class Number:
        """A number of the arrays' dtype."""

    class Numbers:
        """Memory of such numbers."""

    class Words:
        """Memory of whole numbers: a mailbox, sizes, a stop flag."""

    class Reals:
        """Memory of float64 numbers, whatever the dtype of the arrays."""


class Pointer(types.CPointer):
    """Memory without an owner, read and written as `a[i]`, aligned or not (`memory.py`)."""

    def __init__(self, dtype: Any) -> None:
        super().__init__(dtype)
        self.name = f"memory of {dtype}"


@functools.cache
def record(cls: Any, T: Any) -> Any:
    """Numba's type of a named tuple whose fields are annotated; it has two, one where all fields are of one type."""
    fields = [_field(annotation, T) for annotation in get_type_hints(cls).values()]
    if len(set(fields)) == 1:
        return types.NamedUniTuple(fields[0], len(fields), cls)
    return types.NamedTuple(tuple(fields), cls)


def _field(annotation: Any, T: Any) -> Any:
    known = {
        int: types.intp, bool: types.boolean, float: types.float64, Number: T,
        Numbers: Pointer(T), Words: Pointer(types.int64), Reals: Pointer(types.float64),
    }  # fmt: skip
    return known[annotation] if annotation in known else record(annotation, T)


def ADDRESS(cls: Any) -> Any:
    """The address of such a named tuple, whose fields are read as the tuple's own: `job.n`."""
    return lambda T: Pointer(record(cls, T))


def IN(T: Any) -> Any:
    """A matrix that is read: any strides, read-only or not, aligned or not."""
    return Borrowed(T, 2, "A", readonly=True, aligned=False)


def GIVEN(T: Any) -> Any:
    """What a user passes for such a matrix, unchecked: `matrix.serves` says whether it is one."""
    return Given(T, 2, "A", readonly=True, aligned=False)


def OUT(T: Any) -> Any:
    """A matrix that is written: C order."""
    return Borrowed(T, 2, "C")


def FLAT(T: Any) -> Any:
    """A vector in one piece, read or written."""
    return Borrowed(T, 1, "C")


def TABLE(T: Any) -> Any:
    """A vector of whole numbers."""
    return Borrowed(types.int64, 1, "C")


def COSTS(T: Any) -> Any:
    """A vector of float64 numbers, whatever the dtype of the arrays."""
    return Borrowed(types.float64, 1, "C")


def INT(T: Any) -> Any:
    """A whole number."""
    return types.int64


def REAL(T: Any) -> Any:
    """A float64 number, whatever the dtype of the arrays."""
    return types.float64


def N(T: Any) -> Any:
    """A count, an index or a stride."""
    return types.intp


def NUMBER(T: Any) -> Any:
    """A number of the arrays' dtype."""
    return T


def POINTER(T: Any) -> Any:
    """The address of numbers of the dtype."""
    return Pointer(T)
