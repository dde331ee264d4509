"""Full-batch gradient descent, compiled: the iterations of both algorithms, and the direct one's entry.

X is read once an iteration, dA0 is never formed, nothing of the size of m is allocated. The output layer uses the fused
gradient of its activation and cost, dZ_L = A_L - Y.
"""

from typing import NamedTuple

import numpy as np

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocks import BlocksJob, all_blocks, gradients_in
from fastbackprop.kernels.cut import cut_of, free_cut
from fastbackprop.kernels.jit import entry, inner
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import COSTS, FLAT, IN, INT, REAL, TABLE, Number
from fastbackprop.kernels.matmul import Product
from fastbackprop.kernels.matrix import Matrix, matrix
from fastbackprop.kernels.memory import bare, load_flag
from fastbackprop.kernels.microkernel import ZERO
from fastbackprop.kernels.network import Examples, Row, free_net, functions_of, net_of, units
from fastbackprop.kernels.product import product_in_pieces
from fastbackprop.kernels.threads import claim, release
from fastbackprop.kernels.update import Update, accept, stays_finite

# What state[1] says of a training's iterations.
DONE, STOPPED, DIVERGED = 0, 1, 2


class OfGram(NamedTuple):
    """What gram descent has besides: the change of V is dZ1 G / m."""

    G: Matrix
    change: Matrix
    panels: Matrix


class Iterations(NamedTuple):
    """Iterations `begin` .. `end` - 1; the cost before each multiple of `every`; the largest number that may come up."""

    begin: int
    end: int
    every: int
    largest: Number


@inner
def of_layers(net, gradients, parameters, rate):
    """The updates of all weights and of all biases."""
    n_weights = net.weight_at[net.L + 1]
    weights = Update(n_weights, parameters.W, gradients.W, rate)
    return weights, Update(units(net), parameters.b, gradients.b, rate)


@inner
def iterate(job, gram, updates, iterations, costs):
    """Blocks, then the updates; returns the first iteration not done, and says in state[1] why."""
    state = job.state
    first_cost = -(-iterations.begin // iterations.every)
    state[1] = DONE
    for iteration in range(iterations.begin, iterations.end):
        with_cost = iteration % iterations.every == 0
        job.cut.asked[0] = 1 if with_cost else 0
        total = all_blocks(job)
        if gram is not None:
            to_change = Product(job.net.sizes[1], job.m, job.m, job.inverse_m, job.dZ1, gram.G, gram.change, ZERO, gram.change)
            product_in_pieces(to_change, gram.panels, job.team, state)
        if load_flag(state, 0) != 0:
            state[1] = STOPPED
            return iteration
        if with_cost:
            costs[iteration // iterations.every - first_cost] = total / job.m
        finite = True
        for update in updates:
            finite = finite and stays_finite(update, iterations.largest)
        if not finite:
            state[1] = DIVERGED
            return iteration
        for update in updates:
            accept(update)
    return iterations.end


@inner
def labels_of(Y, m):
    """Labels (n_L, m) in a row, of examples that count alike."""
    labels = Matrix(bare(Y), 0, m, 1)
    return Examples(labels, labels, False, 0.0, np.inf)


@entry(IN, FLAT, TABLE, TABLE, REAL, FLAT, FLAT, REAL, REAL, INT, INT, INT, COSTS, TABLE, INT, INT)
def direct_descent(
    X, Y, sizes, functions, slope, W, b, learning_rate, largest, begin, end, every, costs, state, own_mailbox, team_mailbox
):  # fmt: skip
    """Iterations `begin` .. `end` - 1 of W <- W - learning_rate dW, likewise b; returns the first iteration not done.

    X (n_0, m), Y (n_L, m) in a row, sizes n_0 .. n_L, `functions` the addresses of `Functions`, with its `slope`, W and b all
    layers' in one row, updated in place. `costs` takes the cost before each iteration that is a multiple of `every`, the first
    of them at its start. state[0] not 0 stops within a block; state[1] is DONE, STOPPED, or DIVERGED: the iteration would have
    made parameters beyond `largest`, the dtype's largest finite number. Either leaves them as the iteration found them.
    """
    m, one = X.shape[1], one_of(W[0])
    net = net_of(bare(sizes), sizes.size - 1, 1, functions_of(functions, W.dtype.type(slope)))
    rate, inverse_m = W.dtype.type(learning_rate), one / W.dtype.type(m)
    examples, parameters = matrix(X), Row(Matrix(bare(W), 0, 1, 1), Matrix(bare(b), 0, 1, 1))
    team = claim(own_mailbox, team_mailbox)
    c = cut_of(net, 1, m, one, examples, W.size, team)
    labels = labels_of(Y, m)
    job = held(BlocksJob(net, 1, m, inverse_m, examples, labels, examples, parameters, c, bare(state), team))
    updates = of_layers(net, gradients_in(net, c.sums, 0), parameters, rate)
    iterations = Iterations(begin, end, every, b.dtype.type(largest))
    done = iterate(job, None, updates, iterations, costs)
    release(team)
    free_net(net)
    free_cut(c)
    return done
