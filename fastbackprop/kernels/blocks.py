"""One iteration's cost, dW and db: a block of examples (columns) at a time through all layers.

Most nets: blocks are gathered into chunks, which the team shares, each with a partial sum of dW and db. Wide nets: long blocks,
one after the other, and the team shares each product. `cut.py` says which.
"""

from typing import NamedTuple

from fastbackprop.kernels.blocking import L2_BYTES, LINE_BYTES
from fastbackprop.kernels.cut import Cut
from fastbackprop.kernels.elementwise import apply
from fastbackprop.kernels.intrinsics import fetch
from fastbackprop.kernels.jit import inner, routine
from fastbackprop.kernels.kinds import ADDRESS, N, Number, Words
from fastbackprop.kernels.matmul import Product
from fastbackprop.kernels.matrix import Matrix, part, size_of
from fastbackprop.kernels.memory import load_flag
from fastbackprop.kernels.microkernel import ADD, ZERO
from fastbackprop.kernels.network import (
    Examples,
    Net,
    Row,
    Workplace,
    backward_pass,
    biases,
    forward_pass,
    output_pass,
    rows_of,
    units,
    widest,
)
from fastbackprop.kernels.outputs import Terms
from fastbackprop.kernels.product import product
from fastbackprop.kernels.sums import add_row
from fastbackprop.kernels.threads import do_chunks, single


class BlocksJob(NamedTuple):
    """An iteration's examples: layers from `first` on.

    `first` is 1, or 2 under gram: then X is V = W1 X, dW lacks layer 1, and dZ1 (n_1, m) is filled, which else is not used.
    """

    net: Net
    first: int
    m: int
    inverse_m: Number
    X: Matrix
    examples: Examples
    dZ1: Matrix
    parameters: Row
    cut: Cut
    state: Words
    team: Words


@inner
def _add_bias(n, columns, V, b, Z):
    """Z = V + b on a block."""
    for i in range(n):
        bias, v, z = b.data[b.at + i], V.at + i * V.row, Z.at + i * Z.row
        for j in range(columns):
            Z.data[z + j] = V.data[v + j] + bias


@inner
def _first_layer(net, columns, V, parameters, place):
    """A_1 = g(V + b_1) on a block, or V + b_1 if it is the last layer too."""
    g, A, length = net.functions, rows_of(net, place.A, 1, place.length), place.length
    applied = net.L > 1 and g.activation != 0
    Z = Matrix(place.scratch.data, place.scratch.at, length, 1) if applied else A
    _add_bias(net.sizes[1], columns, V, biases(net, parameters, 1), Z)
    if applied:
        apply(g.activation, net.sizes[1], length, Z, A, g.slope, place.team)


@inner
def _copy(rows, columns, A, B):
    """B = A, row by row."""
    for i in range(rows):
        a, b = A.at + i * A.row, B.at + i * B.row
        for j in range(columns):
            B.data[b + j] = A.data[a + j]


@inner
def _fetch_columns(rows, columns, X, size):
    """Have the next block's examples on their way to L2 if they are few, and lie row by row: in pieces far apart."""
    if X.column == 1 and 0 < rows * columns * size <= L2_BYTES // 4:
        for i in range(rows):
            at = X.at + i * X.row
            for j in range(at, at + columns, LINE_BYTES // size):
                fetch(X.data, j)


@inner
def gradients_in(net, sums, chunk):
    """The row of dW and that of db in a chunk's sums."""
    at = sums.at + chunk * sums.row
    return Row(Matrix(sums.data, at, sums.row, 1), Matrix(sums.data, at + net.weight_at[net.L + 1], sums.row, 1))


@inner
def helpers_of(job):
    """Whom a chunk works with: nobody where the team shares chunks."""
    return single(job.team) if job.cut.shared else job.team


@inner
def _workplace(job, member):
    """A member's memory in its row of the room, and whom it works with."""
    net, at = job.net, job.cut.room.at + member * job.cut.room.row
    block = units(net) * job.cut.length
    A, dZ = Matrix(job.cut.room.data, at, job.cut.length, 1), Matrix(job.cut.room.data, at + block, job.cut.length, 1)
    scratch = Matrix(job.cut.room.data, at + 2 * block, job.cut.length, 1)
    panels = Matrix(job.cut.room.data, scratch.at + widest(net) * job.cut.length, 1, 1)
    terms = Terms(job.cut.terms.data, 2 * member * job.cut.terms.row, job.cut.terms.row)
    return Workplace(job.cut.length, A, dZ, scratch, panels, terms, job.cut.ones, job.state, helpers_of(job))


@inner
def _beside(examples, j):
    """Those of a block that begins with example j."""
    Y, weights = part(examples.Y, 0, j), part(examples.weights, 0, j)
    return Examples(Y, weights, examples.weighted, examples.low, examples.high)


@routine(ADDRESS(BlocksJob), N, N)
def blocks_chunk(job, chunk, member):
    """The chunk's cost, dW and db; ends early when stopped."""
    net, first, place, gradients = job.net, job.first, _workplace(job, member), gradients_in(job.net, job.cut.sums, chunk)
    begin = chunk * job.cut.span
    end = min(begin + job.cut.span, job.m)
    job.cut.costs[chunk] = 0.0
    for j in range(begin, end, job.cut.columns):
        if load_flag(job.state, 0) != 0:
            return  # nobody looks at the cost of what was stopped
        columns, start = min(job.cut.columns, end - j), ADD if j > begin else ZERO
        X = part(job.X, 0, j)
        ahead = min(columns, end - j - columns)
        _fetch_columns(net.sizes[first - 1], ahead, part(X, 0, columns), size_of(job.inverse_m))
        if first == 2:
            _first_layer(net, columns, X, job.parameters, place)
        forward_pass(net, first, columns, X, job.parameters, place)
        output_pass(net, columns, _beside(job.examples, j), place, job.cut.asked[0] != 0, job.cut.costs, chunk)
        backward_pass(net, first, columns, job.inverse_m, X, job.parameters, gradients, start, place)
        if first == 2:
            dZ1, db = rows_of(net, place.dZ, 1, job.cut.length), biases(net, gradients, 1)
            to_db = Product(net.sizes[1], 1, columns, job.inverse_m, dZ1, place.ones, db, start, db)
            product(to_db, place.panels, place.team)
            _copy(net.sizes[1], columns, dZ1, part(job.dZ1, 0, j))


@inner
def all_blocks(job):
    """All examples: dW and db are the first row of `job.cut.sums`; returns the cost's sum."""
    do_chunks(job.cut.shared, job.team, blocks_chunk, job, job.cut.chunks)
    return sum_of(job.cut)


@inner
def sum_of(cut):
    """The sum of all chunks: of dW and db in the first row of `cut.sums`; that of the cost is returned."""
    sums = cut.sums
    for chunk in range(1, cut.chunks):
        add_row(sums.row, sums.data, sums.at + chunk * sums.row, sums.at)
    return cost_of(cut)


@inner
def cost_of(cut):
    """The sum of all chunks' costs."""
    total = 0.0
    for chunk in range(cut.chunks):
        total += cut.costs[chunk]
    return total
