"""Examples are gathered into a block: columns of X and Y in an order that is handed in, next to each other."""

from typing import NamedTuple

from fastbackprop.kernels.blocking import AHEAD_BYTES, L2_BYTES, LINE_BYTES, SHARED_ELEMENTS
from fastbackprop.kernels.intrinsics import fetch, stand_alone
from fastbackprop.kernels.jit import inner, routine
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import ADDRESS, N, Words
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matrix import Matrix, lanes_of, size_of
from fastbackprop.kernels.network import row_length
from fastbackprop.kernels.packing import copy_some
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
    """Columns order[at], order[at + 1], ... of the source, `columns` of them, `step` a chunk, are copied to a block.

    Each time the one `ahead` of them, if that is not 0, is fetched.
    """

    source: Source
    columns: int
    step: int
    ahead: int
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
def _column_length(n_0, one):
    """Numbers from one column of a block of X to the next: whole vectors where there are a few."""
    return row_length(n_0, one) if n_0 >= 2 * lanes_of(one) else n_0


@inner
def gathered_size(count, n_0, n_L, one):
    """Numbers of memory for the blocks of X and Y of so many examples."""
    return count * _column_length(n_0, one) + n_L * row_length(count, one)


@inner
def blocks_in(row, count, n_0, one):
    """The blocks in such memory: X with its columns, Y with its rows each in one piece."""
    column = _column_length(n_0, one)
    Y = Matrix(row.data, row.at + count * column, row_length(count, one), 1)
    return Matrix(row.data, row.at, 1, column), Y


@inner
def _copy_column(n, A, a, B, b):
    """B[b ..] = n numbers of A, by vectors, the last of them masked."""
    lanes = lanes_of(A[a])
    for i in range(0, n, lanes):
        copy_some(min(lanes, n - i), B, b + i, A, a + i)


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
            if job.ahead > 0 and j + job.ahead < job.columns:
                _fetch_columns(source.n_0, 1, X, source.order, job.at + j + job.ahead)
            _copy_column(source.n_0, X.data, x, X_block.data, block)
        else:
            copy_spaced(source.n_0, X.data, x, X.row, X_block.data, block)
        for i in range(source.n_L):
            Y_block.data[Y_block.at + i * Y_block.row + j] = Y.data[Y.at + i * Y.row + example * Y.column]


@inner
def gather(count, source, at, X, Y, team):
    """Examples order[at], ... are copied to the first `count` columns of X and Y, by the team where it is worth it.

    Of a batch that is small beside L2 the examples of the next one are fetched then, else those a few columns ahead.
    """
    shared = team[MEMBERS] > 1 and count * source.n_0 >= 2 * SHARED_ELEMENTS
    step = max(1, SHARED_ELEMENTS // source.n_0) if shared else count
    column = source.n_0 * size_of(X.data[X.at])
    few = count * column <= L2_BYTES // 8
    job = held(GatherJob(source, count, step, 0 if few else 1 + AHEAD_BYTES // column, at, X, Y))
    do_chunks(shared, team, gather_chunk, job, -(-count // step))
    after = at + source.batch
    count = min(count, source.size - after)
    if few and source.X.row == 1:
        _fetch_columns(source.n_0, count, source.X, source.order, after)
        _fetch_columns(source.n_L if source.Y.row == 1 else 1, count, source.Y, source.order, after)
