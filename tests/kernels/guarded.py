"""A program: kernels on memory that ends, on either side, where reading or writing kills the process.

`python -m tests.kernels.guarded` from the folder of the project, on a system with mmap and mprotect. Each operand lies
once against the page behind it and once against the page before it, at every edge of the tiles.
"""

import ctypes
import mmap
from typing import Any

import numpy as np

from fastbackprop.kernels.blocking import INNER_COLUMNS, INNER_ROWS, MR, NV
from fastbackprop.kernels.intrinsics import lanes
from fastbackprop.kernels.microkernel import ADD, ZERO

from . import probes

PAGE = mmap.PAGESIZE
WAYS = (
    probes.OUTER, probes.INNER, probes.PACK_A, probes.PACKED, probes.PACK_BOTH, probes.STREAM, probes.STREAM_BOTH, probes.TURN,
    probes.PRODUCT,
)  # fmt: skip
_LIBC = ctypes.CDLL(None, use_errno=True)


class Fence:
    """Readable memory between two pages that are not."""

    def __init__(self, pages: int = 256) -> None:
        self.memory = mmap.mmap(-1, (pages + 2) * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for page in (start, start + (pages + 1) * PAGE):
            if _LIBC.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")
        self.inside = np.frombuffer(self.memory, np.uint8, pages * PAGE, PAGE)

    def array(self, values: Any, at_end: bool) -> np.ndarray:
        """A copy of `values`, flat, against the page behind or before."""
        nbytes = values.nbytes
        begin = len(self.inside) - nbytes if at_end else 0
        array = self.inside[begin : begin + nbytes].view(values.dtype)
        array[:] = values.ravel()
        return array


def expect(actual, expected):
    if not np.array_equal(actual, expected):
        raise AssertionError(f"{actual} instead of {expected}")


def main() -> None:
    fences = [Fence() for _ in range(5)]
    rng = np.random.default_rng(0)

    def fenced(at_end, *arrays):
        return [fence.array(x, at_end) for fence, x in zip(fences, arrays, strict=False)]

    for dtype in map(np.dtype, probes.DTYPES):
        c, one, n, NR = dtype.char, dtype.type(1), lanes(dtype), NV * lanes(dtype)

        def drawn(rows, columns, dtype=dtype):
            return probes.whole_numbers(rng, rows, columns, dtype)

        edges = sorted({1, n - 1, n, n + 1, 2 * n + 1, NR - 1, NR} - {0})
        for rows, columns, depth in [(i, j, k) for i in (1, MR - 1, MR) for j in edges for k in (1, n + 1)]:
            A, B, C, bias = drawn(rows, depth), drawn(depth, columns), drawn(rows, columns), drawn(rows, 1)
            for at_end in (False, True):
                a, b, result, beta = fenced(at_end, A.T.copy(), B, C, bias)
                probes.outer[c](rows, columns, depth, one, a, 0, 1, rows, b, 0, columns, NR, result, 0, columns, ADD, beta, 0)
                expect(result.reshape(rows, columns), C + A @ B)
        for rows, columns, depth in [(i, j, k) for i in (1, INNER_ROWS) for j in (1, INNER_COLUMNS) for k in edges]:
            A, B, C, bias = drawn(rows, depth), drawn(depth, columns), drawn(rows, columns), drawn(rows, 1)
            for at_end in (False, True):
                a, b, result, beta = fenced(at_end, A, B.T.copy(), C, bias)
                probes.inner[c](rows, columns, depth, one, a, 0, depth, b, 0, depth, result, 0, columns, 1, ADD, beta, 0)
                expect(result.reshape(rows, columns), C + A @ B)
        for rows, columns, depth in [(MR + 1, NR + 1, 5), (1, 1, 1), (2 * MR - 1, NR - 1, n + 1), (3, n, 2), (300, 200, 10)]:
            A, B, bias = drawn(rows, depth), drawn(depth, columns), drawn(rows, 1)
            for way in (
                probes.OUTER,
                probes.INNER,
                probes.PACK_A,
                probes.PACKED,
                probes.PACK_BOTH,
                probes.STREAM,
                probes.STREAM_BOTH,
                probes.PRODUCT,
            ):
                for at_end, members in [(False, 1), (True, 1), (True, 3)]:
                    a, b, result, beta = fenced(at_end, A, B.T if way == probes.INNER else B, A @ B * 0, bias)
                    a = a.reshape(A.shape)
                    b = b.reshape(B.T.shape).T if way == probes.INNER else b.reshape(B.shape)
                    workspace = fences[4].array(np.zeros(probes.room[c](way, a, b, one, members), dtype), at_end)
                    probes.multiply[c](way, a, b, one, result, 0, columns, ZERO, beta, 0, workspace, 0, probes.mailbox(members))
                    expect(result.reshape(rows, columns), A @ B)
        for m, depth in ((1, 1), (MR + 1, 3), (NR + 1, n + 1), (250, 10)):
            X = drawn(depth, m)
            for at_end, members in [(False, 1), (True, 1), (True, 3)]:
                x, g = fenced(at_end, X, np.zeros((m, m), dtype))
                x = x.reshape(depth, m)
                workspace = fences[4].array(np.zeros(probes.gram_room[c](x, one, members), dtype), at_end)
                probes.gram_matrix[c](x, one, g, 0, m, ZERO, workspace, 0, probes.mailbox(members))
                expect(g.reshape(m, m), X.T @ X)
    print("nothing beyond")


if __name__ == "__main__":
    main()
