"""What a job in the mailbox is told: numbers, addresses and matrices as words, written by the caller and read by a routine.

Only teams of two or more use it, so nothing here has a twin.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.kinds import Pointer
from fastbackprop.kernels.matrix import Matrix
from fastbackprop.kernels.memory import address
from fastbackprop.kernels.threads import ALONE, ARGUMENTS


@intrinsic
def word_of(typing_context, x):
    """The bits of a number as a word of the mailbox."""

    def emit(context, builder, signature, arguments):
        bits = builder.bitcast(arguments[0], ir.IntType(x.bitwidth))
        return bits if x.bitwidth == 64 else builder.zext(bits, ir.IntType(64))

    return types.int64(x), emit


@intrinsic
def number_of(typing_context, word, like):
    """The number whose bits `word_of` put into a word."""

    def emit(context, builder, signature, arguments):
        bits, kind = arguments[0], arguments[1].type
        return builder.bitcast(bits if like.bitwidth == 64 else builder.trunc(bits, ir.IntType(32)), kind)

    return like(types.int64, like), emit


@intrinsic
def place_of(typing_context, a, i):
    """The address of a[i] of a flat array as a word of the mailbox."""

    def emit(context, builder, signature, arguments):
        return builder.ptrtoint(address(context, builder, a, *arguments), ir.IntType(64))

    return types.int64(a, types.intp), emit


@intrinsic
def at_place(typing_context, word, like):
    """The memory at an address from `place_of` as a flat array of the dtype of `like`."""

    def emit(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(Pointer(like)))

    return Pointer(like)(types.int64, like), emit


@inner
def tell(team, numbers):
    """Write whole numbers, a tuple of them, to the first words."""
    for i in range(len(numbers)):
        team[ARGUMENTS + i] = numbers[i]


@inner
def put(team, i, A):
    """Write a matrix to the words from `i` on; gives the index behind it."""
    at = ARGUMENTS + i
    team[at] = place_of(A.data, A.at)
    team[at + 1] = A.row
    team[at + 2] = A.column
    return i + 3


@inner
def take(words, i, like):
    """The matrix that `put` wrote."""
    return Matrix(at_place(words[i], like), 0, words[i + 1], words[i + 2])


@inner
def alone(words):
    """From a routine's words, the mailbox to hand on: a chunk is not shared further."""
    return at_place(place_of(words, ALONE - ARGUMENTS), words[0])
