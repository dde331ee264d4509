"""Matrix products C = c0 + scale A B, (rows, columns) of depth `depth`.

Here, in `plan.py` and in `product.py` alone are they called rows, columns and depth; every caller has course letters.

| here                 | forward           | weights' gradient      | inputs' gradient    |
| -------------------- | ----------------- | ---------------------- | ------------------- |
| A (rows, depth)      | W (n, n_prev)     | dZ (n, m)              | W^T (n_prev, n)     |
| B (depth, columns)   | A_prev (n_prev, m)| A_prev^T (m, n_prev)   | dZ (n, m)           |
| C (rows, columns)    | Z (n, m)          | dW (n, n_prev)         | dA_prev (n_prev, m) |

Three methods, all on the micro-kernels: by outer products with B from where it lies, if that is along its rows; by outer
products with B packed; by inner products where A and B lie along the depth and C is small or skinny. `plan.py` chooses.
An element's sum runs over the depth in the same order wherever its tile is cut.
"""

from typing import NamedTuple

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocking import INNER_COLUMNS, KC, L2_BYTES, MR, NV
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.kinds import Number
from fastbackprop.kernels.matrix import Matrix, lanes_of, part, size_of, transposed
from fastbackprop.kernels.microkernel import ADD, BIAS, DIVIDE, MASK, ZERO, inner_product, outer
from fastbackprop.kernels.packing import pack, stream, turn

# Methods: by inner products, or by outer ones with neither, either or both of A and B packed, C streamed or not; or those of
# the transposes, C^T = c0^T + scale B^T A^T: TURN, with A packed (by PACK_B), for few rows, where B lies along the depth; FLIP,
# for a single column, of C in one piece, where A lies along its columns. THIN: for a single row, a few steps of depth at a
# time, so that B is read in long pieces; with FEW even fewer.
OUTER, INNER, PACK_A, PACK_B, STREAM, TURN, FLIP, THIN, FEW = 0, 1, 2, 4, 8, 16, 32, 64, 128


class Product(NamedTuple):
    """C = c0 + scale A B, or with DIVIDE (c0 + A B) / scale; `start` says what c0 is, as for the micro-kernels."""

    rows: int
    columns: int
    depth: int
    scale: Number
    A: Matrix
    B: Matrix
    C: Matrix
    start: int
    bias: Matrix


class Blocks(NamedTuple):
    """Sizes of the blocks: depth, rows of A, columns of B."""

    KC: int
    MC: int
    NC: int


@inner
def bias_of(p, i, j):
    """The bias of C from row i and column j on, or with MASK what masks it."""
    return part(p.bias, i, j if p.start == MASK else 0)


@inner
def block_of(start, scale, first, last):
    """`start` and `scale` of a block of depth: the sum is divided with its last one."""
    begin = start % DIVIDE if first else ADD
    if start < DIVIDE:
        return begin, scale
    return (begin + DIVIDE, scale) if last else (begin, one_of(scale))


@inner
def _by_inner_products(p):
    """A lies along its rows, B along its columns. A tile's rows and columns of 4 KC stay in L1."""
    chunk = 4 * KC
    for pc in range(0, max(p.depth, 1), chunk):
        depth = min(chunk, p.depth - pc)
        start, scale = block_of(p.start, p.scale, pc == 0, pc + depth == p.depth)
        for j in range(0, p.columns, INNER_COLUMNS):
            columns = min(INNER_COLUMNS, p.columns - j)
            inner_product(p.rows, columns, depth, scale, part(p.A, 0, pc), part(p.B, pc, j), part(p.C, 0, j), start, p.bias)


@inner
def _by_outer_products(method, blocks, p, workspace):
    """Loops 5 to 3 about the micro-kernel: blocks of B, A~ and B~ where they are packed; C lies along its rows.

    B is taken from where it lies, along its rows, or with PACK_B copied to `workspace`, a block at a time; likewise A, from
    where it lies with any strides. Packing both, as is usual, cost 64 x 128 x 1000 a fifth of its speed and 512^3 a twentieth.

    Source: Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34(3), 2008.
    """
    NR = NV * lanes_of(p.scale)
    packs_a, packs_b = method & PACK_A != 0, method & PACK_B != 0
    B_packed = Matrix(workspace.data, workspace.at, NR, 1)
    A_packed = Matrix(workspace.data, workspace.at + blocks.KC * blocks.NC, 1, MR)
    band = Matrix(workspace.data, A_packed.at + blocks.KC * blocks.MC, 1, 1)
    for jc in range(0, p.columns, blocks.NC):  # loop 5: columns of C; a block of B for L3
        nc = min(blocks.NC, p.columns - jc)
        for pc in range(0, max(p.depth, 1), blocks.KC):  # loop 4: depth; C is read again from its second pass on
            kc = min(blocks.KC, p.depth - pc)
            start, scale = block_of(p.start, p.scale, pc == 0, pc + kc == p.depth)
            B = part(p.B, pc, jc)
            if packs_b:
                pack(nc, kc, transposed(B), B_packed.data, B_packed.at, NR)
            for ic in range(0, p.rows, blocks.MC):  # loop 3: rows of C; a block of A for L2
                mc = min(blocks.MC, p.rows - ic)
                A = part(p.A, ic, pc)
                if packs_a:
                    pack(mc, kc, A, A_packed.data, A_packed.at, MR)
                C = part(p.C, jc, ic) if method & TURN != 0 else part(p.C, ic, jc)
                block = Product(
                    mc, nc, kc, scale, A_packed if packs_a else A, B_packed if packs_b else B, C, start, bias_of(p, ic, jc)
                )
                _macro_kernel(method, block, band)


@inner
def _macro_kernel(method, p, band):
    """Loops 2 and 1 about the micro-kernel: a block of C from blocks of A and B, or from A~ and B~.

    With STREAM or TURN a band of MR rows of C is written to `band` first. STREAM: it is copied past the caches, since a C
    that is larger than they are would be read from memory first, and drive out A and B; there must be one block of depth, and
    no ADD. TURN: C is to be the transpose of the product; no BIAS.
    """
    stand_alone()  # within the loops about it LLVM makes a copy of them all for each method, which doubles the compile time
    NR = NV * lanes_of(p.scale)
    packs_a, packs_b, bands = method & PACK_A != 0, method & PACK_B != 0, method & (STREAM | TURN)
    start = p.start - p.start % DIVIDE if bands == TURN else p.start
    tile = NR * p.depth if packs_b else NR
    # Where all of B's block stays in L2, C is written along its rows, all of them at once; else a panel of B stays.
    stays = p.depth * p.columns * size_of(p.scale) <= L2_BYTES // 4
    width = p.columns if bands != 0 or method & THIN != 0 or stays else NR
    for jr in range(0, p.columns, width):  # loop 2: a panel of B for L1, or all
        for ir in range(0, p.rows, MR):  # loop 1: rows of A for the registers
            rows, columns = min(MR, p.rows - ir), min(width, p.columns - jr)
            A = Matrix(p.A.data, p.A.at + ir * p.depth, 1, MR) if packs_a else part(p.A, ir, 0)
            B = Matrix(p.B.data, p.B.at + jr * p.depth, NR, 1) if packs_b else part(p.B, 0, jr)
            C = part(p.C, ir, jr) if bands == 0 else Matrix(band.data, band.at, p.columns, 1)
            outer(rows, columns, p.depth, p.scale, A, B, tile, C, start, bias_of(p, ir, jr))
            if bands == STREAM:
                stream(rows, p.columns, C, part(p.C, ir, 0))
            elif bands == TURN:
                turn(rows, p.columns, C, part(p.C, 0, ir), p.start == ADD)


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
def flipped(p):
    """The product of the transposes, whose C is the transpose."""
    return Product(p.columns, p.rows, p.depth, p.scale, transposed(p.B), transposed(p.A), p.C, p.start, p.bias)


@inner
def restarted(p, start, scale):
    """The product with another start and scale."""
    return Product(p.rows, p.columns, p.depth, scale, p.A, p.B, p.C, start, p.bias)


@inner
def multiply(method, blocks, p, workspace):
    """The product, by the chosen method; for `workspace` see `_by_outer_products`."""
    if method == INNER:
        _by_inner_products(p)
        return
    turned = method & (TURN | FLIP) != 0
    start, scale = p.start, p.scale
    if turned and start % DIVIDE == BIAS:
        _fill(p.rows, p.columns, p.C, p.bias)
        start += ADD - BIAS
    # What TURN adds to C is no sum yet that could be divided.
    several = start != ZERO + DIVIDE or p.depth * size_of(scale) > KC * 8
    at_end = method & TURN != 0 and start >= DIVIDE and several
    if at_end:
        start, scale = start - DIVIDE, one_of(scale)
    _by_outer_products(method, blocks, restarted(flipped(p) if turned else p, start, scale), workspace)
    if at_end:
        for i in range(p.rows):
            divide(p.columns, p.C.data, p.C.at + i * p.C.row, p.scale)
