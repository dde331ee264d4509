"""The two micro-kernels: a tile of C stays in vector registers while the depth runs by.

Outer product: a step of depth is a piece of a column of A times a piece of a row of B, up to MR x NR::

                         b: one row of the tile a step, b_depth apart
                         +--------+--------+--------+
                         |  v0    |  v1    |  v2    |   <- step p
                         +--------+--------+--------+
       a: one column     +--------+--------+--------+
       a step,    +---+  |        |        |        |
       a_depth    | . |  |  accumulators, a row     |      C[i, j] = c0[i, j] + scale * sum_p A[i, p] B[p, j]
       apart,     | . |  |  of C each, c_row apart  |
       rows a_row | . |  |        |        |        |
       apart      +---+  +--------+--------+--------+

Inner product: a step of depth is a vector along a row of A times a vector along a column of B; an accumulator holds the
partial sums of one element, up to INNER_ROWS x INNER_COLUMNS of them (twice the rows of a single column). It serves
operands that both lie along the depth.

`start` says what c0 is: ZERO, BIAS (bias[i] in every column), or ADD (C itself: only then is C read). With + DIVIDE `scale`
is a divisor, C = (c0 + A B) / scale: times a rounded reciprocal, sums of whole numbers would not give the exact quotients.
Outer products go on while C is in registers: BIAS_RELU is relu of what BIAS leads to; with MASK C = scale A B is 0 where
`bias`, whose rows are c_row apart too, is at most 0.
Operands are flat arrays and the index of the tile's first element; strides count elements. A packed panel is the special
case a_row = 1, a_depth = MR (A) and b_depth = NR (B).

Edges: a tile may have fewer rows and columns than the full one, and any depth. Nothing beyond them is read or written:
the vector at an edge is masked.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastbackprop.kernels.blocking import FETCHED_AHEAD, INNER_COLUMNS, INNER_ROWS, MR, NV
from fastbackprop.kernels.inlined import INTO_VECTORS
from fastbackprop.kernels.intrinsics import Vectors, lanes
from fastbackprop.kernels.jit import inner, routine, with_twin
from fastbackprop.kernels.kinds import NUMBER, POINTER, N
from fastbackprop.kernels.memory import address

ZERO, BIAS, ADD, BIAS_RELU, MASK = 0, 1, 2, 3, 4
DIVIDE = 8


def _finish_twin(sums, scale, c_at, start, bias, ibias, i):
    """What is written for these sums; `c_at` is what C holds."""
    begin, scale = start % DIVIDE, np.asarray(sums).dtype.type(scale)
    c0 = c_at if begin == ADD else (bias[ibias + i] if begin == BIAS else 0)
    return (sums + c0) / scale if start >= DIVIDE else sums * scale + c0


def _outer_twin(
    rows, columns, depth, scale, a, ia, a_row, a_depth, b, ib, b_depth, b_tile, c, ic, c_row, start, bias, ibias
):  # fmt: skip
    NR = NV * lanes(c.dtype)
    for j in range(0, columns, NR):
        width, panel = min(NR, columns - j), ib + j // NR * b_tile
        tile = np.zeros((rows, width), c.dtype)
        for p in range(depth):
            column_of_a = np.array([a[ia + i * a_row + p * a_depth] for i in range(rows)])
            tile += np.outer(column_of_a, b[panel + p * b_depth : panel + p * b_depth + width])
        for i in range(rows):
            row_of_c = c[ic + i * c_row + j : ic + i * c_row + j + width]
            begin = BIAS if start == BIAS_RELU else ZERO if start == MASK else start
            row_of_c[:] = _finish_twin(tile[i], scale, row_of_c, begin, bias, ibias, i)
            if start in (BIAS_RELU, MASK):
                mask = ibias + i * c_row + j
                row_of_c[(row_of_c if start == BIAS_RELU else bias[mask : mask + width]) <= 0] = 0


def _told(builder, v, start, scale):
    """What `start` and `scale` say: ZERO, BIAS or ADD; whether `scale` is a divisor; the factor, 1 where it is."""
    divides = builder.icmp_signed(">=", start, v.whole(DIVIDE))
    factor = builder.select(divides, ir.Constant(v.scalar, 1.0), scale)
    return builder.and_(start, v.whole(DIVIDE - 1)), divides, factor


def _once(module, name, kinds):
    """A function of one module that is called from many places, where its code would make the compile longer."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), kinds), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    return function, ir.IRBuilder(function.append_basic_block("entry"))


def _divide_tile(module, T):
    """The function that divides a tile's sums, whole vectors one after the other, and writes them to C."""
    n, probe = ir.IntType(64), Vectors(None, T)
    kinds = [probe.vector.as_pointer(), n, n, probe.scalar.as_pointer(), n, probe.scalar]
    function, builder = _once(module, "divide_tile", kinds)
    sums, rows, columns, target, c_row, scale = function.args
    v = Vectors(builder, T)
    divisor, reciprocal = v.splat(scale), v.reciprocal(scale)
    full = builder.sdiv(columns, v.whole(v.lanes))
    covered = builder.mul(full, v.whole(v.lanes))
    rest = builder.sub(columns, covered)
    vectors = builder.sdiv(builder.add(columns, v.whole(v.lanes - 1)), v.whole(v.lanes))
    with cgutils.for_range(builder, rows) as row:
        row_of_c, row_of_sums = v.at(target, builder.mul(row.index, c_row)), v.at(sums, builder.mul(row.index, vectors))
        with cgutils.for_range(builder, full) as vector:
            quotient = v.divide(builder.load(v.at(row_of_sums, vector.index)), divisor, reciprocal)
            v.store(quotient, v.at(row_of_c, builder.mul(vector.index, v.whole(v.lanes))))
        with builder.if_then(builder.icmp_signed(">", rest, v.whole(0))):
            quotient = v.divide(builder.load(v.at(row_of_sums, full)), divisor, reciprocal)
            v.store(quotient, v.at(row_of_c, covered), v.mask(rest))
    builder.ret_void()
    return function


def _finish_element(v, start, scale, bias, here, partial_sums):
    """Write an element of an inner product from its partial sums."""
    builder = v.builder
    begin, divides, factor = _told(builder, v, start, scale)
    c0 = v.slot(ir.Constant(v.scalar, 0.0))
    for case, source in ((BIAS, bias), (ADD, here)):
        with builder.if_then(v.equal(begin, case)):
            builder.store(v.load_scalar(source), c0)
    value = v.slot(v.fma(v.sum(partial_sums), factor, builder.load(c0)))
    with builder.if_then(divides):
        builder.store(builder.fdiv(builder.load(value), scale), value)
    builder.store(builder.load(value), here).align = 1


def _finish_inner(module, T):
    """The function that writes an inner product's tile from its partial sums."""
    n, probe = ir.IntType(64), Vectors(None, T)
    memory = probe.scalar.as_pointer()
    kinds = [probe.vector.as_pointer(), n, n, n, probe.scalar, memory, n, n, n, memory]
    function, builder = _once(module, "finish_inner", kinds)
    sums, first, rows, columns, scale, pc, c_row, c_column, start, pbias = function.args
    v = Vectors(builder, T)
    with cgutils.for_range(builder, rows) as row:
        i = builder.add(first, row.index)
        row_of_c, row_of_sums = v.at(pc, builder.mul(i, c_row)), v.at(sums, builder.mul(row.index, columns))
        with cgutils.for_range(builder, columns) as column:
            here = v.at(row_of_c, builder.mul(column.index, c_column))
            _finish_element(v, start, scale, v.at(pbias, i), here, builder.load(v.at(row_of_sums, column.index)))
    builder.ret_void()
    return function


@intrinsic
def _outer_registers(
    typing_context, rows, columns, depth, scale, a, a_row, a_depth, b, b_depth, b_tile, c, c_row, start, bias
):  # fmt: skip
    """The vector code: for each number of rows, one piece for full tiles, and one for each number of vectors at the edge."""
    n = types.intp
    signature = types.void(n, n, n, scale, a, n, n, b, n, n, c, n, n, bias)

    def emit(context, builder, signature, arguments):
        rows, columns, depth, scale, pa, a_row, a_depth, pb, b_depth, b_tile, pc, c_row, start, pbias = arguments
        v = Vectors(builder, c.dtype)
        begin, divides, factor = _told(builder, v, start, scale)
        near = builder.sub(depth, v.whole(FETCHED_AHEAD))
        # Where A lies in one piece along the depth, the rows below begin where these end: a part of them a step.
        in_a_piece = builder.and_(v.equal(a_depth, 1), builder.icmp_signed("==", a_row, depth))
        below = v.at(pa, builder.select(in_a_piece, builder.mul(rows, a_row), v.whole(0)))
        per_step = builder.select(in_a_piece, rows, v.whole(0))
        factor, divide_tile = v.splat(factor), _divide_tile(builder.module, c.dtype)
        quotients = cgutils.alloca_once(builder, v.vector, size=v.whole(MR * NV))

        def tile(m, k, panel, first, width):
            """m rows of k vectors from column `first` on, the last cut to the columns that there are if a `width` is given."""
            target = v.at(pc, first)
            masks = [None] * k
            if width is not None:  # masked stores are slow on some processors: full tiles go without
                masks[-1] = v.mask(builder.sub(width, v.whole((k - 1) * v.lanes)))
            sums = [[v.slot(v.zero) for _ in range(k)] for _ in range(m)]
            next_panel = v.at(panel, builder.sub(b_tile, builder.mul(depth, b_depth)))

            def step(p):
                row_of_b = v.at(panel, builder.mul(p, b_depth))
                column_of_a = v.at(pa, builder.mul(p, a_depth))
                bs = [v.load(v.at(row_of_b, v.whole(j * v.lanes)), masks[j]) for j in range(k)]
                for i in range(m):
                    here = v.at(column_of_a, builder.mul(v.whole(i), a_row))
                    if i > 0:  # else LLVM loads all rows' numbers first, and runs out of registers
                        here = v.once_known(here, [builder.load(x) for x in sums[i - 1]])
                    x = v.splat(v.load_scalar(here))
                    for j in range(k):
                        builder.store(v.fma(x, bs[j], builder.load(sums[i][j])), sums[i][j])

            def fetch(p):
                """Of B what is used some steps later, at the end of a panel of the next one; of A the rows below."""
                soon = builder.select(builder.icmp_signed("<", p, near), panel, next_panel)
                v.fetch(v.at(soon, builder.mul(builder.add(p, v.whole(FETCHED_AHEAD)), b_depth)), k * v.lanes)
                v.fetch(v.at(below, builder.mul(p, per_step)), 1)

            def steps():
                with v.steps(depth) as p:
                    step(p)

            if k < NV or m <= MR // 2:  # seldom the first to read anything large
                steps()
            else:
                with builder.if_else(builder.icmp_signed(">", near, v.whole(0))) as (deep, shallow):
                    with deep:
                        for i in range(m):
                            v.fetch(v.at(target, builder.mul(v.whole(i), c_row)), k * v.lanes)
                        with v.steps(depth) as p:
                            fetch(p)
                            step(p)
                    with shallow:
                        steps()

            def finish(value):
                for i in range(m):
                    row_of_c = v.at(target, builder.mul(v.whole(i), c_row))
                    for j in range(k):
                        here = v.at(row_of_c, v.whole(j * v.lanes))
                        builder.store(value(i, builder.load(sums[i][j]), here, masks[j]), sums[i][j])

            with builder.if_else(v.equal(begin, ADD)) as (add, otherwise):
                with add:
                    finish(lambda i, x, here, mask: v.fma(x, factor, v.load(here, mask)))
                with otherwise, builder.if_then(builder.icmp_signed("!=", start, v.whole(ZERO + DIVIDE))):
                    biases = [v.slot(v.zero) for _ in range(m)]
                    with builder.if_then(builder.or_(v.equal(begin, BIAS), v.equal(begin, BIAS_RELU))):
                        for i in range(m):
                            builder.store(v.splat(v.load_scalar(v.at(pbias, v.whole(i)))), biases[i])
                    finish(lambda i, x, here, mask: v.fma(x, factor, builder.load(biases[i])))
                    with builder.if_then(v.equal(begin, BIAS_RELU)):
                        finish(lambda i, x, here, mask: v.zero_where(x, x))
                    with builder.if_then(v.equal(begin, MASK)):
                        where = builder.ptrtoint(v.at(pbias, first), ir.IntType(64))
                        away = builder.sub(where, builder.ptrtoint(target, ir.IntType(64)))

                        def masking(here, mask):
                            there = builder.add(builder.ptrtoint(here, ir.IntType(64)), away)
                            return v.load(builder.inttoptr(there, here.type), mask)

                        finish(lambda i, x, here, mask: v.zero_where(masking(here, mask), x))

            def write(value):
                for i in range(m):
                    row_of_c = v.at(target, builder.mul(v.whole(i), c_row))
                    for j in range(k):
                        v.store(value(builder.load(sums[i][j])), v.at(row_of_c, v.whole(j * v.lanes)), masks[j])

            with builder.if_else(divides) as (divide, otherwise):
                with divide:
                    if k == 1:  # a call would take as long as the arithmetic
                        write(lambda x: v.divide(x, v.splat(scale), v.reciprocal(scale)))
                    else:
                        for i in range(m):
                            for j in range(k):
                                builder.store(builder.load(sums[i][j]), v.at(quotients, v.whole(i * k + j)))
                        columns_here = v.whole(k * v.lanes) if width is None else width
                        builder.call(divide_tile, [quotients, v.whole(m), columns_here, target, c_row, scale])
                with otherwise:
                    write(lambda x: x)

        full = v.whole(NV * v.lanes)
        tiles = builder.sdiv(columns, full)
        rest = builder.sub(columns, builder.mul(tiles, full))
        edge = builder.sdiv(builder.add(rest, v.whole(v.lanes - 1)), v.whole(v.lanes))

        def by_rows(m):
            with cgutils.for_range(builder, tiles) as loop:
                panel = v.at(pb, builder.mul(loop.index, b_tile))
                tile(m, NV, panel, builder.mul(loop.index, full), None)
            panel, first = v.at(pb, builder.mul(tiles, b_tile)), builder.mul(tiles, full)
            v.choose(edge, range(1, NV + 1), lambda k: tile(m, k, panel, first, rest))

        v.choose(rows, range(1, MR + 1), by_rows)
        return context.get_dummy_value()

    return signature, emit


@routine(N, N, N, NUMBER, POINTER, N, N, POINTER, N, N, POINTER, N, N, POINTER, passes=INTO_VECTORS)
def outer_routine(rows, columns, depth, scale, a, a_row, a_depth, b, b_depth, b_tile, c, c_row, start, bias):
    _outer_registers(rows, columns, depth, scale, a, a_row, a_depth, b, b_depth, b_tile, c, c_row, start, bias)


@with_twin(_outer_twin)
def outer_tiles(
    typing_context, rows, columns, depth, scale, a, ia, a_row, a_depth, b, ib, b_depth, b_tile, c, ic, c_row, start, bias, ibias
):
    """The outer-product micro-kernel on 1 .. MR rows and any number of columns, one tile after the other.

    In B a tile begins `b_tile` after the one before it; in a loop of the caller, a call a tile took longer than the
    arithmetic of a shallow one.
    """
    n = types.intp
    signature = types.void(n, n, n, c.dtype, a, n, n, n, b, n, n, n, c, n, n, n, bias, n)

    def emit(context, builder, signature, arguments):
        rows, columns, depth, scale, A, ia, a_row, a_depth, B, ib, b_depth, b_tile, C, ic, c_row, start, beta, ibias = arguments
        pa, pb = address(context, builder, a, A, ia), address(context, builder, b, B, ib)
        pc, pbias = address(context, builder, c, C, ic), address(context, builder, bias, beta, ibias)
        values = [rows, columns, depth, scale, pa, a_row, a_depth, pb, b_depth, b_tile, pc, c_row, start, pbias]
        outer_routine.call(builder, c.dtype, values)
        return context.get_dummy_value()

    return signature, emit


def _inner_twin(rows, columns, depth, scale, a, ia, a_row, b, ib, b_column, c, ic, c_row, c_column, start, bias, ibias):
    n = lanes(c.dtype)
    for i in range(rows):
        for j in range(columns):
            products = np.zeros(-(-depth // n) * n, c.dtype)
            x, y = ia + i * a_row, ib + j * b_column
            products[:depth] = a[x : x + depth] * b[y : y + depth]
            at = ic + i * c_row + j * c_column
            c[at] = _finish_twin(products.reshape(-1, n).sum(axis=0).sum(), scale, c[at], start, bias, ibias, i)


@intrinsic
def _inner_registers(typing_context, rows, columns, depth, scale, a, a_row, b, b_column, c, c_row, c_column, start, bias):
    """The vector code: for each number of columns, one piece for full tiles, and one for each number of rows at the edge."""
    n = types.intp
    signature = types.void(n, n, n, scale, a, n, b, n, c, n, n, n, bias)

    def emit(context, builder, signature, arguments):
        rows, columns, depth, scale, pa, a_row, pb, b_column, pc, c_row, c_column, start, pbias = arguments
        v = Vectors(builder, c.dtype)
        finish = _finish_inner(builder.module, c.dtype)
        partial = cgutils.alloca_once(builder, v.vector, size=v.whole(INNER_ROWS * max(2, INNER_COLUMNS)))
        whole_vectors = builder.sdiv(depth, v.whole(v.lanes))
        covered = builder.mul(whole_vectors, v.whole(v.lanes))

        def tile(first, m, k, full):
            """m rows, from row `first` on, of k columns; fewer than a `full` tile's where it is False."""
            row = v.at(pa, builder.mul(first, a_row))
            sums = [[v.slot(v.zero) for _ in range(k)] for _ in range(m)]

            def step(p, mask):
                xs = [v.load(v.at(row, builder.add(builder.mul(v.whole(i), a_row), p)), mask) for i in range(m)]
                for j in range(k):
                    y = v.load(v.at(pb, builder.add(builder.mul(v.whole(j), b_column), p)), mask)
                    for i in range(m):
                        builder.store(v.fma(xs[i], y, builder.load(sums[i][j])), sums[i][j])

            with v.steps(whole_vectors) as vector:
                step(builder.mul(vector, v.whole(v.lanes)), None)
            with builder.if_then(builder.icmp_signed("<", covered, depth)):
                step(covered, v.mask(builder.sub(depth, covered)))
            if k == 1 and full:  # a call would take as long as the arithmetic
                for i in range(m):
                    at = builder.add(first, v.whole(i))
                    here = v.at(pc, builder.mul(at, c_row))
                    _finish_element(v, start, scale, v.at(pbias, at), here, builder.load(sums[i][0]))
                return
            for i in range(m):
                for j in range(k):
                    builder.store(builder.load(sums[i][j]), v.at(partial, v.whole(i * k + j)))
            builder.call(finish, [partial, first, v.whole(m), v.whole(k), scale, pc, c_row, c_column, start, pbias])

        def by_columns(k):
            full = INNER_ROWS if k > 1 else 2 * INNER_ROWS
            tiles = builder.sdiv(rows, v.whole(full))
            with cgutils.for_range(builder, tiles) as loop:
                tile(builder.mul(loop.index, v.whole(full)), full, k, True)
            first = builder.mul(tiles, v.whole(full))
            v.choose(builder.sub(rows, first), range(1, full), lambda m: tile(first, m, k, False))

        v.choose(columns, range(1, INNER_COLUMNS + 1), by_columns)
        return context.get_dummy_value()

    return signature, emit


@routine(N, N, N, NUMBER, POINTER, N, POINTER, N, POINTER, N, N, N, POINTER, passes=INTO_VECTORS)
def inner_routine(rows, columns, depth, scale, a, a_row, b, b_column, c, c_row, c_column, start, bias):
    _inner_registers(rows, columns, depth, scale, a, a_row, b, b_column, c, c_row, c_column, start, bias)


@with_twin(_inner_twin)
def inner_tiles(
    typing_context, rows, columns, depth, scale, a, ia, a_row, b, ib, b_column, c, ic, c_row, c_column, start, bias, ibias
):
    """The inner-product micro-kernel on any number of rows and 1 .. INNER_COLUMNS columns, one tile after the other."""
    n = types.intp
    signature = types.void(n, n, n, c.dtype, a, n, n, b, n, n, c, n, n, n, n, bias, n)

    def emit(context, builder, signature, arguments):
        rows, columns, depth, scale, A, ia, a_row, B, ib, b_column, C, ic, c_row, c_column, start, beta, ibias = arguments
        pa, pb = address(context, builder, a, A, ia), address(context, builder, b, B, ib)
        pc, pbias = address(context, builder, c, C, ic), address(context, builder, bias, beta, ibias)
        values = [rows, columns, depth, scale, pa, a_row, pb, b_column, pc, c_row, c_column, start, pbias]
        inner_routine.call(builder, c.dtype, values)
        return context.get_dummy_value()

    return signature, emit


@inner
def outer(rows, columns, depth, scale, A, B, b_tile, C, start, bias):
    """C = c0 + scale A B, or (c0 + A B) / scale, on a row of tiles.

    B and C lie along their rows; bias is a matrix of one column.
    """
    outer_tiles(
        rows, columns, depth, scale, A.data, A.at, A.row, A.column, B.data, B.at, B.row, b_tile, C.data, C.at, C.row,
        start, bias.data, bias.at,
    )  # fmt: skip


@inner
def inner_product(rows, columns, depth, scale, A, B, C, start, bias):
    """C = c0 + scale A B, or (c0 + A B) / scale, on a column of tiles; A lies along its rows, B along its columns."""
    inner_tiles(
        rows, columns, depth, scale, A.data, A.at, A.row, B.data, B.at, B.column, C.data, C.at, C.row, C.column,
        start, bias.data, bias.at,
    )  # fmt: skip
