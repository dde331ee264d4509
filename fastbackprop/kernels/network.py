"""The whole network on a block of examples: forward, output gradient, backward, update. The training loops are made of it.

All weights lie in one flat array, layer after layer, and all biases in another; `Net` says where each begins. A block's
activations lie in a third, `length` numbers a unit, its gradients likewise. A of a hidden layer overwrites its Z, since
relu's mask is the same from either; the output layer keeps Z, the logits.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from fastbackprop.kernels.activations import RELU, one_of, sigmoid
from fastbackprop.kernels.elementwise import activate_rows, gradient_rows
from fastbackprop.kernels.intrinsics import load, store
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.matmul import product, workspace_size
from fastbackprop.kernels.matrix import Matrix, lanes_of, transposed
from fastbackprop.kernels.microkernel import ADD, BIAS, ZERO

# What a training loop's status says.
DONE, STOPPED, DIVERGED = 0, 1, 2


class Net(NamedTuple):
    """Sizes n_0 .. n_L, and where layer l begins among the weights and among the units (biases, rows of a block).

    The weights begin with layer `first`'s, the units with layer 1's.
    """

    sizes: Any
    weight_at: Any
    unit_at: Any


@inner
def net_of(sizes, first):
    """The net of these layer sizes, its weights from layer `first` on."""
    L = sizes.size - 1
    weight_at, unit_at = np.zeros(L + 2, np.int64), np.zeros(L + 2, np.int64)
    for l in range(1, L + 1):
        weight_at[l + 1] = weight_at[l] + (sizes[l] * sizes[l - 1] if l >= first else 0)
        unit_at[l + 1] = unit_at[l] + sizes[l]
    return Net(sizes, weight_at, unit_at)


@inner
def units(net):
    """Units of all layers but the inputs."""
    return net.unit_at[net.sizes.size]


@inner
def row_length(columns, one):
    """Numbers from one row of a block to the next: whole vectors, and no power-of-two distance (rows would share L1 sets)."""
    lanes = lanes_of(one)
    vectors = -(-columns // lanes)
    return (vectors + 1 if vectors % 16 == 0 else vectors) * lanes


@inner
def weights(net, W, l):
    """W_l, (n_l, n_{l-1})."""
    return Matrix(W, net.weight_at[l], net.sizes[l - 1], 1)


@inner
def biases(net, b, l):
    """b_l, (n_l, 1)."""
    return Matrix(b, net.unit_at[l], 1, 1)


@inner
def rows_of(net, block, l, length):
    """Layer l's rows in a block of activations or gradients."""
    return Matrix(block.data, block.at + net.unit_at[l] * length, length, 1)


@inner
def panels_size(net, first, columns, one, X):
    """Numbers of workspace that the products of `forward_pass` and `backward_pass` need on a block of `columns`."""
    length = row_length(columns, one)
    block = Matrix(X.data, 0, length, 1)
    needed = 0
    for l in range(first, net.sizes.size):
        n, n_prev = net.sizes[l], net.sizes[l - 1]
        W = Matrix(X.data, 0, n_prev, 1)
        A_prev = X if l == 1 else block
        needed = max(needed, workspace_size(n, columns, n_prev, one, W, A_prev))
        needed = max(needed, workspace_size(n, n_prev, columns, one, block, transposed(A_prev)))
        needed = max(needed, workspace_size(n_prev, columns, n, one, transposed(W), block))
    return needed


@inner
def forward_pass(net, first, columns, X, W, b, values, length, panels):
    """Layers `first` .. L on a block: Z = W A_prev + b, A = relu(Z). X is what layer 1 sees of it."""
    L = net.sizes.size - 1
    one = one_of(values.data[0])
    for l in range(first, L + 1):
        n, n_prev = net.sizes[l], net.sizes[l - 1]
        A_prev = X if l == 1 else rows_of(net, values, l - 1, length)
        Z = rows_of(net, values, l, length)
        product(n, columns, n_prev, one, weights(net, W, l), A_prev, Z, BIAS, biases(net, b, l), panels)
        if l < L:
            activate_rows(n, columns, Z, Z, RELU)


@inner
def output_pass(net, columns, Y, values, gradients, length, with_cost):
    """dZ_L = sigmoid(Z_L) - Y; gives the block's sum of softplus(z) - y z, the cross-entropy, if it is asked for."""
    L = net.sizes.size - 1
    z, dz = rows_of(net, values, L, length), rows_of(net, gradients, L, length)
    for j in range(columns):
        store(dz.data, dz.at + j, sigmoid(load(z.data, z.at + j)) - load(Y.data, Y.at + j * Y.column))
    total = 0.0
    if with_cost:
        for j in range(columns):
            logit, y = float(load(z.data, z.at + j)), float(load(Y.data, Y.at + j * Y.column))
            total += max(logit, 0.0) - y * logit + math.log1p(math.exp(-abs(logit)))
    return total


@inner
def backward_pass(net, first, columns, mean, X, W, values, gradients, length, dW, db, start, ones, panels):
    """Layers L .. `first` on a block: dW and db (started, or added to), and dZ of the layers below down to layer 1."""
    L = net.sizes.size - 1
    one = one_of(mean)
    for l in range(L, first - 1, -1):
        n, n_prev = net.sizes[l], net.sizes[l - 1]
        A_prev = X if l == 1 else rows_of(net, values, l - 1, length)
        dZ, to_bias = rows_of(net, gradients, l, length), biases(net, db, l)
        product(n, 1, columns, mean, dZ, ones, to_bias, start, to_bias, panels)
        product(n, n_prev, columns, mean, dZ, transposed(A_prev), weights(net, dW, l), start, to_bias, panels)
        if l > 1:
            dA_prev = rows_of(net, gradients, l - 1, length)
            product(n_prev, columns, n, one, transposed(weights(net, W, l)), dZ, dA_prev, ZERO, to_bias, panels)
            gradient_rows(n_prev, columns, dA_prev, A_prev, dA_prev, RELU)


@inner
def stays_finite(W, dW, begin, end, rate):
    """Whether W - rate dW is finite from `begin` to `end`."""
    bad = 0
    for i in range(begin, end):
        w = load(W, i) - rate * load(dW, i)
        bad += 1 if w - w != 0 else 0
    return bad == 0


@inner
def step(W, dW, begin, end, rate):
    """W <- W - rate dW from `begin` to `end`."""
    for i in range(begin, end):
        store(W, i, load(W, i) - rate * load(dW, i))
