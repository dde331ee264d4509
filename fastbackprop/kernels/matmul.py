"""Matrix products C = c0 + scale A B, (rows, columns) of depth `depth`; the only file that speaks of rows, columns, depth.

| here                 | forward           | weights' gradient      | inputs' gradient    |
| -------------------- | ----------------- | ---------------------- | ------------------- |
| A (rows, depth)      | W (n, n_prev)     | dZ (n, m)              | W^T (n_prev, n)     |
| B (depth, columns)   | A_prev (n_prev, m)| A_prev^T (m, n_prev)   | dZ (n, m)           |
| C (rows, columns)    | Z (n, m)          | dW (n, n_prev)         | dA_prev (n_prev, m) |

Three ways, all on the micro-kernels: large products pack both operands; few rows or little depth take the operands from
where they lie, by outer products if B lies along its rows, by inner products if A and B both lie along the depth.
An element's sum runs over the depth in the same order wherever its tile is cut.
"""

from numba import types

from fastbackprop.kernels.blocking import BLOCK_A_BYTES, BLOCK_B_BYTES, INNER_COLUMNS, INNER_ROWS, KC, MR, NV
from fastbackprop.kernels.intrinsics import address, endless, load, store, with_twin
from fastbackprop.kernels.jit import NUMBER, POINTER, N, inner, routine
from fastbackprop.kernels.matrix import Matrix, lanes_of, part, transposed
from fastbackprop.kernels.microkernel import ADD, inner_product, outer
from fastbackprop.kernels.packing import pack


@inner
def by_outer_products(rows, columns, depth, scale, A, B, C, start, bias):
    """B and C lie along their rows. A tile of B, KC x NR, stays in L1 while A runs past it."""
    NR = NV * lanes_of(scale)
    for p in range(0, max(depth, 1), KC):
        begin = start if p == 0 else ADD
        for j in range(0, columns, NR):
            for i in range(0, rows, MR):
                outer(
                    min(MR, rows - i), min(NR, columns - j), min(KC, depth - p), scale,
                    part(A, i, p), part(B, p, j), part(C, i, j), begin, part(bias, i, 0),
                )  # fmt: skip


@inner
def by_inner_products(rows, columns, depth, scale, A, B, C, start, bias):
    """A lies along its rows, B along its columns. A tile's rows and columns of 4 KC stay in L1."""
    chunk = 4 * KC
    for p in range(0, max(depth, 1), chunk):
        begin = start if p == 0 else ADD
        for j in range(0, columns, INNER_COLUMNS):
            for i in range(0, rows, INNER_ROWS):
                inner_product(
                    min(INNER_ROWS, rows - i), min(INNER_COLUMNS, columns - j), min(chunk, depth - p), scale,
                    part(A, i, p), part(B, p, j), part(C, i, j), begin, part(bias, i, 0),
                )  # fmt: skip


@inner
def blocks(rows, columns, depth, size, NR):
    """KC, MC, NC for a product, no larger than it needs; `size` is that of a number in bytes."""
    kc = min(KC, depth)
    mc = min(-(-rows // MR) * MR, BLOCK_A_BYTES // (kc * size) // MR * MR)
    nc = min(-(-columns // NR) * NR, BLOCK_B_BYTES // (kc * size) // NR * NR)
    return kc, mc, nc


@inner
def packed(rows, columns, depth, scale, A, B, C, start, bias, workspace, upper):
    """Five loops about the micro-kernel; C lies along its rows; `workspace` has room for a block of A and one of B.

    `upper`: only the tiles of C that reach its diagonal or lie right of it.

    Source: Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34(3), 2008.
    """
    NR = NV * lanes_of(scale)
    KC_, MC, NC = blocks(rows, columns, depth, C.data.itemsize, NR)
    block_a, block_b = workspace, part(workspace, 0, MC * KC_)
    for jc in range(0, columns, NC):  # loop 5: columns of C; a block of B for L3
        nc = min(NC, columns - jc)
        for pc in range(0, depth, KC):  # loop 4: depth; C is read again from its second pass on
            kc = min(KC, depth - pc)
            begin = start if pc == 0 else ADD
            pack(nc, kc, transposed(part(B, pc, jc)), block_b.data, block_b.at, NR)
            for ic in range(0, rows, MC):  # loop 3: rows of C; a block of A for L2
                mc = min(MC, rows - ic)
                pack(mc, kc, part(A, ic, pc), block_a.data, block_a.at, MR)
                for jr in range(0, nc, NR):  # loop 2: a panel of B for L1
                    panel_b = Matrix(block_b.data, block_b.at + jr * kc, NR, 1)
                    needed = min(mc, jc + jr + NR - ic) if upper else mc
                    for ir in range(0, needed, MR):  # loop 1: a panel of A for the registers
                        outer(
                            min(MR, mc - ir), min(NR, nc - jr), kc, scale, Matrix(block_a.data, block_a.at + ir * kc, 1, MR), panel_b,
                            part(C, ic + ir, jc + jr), begin, part(bias, ic + ir, 0),
                        )  # fmt: skip


OUTER, INNER, PACKED = 0, 1, 2


@inner
def way(rows, columns, depth, A_column, B_row, B_column):
    """Which way is fastest for operands of these strides."""
    along_rows = B_column == 1 or columns == 1
    along_depth = (A_column == 1 or depth == 1) and B_row == 1
    if along_depth and columns < 4 and depth > 8:
        return INNER
    if along_rows and (rows <= 4 * MR or depth <= 8 or depth == 0):
        return OUTER
    if along_depth and (rows <= 4 * MR or columns <= 4 * MR):
        return INNER
    return PACKED


@inner
def workspace_size(rows, columns, depth, one, A, B):
    """Numbers of workspace that a product needs."""
    if way(rows, columns, depth, A.column, B.row, B.column) != PACKED:
        return 0
    kc, mc, nc = blocks(rows, columns, depth, A.data.itemsize, NV * lanes_of(one))
    return kc * (mc + nc)


@inner
def _product(rows, columns, depth, scale, A, B, C, start, bias, workspace, upper):
    chosen = PACKED if upper else way(rows, columns, depth, A.column, B.row, B.column)
    if chosen == OUTER:
        by_outer_products(rows, columns, depth, scale, A, B, C, start, bias)
    elif chosen == INNER:
        by_inner_products(rows, columns, depth, scale, A, B, C, start, bias)
    else:
        packed(rows, columns, depth, scale, A, B, C, start, bias, workspace, upper)


@routine(N, N, N, NUMBER, POINTER, N, N, POINTER, N, N, POINTER, N, N, N, POINTER, POINTER, N)
def product_routine(
    rows, columns, depth, scale, a, a_row, a_column, b, b_row, b_column, c, c_row, c_column, start, bias, workspace, upper
):
    _product(
        rows, columns, depth, scale, Matrix(endless(a), 0, a_row, a_column), Matrix(endless(b), 0, b_row, b_column),
        Matrix(endless(c), 0, c_row, c_column), start, Matrix(endless(bias), 0, 1, 1), Matrix(endless(workspace), 0, 1, 1),
        upper,
    )  # fmt: skip


def _product_twin(
    rows, columns, depth, scale,
    a, ia, a_row, a_column, b, ib, b_row, b_column, c, ic, c_row, c_column, start, bias, ibias, workspace, iworkspace, upper,
):  # fmt: skip
    _product(
        rows, columns, depth, scale, Matrix(a, ia, a_row, a_column), Matrix(b, ib, b_row, b_column),
        Matrix(c, ic, c_row, c_column), start, Matrix(bias, ibias, 1, 1), Matrix(workspace, iworkspace, 1, 1),
        upper,
    )  # fmt: skip


@with_twin(_product_twin)
def _call_product(
    typing_context, rows, columns, depth, scale,
    a, ia, a_row, a_column, b, ib, b_row, b_column, c, ic, c_row, c_column, start, bias, ibias, workspace, iworkspace, upper,
):  # fmt: skip
    """A call of the routine, which is compiled once for all kernels."""
    n = types.intp

    def emit(context, builder, signature, arguments):
        sizes, rest = list(arguments[:4]), list(arguments[4:])
        kinds = signature.args[4:]
        values = sizes
        while rest:
            if isinstance(kinds[0], types.Array):
                values.append(address(context, builder, kinds[0], rest[0], rest[1]))
                rest, kinds = rest[2:], kinds[2:]
            else:
                values.append(rest[0])
                rest, kinds = rest[1:], kinds[1:]
        product_routine.call(builder, c.dtype, values)
        return context.get_dummy_value()

    return types.void(n, n, n, c.dtype, a, n, n, n, b, n, n, n, c, n, n, n, n, bias, n, workspace, n, n), emit


@inner
def product(rows, columns, depth, scale, A, B, C, start, bias, workspace):
    """C = c0 + scale A B; C lies along its rows, A and B anyhow; `workspace` has `workspace_size` numbers."""
    _call_product(
        rows, columns, depth, scale, A.data, A.at, A.row, A.column, B.data, B.at, B.row, B.column,
        C.data, C.at, C.row, C.column, start, bias.data, bias.at, workspace.data, workspace.at, 0,
    )  # fmt: skip


@inner
def gram_workspace_size(m, depth, one, size):
    """Numbers of workspace that `gram` needs."""
    kc, mc, nc = blocks(m, m, depth, size, NV * lanes_of(one))
    return kc * (mc + nc)


@inner
def gram(m, depth, one, X, G, start, workspace):
    """G = c0 + X^T X, the upper triangle (and what its tiles cover below the diagonal); X is (depth, m)."""
    _call_product(
        m, m, depth, one, X.data, X.at, X.column, X.row, X.data, X.at, X.row, X.column,
        G.data, G.at, G.row, G.column, start, G.data, G.at, workspace.data, workspace.at, 1,
    )  # fmt: skip


@inner
def mirror(m, G):
    """The lower triangle of G from the upper one."""
    for i in range(m):
        for j in range(i):
            store(G.data, G.at + i * G.row + j, load(G.data, G.at + j * G.row + i))
