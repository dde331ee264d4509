"""The product that all kernels call: one machine code for all of them, and its chunks shared by the team."""

from numba import types

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocking import KC, MR, NV, PIECE_OPERATIONS, SHARED_OPERATIONS
from fastbackprop.kernels.jit import inner, routine, with_twin
from fastbackprop.kernels.kinds import NUMBER, POINTER, WORDS, N
from fastbackprop.kernels.matmul import (
    FLIP,
    INNER,
    NOWHERE,
    OUTER,
    PACK_A,
    PACK_B,
    STREAM,
    SYMMETRIC,
    THIN,
    TURN,
    blocks,
    lies_across,
    multiply,
    way,
)
from fastbackprop.kernels.matrix import Matrix, lanes_of, part, size_of, transposed
from fastbackprop.kernels.memory import address, load_flag
from fastbackprop.kernels.microkernel import ADD
from fastbackprop.kernels.threads import MEMBERS, share
from fastbackprop.kernels.words import number_of, put, take, tell, word_of


@routine(N, N, N, N, NUMBER, POINTER, N, N, POINTER, N, N, POINTER, N, N, POINTER, POINTER, N)
def product_routine(
    chosen, rows, columns, depth, scale, a, a_row, a_column, b, b_row, b_column, c, c_row, start, bias, workspace, diagonal
):
    multiply(
        chosen, rows, columns, depth, scale,
        Matrix(a, 0, a_row, a_column), Matrix(b, 0, b_row, b_column), Matrix(c, 0, c_row, 1),
        start, Matrix(bias, 0, 1, 1), Matrix(workspace, 0, 1, 1), diagonal,
    )  # fmt: skip


def _product_twin(
    chosen, rows, columns, depth, scale, a, ia, a_row, a_column, b, ib, b_row, b_column, c, ic, c_row, start,
    bias, ibias, workspace, iworkspace, diagonal,
):  # fmt: skip
    multiply(
        chosen, rows, columns, depth, scale,
        Matrix(a, ia, a_row, a_column), Matrix(b, ib, b_row, b_column), Matrix(c, ic, c_row, 1),
        start, Matrix(bias, ibias, 1, 1), Matrix(workspace, iworkspace, 1, 1), diagonal,
    )  # fmt: skip


@with_twin(_product_twin)
def _call_product(
    typing_context, chosen, rows, columns, depth, scale, a, ia, a_row, a_column, b, ib, b_row, b_column, c, ic, c_row, start,
    bias, ibias, workspace, iworkspace, diagonal,
):  # fmt: skip
    n = types.intp

    def emit(context, builder, signature, arguments):
        values, i = [], 0
        while i < len(arguments):
            if isinstance(signature.args[i], (types.Array, types.CPointer)):
                values.append(address(context, builder, signature.args[i], arguments[i], arguments[i + 1]))
                i += 2
            else:
                values.append(arguments[i])
                i += 1
        product_routine.call(builder, c.dtype, values)
        return context.get_dummy_value()

    return types.void(n, n, n, n, c.dtype, a, n, n, n, b, n, n, n, c, n, n, n, bias, n, workspace, n, n), emit


@inner
def _here(chosen, rows, columns, depth, scale, A, B, C, start, bias, workspace, diagonal):
    _call_product(
        chosen, rows, columns, depth, scale, A.data, A.at, A.row, A.column, B.data, B.at, B.row, B.column,
        C.data, C.at, C.row, start, bias.data, bias.at, workspace.data, workspace.at, diagonal,
    )  # fmt: skip


@routine(WORDS, N, N, POINTER)
def product_chunk(words, chunk, member, like):
    """One chunk of C: a range of rows, or of columns where C has more of them; words as `_in_team` writes them."""
    one, w = one_of(like[0]), words
    chosen, rows, columns, depth, start, diagonal = w[0], w[1], w[2], w[3], w[4], w[5]
    scale, row_step, column_step = number_of(w[6], one), w[7], w[8]
    A, B, C, bias = take(w, 10, one), take(w, 13, one), take(w, 16, one), take(w, 19, one)
    workspace = part(take(w, 22, one), member, 0)
    i = chunk * row_step if row_step < rows else 0
    j = chunk * column_step if column_step < columns else 0
    rows, columns = min(row_step, rows - i), min(column_step, columns - j)
    if diagonal != NOWHERE:
        diagonal += j
        rows = min(rows, diagonal + columns)
    _here(
        chosen, rows, columns, depth, scale, part(A, i, 0), part(B, 0, j), part(C, i, j), start, part(bias, i, 0),
        workspace, diagonal,
    )  # fmt: skip


_chunk_address = product_chunk.address()


@inner
def even_step(units, members):
    """Units of a chunk: up to a quarter of a member's share, so that who comes late still helps, and all end together."""
    step = -(-units // (4 * members))
    least = units * step
    for candidate in range(step, min(step // 2, 16), -1):
        chunks = -(-units // candidate)
        most = -(-chunks // members) * candidate
        if most < least:
            step, least = candidate, most
    return step


@inner
def steps(chosen, rows, columns, members, one):
    """Rows and columns of a chunk.

    Each reads all of the operand along the side that is not cut: not the one to be packed, unless the other is much larger.
    """
    NR = NV * lanes_of(one)
    packs = chosen & (PACK_A | PACK_B)
    if chosen & SYMMETRIC != 0:
        by_columns = True  # what `diagonal` tells of a chunk
    elif packs == PACK_B:
        by_columns = columns >= 2 * members * NR
    elif packs == PACK_A:
        by_columns = rows < 2 * members * MR or columns > 2 * rows
    else:
        by_columns = columns >= rows and (columns >= 4 * members * NR or columns * MR >= rows * NR)
    if by_columns:
        return rows, even_step(-(-columns // NR), members) * NR
    return even_step(-(-rows // MR), members) * MR, columns


@inner
def chunks_of(chosen, rows, columns, members, one):
    """Chunks of these steps."""
    row_step, column_step = steps(chosen, rows, columns, members, one)
    return -(-rows // row_step) * -(-columns // column_step)


@inner
def is_shared(rows, columns, depth, members):
    """Whether a product is worth sharing."""
    return members > 1 and rows * columns * depth >= SHARED_OPERATIONS


@inner
def workspace_size(rows, columns, depth, one, A, B, streams, members):
    """Numbers of workspace that `product` needs in a team of so many members."""
    chosen = way(rows, columns, depth, size_of(one), A, B)
    if chosen & (PACK_A | PACK_B) == 0 and not streams:
        return 0
    return _room(chosen, rows, columns, depth, one, members)


@inner
def _room(chosen, rows, columns, depth, one, members):
    copies = 1
    if is_shared(rows, columns, depth, members):
        copies = members
        rows, columns = steps(chosen, rows, columns, members, one)
    if chosen & TURN != 0:
        rows, columns = columns, rows
    kc, mc, nc = blocks(chosen, rows, columns, depth, size_of(one), NV * lanes_of(one))
    return copies * (kc * (mc + nc) + MR * nc)


@inner
def _in_team(chosen, rows, columns, depth, scale, A, B, C, start, bias, workspace, diagonal, team):
    row_step, column_step = steps(chosen, rows, columns, team[MEMBERS], scale)
    chunks = chunks_of(chosen, rows, columns, team[MEMBERS], scale)
    tell(team, (chosen, rows, columns, depth, start, diagonal, word_of(scale), row_step, column_step))
    room = 0
    if chosen & (PACK_A | PACK_B | STREAM) != 0:
        room = _room(chosen, rows, columns, depth, scale, team[MEMBERS]) // team[MEMBERS]
    end = put(team, put(team, put(team, put(team, 10, A), B), C), bias)
    put(team, end, Matrix(workspace.data, workspace.at, room, 1))
    share(team, _chunk_address(scale), chunks)


@inner
def product(rows, columns, depth, scale, A, B, C, start, bias, workspace, team, streams=False):
    """C = c0 + scale A B, or (c0 + A B) / scale if `start` says so; C lies along its rows, A and B anyhow.

    `workspace` has `workspace_size` numbers.
    The way is that of the whole product, however it is cut: the bits do not depend on the team. If it `streams`, C is written
    past the caches where that can be; never with ADD.
    """
    chosen = way(rows, columns, depth, size_of(scale), A, B)
    if chosen & FLIP != 0 and C.row != 1:
        chosen = OUTER
    if streams and chosen & (INNER | TURN | THIN) == 0 and depth * size_of(scale) <= KC * 8:
        chosen += STREAM
    if is_shared(rows, columns, depth, team[MEMBERS]):
        _in_team(chosen, rows, columns, depth, scale, A, B, C, start, bias, workspace, NOWHERE, team)
    else:
        _here(chosen, rows, columns, depth, scale, A, B, C, start, bias, workspace, NOWHERE)


@inner
def last_of(n, step):
    """The last of the steps over n."""
    return n - (-(-n // step) - 1) * step


@inner
def piece(rows, columns, depth, one):
    """Rows, columns and depth of a piece of a product, between two of which a training looks at its stop flag; all as a rule.

    The depth is cut first, into whole blocks, as the product itself does: then nothing is read more often.
    """
    if rows * columns * depth <= PIECE_OPERATIONS:
        return rows, columns, depth
    block = KC * 8 // size_of(one)
    depth = min(depth, max(block, PIECE_OPERATIONS // (rows * columns) // block * block))
    if columns >= rows:
        unit = NV * lanes_of(one)
        return rows, min(columns, max(unit, PIECE_OPERATIONS // (rows * depth) // unit * unit)), depth
    return min(rows, max(MR, PIECE_OPERATIONS // (columns * depth) // MR * MR)), columns, depth


@inner
def pieces_size(rows, columns, depth, one, A, B, members):
    """Numbers of workspace that `product_in_pieces` needs in a team of so many members."""
    row_step, column_step, depth_step = piece(rows, columns, depth, one)
    size = 0
    for r in (row_step, last_of(rows, row_step)):
        for c in (column_step, last_of(columns, column_step)):
            for d in (depth_step, last_of(depth, depth_step)):
                size = max(size, workspace_size(r, c, d, one, A, B, False, members))
    return size


@inner
def product_in_pieces(rows, columns, depth, scale, A, B, C, start, bias, workspace, team, state):
    """`product`, for a training: where it is large, with looks at the stop flag in between, at which it ends early."""
    row_step, column_step, depth_step = piece(rows, columns, depth, scale)
    i = j = p = 0
    while i < rows:  # three loops in one, so that the product stands here once; a range of these steps would divide
        if load_flag(state, 0) != 0:
            return
        r, c, d = min(row_step, rows - i), min(column_step, columns - j), min(depth_step, depth - p)
        now, target, beta = start if p == 0 else ADD, part(C, i, j), part(bias, i, 0)
        product(r, c, d, scale, part(A, i, p), part(B, p, j), target, now, beta, workspace, team)
        p += depth_step
        if p >= depth:
            p, j = 0, j + column_step
        if j >= columns:
            j, i = 0, i + row_step


@inner
def gram_step(m, depth, one):
    """Columns of a Gram matrix between two looks at the stop flag."""
    if m * m * depth <= PIECE_OPERATIONS:
        return m
    unit = NV * lanes_of(one)
    return min(m, max(unit, PIECE_OPERATIONS // (m * depth) // unit * unit))


@inner
def gram_workspace_size(m, depth, one, members):
    """Numbers of workspace that `gram` needs in a team of so many members, for columns `gram_step` at a time."""
    step = gram_step(m, depth, one)
    room = 0
    for columns in (step, last_of(m, step)):
        for shared_by in (1, members):
            room = max(room, _room(PACK_B + SYMMETRIC, m, columns, depth, one, shared_by))
    return room


@inner
def gram(m, depth, one, X, G, start, workspace, team, begin=0, end=-1):
    """G = c0 + X^T X, the upper triangle (and what its tiles cover below the diagonal); X is (depth, m).

    Columns `begin` .. `end` - 1 of it, or all.
    """
    columns = (m if end < 0 else end) - begin
    rows = begin + columns
    B, C = part(X, 0, begin), part(G, 0, begin)
    chosen = SYMMETRIC + PACK_B + (PACK_A if lies_across(m, depth, size_of(one), transposed(X)) else 0)
    if is_shared(rows, columns, depth, team[MEMBERS]):
        _in_team(chosen, rows, columns, depth, one, transposed(X), B, C, start, G, workspace, begin, team)
    else:
        _here(chosen, rows, columns, depth, one, transposed(X), B, C, start, G, workspace, begin)


MIRROR = 64  # side of a block that is mirrored at a time: rows that are read across stay in L1


@inner
def mirror(m, G, begin=0, end=-1):
    """The lower triangle of G from the upper one; rows `begin` .. `end` - 1 of it, or all."""
    end = m if end < 0 else end
    for i_block in range(begin, end, MIRROR):
        for j_block in range(0, min(i_block + MIRROR, end), MIRROR):
            for i in range(i_block, min(i_block + MIRROR, end)):
                for j in range(j_block, min(j_block + MIRROR, i)):
                    G.data[G.at + i * G.row + j] = G.data[G.at + j * G.row + i]
