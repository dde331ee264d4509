"""Full-batch gradient descent, compiled: the direct algorithm.

An iteration takes the examples a block of columns at a time through all layers, forward and backward, while the block's
activations stay in L2; dW and db add up over the blocks. X is read once an iteration, dA0 is never formed, nothing of
the size of m is allocated. The output layer uses the fused gradient of sigmoid and cross-entropy, dZ_L = A_L - Y.
"""

import numpy as np

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocking import BLOCK_COLUMNS, L2_BYTES
from fastbackprop.kernels.intrinsics import load_flag
from fastbackprop.kernels.jit import COSTS, FLAT, IN, INT, REAL, TABLE, entry, inner
from fastbackprop.kernels.matrix import Matrix, matrix, part, workspace
from fastbackprop.kernels.microkernel import ADD, ZERO
from fastbackprop.kernels.network import (
    DIVERGED,
    DONE,
    STOPPED,
    backward_pass,
    forward_pass,
    net_of,
    output_pass,
    panels_size,
    row_length,
    stays_finite,
    step,
    units,
    widest,
)


@inner
def block_columns(rows, m, size):
    """Examples in a block, `rows` numbers each: half of L2, and few blocks where that is thin."""
    fitting = L2_BYTES // 2 // (rows * size)
    wanted = min(m, BLOCK_COLUMNS if fitting < BLOCK_COLUMNS // 4 else min(fitting, BLOCK_COLUMNS))
    return -(-m // -(-m // wanted))


@entry(IN, FLAT, TABLE, FLAT, FLAT, REAL, INT, INT, INT, COSTS, TABLE)
def direct_descent(X, Y, sizes, W, b, learning_rate, begin, end, every, costs, state):
    """Iterations `begin` .. `end` - 1 of W <- W - learning_rate dW, likewise b; gives the first iteration not done.

    X (n_0, m), Y (m), sizes n_0 .. n_L, W and b all layers' in one row, updated in place. costs[i // every] is the cost
    before iteration i, for every `every`-th. state[0] not 0 stops within a block; state[1] tells DONE, STOPPED, or
    DIVERGED: the iteration would have made parameters that are not finite. Either leaves them as the iteration found them.
    """
    net = net_of(sizes, 1)
    m = X.shape[1]
    one = one_of(W[0])
    rate, mean = W.dtype.type(learning_rate), one / W.dtype.type(m)
    inputs, labels = matrix(X), Matrix(Y, 0, m, 1)
    columns = block_columns(sizes[0] + 2 * units(net), m, W.itemsize)
    length = row_length(columns, one)
    values, gradients = workspace(units(net) * length, one), workspace(units(net) * length, one)
    scratch = workspace(widest(net) * length, one)
    panels = workspace(panels_size(net, 1, columns, one, inputs), one)
    ones = Matrix(np.ones(columns, W.dtype), 0, 1, 1)
    dW, db = np.empty(W.size, W.dtype), np.empty(b.size, W.dtype)
    state[1] = DONE
    for iteration in range(begin, end):
        total, with_cost = 0.0, iteration % every == 0
        for j in range(0, m, columns):
            if load_flag(state, 0) != 0:
                state[1] = STOPPED
                return iteration
            here = min(columns, m - j)
            block = part(inputs, 0, j)
            forward_pass(net, 1, here, block, W, b, values, length, scratch, panels)
            total += output_pass(net, here, part(labels, 0, j), values, gradients, length, with_cost)
            start = ADD if j > 0 else ZERO
            backward_pass(net, 1, here, mean, block, W, values, gradients, length, dW, db, start, ones, scratch, panels)
        if with_cost:
            costs[iteration // every] = total / m
        if not (stays_finite(W, dW, 0, W.size, rate) and stays_finite(b, db, 0, b.size, rate)):
            state[1] = DIVERGED
            return iteration
        step(W, dW, 0, W.size, rate)
        step(b, db, 0, b.size, rate)
    return end
