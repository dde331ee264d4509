"""One sweep over the examples: cost, dW and db of an iteration, a block of columns at a time through all layers.

Narrow nets: a block's activations and gradients stay in L1/L2; blocks are gathered into chunks, which the team shares, each
with a partial sum of dW and db. Wide nets: long blocks, one after the other, and the team shares each product. Blocks and
chunks depend on the shape alone, so the bits don't depend on the team.
"""

from typing import Any, NamedTuple

import numpy as np

from fastbackprop.kernels.activations import LINEAR, RELU, activate, one_of
from fastbackprop.kernels.blocking import BLOCK_BYTES, BLOCK_COLUMNS, BLOCK_OPERATIONS, CHUNKS, L2_BYTES, NV, SHARED_OPERATIONS
from fastbackprop.kernels.jit import inner, routine
from fastbackprop.kernels.kinds import POINTER, WORDS, N
from fastbackprop.kernels.matrix import Matrix, lanes_of, part, size_of
from fastbackprop.kernels.memory import bare, keep, load_flag
from fastbackprop.kernels.microkernel import ADD, ZERO
from fastbackprop.kernels.network import (
    Net,
    backward_pass,
    biases,
    forward_pass,
    largest_product,
    output_pass,
    panels_size,
    row_length,
    rows_of,
    units,
    widest,
)
from fastbackprop.kernels.product import product
from fastbackprop.kernels.threads import MEMBERS, share
from fastbackprop.kernels.words import alone, at_place, number_of, place_of, put, take, tell, word_of
from fastbackprop.kernels.workspace import lent, workspace


class Plan(NamedTuple):
    """How a sweep is cut, and its workspace: one copy, or one a member where the team shares chunks.

    A copy, a row of `room`, is a block's activations, its gradients, and scratch, `length` numbers a row, then panels. A row of
    `sums` is a chunk's dW and db; a number of `costs` its cost.
    """

    first: int
    m: int
    columns: int
    span: int
    chunks: int
    shared: bool
    length: int
    room: Any
    sums: Any
    costs: Any
    ones: Any


@inner
def plan(net, first, m, one, X, n_weights, team):
    """The plan for layers from `first` on; X is what layer `first` - 1 holds of the examples."""
    size = size_of(one)
    NR = NV * lanes_of(one)
    rows = net.sizes[first - 1] + 2 * units(net)
    columns = BLOCK_BYTES // (rows * size) // NR * NR
    narrow = columns >= 4 * NR
    if not narrow:
        columns = max(4 * NR, min(BLOCK_COLUMNS, BLOCK_OPERATIONS // largest_product(net, first)))
    columns = -(-m // -(-m // columns))  # blocks of about the same size
    blocks = -(-m // columns)
    width = n_weights + units(net)
    in_chunks = narrow and min(blocks, CHUNKS) * width * size <= 2 * L2_BYTES
    span = -(-blocks // CHUNKS) * columns if in_chunks else m
    chunks = -(-m // span)
    shared = chunks > 1 and team[MEMBERS] > 1 and n_weights * m >= SHARED_OPERATIONS
    length = row_length(columns, one)
    copies, helped = (team[MEMBERS], 1) if shared else (1, team[MEMBERS])
    copy = (2 * units(net) + widest(net)) * length + max(
        panels_size(net, first, columns, one, X, helped), panels_size(net, first, m - (blocks - 1) * columns, one, X, helped)
    )
    copy = -(-copy // 16) * 16
    room = workspace(copies * copy, one)
    sums = workspace(chunks * width, one)
    ones = Matrix(np.ones(columns, np.asarray(one).dtype), 0, 1, 1)
    return Plan(
        first, m, columns, span, chunks, shared, length, Matrix(room.data, room.at, copy, 1),
        Matrix(sums.data, sums.at, width, 1), np.zeros(chunks), ones,
    )  # fmt: skip


@inner
def bare_plan(p):
    """The plan to hand on; `keep_plan` comes after the last use."""
    return Plan(
        p.first, p.m, p.columns, p.span, p.chunks, p.shared, p.length, lent(p.room), lent(p.sums), bare(p.costs), lent(p.ones)
    )


@inner
def keep_plan(p):
    """Have the memory of a plan live until here."""
    keep(p.room.data)
    keep(p.sums.data)
    keep(p.costs)
    keep(p.ones.data)


@inner
def _first_layer(n, columns, V, b, A, activation):
    """A = g(V + b) on a block."""
    for i in range(n):
        bias, v, a = b.data[b.at + i], V.at + i * V.row, A.at + i * A.row
        for j in range(columns):
            A.data[a + j] = activate(V.data[v + j] + bias, activation)


@inner
def _copy(rows, columns, A, B):
    """B = A, row by row."""
    for i in range(rows):
        a, b = A.at + i * A.row, B.at + i * B.row
        for j in range(columns):
            B.data[b + j] = A.data[a + j]


@inner
def sweep_columns(net, first, begin, end, columns, mean, X, Y, W, b, dW, db, dZ1, room, length, ones, with_cost, state, team):
    """Columns `begin` .. `end` - 1: fills dW and db, gives the cost's sum; ends early when stopped.

    `first` is 1, or 2 under gram: then X is V = W1 X, dW lacks layer 1, and dZ1 (n_1, m) is filled.
    """
    block = units(net) * length
    values, gradients = room, Matrix(room.data, room.at + block, room.row, 1)
    scratch = Matrix(room.data, room.at + 2 * block, length, 1)
    panels = Matrix(room.data, room.at + 2 * block + widest(net) * length, 1, 1)
    total = 0.0
    for j in range(begin, end, columns):
        if load_flag(state, 0) != 0:
            return total
        here, start = min(columns, end - j), ADD if j > begin else ZERO
        inputs = part(X, 0, j)
        if first == 2:
            A1, activation = rows_of(net, values, 1, length), RELU if net.L > 1 else LINEAR
            _first_layer(net.sizes[1], here, inputs, biases(net, b, 1), A1, activation)
        forward_pass(net, first, here, inputs, W, b, values, length, scratch, panels, state, team)
        total += output_pass(net, here, part(Y, 0, j), values, gradients, length, with_cost)
        backward_pass(
            net, first, here, mean, inputs, W, values, gradients, length, dW, db, start, ones, scratch, panels, state, team
        )
        if first == 2:
            slopes, to_bias = rows_of(net, gradients, 1, length), biases(net, db, 1)
            product(net.sizes[1], 1, here, mean, slopes, ones, to_bias, start, to_bias, panels, team)
            _copy(net.sizes[1], here, slopes, part(dZ1, 0, j))
    return total


@routine(WORDS, N, N, POINTER)
def sweep_chunk(words, chunk, member, like):
    w, one = words, one_of(like[0])
    L, first, m, columns, span, length, with_cost = (
        w[0],
        w[1],
        w[2],
        w[3],
        w[4],
        w[5],
        w[6] != 0,
    )
    mean, whole = number_of(w[7], one), w[0]
    net = Net(L, at_place(w[8], whole), at_place(w[9], whole), at_place(w[10], whole))
    state, costs = at_place(w[11], whole), at_place(w[12], 0.0)
    W, b = Matrix(at_place(w[13], one), 0, 1, 1), Matrix(at_place(w[14], one), 0, 1, 1)
    X, Y, dZ1 = take(w, 15, one), take(w, 18, one), take(w, 21, one)
    room, sums, ones = part(take(w, 24, one), member, 0), part(take(w, 27, one), chunk, 0), take(w, 30, one)
    n_weights = net.weight_at[L + 1]
    dW, db = Matrix(sums.data, sums.at, 1, 1), Matrix(sums.data, sums.at + n_weights, 1, 1)
    begin = chunk * span
    cost = sweep_columns(
        net, first, begin, min(begin + span, m), columns, mean, X, Y, W, b, dW, db, dZ1, room, length, ones, with_cost, state,
        alone(words),
    )  # fmt: skip
    costs[chunk] = cost


_chunk_address = sweep_chunk.address()


@inner
def sweep(net, p, mean, X, Y, W, b, dZ1, with_cost, state, team):
    """All columns: the sums of dW and of db are the first row of `p.sums`; gives the cost's sum."""
    if p.shared:
        tell(
            team,
            (
                net.L,
                p.first,
                p.m,
                p.columns,
                p.span,
                p.length,
                1 if with_cost else 0,
                word_of(mean),
                place_of(net.sizes, 0),
                place_of(net.weight_at, 0),
                place_of(net.unit_at, 0),
                place_of(state, 0),
                place_of(p.costs, 0),
                place_of(W.data, W.at),
                place_of(b.data, b.at),
            ),
        )
        end = put(team, put(team, put(team, 15, X), Y), dZ1)
        put(team, put(team, put(team, end, p.room), p.sums), p.ones)
        share(team, _chunk_address(mean), p.chunks)
    else:
        for chunk in range(p.chunks):
            begin, sums = chunk * p.span, part(p.sums, chunk, 0)
            dW, db = Matrix(sums.data, sums.at, 1, 1), Matrix(sums.data, sums.at + net.weight_at[net.L + 1], 1, 1)
            cost = sweep_columns(
                net, p.first, begin, min(begin + p.span, p.m), p.columns, mean, X, Y, W, b, dW, db, dZ1, p.room, p.length,
                p.ones, with_cost, state, team,
            )  # fmt: skip
            p.costs[chunk] = cost
    total = 0.0
    for chunk in range(p.chunks):
        total += p.costs[chunk]
        if chunk > 0:
            for i in range(p.sums.row):
                at = p.sums.at + i
                p.sums.data[at] = p.sums.data[at] + p.sums.data[at + chunk * p.sums.row]
    return total
