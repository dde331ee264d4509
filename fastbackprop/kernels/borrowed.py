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

# Where an array's fields stand behind the head that every object of Python has, in bytes. Source: PyArrayObject_fields in
# NumPy's ndarraytypes.h; compiled extensions rely on it, so it is the same in all versions.
_DATA, _DIMENSIONS, _SHAPE, _STRIDES = (object.__basicsize__ + 8 * i for i in range(4))
# The linker's name for the address of the type, which is another in each process that loads the machine code.
_NDARRAY = "fastbackprop_ndarray"
llvm.add_symbol(_NDARRAY, id(np.ndarray))


class Borrowed(types.Array):
    """A plain ndarray without its owner."""

    def __init__(self, dtype, ndim, layout, readonly=False, aligned=True):
        owned = types.Array(dtype, ndim, layout, readonly=readonly, aligned=aligned)
        super().__init__(dtype, ndim, layout, readonly=readonly, name=f"borrowed {owned.name}", aligned=aligned)


register_model(Borrowed)(models.ArrayModel)


@unbox(Borrowed)
def _borrow(kind, thing, c):
    """Its memory, shape and strides as the object has them; TypeError where it is no plain ndarray of so many dimensions."""
    builder, word, half = c.builder, ir.IntType(64), ir.IntType(32)

    def field(offset, of):
        there = builder.gep(builder.bitcast(thing, ir.IntType(8).as_pointer()), [ir.Constant(word, offset)])
        return builder.load(builder.bitcast(there, of.as_pointer()))

    def numbers(offset):
        start = field(offset, word.as_pointer())
        return [builder.load(builder.gep(start, [ir.Constant(word, axis)])) for axis in range(kind.ndim)]

    array = c.context.make_array(kind)(c.context, builder)
    refused = cgutils.alloca_once_value(builder, cgutils.true_bit)
    with builder.if_then(builder.icmp_unsigned("==", c.pyapi.get_type(thing), c.pyapi.get_c_object(_NDARRAY))):
        with builder.if_then(builder.icmp_signed("==", field(_DIMENSIONS, half), ir.Constant(half, kind.ndim))):
            data = field(_DATA, c.context.get_data_type(kind.dtype).as_pointer())
            itemsize = kind.dtype.bitwidth // 8
            populate_array(array, data, numbers(_SHAPE), numbers(_STRIDES), itemsize, meminfo=None)
            builder.store(cgutils.false_bit, refused)
    with builder.if_then(builder.load(refused), likely=False):
        message = f"a kernel takes plain arrays here, of dimensions: {kind.ndim}"
        c.pyapi.err_set_string("PyExc_TypeError", message)
    return NativeValue(array._getvalue(), is_error=builder.load(refused))
