"""Full-batch gradient descent, compiled: the gram algorithm, for wide data.

The first layer is only ever seen through V = W1 X, and dW1 = dZ1 X^T / m, so with the Gram matrix G = X^T X

    V <- V - (alpha / m) dZ1 G,    S <- S + dZ1,    W1 = W1_start - (alpha / m) S X^T at the end:

an iteration costs nothing in n_0, and takes one product of n_1 m^2 instead of two of n_1 n_0 m. X is read three times in a
training. In exact arithmetic it is direct descent. (It is the dual form of a linear layer's training; for kernels see
Aizerman, Braverman and Rozonoer, Automation and Remote Control 25, 1964.)

G stays as it is, row by row: packed into panels it was no faster (20 x 209 x 209: 14.7 against 15.3 us).
"""

import numpy as np

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocking import KC
from fastbackprop.kernels.jit import entry, inner
from fastbackprop.kernels.kinds import COSTS, FLAT, IN, INT, OUT, REAL, TABLE
from fastbackprop.kernels.matrix import Matrix, matrix, transposed
from fastbackprop.kernels.memory import bare, keep, load_flag
from fastbackprop.kernels.microkernel import ADD, ZERO
from fastbackprop.kernels.network import DIVERGED, DONE, STOPPED, bare_net, keep_net, net_of, stays_finite, step
from fastbackprop.kernels.product import (
    MIRROR,
    gram,
    gram_step,
    gram_workspace_size,
    mirror,
    pieces_size,
    product_in_pieces,
)
from fastbackprop.kernels.sweep import bare_plan, keep_plan, plan, sweep
from fastbackprop.kernels.threads import MEMBERS, claim, release
from fastbackprop.kernels.workspace import lent, scratch, workspace

DEPTH = 8 * KC  # rows of X at a time: float32 data is widened piece by piece


@entry(IN, IN, OUT, OUT, TABLE, INT, INT, dtypes="d")
def gram_add(X, W1, G, V, state, own_mailbox, team_mailbox):
    """G += X^T X, the upper triangle, and V += W1 X, for some rows of X and the columns of W1 that belong to them.

    Ends early when stopped (state[0] not 0).
    """
    depth, m = X.shape
    n_1 = W1.shape[0]
    one = one_of(V[0, 0])
    stop = bare(state)
    team = claim(own_mailbox, team_mailbox)
    members = team[MEMBERS]
    inputs, weights, values = matrix(X), matrix(W1), matrix(V)
    room = pieces_size(n_1, m, depth, one, weights, inputs, members)
    panels, owner = scratch(max(room, gram_workspace_size(m, depth, one, members)), one, team)
    product_in_pieces(n_1, m, depth, one, weights, inputs, values, ADD, values, panels, team, stop)
    step = gram_step(m, depth, one)
    for j in range(0, m, step):
        if load_flag(stop, 0) == 0:
            gram(m, depth, one, inputs, matrix(G), ADD, panels, team, j, min(j + step, m))
    release(team)
    keep(owner)


@entry(OUT, TABLE, dtypes="d")
def gram_mirror(G, state):
    """The lower triangle of G from the upper one; ends early when stopped."""
    m, stop = G.shape[0], bare(state)
    for i in range(0, m, MIRROR):
        if load_flag(stop, 0) == 0:
            mirror(m, matrix(G), i, min(i + MIRROR, m))


@entry(IN, IN, REAL, OUT, TABLE, INT, INT, dtypes="d")
def gram_finish(X, S, learning_rate, W1, state, own_mailbox, team_mailbox):
    """W1 <- W1 - (learning_rate / m) S X^T, for some rows of X and the columns of W1 that belong to them.

    Ends early when stopped.
    """
    n_0, m = X.shape
    n_1 = W1.shape[0]
    one = one_of(W1[0, 0])
    inputs, sums, weights = transposed(matrix(X)), matrix(S), matrix(W1)
    team = claim(own_mailbox, team_mailbox)
    panels, owner = scratch(pieces_size(n_1, n_0, m, one, sums, inputs, team[MEMBERS]), one, team)
    rate = W1.dtype.type(-learning_rate / m)
    product_in_pieces(n_1, n_0, m, rate, sums, inputs, weights, ADD, weights, panels, team, bare(state))
    release(team)
    keep(owner)


@inner
def _iterate(net, p, G, Y, W, b, V, S, dZ1, change, panels, rate, largest, mean, begin, end, every, costs, state, team):
    n_weights, n_biases = net.weight_at[net.L + 1], net.unit_at[net.L + 1]
    dW, db = p.sums, Matrix(p.sums.data, p.sums.at + n_weights, 1, 1)
    m, n_1 = p.m, net.sizes[1]
    one = one_of(mean)
    first_cost = -(-begin // every)
    state[1] = DONE
    for iteration in range(begin, end):
        total = sweep(net, p, mean, V, Y, W, b, dZ1, iteration % every == 0, state, team)
        if load_flag(state, 0) != 0:
            state[1] = STOPPED
            return iteration
        if iteration % every == 0:
            costs[iteration // every - first_cost] = total / m
        product_in_pieces(n_1, m, m, mean, dZ1, G, change, ZERO, change, panels, team, state)
        if load_flag(state, 0) != 0:
            state[1] = STOPPED
            return iteration
        finite = stays_finite(n_weights, W, dW, rate, largest) and stays_finite(n_biases, b, db, rate, largest)
        if not (finite and stays_finite(n_1 * m, V, change, rate, largest) and stays_finite(n_1 * m, S, dZ1, -one, largest)):
            state[1] = DIVERGED
            return iteration
        step(n_weights, W, dW, rate)
        step(n_biases, b, db, rate)
        step(n_1 * m, V, change, rate)
        step(n_1 * m, S, dZ1, -one)
    return end


@entry(IN, FLAT, TABLE, FLAT, FLAT, FLAT, FLAT, REAL, REAL, INT, INT, INT, COSTS, TABLE, INT, INT, dtypes="d")
def gram_descent(G, Y, sizes, W, b, V, S, learning_rate, largest, begin, end, every, costs, state, own_mailbox, team_mailbox):
    """Iterations as in `direct_descent`, on G, V = W1 X and S = sum of dZ1; W holds the layers from the second on."""
    owners = net_of(sizes, 2)
    net = bare_net(owners)
    m, n_1 = G.shape[0], sizes[1]
    one = one_of(b[0])
    rate, mean = b.dtype.type(learning_rate), one / b.dtype.type(m)
    products, labels, team = matrix(G), Matrix(bare(Y), 0, m, 1), claim(own_mailbox, team_mailbox)
    weights, biases = Matrix(bare(W), 0, 1, 1), Matrix(bare(b), 0, 1, 1)
    first, total_dZ1 = Matrix(bare(V), 0, m, 1), Matrix(bare(S), 0, m, 1)
    slopes, changes = np.empty(n_1 * m, b.dtype), np.empty(n_1 * m, b.dtype)
    dZ1, change = Matrix(bare(slopes), 0, m, 1), Matrix(bare(changes), 0, m, 1)
    panels = workspace(pieces_size(n_1, m, m, one, dZ1, products, team[MEMBERS]), one)
    p = plan(net, 2, m, one, first, W.size, team)
    done = _iterate(
        net, bare_plan(p), products, labels, weights, biases, first, total_dZ1, dZ1, change,
        lent(panels), rate, b.dtype.type(largest), mean, begin, end, every, costs, bare(state), team,
    )  # fmt: skip
    release(team)
    keep(slopes)
    keep(changes)
    keep(panels.data)
    keep_net(owners)
    keep_plan(p)
    return done
