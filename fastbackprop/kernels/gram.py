"""The Gram matrix G = X^T X: its upper triangle as products, a strip of columns each, and the lower one from it."""

from typing import NamedTuple

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocking import NV, PIECE_OPERATIONS, SHARED_OPERATIONS, STRIPS
from fastbackprop.kernels.jit import inner, routine
from fastbackprop.kernels.jobs import do_one, held
from fastbackprop.kernels.kinds import ADDRESS, N, Number
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matmul import PACK_B, Product
from fastbackprop.kernels.matrix import Matrix, lanes_of, part, transposed
from fastbackprop.kernels.plan import planned
from fastbackprop.kernels.product import ProductJob, product_chunk
from fastbackprop.kernels.threads import do_chunks


class GramJob(NamedTuple):
    """A chunk is a strip of columns from `begin` to `end`, the widest first; a row of `workspace` is a member's."""

    X: Matrix
    depth: int
    G: Matrix
    start: int
    begin: int
    end: int
    scale: Number
    workspace: Matrix


@inner
def strip_width(m, one):
    """Columns of a strip up to row m: a register tile's, more of many, since X is read again for each strip."""
    unit = NV * lanes_of(one)
    return max(unit, m // STRIPS // unit * unit)


@inner
def strip_room(m, depth, one):
    """Numbers of workspace for a strip up to row m, which is packed: it is read again for each tile.

    One product that left out the tiles left of the diagonal took 1.0 to 1.2 x as long (m = 209 to 4000, one thread), X packed
    too 1.1 to 1.5 x.
    """
    return planned(PACK_B, m, strip_width(m, one), depth, one, 1).room


@routine(ADDRESS(GramJob), N, N)
def gram_chunk(job, chunk, member):
    width = strip_width(job.end, job.scale)
    j = job.begin + (-(-(job.end - job.begin) // width) - 1 - chunk) * width
    columns, m = min(width, job.end - j), min(j + width, job.end)
    C = part(job.G, 0, j)
    p = Product(m, columns, job.depth, job.scale, transposed(job.X), part(job.X, 0, j), C, job.start, C)
    how = planned(PACK_B, m, columns, job.depth, job.scale, 1)
    strip = ProductJob(how.method, how.blocks, m, columns, p, job.workspace)
    do_one(product_chunk, held(strip), 0, member)


@inner
def gram_step(m, depth, one):
    """Columns of a Gram matrix between two looks at the stop flag."""
    if m * m * depth <= PIECE_OPERATIONS:
        return m
    unit = NV * lanes_of(one)
    return min(m, max(unit, PIECE_OPERATIONS // (m * depth) // unit * unit))


@inner
def gram_workspace_size(m, depth, one, members):
    """Numbers of workspace that `gram` needs in a team of so many members."""
    return strip_room(m, depth, one) * members


@inner
def gram(depth, X, G, start, workspace, team, begin, end):
    """G = c0 + X^T X, the upper triangle (and what its tiles cover below the diagonal); columns `begin` .. `end` - 1 of it.

    X has `depth` rows.
    """
    one = one_of(G.data[G.at])
    rooms = Matrix(workspace.data, workspace.at, strip_room(end, depth, one), 1)
    job = held(GramJob(X, depth, G, start, begin, end, one, rooms))
    shared = team[MEMBERS] > 1 and (end - begin) * end * depth >= SHARED_OPERATIONS
    do_chunks(shared, team, gram_chunk, job, -(-(end - begin) // strip_width(end, one)))


MIRROR = 64  # side of a block that is mirrored at a time: rows that are read across stay in L1


@inner
def mirror(G, begin, end):
    """Rows `begin` .. `end` - 1 of the lower triangle of G from the upper one."""
    for i_block in range(begin, end, MIRROR):
        for j_block in range(0, min(i_block + MIRROR, end), MIRROR):
            for i in range(i_block, min(i_block + MIRROR, end)):
                for j in range(j_block, min(j_block + MIRROR, i)):
                    G.data[G.at + i * G.row + j] = G.data[G.at + j * G.row + i]
