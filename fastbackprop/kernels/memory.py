"""Memory as kernels see it: without owners, indexed by `a[i]`, with flags that other threads write.

Indices don't wrap around: Numba's own indexing of arrays selects between i and i + n at every access, which keeps LLVM from
vectorizing the loop. Plain Python (NUMBA_DISABLE_JIT=1) has the arrays themselves.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.extending import lower_builtin, register_model

from fastbackprop.kernels.blocking import LINE_BYTES
from fastbackprop.kernels.jit import with_twin
from fastbackprop.kernels.kinds import Pointer

register_model(Pointer)(models.PointerModel)


def _element(context, builder, kind, pointer, index):
    """The address of a[index]."""
    return builder.gep(builder.bitcast(pointer, context.get_value_type(kind.dtype).as_pointer()), [index])


@lower_builtin(operator.getitem, Pointer, types.Integer)
def _get(context, builder, signature, arguments):
    value = builder.load(_element(context, builder, signature.args[0], *arguments))
    value.align = 1
    return value


@lower_builtin(operator.setitem, Pointer, types.Integer, types.Any)
def _set(context, builder, signature, arguments):
    pointer, index, value = arguments
    builder.store(value, _element(context, builder, signature.args[0], pointer, index)).align = 1
    return context.get_dummy_value()


@infer_getattr
class _Fields(AttributeTemplate):
    """`job.n` of the address of a named tuple."""

    key = Pointer

    def generic_resolve(self, pointer, name):
        fields = getattr(pointer.dtype, "fields", ())
        return pointer.dtype.types[fields.index(name)] if name in fields else None


@lower_getattr_generic(Pointer)
def _get_field(context, builder, kind, pointer, name):
    there = builder.bitcast(pointer, context.get_value_type(kind.dtype).as_pointer())
    return builder.load(cgutils.gep_inbounds(builder, there, 0, kind.dtype.fields.index(name)))


def data(context, builder, kind, array):
    """Address of the first element of an array argument, or the address that it is."""
    if isinstance(kind, Pointer):
        return array
    return context.make_array(kind)(context, builder, array).data


def address(context, builder, kind, array, index):
    """Address of array[index] of a flat array argument."""
    return builder.gep(data(context, builder, kind, array), [index])


class From:
    """The twin of an address within an array: counts elements from there, backwards too."""

    def __init__(self, array, first):
        self.array, self.first, self.dtype = array, first, array.dtype

    def _there(self, i):
        return slice(self.first + i.start, self.first + i.stop) if isinstance(i, slice) else self.first + i

    def __getitem__(self, i):
        return self.array[self._there(i)]

    def __setitem__(self, i, value):
        self.array[self._there(i)] = value


def _flat_twin(X):
    steps = [(n - 1) * stride // X.itemsize for n, stride in zip(X.shape, X.strides, strict=True)]
    if X.size == 0:
        return np.empty(0, X.dtype)
    lowest = X[tuple(slice(None, None, -1) if step < 0 else slice(None) for step in steps)]
    span = 1 + sum(abs(step) for step in steps)
    memory = np.lib.stride_tricks.as_strided(lowest, (span,), (X.itemsize,), writeable=X.flags.writeable)
    return From(memory, sum(-step for step in steps if step < 0))


@with_twin(_flat_twin)
def flat(typing_context, X):
    """The memory from X[0, 0] on; strides of X are multiples of the item."""

    def emit(context, builder, signature, arguments):
        return data(context, builder, X, arguments[0])

    return Pointer(X.dtype)(X), emit


def _bare_twin(a):
    return a


@with_twin(_bare_twin)
def bare(typing_context, a):
    """The memory of the flat array `a` without its owner: a kernel's argument, which its caller keeps.

    Numba counts references wherever an array is handed on or looked at: over an iteration of a tiny net that took longer
    than the arithmetic.
    """

    def emit(context, builder, signature, arguments):
        return data(context, builder, a, arguments[0])

    return Pointer(a.dtype)(a), emit


def _at_address_twin(word, like):
    raise NotImplementedError("there are no addresses where nothing is compiled")


@with_twin(_at_address_twin)
def at_address(typing_context, word, like):
    """The memory at an address, of numbers of the dtype of `like`."""

    def emit(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return Pointer(like)(types.int64, like), emit


def _allocate_twin(size, like):
    memory = np.empty(size, np.asarray(like).dtype)
    if memory.dtype.kind == "f":
        memory[:] = np.nan  # among what lies there may be nan of the kind that raises a warning
    return memory


@with_twin(_allocate_twin)
def allocate(typing_context, size, like):
    """Memory for so many numbers of the dtype of `like`, to be given back by `free`; MemoryError if there is none.

    NumPy's arrays would do: each kind of them takes compiling for 0.2 s.
    """

    def emit(context, builder, signature, arguments):
        count = builder.mul(arguments[0], ir.Constant(ir.IntType(64), like.bitwidth // 8))
        memory = context.nrt.allocate(builder, count)  # raises where there is none
        return builder.bitcast(memory, context.get_value_type(signature.return_type))

    return Pointer(like)(types.intp, like), emit


def _nothing_twin(like):
    return None


@with_twin(_nothing_twin)
def nothing(typing_context, like):
    """In the place of memory that there is no need to `free`."""

    def emit(context, builder, signature, arguments):
        return cgutils.get_null_value(context.get_value_type(signature.return_type))

    return Pointer(like)(like), emit


def _free_twin(memory):
    pass


@with_twin(_free_twin)
def free(typing_context, memory):
    """Give back what `allocate` gave."""

    def emit(context, builder, signature, arguments):
        with cgutils.if_likely(builder, cgutils.is_not_null(builder, arguments[0])):
            context.nrt.free(builder, builder.bitcast(arguments[0], cgutils.voidptr_t))
        return context.get_dummy_value()

    return types.void(memory), emit


def _gap_twin(a, i):
    here = a[i : i + 1]
    return (-here.ctypes.data % LINE_BYTES) // here.itemsize


@with_twin(_gap_twin)
def gap(typing_context, a, i):
    """How many numbers from a[i] of a flat array on precede the first whole cache line."""

    def emit(context, builder, signature, arguments):
        whole = ir.IntType(64)
        start = builder.ptrtoint(address(context, builder, a, *arguments), whole)
        rest = builder.and_(builder.neg(start), ir.Constant(whole, LINE_BYTES - 1))
        return builder.udiv(rest, ir.Constant(whole, a.dtype.bitwidth // 8))

    return types.intp(a, types.intp), emit


def _flag_twin(a, i):
    return a[i]


def _loader(ordering):
    def typing(typing_context, a, i):
        def emit(context, builder, signature, arguments):
            return builder.load_atomic(address(context, builder, a, *arguments), ordering, 8)

        return a.dtype(a, types.intp), emit

    return with_twin(_flag_twin)(typing)


# a[i] of whole numbers that another thread may write, read from memory each time; what that thread wrote before is seen too.
load_flag = _loader("acquire")
# Likewise, and never before what this thread wrote before: two threads that each write one number and then look at the other's
# do not both miss it.
load_ordered = _loader("seq_cst")


def _store_flag_twin(a, i, value):
    a[i] = value


@with_twin(_store_flag_twin)
def store_flag(typing_context, a, i, value):
    """a[i] = value of whole numbers that another thread reads; who sees it sees all that was written before."""

    def emit(context, builder, signature, arguments):
        builder.store_atomic(arguments[2], address(context, builder, a, *arguments[:2]), "release", 8)
        return context.get_dummy_value()

    return types.void(a, types.intp, a.dtype), emit
