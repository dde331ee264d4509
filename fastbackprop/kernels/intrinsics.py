"""Instructions that Numba has no word for, each with a NumPy twin beside it (used under NUMBA_DISABLE_JIT=1).

Memory is handed over as a flat array, or as what `flat` and `bare` make of one (`memory.py`), and an index.
"""

import math
from contextlib import contextmanager

import numpy as np
from llvmlite import ir
from numba import typeof, types
from numba.core import cgutils

from fastbackprop.kernels.blocking import FUSED, LINE_BYTES, REGISTERS, VECTOR_BYTES
from fastbackprop.kernels.jit import with_twin
from fastbackprop.kernels.memory import address


def by_dtype(table):
    """A function of one number that returns the entry of `table` for the number's dtype, settled at compile time.

    No overload with inline="always": after inlining one, Numba drops a function's writes to memory that it takes for its own.
    """

    def twin(x):
        return table[np.asarray(x).dtype.char]

    @with_twin(twin)
    def lookup(typing_context, x):
        found = table["f" if x.bitwidth == 32 else "d"]
        kind = typeof(found)
        return kind(x), lambda context, builder, signature, arguments: context.get_constant_generic(builder, kind, found)

    return lookup


def lanes(dtype):
    """Numbers in a vector register, for a NumPy dtype or Numba type."""
    return VECTOR_BYTES * 8 // (dtype.bitwidth if isinstance(dtype, types.Type) else dtype.itemsize * 8)


def fetch_line(builder, pointer):
    """Have the line at an address on its way to L2, if the processor likes to."""
    i32, byte = ir.IntType(32), ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
    to_read, near, data = (ir.Constant(i32, number) for number in (0, 2, 1))
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [builder.bitcast(pointer, byte), to_read, near, data])


class Vectors:
    """LLVM instructions on vectors of one dtype. Memory is reached without a promise of alignment."""

    def __init__(self, builder, T, count=None):
        self.builder, self.T, self.lanes = builder, T, count or lanes(T)
        self.scalar = ir.DoubleType() if T.bitwidth == 64 else ir.FloatType()
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.name = f"v{self.lanes}f{T.bitwidth}"
        self.zero = ir.Constant(self.vector, [0.0] * self.lanes)

    def whole(self, value):
        return ir.Constant(ir.IntType(64), value)

    def equal(self, x, value):
        return self.builder.icmp_signed("==", x, self.whole(value))

    def both(self, condition, other):
        return self.builder.and_(condition, other)

    def slot(self, value):
        """A variable on the stack, which LLVM turns into a register."""
        slot = cgutils.alloca_once(self.builder, value.type)
        self.builder.store(value, slot)
        return slot

    def choose(self, number, cases, emit):
        """A piece of code for each of the cases that `number` may be: `emit(case)`; none for any other."""
        after = self.builder.append_basic_block("after")
        choice = self.builder.switch(number, after)
        for case in cases:
            block = self.builder.append_basic_block(f"case{case}")
            choice.add_case(self.whole(case), block)
            self.builder.position_at_end(block)
            emit(case)
            self.builder.branch(after)
        self.builder.position_at_end(after)

    @contextmanager
    def steps(self, count):
        """A loop over 0 .. count - 1."""
        builder, before = self.builder, self.builder.block
        test, body, after = (builder.append_basic_block(name) for name in ("test", "body", "after"))
        builder.branch(test)
        builder.position_at_end(test)
        index = builder.phi(ir.IntType(64))
        index.add_incoming(self.whole(0), before)
        builder.cbranch(builder.icmp_signed("<", index, count), body, after)
        builder.position_at_end(body)
        yield index
        index.add_incoming(builder.add(index, self.whole(1)), builder.block)
        builder.branch(test)
        builder.position_at_end(after)

    def call(self, name, result, arguments, **options):
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, arguments, **options)

    def at(self, pointer, index):
        return self.builder.gep(pointer, [index])

    def splat(self, scalar):
        lane0 = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(lane0, ir.Constant(self.vector, ir.Undefined), zeros)

    def mask(self, count):
        """The first `count` lanes."""
        kind = ir.VectorType(ir.IntType(64), self.lanes)
        wide = self.builder.insert_element(ir.Constant(kind, ir.Undefined), count, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        wide = self.builder.shuffle_vector(wide, ir.Constant(kind, ir.Undefined), zeros)
        return self.builder.icmp_signed("<", ir.Constant(kind, list(range(self.lanes))), wide)

    def load_scalar(self, pointer):
        value = self.builder.load(pointer)
        value.align = 1
        return value

    def load(self, pointer, mask=None):
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        if mask is not None:
            align = ir.Constant(ir.IntType(32), 1)
            return self.call(f"llvm.masked.load.{self.name}.p0", self.vector, [pointer, align, mask, self.zero])
        value = self.builder.load(pointer)
        value.align = 1
        return value

    def store(self, value, pointer, mask=None):
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        if mask is not None:
            align = ir.Constant(ir.IntType(32), 1)
            self.call(f"llvm.masked.store.{self.name}.p0", ir.VoidType(), [value, pointer, align, mask])
        else:
            self.builder.store(value, pointer).align = 1

    def fetch(self, pointer, count):
        """Have the lines of `count` numbers on their way to L2."""
        per_line = LINE_BYTES * 8 // self.T.bitwidth
        for i in sorted({*range(0, count, per_line), count - 1}):  # the last one, as they may begin within a line
            fetch_line(self.builder, self.at(pointer, self.whole(i)))

    def fma(self, a, b, c):
        """a b + c, of vectors or of scalars."""
        name = self.name if a.type == self.vector else f"f{self.T.bitwidth}"
        return self.call(f"llvm.fmuladd.{name}", a.type, [a, b, c])

    def once_known(self, pointer, vectors):
        """The pointer; LLVM does not move its uses before the vectors are computed. There is no instruction for this.

        LLVM loads ahead of time what it can; where all registers are taken, it then writes vectors to the stack.
        """
        if REGISTERS is None:
            return pointer
        kind = ir.FunctionType(pointer.type, [pointer.type, *(vector.type for vector in vectors)])
        return self.builder.call(ir.InlineAsm(kind, "", "=r,0" + f",{REGISTERS}" * len(vectors)), [pointer, *vectors])

    def zero_where(self, mask, x):
        """x, or 0 where `mask` is at most 0; not where it is nan."""
        return self.builder.select(self.builder.fcmp_ordered("<=", mask, self.zero), self.zero, x)

    def reciprocal(self, divisor):
        """1 / divisor, a scalar, in each lane."""
        return self.builder.fdiv(self.splat(ir.Constant(self.scalar, 1.0)), self.splat(divisor))

    def divide(self, x, divisor, reciprocal):
        """x / divisor, rounded as a division is (but for subnormal quotients), from the rounded reciprocal.

        A quarter of a division's time where multiply-adds are fused: the remainder r of the quotient q is exact then. Where it
        is 0 or nan, q is -0, infinite or nan, or exact.

        Source: Markstein, Computation of elementary functions on the IBM RISC System/6000 processor, IBM J. Res. Dev. 34, 1990.
        """
        if not FUSED:
            return self.builder.fdiv(x, divisor)
        name = f"llvm.fma.{self.name}"
        q = self.builder.fmul(x, reciprocal)
        r = self.call(name, x.type, [self.builder.fneg(q), divisor, x])
        better = self.call(name, x.type, [r, reciprocal, q])
        return self.builder.select(self.builder.fcmp_ordered("!=", r, self.zero), better, q)

    def sum(self, vector):
        """Sum of the lanes, by halves."""
        zero = ir.Constant(self.scalar, -0.0)
        return self.call(f"llvm.vector.reduce.fadd.{self.name}", self.scalar, [zero, vector], fastmath=("reassoc",))


def _fma_twin(a, b, c):
    return type(a)(a * type(a)(b) + type(a)(c))


@with_twin(_fma_twin)
def fma(typing_context, a, b, c):
    """a b + c, fused where the processor can; the dtype is that of a."""

    def emit(context, builder, signature, arguments):
        kind = arguments[0].type
        function = ir.FunctionType(kind, [kind] * 3)
        return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.fmuladd.f{a.bitwidth}"), arguments)

    return a(a, a, a), emit


# Adding 1.5 * 2^52 (2^23) rounds to a whole number k and leaves k in the low bits: no conversion to integers, which
# vectors of doubles lack before AVX-512.
MAGIC = {"d": 1.5 * 2.0**52, "f": np.float32(1.5 * 2.0**23)}


def _times_power_of_two_twin(x, t):
    if t != t:
        return t
    return type(t)(math.ldexp(x, int(t - type(t)(MAGIC[np.asarray(t).dtype.char]))))


@with_twin(_times_power_of_two_twin)
def times_power_of_two(typing_context, x, t):
    """2^k x for t = MAGIC + k, where neither it nor x is subnormal: k is added to the exponent."""

    def emit(context, builder, signature, arguments):
        whole = ir.IntType(t.bitwidth)
        mantissa = ir.Constant(whole, 52 if t.bitwidth == 64 else 23)
        k = builder.shl(builder.bitcast(arguments[1], whole), mantissa)
        return builder.bitcast(builder.add(builder.bitcast(arguments[0], whole), k), arguments[0].type)

    return t(t, t), emit


def _mantissa_twin(x):
    return np.float64(math.frexp(abs(x))[0]) if x - x == 0 else x


@with_twin(_mantissa_twin)
def mantissa_of(typing_context, x):
    """m of x = 2^k m, 1/2 <= m < 1, for a normal positive float64."""

    def emit(context, builder, signature, arguments):
        whole = ir.IntType(64)
        bits = builder.and_(builder.bitcast(arguments[0], whole), ir.Constant(whole, 2**52 - 1))
        return builder.bitcast(builder.or_(bits, ir.Constant(whole, 1022 << 52)), ir.DoubleType())

    return types.float64(types.float64), emit


def _exponent_twin(x):
    return np.float64(math.frexp(x)[1]) if x - x == 0 else x


@with_twin(_exponent_twin)
def exponent_of(typing_context, x):
    """k of x = 2^k m, 1/2 <= m < 1, for a normal positive float64, as a float64."""

    def emit(context, builder, signature, arguments):
        whole = ir.IntType(64)
        exponent = builder.lshr(builder.bitcast(arguments[0], whole), ir.Constant(whole, 52))
        # As in `MAGIC`, without a conversion: the number goes into the low bits of 2^52.
        bits = builder.or_(exponent, ir.Constant(whole, 1075 << 52))
        return builder.fsub(builder.bitcast(bits, ir.DoubleType()), ir.Constant(ir.DoubleType(), 2.0**52 + 1022))

    return types.float64(types.float64), emit


def _stream_twin(lines, to, i, source, j):
    n = lines * LINE_BYTES // to.dtype.itemsize
    to[i : i + n] = source[j : j + n]


@with_twin(_stream_twin)
def stream_lines(typing_context, lines, to, i, source, j):
    """Copy whole cache lines to the line that begins at to[i], past the caches: none of it is read from memory first."""

    def emit(context, builder, signature, arguments):
        lines, To, i, Source, j = arguments
        v = Vectors(builder, to.dtype)
        target, origin = address(context, builder, to, To, i), address(context, builder, source, Source, j)
        hint = builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)])
        with cgutils.for_range(builder, lines) as loop:
            for vector in range(LINE_BYTES // VECTOR_BYTES):
                per_line = v.whole(LINE_BYTES * 8 // to.dtype.bitwidth)
                at = builder.add(builder.mul(loop.index, per_line), v.whole(vector * v.lanes))
                value = v.load(v.at(origin, at))
                there = builder.store(value, builder.bitcast(v.at(target, at), v.vector.as_pointer()))
                there.align = VECTOR_BYTES
                there.set_metadata("nontemporal", hint)
        return context.get_dummy_value()

    n = types.intp
    return types.void(n, to, n, source, n), emit


def _fetch_twin(a, i):
    pass


@with_twin(_fetch_twin)
def fetch(typing_context, a, i):
    """Have the line of a[i] on its way to L2, if the processor likes to."""

    def emit(context, builder, signature, arguments):
        fetch_line(builder, address(context, builder, a, *arguments))
        return context.get_dummy_value()

    return types.void(a, types.intp), emit


def _stand_alone_twin():
    pass


@with_twin(_stand_alone_twin)
def stand_alone(typing_context):
    """Keep the function that says so out of its callers: inlined among other loops, LLVM may fail to vectorize its own."""

    def emit(context, builder, signature, arguments):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), emit
