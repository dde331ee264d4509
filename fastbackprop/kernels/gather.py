"""Examples are gathered into a block: columns of X and Y in an order that is handed in, next to each other."""

from typing import NamedTuple

from fastbackprop.kernels.blocking import L2_BYTES, LINE_BYTES, SHARED_ELEMENTS
from fastbackprop.kernels.intrinsics import fetch, stand_alone
from fastbackprop.kernels.jit import inner, routine
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import ADDRESS, N, Words
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matrix import Matrix, size_of
from fastbackprop.kernels.threads import do_chunks


class Source(NamedTuple):
    """Examples X (n_0, m) and Y (n_L, m), and their order, `size` numbers, `batch` of which a batch takes."""

    n_0: int
    n_L: int
    X: Matrix
    Y: Matrix
    order: Words
    batch: int
    size: int


class GatherJob(NamedTuple):
    """Columns order[at], order[at + 1], ... of the source, `columns` of them, `step` a chunk, are copied to a block."""

    source: Source
    columns: int
    step: int
    at: int
    X: Matrix
    Y: Matrix


@inner
def copy_spaced(n, A, a, step, B, b):
    """B[b ..] = n numbers of A, `step` apart."""
    stand_alone()
    for i in range(n):
        B[b + i] = A[a + i * step]


@inner
def _fetch_columns(rows, count, X, order, at):
    """Have columns of X on their way to L2, while something else is computed; only a column that lies in one piece is."""
    stand_alone()
    line = LINE_BYTES // size_of(X.data[X.at])
    for j in range(at, at + count):
        x = X.at + order[j] * X.column
        for i in range(0, rows, line):
            fetch(X.data, x + i)
        fetch(X.data, x + rows - 1)


@routine(ADDRESS(GatherJob), N, N)
def gather_chunk(job, chunk, member):
    source, X_block, Y_block = job.source, job.X, job.Y
    X, Y = source.X, source.Y
    begin = chunk * job.step
    for j in range(begin, min(begin + job.step, job.columns)):
        example = source.order[job.at + j]
        x, block = X.at + example * X.column, X_block.at + j * X_block.column
        if X.row == 1:
            copy_spaced(source.n_0, X.data, x, 1, X_block.data, block)
        else:
            copy_spaced(source.n_0, X.data, x, X.row, X_block.data, block)
        for i in range(source.n_L):
            Y_block.data[Y_block.at + i * Y_block.row + j] = Y.data[Y.at + i * Y.row + example * Y.column]


@inner
def gather(count, source, at, X, Y, team):
    """Examples order[at], ... are copied to the first `count` columns of X and Y, by the team where it is worth it.

    Those of the next batch that go there are fetched, if they are few.
    """
    shared = team[MEMBERS] > 1 and count * source.n_0 >= 2 * SHARED_ELEMENTS
    step = max(1, SHARED_ELEMENTS // source.n_0) if shared else count
    job = held(GatherJob(source, count, step, at, X, Y))
    do_chunks(shared, team, gather_chunk, job, -(-count // step))
    ahead = at + source.batch
    count = min(count, source.size - ahead)
    if source.X.row == 1 and count * source.n_0 * size_of(X.data[X.at]) <= L2_BYTES // 8:
        _fetch_columns(source.n_0, count, source.X, source.order, ahead)
        _fetch_columns(source.n_L if source.Y.row == 1 else 1, count, source.Y, source.order, ahead)
