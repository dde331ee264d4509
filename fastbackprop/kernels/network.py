"""The whole network on a block of examples: forward, output gradient, backward, update. Training is made of it.

All weights lie in one flat array, layer after layer, and all biases in another; `Net` says where each begins. A block's
activations lie in a third, `length` numbers a unit, its gradients likewise. A hidden layer keeps A alone, since relu's mask
is the same from Z or A; the output layer keeps Z, the logits. What only lives from one loop to the next (Z, dA) goes to
`scratch`, the widest layer's rows: LLVM does not vectorize an elementwise loop that works in place.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from fastbackprop.kernels.activations import RELU, one_of, sigmoid
from fastbackprop.kernels.cost import two_sum
from fastbackprop.kernels.elementwise import activate_shared, gradient_shared
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.matrix import Matrix, lanes_of, transposed
from fastbackprop.kernels.memory import bare, keep, load_flag
from fastbackprop.kernels.microkernel import BIAS, ZERO
from fastbackprop.kernels.product import pieces_size, product, product_in_pieces

# What a training loop's status says.
DONE, STOPPED, DIVERGED = 0, 1, 2


class Net(NamedTuple):
    """Sizes n_0 .. n_L, and where layer l begins among the weights and among the units (biases, rows of a block).

    The weights begin with layer `first`'s, the units with layer 1's.
    """

    L: int
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
    return Net(L, sizes, weight_at, unit_at)


@inner
def bare_net(net):
    """The net to hand on; `keep_net` comes after the last use."""
    return Net(net.L, bare(net.sizes), bare(net.weight_at), bare(net.unit_at))


@inner
def keep_net(net):
    """Have the memory of a net live until here."""
    keep(net.sizes)
    keep(net.weight_at)
    keep(net.unit_at)


@inner
def units(net):
    """Units of all layers but the inputs."""
    return net.unit_at[net.L + 1]


@inner
def widest(net):
    """Units of the widest layer but the inputs."""
    n = 0
    for l in range(1, net.L + 1):
        n = max(n, net.sizes[l])
    return n


@inner
def largest_product(net, first):
    """Multiply-adds an example in the largest product from layer `first` on."""
    largest = 1
    for l in range(first, net.L + 1):
        largest = max(largest, net.sizes[l] * net.sizes[l - 1])
    return largest


@inner
def row_length(columns, one):
    """Numbers from one row of a block to the next: whole vectors, and no power-of-two distance (rows would share L1 sets)."""
    lanes = lanes_of(one)
    vectors = -(-columns // lanes)
    return (vectors + 1 if vectors % 16 == 0 else vectors) * lanes


@inner
def weights(net, W, l):
    """W_l, (n_l, n_{l-1}), in the row of all weights."""
    return Matrix(W.data, W.at + net.weight_at[l], net.sizes[l - 1], 1)


@inner
def biases(net, b, l):
    """b_l, (n_l, 1), in the row of all biases."""
    return Matrix(b.data, b.at + net.unit_at[l], 1, 1)


@inner
def rows_of(net, block, l, length):
    """Layer l's rows in a block of activations or gradients."""
    return Matrix(block.data, block.at + net.unit_at[l] * length, length, 1)


@inner
def panels_size(net, first, columns, one, X, members):
    """Numbers of workspace that `forward_pass` and `backward_pass` need on a block of `columns` in a team of `members`."""
    length = row_length(columns, one)
    block = Matrix(X.data, 0, length, 1)
    needed = 0
    for l in range(first, net.L + 1):
        n, n_prev = net.sizes[l], net.sizes[l - 1]
        W = Matrix(X.data, 0, n_prev, 1)
        A_prev = X if l == 1 else block
        needed = max(needed, pieces_size(n, columns, n_prev, one, W, A_prev, members))
        needed = max(needed, pieces_size(n, n_prev, columns, one, block, transposed(A_prev), members))
        needed = max(needed, pieces_size(n_prev, columns, n, one, transposed(W), block, members))
    return needed


@inner
def forward_pass(net, first, columns, X, W, b, values, length, scratch, panels, state, team):
    """Layers `first` .. L on a block: Z = W A_prev + b, A = relu(Z). X is what layer 1 sees of it. Ends early when stopped."""
    one = one_of(values.data[0])
    for l in range(first, net.L + 1):
        n, n_prev = net.sizes[l], net.sizes[l - 1]
        A_prev = X if l == 1 else rows_of(net, values, l - 1, length)
        if load_flag(state, 0) != 0:
            return
        A = rows_of(net, values, l, length)
        Z = Matrix(scratch.data, scratch.at, length, 1) if l < net.L else A
        bias = biases(net, b, l)
        product_in_pieces(n, columns, n_prev, one, weights(net, W, l), A_prev, Z, BIAS, bias, panels, team, state)
        if l < net.L:
            activate_shared(n, length, one, Z, A, RELU, team)


@inner
def _output_span(n, Z, z, Y, y, dZ, dz):
    stand_alone()
    for j in range(n):
        dZ[dz + j] = sigmoid(Z[z + j]) - Y[y + j]


@inner
def _cost_span(n, Z, z, Y, y):
    """Sum of softplus(z) - y z, compensated."""
    stand_alone()
    total, lost = 0.0, 0.0
    for j in range(n):
        logit, label = np.float64(Z[z + j]), np.float64(Y[y + j])
        term = max(logit, 0.0) - label * logit + math.log1p(math.exp(-abs(logit)))
        total, lost = two_sum(total, term, lost)
    return total + lost


@inner
def output_pass(net, columns, Y, values, gradients, length, with_cost):
    """dZ_L = sigmoid(Z_L) - Y; gives the block's sum of softplus(z) - y z, the cross-entropy, if it is asked for.

    Y lies along its row.
    """
    Z, dZ = rows_of(net, values, net.L, length), rows_of(net, gradients, net.L, length)
    _output_span(columns, Z.data, Z.at, Y.data, Y.at, dZ.data, dZ.at)
    return _cost_span(columns, Z.data, Z.at, Y.data, Y.at) if with_cost else 0.0


@inner
def backward_pass(
    net, first, columns, mean, X, W, values, gradients, length, dW, db, start, ones, scratch, panels, state, team
):
    """Layers L .. `first` on a block: dW and db (started, or added to), and dZ of the layers below down to layer 1.

    Ends early when stopped.
    """
    one = one_of(mean)
    for l in range(net.L, first - 1, -1):
        if load_flag(state, 0) != 0:
            return
        n, n_prev = net.sizes[l], net.sizes[l - 1]
        A_prev = X if l == 1 else rows_of(net, values, l - 1, length)
        dZ, to_bias = rows_of(net, gradients, l, length), biases(net, db, l)
        product(n, 1, columns, mean, dZ, ones, to_bias, start, to_bias, panels, team)
        X_prev = transposed(A_prev)
        product_in_pieces(n, n_prev, columns, mean, dZ, X_prev, weights(net, dW, l), start, to_bias, panels, team, state)
        if l > 1 and load_flag(state, 0) == 0:
            dA_prev = Matrix(scratch.data, scratch.at, length, 1)
            W_T = transposed(weights(net, W, l))
            product_in_pieces(n_prev, columns, n, one, W_T, dZ, dA_prev, ZERO, to_bias, panels, team, state)
            dZ_prev = rows_of(net, gradients, l - 1, length)
            gradient_shared(n_prev, length, one, dA_prev, A_prev, dZ_prev, RELU, team)


@inner
def stays_finite(n, W, dW, rate, largest):
    """Whether W - rate dW is within `largest`, for n numbers in a row."""
    stand_alone()
    bad = 0
    for i in range(n):
        w = W.data[W.at + i] - rate * dW.data[dW.at + i]
        bad += 0 if abs(w) <= largest else 1
    return bad == 0


@inner
def step(n, W, dW, rate):
    """W <- W - rate dW, for n numbers in a row."""
    for i in range(n):
        W.data[W.at + i] = W.data[W.at + i] - rate * dW.data[dW.at + i]
