"""One layer, forward and backward, fused: columns are taken a strip at a time, so that what one step writes is still in
L1/L2 for the next; the bias goes into the product's write-back, the division by m into the last strip's.

    Z = W A_prev + b,  A = g(Z)
    dZ = dA * g'(Z),  dA_prev = W^T dZ,  dW = dZ A_prev^T / m,  db = rowsum(dZ) / m

Many strips are gathered into chunks, which the team shares; dW and db then have a partial sum a chunk, added up in order,
then divided. With few strips the team shares each product. Chunks depend on the shape alone, so the bits don't depend on
the team.
"""

from typing import NamedTuple

from fastbackprop.kernels.activations import LINEAR, one_of, zero_of
from fastbackprop.kernels.blocking import CHUNKS, L2_BYTES, NV, SHARED_OPERATIONS, STREAM_BYTES, STRIP_BYTES
from fastbackprop.kernels.elementwise import apply, apply_gradient
from fastbackprop.kernels.jit import entry, inner, routine
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import ADDRESS, GIVEN, INT, OUT, N, Number, Words
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matmul import Product, divide
from fastbackprop.kernels.matrix import Matrix, matrix, part, serves, size_of, transposed
from fastbackprop.kernels.memory import free
from fastbackprop.kernels.microkernel import ADD, BIAS, DIVIDE, ZERO
from fastbackprop.kernels.plan import Plan, plan
from fastbackprop.kernels.product import last_of, product, room_of, run
from fastbackprop.kernels.threads import claim, do_chunks, release, single
from fastbackprop.kernels.workspace import scratch


class Forward(NamedTuple):
    """A layer, forward; b lies along itself; `activation` is the address of the routine of g, or LINEAR."""

    n: int
    n_prev: int
    m: int
    activation: int
    A_prev: Matrix
    W: Matrix
    b: Matrix
    Z: Matrix
    A: Matrix


class ForwardJob(NamedTuple):
    """Strips of `step` columns in chunks of `span`, the product of a strip and of the last one; a row of workspace a member."""

    layer: Forward
    step: int
    span: int
    strip: Plan
    last: Plan
    workspace: Matrix
    team: Words


class Backward(NamedTuple):
    """A layer, backward; `activation` is the address of the routine of dA * g'(Z), or LINEAR."""

    n: int
    n_prev: int
    m: int
    activation: int
    dA: Matrix
    Z: Matrix
    A_prev: Matrix
    W: Matrix
    dA_prev: Matrix
    dW: Matrix
    db: Matrix


class StripPlans(NamedTuple):
    """The products of a strip."""

    to_dW: Plan
    to_dA_prev: Plan


class BackwardJob(NamedTuple):
    """As `ForwardJob`. A chunk's sums begin `partial` numbers after those of the chunk before, and are divided by `divisor`.

    A row of `dZ` is a member's strip of it, not used if LINEAR.
    """

    layer: Backward
    step: int
    span: int
    strip: StripPlans
    last: StripPlans
    partial: int
    divisor: Number
    ones: Matrix
    dZ: Matrix
    workspace: Matrix
    team: Words


@inner
def vector(n, b, memory, at):
    """A column as a matrix that lies along it: a view, or a copy in `memory` where its stride is another."""
    if b.row == 1:
        return b
    for i in range(n):
        memory[at + i] = b.data[b.at + i * b.row]
    return Matrix(memory, at, 1, 1)


@inner
def strip_columns(rows, m, size):
    """Columns to take at a time, `rows` numbers each; all of them if a strip would be thinner than four tiles."""
    columns = STRIP_BYTES // (max(rows, 1) * size)
    narrowest = 4 * NV * 64 // size
    return min(m, columns) if columns >= narrowest else m


@inner
def is_large(rows, columns, one):
    """Whether a result is so large that it is written past the caches."""
    return rows * columns * size_of(one) >= STREAM_BYTES


@inner
def chunk_columns(m, step):
    """Columns of a chunk: whole strips, in at most CHUNKS chunks."""
    strips = -(-m // step)
    return -(-strips // CHUNKS) * step


@inner
def _to_Z(layer, j, columns):
    """Z = W A_prev + b on some columns."""
    one = one_of(layer.b.data[0])
    A_prev, Z = part(layer.A_prev, 0, j), part(layer.Z, 0, j)
    return Product(layer.n, columns, layer.n_prev, one, layer.W, A_prev, Z, BIAS, layer.b)


@routine(ADDRESS(ForwardJob), N, N)
def forward_chunk(job, chunk, member):
    """Z = W A_prev + b, A = g(Z), strip by strip; LINEAR writes Z alone."""
    layer, workspace = job.layer, part(job.workspace, member, 0)
    end = min((chunk + 1) * job.span, layer.m)
    for j in range(chunk * job.span, end, job.step):
        columns = min(job.step, end - j)
        run(job.strip if columns == job.step else job.last, _to_Z(layer, j, columns), workspace, job.team)
        if layer.activation != LINEAR:
            none = zero_of(layer.b.data[0])
            apply(layer.activation, layer.n, columns, part(layer.Z, 0, j), part(layer.A, 0, j), none, job.team)


@entry(GIVEN, GIVEN, GIVEN, OUT, OUT, INT, INT, INT)
def layer_forward(A_prev, W, b, Z, A, activation, own_mailbox, team_mailbox):
    """Z = W A_prev + b, A = g(Z); LINEAR: A is not written. Returns whether it is done: not where an operand does not serve."""
    n, m = Z.shape
    n_prev = W.shape[1]
    if not (serves(A_prev, n_prev, m, Z) and serves(W, n, n_prev, Z) and serves(b, n, 1, Z)):
        return False
    team = claim(own_mailbox, team_mailbox)
    one = Z.dtype.type(1)
    # A single unit reads A_prev once, which nobody misses in L2 then: long pieces of its rows are read faster.
    step = strip_columns(2 * n + (n_prev if n > 1 else 0), m, size_of(one))
    span = chunk_columns(m, step)
    chunks, members = -(-m // span), team[MEMBERS]
    shared = chunks > 1 and members > 1 and n * n_prev * m >= SHARED_OPERATIONS
    helpers = 1 if shared else members
    layer = Forward(n, n_prev, m, activation, matrix(A_prev), matrix(W), matrix(b), matrix(Z), matrix(A))
    strip = plan(_to_Z(layer, 0, step), False, helpers)
    last = plan(_to_Z(layer, 0, last_of(m, step)), False, helpers) if m % step != 0 else strip
    room = max(room_of(strip, helpers), room_of(last, helpers))
    rooms = room * members if shared else room
    memory, own = scratch(rooms + n, one, team)
    along = Forward(
        n, n_prev, m, activation, layer.A_prev, layer.W, vector(n, layer.b, memory.data, memory.at + rooms), layer.Z, layer.A
    )
    workspace = Matrix(memory.data, memory.at, room, 1)
    hand_on = single(team) if shared else team
    job = held(ForwardJob(along, step, span if shared else m, strip, last, workspace, hand_on))
    do_chunks(shared, team, forward_chunk, job, chunks if shared else 1)
    release(team)
    free(own)
    return True


@inner
def _to_dW(layer, j, columns, scale, dZ, dW, start):
    """dW = dZ A_prev^T of some columns."""
    return Product(layer.n, layer.n_prev, columns, scale, dZ, transposed(part(layer.A_prev, 0, j)), dW, start, dW)


@inner
def _to_dA_prev(layer, j, columns, one, dZ):
    """dA_prev = W^T dZ on some columns."""
    dA_prev = part(layer.dA_prev, 0, j)
    return Product(layer.n_prev, columns, layer.n, one, transposed(layer.W), dZ, dA_prev, ZERO, dA_prev)


@inner
def _strip_plans(layer, columns, one, streams_dW, streams_dA, members):
    """The plans of a strip of so many columns."""
    dZ = layer.dA if layer.activation == LINEAR else Matrix(layer.dW.data, 0, columns, 1)
    to_dW = plan(_to_dW(layer, 0, columns, one, dZ, layer.dW, ZERO), streams_dW, members)
    return StripPlans(to_dW, plan(_to_dA_prev(layer, 0, columns, one, dZ), streams_dA, members))


@inner
def _room_of(plans, members):
    """Numbers of workspace for each of them in turn; db needs none."""
    return max(room_of(plans.to_dW, members), room_of(plans.to_dA_prev, members))


@routine(ADDRESS(BackwardJob), N, N)
def backward_chunk(job, chunk, member):
    """dA_prev, dW and db, divided with the last strip, strip by strip."""
    layer, workspace, one = job.layer, part(job.workspace, member, 0), one_of(job.divisor)
    dW = Matrix(layer.dW.data, layer.dW.at + chunk * job.partial, layer.dW.row, 1)
    db = Matrix(layer.db.data, layer.db.at + chunk * job.partial, 1, 1)
    begin = chunk * job.span
    end = min(begin + job.span, layer.m)
    for j in range(begin, end, job.step):
        columns, start, scale = min(job.step, end - j), ADD if j > begin else ZERO, one
        if j + columns >= end and job.divisor != one:
            start, scale = start + DIVIDE, job.divisor
        dZ = part(layer.dA, 0, j)
        if layer.activation != LINEAR:
            dZ = Matrix(job.dZ.data, job.dZ.at + member * job.dZ.row, columns, 1)
            dA, Z = part(layer.dA, 0, j), part(layer.Z, 0, j)
            apply_gradient(layer.activation, layer.n, columns, dA, Z, dZ, zero_of(one), job.team)
        plans = job.strip if columns == job.step else job.last
        product(Product(layer.n, 1, columns, scale, dZ, job.ones, db, start, db), workspace, job.team)
        run(plans.to_dW, _to_dW(layer, j, columns, scale, dZ, dW, start), workspace, job.team)
        run(plans.to_dA_prev, _to_dA_prev(layer, j, columns, one, dZ), workspace, job.team)


@inner
def _add_up(chunks, size, sums, dW, db, n_weights, divisor):
    """dW and db from the chunks' partial sums, added up in order and divided."""
    for i in range(size):
        total = sums.data[sums.at + i]
        for chunk in range(1, chunks):
            total += sums.data[sums.at + chunk * size + i]
        if i < n_weights:
            dW.data[dW.at + i] = total
        else:
            db.data[db.at + i - n_weights] = total
    divide(n_weights, dW.data, dW.at, divisor)
    divide(size - n_weights, db.data, db.at, divisor)


@entry(GIVEN, GIVEN, GIVEN, GIVEN, OUT, OUT, OUT, INT, INT, INT)
def layer_backward(dA, Z, A_prev, W, dA_prev, dW, db, activation, own_mailbox, team_mailbox):
    """dA_prev, dW, db from dA and Z; LINEAR: dA is dZ, Z is not read.

    Returns whether it is done: not where an operand does not serve.
    """
    n, n_prev = dW.shape
    m = dA_prev.shape[1]
    if not (serves(dA, n, m, dW) and serves(Z, n, m, dW) and serves(A_prev, n_prev, m, dW) and serves(W, n, n_prev, dW)):
        return False
    team = claim(own_mailbox, team_mailbox)
    one, divisor, members = dW.dtype.type(1), dW.dtype.type(m), team[MEMBERS]
    step = strip_columns(2 * n + 2 * n_prev, m, size_of(one))
    span = chunk_columns(m, step)
    chunks, size = -(-m // span), n * n_prev + n
    in_chunks = chunks > 1 and chunks * size * size_of(one) <= 2 * L2_BYTES
    shared = in_chunks and members > 1 and n * n_prev * m >= SHARED_OPERATIONS
    copies, helpers = (members, 1) if shared else (1, members)
    layer = Backward(
        n, n_prev, m, activation, matrix(dA), matrix(Z), matrix(A_prev), matrix(W), matrix(dA_prev), matrix(dW), matrix(db)
    )
    streams_dW, streams_dA = step >= m and is_large(n, n_prev, one), is_large(n_prev, m, one)
    strip = _strip_plans(layer, step, one, streams_dW, streams_dA, helpers)
    last = _strip_plans(layer, last_of(m, step), one, streams_dW, streams_dA, helpers) if m % step != 0 else strip
    room = max(_room_of(strip, helpers), _room_of(last, helpers))
    strips = 0 if activation == LINEAR else copies * n * step
    partial_sums = chunks * size if in_chunks else 0
    memory, own = scratch(strips + partial_sums + copies * room + step, one, team)
    dZ = Matrix(memory.data, memory.at, n * step, 1)
    sums = Matrix(memory.data, memory.at + strips, n_prev, 1)
    workspace = Matrix(memory.data, sums.at + partial_sums, room, 1)
    ones = Matrix(memory.data, workspace.at + copies * room, 1, 1)
    for j in range(step):
        ones.data[ones.at + j] = one
    to = layer
    if in_chunks:
        to = Backward(
            n, n_prev, m, activation, layer.dA, layer.Z, layer.A_prev, layer.W, layer.dA_prev, sums,
            Matrix(sums.data, sums.at + n * n_prev, 1, 1),
        )  # fmt: skip
    chunks, span, partial = (chunks, span, size) if in_chunks else (1, m, 0)
    hand_on = single(team) if shared else team
    by = one if in_chunks else divisor
    job = held(BackwardJob(to, step, span, strip, last, partial, by, ones, dZ, workspace, hand_on))
    do_chunks(shared, team, backward_chunk, job, chunks)
    if in_chunks:
        _add_up(chunks, size, sums, layer.dW, layer.db, n * n_prev, divisor)
    release(team)
    free(own)
    return True
