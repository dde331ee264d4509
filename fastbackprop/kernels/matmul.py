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

from fastbackprop.kernels.blocking import BLOCK_A_BYTES, BLOCK_B_BYTES, INNER_COLUMNS, INNER_ROWS, KC, MR, NV
from fastbackprop.kernels.jit import inner
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
def packed(rows, columns, depth, scale, A, B, C, start, bias, workspace, diagonal):
    """Five loops about the micro-kernel; C lies along its rows; `workspace` has room for a block of A and one of B.

    `diagonal`: NOWHERE, or how far right C begins in a symmetric matrix, of which only the tiles that reach the diagonal or
    lie right of it are wanted.

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
                    needed = mc if diagonal == NOWHERE else min(mc, diagonal + jc + jr + NR - ic)
                    for ir in range(0, needed, MR):  # loop 1: a panel of A for the registers
                        panel_a = Matrix(block_a.data, block_a.at + ir * kc, 1, MR)
                        tile, tile_bias = part(C, ic + ir, jc + jr), part(bias, ic + ir, 0)
                        here, across = min(MR, mc - ir), min(NR, nc - jr)
                        outer(here, across, kc, scale, panel_a, panel_b, tile, begin, tile_bias)


OUTER, INNER, PACKED = 0, 1, 2
NOWHERE = -1


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
def multiply(chosen, rows, columns, depth, scale, A, B, C, start, bias, workspace, diagonal):
    """C = c0 + scale A B, the chosen way; for `workspace` and `diagonal` see `packed`."""
    if chosen == OUTER:
        by_outer_products(rows, columns, depth, scale, A, B, C, start, bias)
    elif chosen == INNER:
        by_inner_products(rows, columns, depth, scale, A, B, C, start, bias)
    else:
        packed(rows, columns, depth, scale, A, B, C, start, bias, workspace, diagonal)
