"""Packing: an operand is copied from where it lies into panels that the micro-kernel reads in one stream.

A panel is `panel` wide (MR for A, NR for B) and as deep as the block; a step of depth is `panel` numbers in one piece::

    operand, width x depth           panels
    w0  . . . . . .                  [p = 0: w0 w1 .. ][p = 1: w0 w1 .. ] ...   first panel
    w1  . . . . . .        ->        [p = 0: wR ..    ][p = 1: wR ..    ] ...   second panel
    ..

The last panel may be narrower; what it lacks is neither written nor read. B is packed as its transpose: its width is
columns. Numbers that lie along the width are copied by vectors, along the depth by squares transposed in registers.
"""

from llvmlite import ir
from numba import types

from fastbackprop.kernels.blocking import LINE_BYTES, SQUARE
from fastbackprop.kernels.intrinsics import Vectors, stream_lines
from fastbackprop.kernels.jit import inner, with_twin
from fastbackprop.kernels.matrix import lanes_of, part, size_of
from fastbackprop.kernels.memory import address, gap

PAGES = 16  # columns packed together; half or twice as many took longer


def _copy_twin(n, to, i, source, j):
    to[i : i + n] = source[j : j + n]


@with_twin(_copy_twin)
def copy_some(typing_context, n, to, i, source, j):
    """to[i : i + n] = source[j : j + n] for 1 <= n <= lanes."""

    def emit(context, builder, signature, arguments):
        n, To, i, Source, j = arguments
        v = Vectors(builder, to.dtype)
        target, origin = address(context, builder, to, To, i), address(context, builder, source, Source, j)
        half = Vectors(builder, to.dtype, v.lanes // 2)
        with builder.if_else(v.equal(n, v.lanes)) as (full, less):
            with full:
                v.store(v.load(origin), target)
            with less, builder.if_else(v.equal(n, half.lanes)) as (halved, edge):
                with halved:  # a panel of A in float32; masked stores are slow on some processors
                    half.store(half.load(origin), target)
                with edge:
                    mask = v.mask(n)
                    v.store(v.load(origin, mask), target, mask)
        return context.get_dummy_value()

    return types.void(types.intp, to, types.intp, source, types.intp), emit


def _transpose_twin(to, i, to_row, source, j, source_row, adds):
    side = SQUARE
    for p in range(side):
        for w in range(side):
            here = i + p * to_row + w
            to[here] = source[j + w * source_row + p] + (to[here] if adds else 0)


@with_twin(_transpose_twin)
def transpose_square(typing_context, to, i, to_row, source, j, source_row, adds):
    """to[i + p to_row + w] = source[j + w source_row + p] for p, w < SQUARE, by log2(SQUARE) rounds of shuffles; or +=."""

    def emit(context, builder, signature, arguments):
        To, i, to_row, Source, j, source_row, adds = arguments
        v = Vectors(builder, to.dtype, SQUARE)
        target, origin = address(context, builder, to, To, i), address(context, builder, source, Source, j)
        rows = [v.load(v.at(origin, builder.mul(v.whole(w), source_row))) for w in range(SQUARE)]
        step = 1
        while step < SQUARE:
            # Swap the off-diagonal step x step blocks of each 2 step x 2 step block.
            low = [q if not q & step else SQUARE + (q ^ step) for q in range(SQUARE)]
            high = [q ^ step if not q & step else SQUARE + q for q in range(SQUARE)]
            choose = [ir.Constant(ir.VectorType(ir.IntType(32), SQUARE), lane) for lane in (low, high)]
            for w in range(SQUARE):
                if not w & step:
                    pair = rows[w], rows[w + step]
                    rows[w], rows[w + step] = (builder.shuffle_vector(*pair, lane) for lane in choose)
            step *= 2
        there = [v.at(target, builder.mul(v.whole(p), to_row)) for p in range(SQUARE)]
        with builder.if_else(adds) as (add, otherwise):
            with add:
                for p in range(SQUARE):
                    v.store(builder.fadd(rows[p], v.load(there[p])), there[p])
            with otherwise:
                for p in range(SQUARE):
                    v.store(rows[p], there[p])
        return context.get_dummy_value()

    n = types.intp
    return types.void(to, n, n, source, n, n, types.boolean), emit


@inner
def _pack_along_width(width, depth, X, panels, at, panel):
    """All panels of an X that lies along its width; columns that lie pages apart are visited together for all panels."""
    lanes = lanes_of(panels[0])
    for begin in range(0, depth, PAGES):
        for w in range(0, width, panel):
            here = min(panel, width - w)
            for p in range(begin, min(begin + PAGES, depth)):
                for v in range(0, here, lanes):
                    copy_some(min(lanes, here - v), panels, at + w * depth + p * panel + v, X.data, X.at + w + v + p * X.column)


@inner
def _pack_panel(width, depth, X, panels, at, panel):
    """One panel of another X, width x depth, width <= panel."""
    across, along = 0, 0
    if X.column == 1:
        across, along = width // SQUARE * SQUARE, depth // SQUARE * SQUARE
        for p in range(0, along, SQUARE):
            for w in range(0, across, SQUARE):
                transpose_square(panels, at + p * panel + w, panel, X.data, X.at + w * X.row + p, X.row, False)
    for p in range(depth):
        for w in range(across if p < along else 0, width):
            panels[at + p * panel + w] = X.data[X.at + w * X.row + p * X.column]


@inner
def pack(width, depth, X, panels, at, panel):
    """All panels of X, width x depth, into `panels` from `at` on."""
    if X.row == 1:
        _pack_along_width(width, depth, X, panels, at, panel)
        return
    for w in range(0, width, panel):
        _pack_panel(min(panel, width - w), depth, part(X, w, 0), panels, at + w * depth, panel)


@inner
def _stream_run(n, source, j, to, i):
    """to[i : i + n] = source[j : j + n]."""
    head = min(n, gap(to, i))
    lines = (n - head) * size_of(source[j]) // LINE_BYTES
    body = lines * LINE_BYTES // size_of(source[j])
    for k in range(head):
        to[i + k] = source[j + k]
    stream_lines(lines, to, i + head, source, j + head)
    for k in range(head + body, n):
        to[i + k] = source[j + k]


@inner
def stream(rows, columns, A, B):
    """B = A past the caches; both lie along their rows."""
    if A.row == columns and B.row == columns:
        rows, columns = 1, rows * columns
    for i in range(rows):
        _stream_run(columns, A.data, A.at + i * A.row, B.data, B.at + i * B.row)


@inner
def turn(rows, columns, A, B, adds):
    """B = A^T, or B += A^T; A is (rows, columns), both lie along their rows."""
    across, along = rows // SQUARE * SQUARE, columns // SQUARE * SQUARE
    for j in range(0, along, SQUARE):
        for i in range(0, across, SQUARE):
            transpose_square(B.data, B.at + j * B.row + i, B.row, A.data, A.at + i * A.row + j, A.row, adds)
    for j in range(columns):
        for i in range(across if j < along else 0, rows):
            here, value = B.at + j * B.row + i, A.data[A.at + i * A.row + j]
            B.data[here] = B.data[here] + value if adds else value
