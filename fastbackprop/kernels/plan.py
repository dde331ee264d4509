"""How a product is done: its method, blocks, chunks for the team and room, chosen in one step.

The method is that of the whole product however it is cut, and looks at shapes and strides alone: bits do not depend on the
team. What a plan says of its room sizes a workspace; then `product.run` carries it out.
"""

from typing import NamedTuple

from fastbackprop.kernels.blocking import (
    BLOCK_A_BYTES,
    BLOCK_B_BYTES,
    FAR_BYTES,
    FAR_DEPTH,
    HALF_PAGE,
    KC,
    L2_BYTES,
    MR,
    NV,
    READ_OFTEN,
    READ_OFTEN_FAR,
    SHALLOW,
    SHARED_OPERATIONS,
    STREAMS,
    THIN_DEPTH,
    TURNED_COLUMNS,
    TURNED_ROWS,
    VECTOR_BYTES,
)
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.matmul import (
    FEW,
    FLIP,
    INNER,
    OUTER,
    PACK_A,
    PACK_B,
    STREAM,
    THIN,
    TURN,
    Blocks,
)
from fastbackprop.kernels.matrix import lanes_of, size_of


class Plan(NamedTuple):
    """Method and blocks; rows and columns of a chunk, the number of chunks; numbers of workspace that a member needs."""

    method: int
    blocks: Blocks
    row_step: int
    column_step: int
    chunks: int
    room: int


@inner
def lies_across(p):
    """Whether A's columns lie so far apart, and are so many, that L2 loses what shares its sets; packed, A is used often."""
    size = size_of(p.scale)
    return p.A.column * size >= FAR_BYTES and p.depth > FAR_DEPTH and p.columns * size >= 6 * NV * VECTOR_BYTES


@inner
def _turns(p):
    """Whether C is computed as its transpose: its rows fill vectors then, or B is read from memory but once."""
    size, lanes = size_of(p.scale), lanes_of(p.scale)
    if 4 * p.rows <= 3 * lanes or p.rows > TURNED_ROWS or p.columns < max(8 * p.rows, TURNED_COLUMNS):
        return False
    fills = 8 * p.rows >= 7 * lanes * -(-p.rows // lanes)
    return p.rows > 4 * MR or fills or p.depth * p.columns * size > BLOCK_B_BYTES


@inner
def choose_method(p, streams):
    """The fastest method; if it `streams`, C is written past the caches where that can be, never with ADD."""
    method = _method(p)
    if method & FLIP != 0 and p.C.row != 1:
        method = OUTER
    can_stream = method & (INNER | TURN | THIN) == 0 and p.depth * size_of(p.scale) <= KC * 8
    return method | STREAM if streams and can_stream else method


@inner
def _thin(size):
    """The method for a single row, or column, and another operand of so many bytes."""
    return THIN | FEW if size > L2_BYTES else THIN


@inner
def _method(p):
    size = size_of(p.scale)
    if p.rows == 1 and p.columns > 1 and p.B.column == 1:
        return _thin(p.depth * p.columns * size)
    if p.columns == 1 and p.A.row == 1:
        return FLIP | _thin(p.depth * p.rows * size)
    along_depth = (p.A.column == 1 or p.depth == 1) and p.B.row == 1
    if along_depth and p.columns < 4 and (p.depth > SHALLOW or p.columns == 1):
        return INNER
    pack_a = PACK_A if lies_across(p) else OUTER
    if p.B.column == 1 or p.columns == 1:
        # Packing pays where B is too large for L2 and read often, or its rows lie half pages apart and share L1 sets.
        # A single column is never packed, so that db needs no workspace.
        often = p.columns > 1 and p.rows >= (READ_OFTEN_FAR if p.B.row * size % HALF_PAGE == 0 else READ_OFTEN)
        return pack_a | (PACK_B if often and 2 * p.depth * p.columns * size > L2_BYTES else OUTER)
    # An inner product of few vectors is mostly the sum of its lanes; with enough rows, turning B over costs less.
    if along_depth and 8 * p.depth * size > 5 * p.rows * VECTOR_BYTES:
        if _turns(p):
            return TURN | PACK_B
        if p.rows <= 4 * MR or p.columns <= 4 * MR:
            return INNER
    return pack_a | PACK_B


@inner
def masks(p):
    """Whether the product can be done with BIAS_RELU or MASK: by outer products straight to C, in a single block of depth."""
    return choose_method(p, False) & ~(PACK_A | PACK_B) == 0 and p.depth * size_of(p.scale) <= KC * 8


@inner
def _rounded(n, unit, most, each):
    """n in whole units, or as many of them as `most` bytes hold, `each` bytes one of n; at least a unit."""
    units = max(unit, -(-n // unit) * unit)
    # Asked first: the two divisions took 3 % of the time of a training of one unit.
    return units if units * each <= most else max(unit, most // each // unit * unit)


@inner
def choose_blocks(method, rows, columns, depth, one):
    """Blocks for a product, no larger than it needs."""
    size, NR = size_of(one), NV * lanes_of(one)
    if method & (TURN | FLIP) != 0:
        rows, columns = columns, rows
    most = STREAMS if method & FEW != 0 else THIN_DEPTH if method & THIN != 0 else KC * 8 // size
    kc = max(1, min(most, depth))
    mc = _rounded(rows, MR, BLOCK_A_BYTES, kc * size)
    nc = _rounded(columns, NR, L2_BYTES // 4 if method & THIN != 0 else BLOCK_B_BYTES, kc * size)
    return Blocks(kc, mc, nc)


@inner
def _last_end(units, step, members):
    """Units that the last member to end has done, in chunks of so many."""
    chunks = -(-units // step)
    return -(-chunks // members) * step


@inner
def even_step(units, members, least):
    """Units of a chunk: a quarter of a member's share, so that who comes late still helps, or less where all end sooner so.

    Not below `least`. Chunks of a quarter of the share take up to a third longer: 5 of 2 units, shared by two.
    """
    step = -(-units // (4 * members))
    end = _last_end(units, step, members)
    for candidate in range(step - 1, max(least, step - 16) - 1, -1):
        sooner = _last_end(units, candidate, members)
        if 32 * (end - sooner) > end:
            step, end = candidate, sooner
    return step


@inner
def steps(method, rows, columns, depth, members, one):
    """Rows and columns of a chunk.

    Each reads all of the operand along the side that is not cut: not the one to be packed, unless the other is much larger.
    Where it packs that one, once more for each chunk, chunks are half a usual one at least.
    """
    NR = NV * lanes_of(one)
    packs = method & (PACK_A | PACK_B)
    if packs == PACK_B:
        by_columns = columns >= 2 * members * NR
    elif packs == PACK_A:
        by_columns = rows < 2 * members * MR or columns > 2 * rows
    else:
        by_columns = columns >= rows and (columns >= 4 * members * NR or columns * MR >= rows * NR)
    unit, units, whole = (NR, -(-columns // NR), rows * depth) if by_columns else (MR, -(-rows // MR), columns * depth)
    packs_again = packs & (PACK_A if by_columns else PACK_B) != 0 or method & TURN != 0
    least = units // (8 * members) + 1 if packs_again else -(-SHARED_OPERATIONS // (whole * unit))
    if whole * size_of(one) > L2_BYTES:
        least = max(least, NV * VECTOR_BYTES // 4 // unit)  # it comes from L3 or memory for each chunk
    step = even_step(units, members, least)
    return (rows, step * NR) if by_columns else (step * MR, columns)


@inner
def planned(method, rows, columns, depth, one, members):
    """The plan for a method, in a team of so many members."""
    row_step, column_step, chunks = rows, columns, 1
    if members > 1 and rows * columns * depth >= SHARED_OPERATIONS:
        row_step, column_step = steps(method, rows, columns, depth, members, one)
        chunks = -(-rows // row_step) * -(-columns // column_step)
    blocks = choose_blocks(method, row_step, column_step, depth, one)
    room = 0
    if method & (PACK_A | PACK_B | STREAM) != 0:
        room = blocks.KC * (blocks.MC + blocks.NC) + MR * blocks.NC
    return Plan(method, blocks, row_step, column_step, chunks, room)


@inner
def plan(p, streams, members):
    """The plan for a product in a team of so many members."""
    return planned(choose_method(p, streams), p.rows, p.columns, p.depth, p.scale, members)
