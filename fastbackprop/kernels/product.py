"""Products: planned, then run by one machine code for all kernels, in chunks shared by the team where that pays."""

from typing import NamedTuple

from fastbackprop.kernels.blocking import KC, MR, NV, PIECE_OPERATIONS
from fastbackprop.kernels.jit import inner, routine
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import ADDRESS, N
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matmul import Blocks, Product, bias_of, multiply
from fastbackprop.kernels.matrix import Matrix, lanes_of, part, size_of
from fastbackprop.kernels.memory import load_flag
from fastbackprop.kernels.microkernel import ADD
from fastbackprop.kernels.plan import masks, plan
from fastbackprop.kernels.threads import do_chunks


class ProductJob(NamedTuple):
    """A chunk is a range of rows or of columns; a row of `workspace` is a member's."""

    method: int
    blocks: Blocks
    row_step: int
    column_step: int
    product: Product
    workspace: Matrix


@routine(ADDRESS(ProductJob), N, N)
def product_chunk(job, chunk, member):
    p = job.product
    i = chunk * job.row_step if job.row_step < p.rows else 0
    j = chunk * job.column_step if job.column_step < p.columns else 0
    rows, columns = min(job.row_step, p.rows - i), min(job.column_step, p.columns - j)
    A, B, C, bias = part(p.A, i, 0), part(p.B, 0, j), part(p.C, i, j), bias_of(p, i, j)
    here = Product(rows, columns, p.depth, p.scale, A, B, C, p.start, bias)
    multiply(job.method, job.blocks, here, part(job.workspace, member, 0))


@inner
def run(how, p, workspace, team):
    """The product as planned, in the team for which it was; C lies along its rows, A and B with any strides.

    `workspace` has the plan's room for each member.
    """
    rooms = Matrix(workspace.data, workspace.at, how.room, 1)
    job = held(ProductJob(how.method, how.blocks, how.row_step, how.column_step, p, rooms))
    do_chunks(how.chunks > 1, team, product_chunk, job, how.chunks)


@inner
def room_of(how, members):
    """Numbers of workspace that `run` needs in a team of so many members."""
    return how.room * members if how.chunks > 1 else how.room


@inner
def product(p, workspace, team):
    """The product, planned here and now."""
    run(plan(p, False, team[MEMBERS]), p, workspace, team)


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
def piece_of(p, i, j, pc, rows, columns, depth):
    """A piece of a product: rows from i, columns from j, depth from pc on; a later piece of the depth adds."""
    A, B, C, bias = part(p.A, i, pc), part(p.B, pc, j), part(p.C, i, j), part(p.bias, i, 0)
    return Product(rows, columns, depth, p.scale, A, B, C, p.start if pc == 0 else ADD, bias)


@inner
def does_within(p):
    """Whether `product_in_pieces` can do the product with BIAS_RELU or MASK."""
    return masks(p) and p.rows * p.columns * p.depth <= PIECE_OPERATIONS


@inner
def pieces_size(p, members):
    """Numbers of workspace that `product_in_pieces` needs in a team of so many members."""
    row_step, column_step, depth_step = piece(p.rows, p.columns, p.depth, p.scale)
    size = 0
    for rows in (row_step, last_of(p.rows, row_step)):
        for columns in (column_step, last_of(p.columns, column_step)):
            for depth in (depth_step, last_of(p.depth, depth_step)):
                size = max(size, room_of(plan(piece_of(p, 0, 0, 0, rows, columns, depth), False, members), members))
    return size


@inner
def product_in_pieces(p, workspace, team, state):
    """The product, for a training: ends early when stopped (state[0] not 0)."""
    row_step, column_step, depth_step = piece(p.rows, p.columns, p.depth, p.scale)
    i, j, pc = 0, 0, 0
    while i < p.rows:  # three loops in one, so that the product stands here once; a range of these steps would divide
        if load_flag(state, 0) != 0:
            return
        rows, columns, depth = min(row_step, p.rows - i), min(column_step, p.columns - j), min(depth_step, p.depth - pc)
        product(piece_of(p, i, j, pc, rows, columns, depth), workspace, team)
        pc += depth_step
        if pc >= p.depth:
            pc, j = 0, j + column_step
        if j >= p.columns:
            j, i = 0, i + row_step
