"""The machine's limits: multiply-adds on registers alone, and bytes of memory, by one core or several.

Each is a callable that does a fixed amount of work, so that it can be timed in turns with the measured call: a
processor that slows down for a while then slows the yardstick too.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastbackprop.kernels.blocking import MR, NV, _cache_bytes
from fastbackprop.kernels.intrinsics import Vectors, lanes

# As many chains of dependent multiply-adds as a register tile has vectors: enough to hide how long each takes.
CHAINS = MR * NV
L3_BYTES = _cache_bytes("3", 32 * 2**20)


@intrinsic
def _chains(typing_context, steps, x):
    """``steps`` multiply-adds in each chain, none of which touches memory; returns a sum so that none is left out."""

    def emit(context, builder, signature, arguments):
        v = Vectors(builder, x)
        operand = v.splat(arguments[1])
        slots = [v.slot(ir.Constant(v.vector, [float(i)] * v.lanes)) for i in range(CHAINS)]
        with cgutils.for_range(builder, arguments[0]):
            for slot in slots:
                builder.store(v.fma(builder.load(slot), operand, operand), slot)
        total = builder.load(slots[0])
        for slot in slots[1:]:
            total = builder.fadd(total, builder.load(slot))
        return v.sum(total)

    return x(types.intp, x), emit


@njit(nogil=True)
def _multiply_add(steps, x):
    return _chains(steps, x)


@njit(nogil=True)
def _triad(a, b, c, scale):
    for i in range(len(a)):
        a[i] = b[i] + scale * c[i]


class _Yardstick:
    """Work in equal parts, one a thread; the caller does one of them."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._others = ThreadPoolExecutor(max(1, threads - 1))
        self()  # compiles

    def part(self, thread: int) -> None:
        raise NotImplementedError

    def __call__(self) -> None:
        jobs = [self._others.submit(self.part, thread) for thread in range(1, self.threads)]
        self.part(0)
        for job in jobs:
            job.result()


class MultiplyAdds(_Yardstick):
    """``operations`` floating-point operations a call (two a multiply-add), about ten milliseconds of work."""

    STEPS = 4_000_000

    def __init__(self, dtype: str, threads: int) -> None:
        self._x = np.dtype(dtype).type(0.5)
        self.operations = 2 * threads * self.STEPS * CHAINS * lanes(self._x.dtype)
        super().__init__(threads)

    def part(self, thread: int) -> None:
        _multiply_add(self.STEPS, self._x)


class Triad(_Yardstick):
    """``a = b + scale * c`` over arrays that no cache holds; ``bytes`` that memory moves a call.

    It is four arrays' worth: b and c are read, a is written, and read before that, as a line of the cache is filled before
    a part of it is stored to.
    """

    def __init__(self, threads: int) -> None:
        numbers = 4 * L3_BYTES // 8
        self._arrays = [np.full(numbers, 1.0) for _ in range(3)]
        self._pieces = [np.array_split(array, threads) for array in self._arrays]
        self.bytes = 4 * 8 * numbers
        super().__init__(threads)

    def part(self, thread: int) -> None:
        _triad(*(pieces[thread] for pieces in self._pieces), 0.5)
