"""Full-batch gradient descent, compiled: the gram algorithm, for wide data.

The first layer is only ever seen through V = W1 X, and dW1 = dZ1 X^T / m, so with the Gram matrix G = X^T X

    V <- V - (alpha / m) dZ1 G,    S <- S + dZ1,    W1 = W1_start - (alpha / m) S X^T at the end:

an iteration costs nothing in n_0, and takes one product of n_1 m^2 instead of two of n_1 n_0 m. X is read three times in a
training. In exact arithmetic it is direct descent. (It is the dual form of a linear layer's training; for kernels see
Aizerman, Braverman and Rozonoer, Automation and Remote Control 25, 1964.)

G stays as it is, row by row: packed into panels it was no faster (20 x 209 x 209: 14.7 against 15.3 us).
"""

import numpy as np

from fastbackprop.kernels.activations import LINEAR, RELU, activate, one_of
from fastbackprop.kernels.blocking import KC
from fastbackprop.kernels.descent import block_columns
from fastbackprop.kernels.intrinsics import load, load_flag, store
from fastbackprop.kernels.jit import COSTS, FLAT, IN, INT, OUT, REAL, TABLE, entry, inner
from fastbackprop.kernels.matmul import gram, gram_workspace_size, mirror, product, workspace_size
from fastbackprop.kernels.matrix import Matrix, matrix, part, transposed, workspace
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
    rows_of,
    stays_finite,
    step,
    units,
    widest,
)

DEPTH = 4 * KC  # of X between two looks at the stop flag


@entry(IN, IN, OUT, OUT, TABLE)
def gram_start(X, W1, G, V, state):
    """G = X^T X (m, m) and V = W1 X (n_1, m); state as in `direct_descent`."""
    n_0, m = X.shape
    n_1 = W1.shape[0]
    one = one_of(V[0, 0])
    inputs, weights, product_, values = matrix(X), matrix(W1), matrix(G), matrix(V)
    room = workspace_size(n_1, m, min(n_0, DEPTH), one, weights, inputs)
    panels = workspace(max(room, gram_workspace_size(m, min(n_0, DEPTH), one, X.itemsize)), one)
    state[1] = DONE
    for p in range(0, n_0, DEPTH):
        if load_flag(state, 0) != 0:
            state[1] = STOPPED
            return
        depth, start = min(DEPTH, n_0 - p), ADD if p > 0 else ZERO
        product(n_1, m, depth, one, part(weights, 0, p), part(inputs, p, 0), values, start, values, panels)
        gram(m, depth, one, part(inputs, p, 0), product_, start, panels)
    mirror(m, product_)


@entry(IN, IN, REAL, OUT)
def gram_finish(X, S, learning_rate, W1):
    """W1 <- W1 - (learning_rate / m) S X^T."""
    n_0, m = X.shape
    n_1 = W1.shape[0]
    one = one_of(W1[0, 0])
    inputs, sums, weights = transposed(matrix(X)), matrix(S), matrix(W1)
    panels = workspace(workspace_size(n_1, n_0, m, one, sums, inputs), one)
    product(n_1, n_0, m, W1.dtype.type(-learning_rate / m), sums, inputs, weights, ADD, weights, panels)


@inner
def _first_layer(n, columns, V, b, A, activation):
    """A = g(V + b) on a block."""
    for i in range(n):
        bias, v, a = load(b.data, b.at + i), V.at + i * V.row, A.at + i * A.row
        for j in range(columns):
            store(A.data, a + j, activate(load(V.data, v + j) + bias, activation))


@inner
def _copy(rows, columns, A, B):
    """B = A, row by row."""
    for i in range(rows):
        a, b = A.at + i * A.row, B.at + i * B.row
        for j in range(columns):
            store(B.data, b + j, load(A.data, a + j))


@entry(IN, FLAT, TABLE, FLAT, FLAT, FLAT, FLAT, REAL, INT, INT, INT, COSTS, TABLE)
def gram_descent(G, Y, sizes, W, b, V, S, learning_rate, begin, end, every, costs, state):
    """Iterations as in `direct_descent`, on G, V = W1 X and S = sum of dZ1; W holds the layers from the second on."""
    net = net_of(sizes, 2)
    m, n_1 = G.shape[0], sizes[1]
    L = sizes.size - 1
    one = one_of(b[0])
    rate, mean = b.dtype.type(learning_rate), one / b.dtype.type(m)
    products, labels = matrix(G), Matrix(Y, 0, m, 1)
    first = Matrix(V, 0, m, 1)
    columns = block_columns(2 * units(net) + n_1, m, b.itemsize)
    length = row_length(columns, one)
    values, gradients = workspace(units(net) * length, one), workspace(units(net) * length, one)
    dZ1, change = Matrix(np.empty(n_1 * m, b.dtype), 0, m, 1), Matrix(np.empty(n_1 * m, b.dtype), 0, m, 1)
    scratch = workspace(widest(net) * length, one)
    room = workspace_size(n_1, m, m, one, dZ1, products)
    panels = workspace(max(room, panels_size(net, 2, columns, one, first)), one)
    ones = Matrix(np.ones(columns, b.dtype), 0, 1, 1)
    dW, db = np.empty(W.size, b.dtype), np.empty(b.size, b.dtype)
    state[1] = DONE
    for iteration in range(begin, end):
        total, with_cost = 0.0, iteration % every == 0
        for j in range(0, m, columns):
            if load_flag(state, 0) != 0:
                state[1] = STOPPED
                return iteration
            here, start = min(columns, m - j), ADD if j > 0 else ZERO
            A1, slopes = rows_of(net, values, 1, length), rows_of(net, gradients, 1, length)
            biases, to_bias = Matrix(b, 0, 1, 1), Matrix(db, 0, 1, 1)
            _first_layer(n_1, here, part(first, 0, j), biases, A1, RELU if L > 1 else LINEAR)
            forward_pass(net, 2, here, first, W, b, values, length, scratch, panels)
            total += output_pass(net, here, part(labels, 0, j), values, gradients, length, with_cost)
            backward_pass(net, 2, here, mean, first, W, values, gradients, length, dW, db, start, ones, scratch, panels)
            product(n_1, 1, here, mean, slopes, ones, to_bias, start, to_bias, panels)
            _copy(n_1, here, slopes, part(dZ1, 0, j))
        if with_cost:
            costs[iteration // every] = total / m
        product(n_1, m, m, mean, dZ1, products, change, ZERO, change, panels)
        finite = stays_finite(W, dW, 0, W.size, rate) and stays_finite(b, db, 0, b.size, rate)
        if not (finite and stays_finite(V, change.data, 0, V.size, rate) and stays_finite(S, dZ1.data, 0, S.size, -one)):
            state[1] = DIVERGED
            return iteration
        step(W, dW, 0, W.size, rate)
        step(b, db, 0, b.size, rate)
        step(V, change.data, 0, V.size, rate)
        step(S, dZ1.data, 0, S.size, -one)
    return end
