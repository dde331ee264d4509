"""Arrays of Python's as an entry takes them: borrowed from the caller, who keeps them until it returns.

Numba's own arrays have an owner: for each argument a call allocates a count of references and frees it again. That takes 28 ns
an argument, borrowing 4, and the nine calls of an iteration of a tiny net have forty of them. In all else they are the same.
"""

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import NativeValue, register_model, unbox
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import as_dtype

from fastbackprop.kernels.jit import with_twin

# Where fields stand behind the head that every object of Python has, in bytes, in an array and in its dtype. Source:
# PyArrayObject_fields and PyArray_Descr in NumPy's ndarraytypes.h; compiled extensions rely on them, whatever the version.
_DATA, _DIMENSIONS, _SHAPE, _STRIDES, _DTYPE = (object.__basicsize__ + offset for offset in (0, 8, 16, 24, 40))
_CHAR, _BYTE_ORDER = (object.__basicsize__ + offset for offset in (9, 10))
# The linker's name for the address of the type, which is another in each process that loads the machine code.
_NDARRAY = "fastbackprop_ndarray"
llvm.add_symbol(_NDARRAY, id(np.ndarray))


class Borrowed(types.Array):
    """A plain ndarray without its owner."""

    def __init__(self, dtype, ndim, layout, readonly=False, aligned=True):
        like = types.Array(dtype, ndim, layout, readonly=readonly, aligned=aligned)
        name = f"{type(self).__name__.lower()} {like.name}"
        super().__init__(dtype, ndim, layout, readonly=readonly, name=name, aligned=aligned)


class Given(Borrowed):
    """What a user has given for such an array, whatever it is: `is_plain` says whether it is one."""


register_model(Borrowed)(models.ArrayModel)
register_model(Given)(models.ArrayModel)


@unbox(Borrowed)
def _borrow(kind, thing, c):
    """Memory, shape and strides as the object has them. Where it is no plain array of the kind: TypeError; Given: no memory."""
    builder, byte, half, word = c.builder, ir.IntType(8), ir.IntType(32), ir.IntType(64)

    def field(of, offset, result):
        there = builder.gep(builder.bitcast(of, byte.as_pointer()), [ir.Constant(word, offset)])
        return builder.load(builder.bitcast(there, result.as_pointer()))

    def numbers(offset):
        start = field(thing, offset, word.as_pointer())
        return [builder.load(builder.gep(start, [ir.Constant(word, axis)])) for axis in range(kind.ndim)]

    def equal(found, expected):
        return builder.icmp_unsigned("==", found, ir.Constant(found.type, expected))

    array = c.context.make_array(kind)(c.context, builder)  # all fields are null, its owner's too
    dtype = as_dtype(kind.dtype)
    is_plain = cgutils.alloca_once_value(builder, cgutils.false_bit)
    with builder.if_then(builder.icmp_unsigned("==", c.pyapi.get_type(thing), c.pyapi.get_c_object(_NDARRAY))):
        description = field(thing, _DTYPE, byte.as_pointer())
        of_dtype = builder.and_(
            equal(field(description, _CHAR, byte), ord(dtype.char)), equal(field(description, _BYTE_ORDER, byte), ord("="))
        )
        with builder.if_then(builder.and_(of_dtype, equal(field(thing, _DIMENSIONS, half), kind.ndim))):
            data = field(thing, _DATA, c.context.get_data_type(kind.dtype).as_pointer())
            populate_array(array, data, numbers(_SHAPE), numbers(_STRIDES), dtype.itemsize, meminfo=None)
            builder.store(cgutils.true_bit, is_plain)
    if isinstance(kind, Given):
        return NativeValue(array._getvalue())
    refused = builder.not_(builder.load(is_plain))
    with builder.if_then(refused, likely=False):
        c.pyapi.err_set_string("PyExc_TypeError", f"a kernel takes a plain array of {dtype} here, of dimensions: {kind.ndim}")
    return NativeValue(array._getvalue(), is_error=refused)


def _is_plain_twin(thing, like):
    return type(thing) is np.ndarray and thing.ndim == like.ndim and thing.dtype == like.dtype


@with_twin(_is_plain_twin)
def is_plain(typing_context, thing, like):
    """Whether what was given is a plain array of the dtype and the dimensions of `like`."""

    def emit(context, builder, signature, arguments):
        return cgutils.is_not_null(builder, context.make_array(thing)(context, builder, arguments[0]).data)

    return types.boolean(thing, like), emit
