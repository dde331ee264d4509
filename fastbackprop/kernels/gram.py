"""The Gram matrix G = X^T X: its upper triangle as products, strips of columns at a time, and the lower one from it."""

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocking import NV, PIECE_OPERATIONS
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matmul import PACK_A, PACK_B, SYMMETRIC, Product
from fastbackprop.kernels.matrix import lanes_of, part, transposed
from fastbackprop.kernels.plan import lies_across, planned
from fastbackprop.kernels.product import last_of, room_of, run_beside


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
    step, room = gram_step(m, depth, one), 0
    for columns in (step, last_of(m, step)):
        for helpers in (1, members):
            # As large with A packed: a plan counts both, where either is.
            room = max(room, room_of(planned(PACK_B | SYMMETRIC, m, columns, depth, one, helpers), helpers))
    return room


@inner
def gram(depth, X, G, start, workspace, team, begin, end):
    """G = c0 + X^T X, the upper triangle (and what its tiles cover below the diagonal); columns `begin` .. `end` - 1 of it.

    X has `depth` rows.
    """
    one = one_of(G.data[G.at])
    p = Product(end, end - begin, depth, one, transposed(X), part(X, 0, begin), part(G, 0, begin), start, G)
    method = SYMMETRIC | PACK_B | (PACK_A if lies_across(p) else 0)
    run_beside(begin, planned(method, p.rows, p.columns, depth, one, team[MEMBERS]), p, workspace, team)


MIRROR = 64  # side of a block that is mirrored at a time: rows that are read across stay in L1


@inner
def mirror(G, begin, end):
    """Rows `begin` .. `end` - 1 of the lower triangle of G from the upper one."""
    for i_block in range(begin, end, MIRROR):
        for j_block in range(0, min(i_block + MIRROR, end), MIRROR):
            for i in range(i_block, min(i_block + MIRROR, end)):
                for j in range(j_block, min(j_block + MIRROR, i)):
                    G.data[G.at + i * G.row + j] = G.data[G.at + j * G.row + i]
