"""Matrix products C = c0 + scale A B, (rows, columns) of depth `depth`; the only file that speaks of rows, columns, depth.

| here                 | forward           | weights' gradient      | inputs' gradient    |
| -------------------- | ----------------- | ---------------------- | ------------------- |
| A (rows, depth)      | W (n, n_prev)     | dZ (n, m)              | W^T (n_prev, n)     |
| B (depth, columns)   | A_prev (n_prev, m)| A_prev^T (m, n_prev)   | dZ (n, m)           |
| C (rows, columns)    | Z (n, m)          | dW (n, n_prev)         | dA_prev (n_prev, m) |

Three ways, all on the micro-kernels: by outer products with B from where it lies, if that is along its rows; by outer
products with B packed; by inner products where A and B lie along the depth and C is small or skinny.
An element's sum runs over the depth in the same order wherever its tile is cut.
"""

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocking import (
    BLOCK_A_BYTES,
    BLOCK_B_BYTES,
    INNER_COLUMNS,
    KC,
    L2_BYTES,
    MR,
    NV,
    VECTOR_BYTES,
)
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.matrix import Matrix, lanes_of, part, size_of, transposed
from fastbackprop.kernels.microkernel import ADD, BIAS, DIVIDE, ZERO, inner_product, outer
from fastbackprop.kernels.packing import pack, stream, turn

# Ways: by inner products, or by outer ones with neither, either or both of A and B packed, C streamed or not; or those of the
# transposes, C^T = c0^T + scale B^T A^T: TURN, with A packed (by PACK_B), for few rows, where B lies along the depth; FLIP, for
# a single column, of C in one piece, where A lies along its columns. THIN: for a single row, a few steps of depth at a time, so
# that B is read in long pieces. SYMMETRIC: C = X^T X, of which a triangle is computed.
OUTER, INNER, PACK_A, PACK_B, STREAM, TURN, FLIP, THIN, SYMMETRIC = 0, 1, 2, 4, 8, 16, 32, 64, 128
NOWHERE = -1
THIN_DEPTH = 64


@inner
def block_of(start, scale, first, last):
    """`start` and `scale` of a block of depth: the sum is divided with its last one."""
    begin = start % DIVIDE if first else ADD
    if start < DIVIDE:
        return begin, scale
    return (begin + DIVIDE, scale) if last else (begin, one_of(scale))


@inner
def by_inner_products(rows, columns, depth, scale, A, B, C, start, bias):
    """A lies along its rows, B along its columns. A tile's rows and columns of 4 KC stay in L1."""
    chunk = 4 * KC
    for p in range(0, max(depth, 1), chunk):
        depth_here = min(chunk, depth - p)
        begin, factor = block_of(start, scale, p == 0, p + depth_here == depth)
        for j in range(0, columns, INNER_COLUMNS):
            columns_here = min(INNER_COLUMNS, columns - j)
            inner_product(rows, columns_here, depth_here, factor, part(A, 0, p), part(B, p, j), part(C, 0, j), begin, bias)


@inner
def blocks(chosen, rows, columns, depth, size, NR):
    """KC, MC, NC for a product, no larger than it needs; `size` is that of a number in bytes."""
    kc = max(1, min(THIN_DEPTH if chosen & THIN != 0 else KC * 8 // size, depth))
    mc = max(MR, min(-(-rows // MR) * MR, BLOCK_A_BYTES // (kc * size) // MR * MR))
    block = L2_BYTES // 4 if chosen & THIN != 0 else BLOCK_B_BYTES
    nc = max(NR, min(-(-columns // NR) * NR, block // (kc * size) // NR * NR))
    return kc, mc, nc


@inner
def by_outer_products(chosen, rows, columns, depth, scale, A, B, C, start, bias, workspace, diagonal):
    """Five loops about the micro-kernel; C lies along its rows.

    B is taken from where it lies, along its rows, or with PACK_B copied to `workspace`, a block at a time; likewise A, from
    where it lies anyhow. Packing both, as is usual, cost 64 x 128 x 1000 a fifth of its speed and 512^3 a twentieth.

    With STREAM or TURN a band of MR rows of C is written to `workspace` first. STREAM: it is copied past the caches, since a C
    that is larger than they are would be read from memory first, and drive out A and B; there must be one block of depth, and
    no ADD. TURN: C is to be the transpose of the product; no BIAS.

    `diagonal`: NOWHERE, or how far right C begins in a symmetric matrix, of which only the tiles that reach the diagonal or
    lie right of it are wanted.

    Source: Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34(3), 2008.
    """
    NR = NV * lanes_of(scale)
    packs_a, packs_b, bands = chosen & PACK_A != 0, chosen & PACK_B != 0, chosen & (STREAM | TURN)
    KC_, MC, NC = blocks(chosen, rows, columns, depth, size_of(scale), NR)
    panels = part(workspace, 0, KC_ * NC)
    for jc in range(0, columns, NC):  # loop 5: columns of C; a block of B for L3
        nc = min(NC, columns - jc)
        for pc in range(0, max(depth, 1), KC_):  # loop 4: depth; C is read again from its second pass on
            kc = min(KC_, depth - pc)
            begin, factor = block_of(start, scale, pc == 0, pc + kc == depth)
            if packs_b:
                pack(nc, kc, transposed(part(B, pc, jc)), workspace.data, workspace.at, NR)
            for ic in range(0, rows, MC):  # loop 3: rows of C; a block of A for L2
                mc = min(MC, rows - ic)
                if packs_a:
                    pack(mc, kc, part(A, ic, pc), panels.data, panels.at, MR)
                band = Matrix(panels.data, panels.at + KC_ * MC, nc, 1)
                # Where all of B's block stays in L2, C is written along its rows, all of them at once; else a panel of B stays.
                width = nc if bands != 0 or chosen & THIN != 0 or kc * nc * size_of(scale) <= L2_BYTES // 4 else NR
                for jr in range(0, nc, width):  # loop 2: a panel of B for L1, or all
                    for ir in range(0, mc, MR):  # loop 1: rows of A for the registers
                        below = ic + ir - diagonal - jc - jr  # the diagonal
                        skipped = below // NR * NR if diagonal != NOWHERE and below > 0 else 0
                        j, columns_here = jr + skipped, min(width, nc - jr) - skipped
                        if columns_here <= 0:
                            continue
                        left = Matrix(panels.data, panels.at + ir * kc, 1, MR) if packs_a else part(A, ic + ir, pc)
                        right = Matrix(workspace.data, workspace.at + j * kc, NR, 1) if packs_b else part(B, pc, jc + j)
                        target = part(C, ic + ir, jc + j) if bands == 0 else band
                        now, beta = begin - begin % DIVIDE if bands == TURN else begin, part(bias, ic + ir, 0)
                        rows_here, tile = min(MR, mc - ir), NR * kc if packs_b else NR
                        outer(rows_here, columns_here, kc, factor, left, right, tile, target, now, beta)
                        if bands == STREAM:
                            stream(rows_here, nc, band, part(C, ic + ir, jc))
                        elif bands == TURN:
                            turn(rows_here, nc, band, part(C, jc, ic + ir), begin == ADD)


@inner
def lies_across(columns, depth, size, A):
    """Whether A's columns lie so far apart that they share L1 and L2 sets, and packing A pays, being used more than once."""
    return A.column * size >= 4096 and depth > 8 and columns * size >= 2 * NV * VECTOR_BYTES


@inner
def way(rows, columns, depth, size, A, B):
    """Which way is fastest; `size` is that of a number in bytes."""
    if rows == 1 and columns > 1 and B.column == 1:
        return THIN
    if columns == 1 and A.row == 1:
        return FLIP + THIN
    along_depth = (A.column == 1 or depth == 1) and B.row == 1
    if along_depth and columns < 4 and (depth > 8 or columns == 1):
        return INNER
    pack_a = PACK_A if lies_across(columns, depth, size, A) else 0
    if B.column == 1 or columns == 1:
        # Packing pays where B is too large for L2 and read often, or its rows lie half pages apart and share L1 sets.
        often = rows >= (32 * MR if B.row * size % 2048 == 0 else 128 * MR)
        return pack_a + (PACK_B if often and 2 * depth * columns * size > L2_BYTES else 0)
    # An inner product of few vectors is mostly the sum of its lanes; with enough rows, turning B over costs less.
    if along_depth and 8 * depth * size > 5 * rows * VECTOR_BYTES:
        if 4 * rows * size > 3 * VECTOR_BYTES and rows <= 16 * MR and columns >= max(8 * rows, 32 * MR):
            return TURN + PACK_B
        if rows <= 4 * MR or columns <= 4 * MR:
            return INNER
    return pack_a + PACK_B


@inner
def _fill(rows, columns, C, bias):
    """C = c0 for BIAS."""
    if columns == 1 and C.row == 1:
        for i in range(rows):
            C.data[C.at + i] = bias.data[bias.at + i]
        return
    for i in range(rows):
        for j in range(columns):
            C.data[C.at + i * C.row + j] = bias.data[bias.at + i]


@inner
def divide(n, x, at, divisor):
    """n numbers in a row, each divided."""
    stand_alone()
    for i in range(at, at + n):
        x[i] = x[i] / divisor


@inner
def multiply(chosen, rows, columns, depth, scale, A, B, C, start, bias, workspace, diagonal):
    """C = c0 + scale A B, or (c0 + A B) / scale, the chosen way; for `workspace` and `diagonal` see `by_outer_products`."""
    if chosen == INNER:
        by_inner_products(rows, columns, depth, scale, A, B, C, start, bias)
        return
    if chosen & (TURN | FLIP) != 0:
        if start % DIVIDE == BIAS:
            _fill(rows, columns, C, bias)
            start += ADD - BIAS
        rows, columns, A, B = columns, rows, transposed(B), transposed(A)
    # What TURN adds to C is no sum yet that could be divided.
    several = start != ZERO + DIVIDE or depth * size_of(scale) > KC * 8
    divisor, at_end = scale, chosen & TURN != 0 and start >= DIVIDE and several
    if at_end:
        start, scale = start - DIVIDE, one_of(scale)
    by_outer_products(chosen, rows, columns, depth, scale, A, B, C, start, bias, workspace, diagonal)
    if at_end:
        for i in range(columns):
            divide(rows, C.data, C.at + i * C.row, divisor)
