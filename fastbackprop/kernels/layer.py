"""One layer, forward and backward, fused: columns are taken a strip at a time, so that what one step writes is still in
L1/L2 for the next; the bias goes into the product's write-back, 1/m too.

    Z = W A_prev + b,  A = g(Z)
    dZ = dA * g'(Z),  dA_prev = W^T dZ,  dW = dZ A_prev^T / m,  db = rowsum(dZ) / m
"""

import numpy as np

from fastbackprop.kernels.activations import LINEAR
from fastbackprop.kernels.blocking import NV, STRIP_BYTES
from fastbackprop.kernels.elementwise import activate_rows, gradient_rows
from fastbackprop.kernels.intrinsics import load, store
from fastbackprop.kernels.jit import IN, INT, OUT, REAL, entry, inner
from fastbackprop.kernels.matmul import product, workspace_size
from fastbackprop.kernels.matrix import Matrix, lanes_of, matrix, part, transposed, workspace
from fastbackprop.kernels.microkernel import ADD, BIAS, ZERO


@entry(IN, OUT, INT)
def activation_forward(Z, A, activation):
    """A = g(Z), elementwise."""
    activate_rows(Z.shape[0], Z.shape[1], matrix(Z), matrix(A), activation)


@entry(IN, IN, OUT, INT)
def activation_backward(dA, Z, dZ, activation):
    """dZ = dA * g'(Z), elementwise."""
    gradient_rows(Z.shape[0], Z.shape[1], matrix(dA), matrix(Z), matrix(dZ), activation)


@inner
def vector(b):
    """A column as a matrix that lies along it: a view, or a copy where its stride is another."""
    column = matrix(b)
    if column.row == 1:
        return column
    copy = np.empty(b.shape[0], b.dtype)
    for i in range(b.shape[0]):
        copy[i] = b[i, 0]
    return Matrix(copy, 0, 1, 1)


@inner
def strip(n, m, size):
    """Columns to take at a time; all of them if the layer is so wide that a strip would be thinner than four tiles."""
    columns = STRIP_BYTES // (max(n, 1) * size)
    narrowest = 4 * NV * 64 // size
    return min(m, columns) if columns >= narrowest else m


@inner
def forward(n, m, n_prev, one, A_prev, W, b, Z, A, activation):
    """Z = W A_prev + b, A = g(Z); LINEAR writes Z alone."""
    step = strip(2 * n + n_prev, m, Z.data.itemsize)
    panels = workspace(workspace_size(n, step, n_prev, one, W, A_prev), one)
    for j in range(0, m, step):
        columns = min(step, m - j)
        product(n, columns, n_prev, one, W, part(A_prev, 0, j), part(Z, 0, j), BIAS, b, panels)
        if activation != LINEAR:
            activate_rows(n, columns, part(Z, 0, j), part(A, 0, j), activation)


@entry(IN, IN, IN, OUT, OUT, INT)
def layer_forward(A_prev, W, b, Z, A, activation):
    """Z = W A_prev + b, A = g(Z); LINEAR: A is not written."""
    n, m = Z.shape
    one = Z.dtype.type(1)
    forward(n, m, W.shape[1], one, matrix(A_prev), matrix(W), vector(b), matrix(Z), matrix(A), activation)


@entry(IN, IN, IN, IN, OUT, OUT, OUT, INT)
def layer_backward(dA, Z, A_prev, W, dA_prev, dW, db, activation):
    """dA_prev, dW, db from dA and Z; LINEAR: dA is dZ, Z is not read."""
    n, m = dA.shape
    n_prev = W.shape[1]
    one = dW.dtype.type(1)
    mean = one / dW.dtype.type(m)
    step = strip(2 * n + 2 * n_prev, m, dW.itemsize)
    gradients, values, inputs, weights = matrix(dA), matrix(Z), matrix(A_prev), transposed(matrix(W))
    to_inputs, to_weights, to_bias = matrix(dA_prev), matrix(dW), matrix(db)
    ones = Matrix(np.ones(step, dW.dtype), 0, 1, 1)
    dZ = gradients if activation == LINEAR else workspace(n * step, one)
    room = workspace_size(n, n_prev, step, one, dZ, transposed(inputs))
    panels = workspace(max(room, workspace_size(n_prev, step, n, one, weights, dZ)), one)
    for j in range(0, m, step):
        columns = min(step, m - j)
        start = ADD if j > 0 else ZERO
        if activation == LINEAR:
            dZ = part(gradients, 0, j)
        else:
            dZ = Matrix(dZ.data, dZ.at, columns, 1)
            gradient_rows(n, columns, part(gradients, 0, j), part(values, 0, j), dZ, activation)
        product(n, 1, columns, mean, dZ, ones, to_bias, start, to_bias, panels)
        product(n, n_prev, columns, mean, dZ, transposed(part(inputs, 0, j)), to_weights, start, to_bias, panels)
        product(n_prev, columns, n, one, weights, dZ, part(to_inputs, 0, j), ZERO, to_bias, panels)


@entry(IN, IN, REAL, OUT)
def descend(W, dW, learning_rate, W_new):
    """W_new = W - learning_rate dW."""
    rate = W_new.dtype.type(learning_rate)
    weights, gradients, new = matrix(W), matrix(dW), matrix(W_new)
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            w = load(weights.data, weights.at + i * weights.row + j * weights.column)
            g = load(gradients.data, gradients.at + i * gradients.row + j * gradients.column)
            store(new.data, new.at + i * new.row + j, w - rate * g)
