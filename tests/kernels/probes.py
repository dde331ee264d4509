"""What only kernels call, made callable from Python: compiled once, and kept in the disk cache like the entries.

Matrices are handed over as flat arrays with the place of the first element and the strides, so that a test can say what
lies around them: `place` fills it with nan, which whatever reads too much lets through, and whatever writes too much
replaces.
"""

import numpy as np

from fastbackprop import testing
from fastbackprop.kernels import matmul
from fastbackprop.kernels.activations import activate, exp_of_negative, gradient, sigmoid_slope
from fastbackprop.kernels.elementwise import activate_rows, gradient_rows
from fastbackprop.kernels.intrinsics import load, store
from fastbackprop.kernels.jit import FLAT, IN, INT, NUMBER, OUT, N, entry
from fastbackprop.kernels.matmul import (
    blocks,
    by_inner_products,
    by_outer_products,
    gram,
    gram_workspace_size,
    mirror,
    packed,
    product,
    workspace_size,
)
from fastbackprop.kernels.matrix import Matrix, lanes_of, matrix
from fastbackprop.kernels.microkernel import inner_tile, outer_tile
from fastbackprop.kernels.packing import pack

DTYPES = ("float64", "float32")


def _slice(x):
    wide = np.full((x.shape[0], x.shape[1] + 3), np.nan, x.dtype)
    view = wide[:, 2:-1]
    view[:] = x
    return view


# What the layers hand to kernels: native byte order; and mini-batches, whose rows lie apart.
LAYOUTS = {name: to for name, to in testing.LAYOUTS.items() if name != "byte-swapped"} | {"slice": _slice}
MARGIN = 5  # numbers around a matrix: no whole vector, so that nothing is aligned by chance


def place(values, at=MARGIN, row=None, column=1, buffer=None):
    """A flat array, nan but for `values` at the given place and strides, and the indices of its elements."""
    rows, columns = values.shape
    row = columns if row is None else row
    index = at + row * np.arange(rows)[:, None] + column * np.arange(columns)[None, :]
    if buffer is None:
        buffer = np.full(index.max(initial=at) + 1 + MARGIN, np.nan, values.dtype)
    buffer[index] = values
    return buffer, index


def whole_numbers(rng, rows, columns, dtype, largest=8):
    """Small whole numbers: sums of their products are exact in either dtype, in any order."""
    return rng.integers(-largest, largest + 1, (rows, columns)).astype(dtype)


def exact_sum(c0, scale, A, B, dtype):
    """c0 + scale A B of whole numbers, exactly."""
    return (c0 + scale * (A.astype("d") @ B.astype("d"))).astype(dtype)


# ------------------------------------------------------------------------------------------------------- the entries


@entry(N, N, N, NUMBER, FLAT, N, N, N, FLAT, N, N, FLAT, N, N, N, FLAT, N)
def outer(rows, columns, depth, scale, a, ia, a_row, a_depth, b, ib, b_depth, c, ic, c_row, start, bias, ibias):
    outer_tile(rows, columns, depth, scale, a, ia, a_row, a_depth, b, ib, b_depth, c, ic, c_row, start, bias, ibias)


@entry(N, N, N, NUMBER, FLAT, N, N, FLAT, N, N, FLAT, N, N, N, N, FLAT, N)
def inner(rows, columns, depth, scale, a, ia, a_row, b, ib, b_column, c, ic, c_row, c_column, start, bias, ibias):
    inner_tile(rows, columns, depth, scale, a, ia, a_row, b, ib, b_column, c, ic, c_row, c_column, start, bias, ibias)


@entry(N, N, FLAT, N, N, N, FLAT, N, N)
def pack_all(width, depth, x, ix, x_row, x_column, panels, at, panel):
    pack(width, depth, Matrix(x, ix, x_row, x_column), panels, at, panel)


OUTER, INNER, PACKED, PRODUCT = matmul.OUTER, matmul.INNER, matmul.PACKED, 3


@entry(N, IN, IN, NUMBER)
def room(way, A, B, one):
    """Numbers of workspace that `multiply` needs."""
    rows, depth, columns = A.shape[0], A.shape[1], B.shape[1]
    if way == PACKED:
        kc, mc, nc = blocks(rows, columns, depth, A.itemsize, matmul.NV * lanes_of(one))
        return kc * (mc + nc)
    return workspace_size(rows, columns, depth, one, matrix(A), matrix(B)) if way == PRODUCT else 0


@entry(N, IN, IN, NUMBER, FLAT, N, N, N, FLAT, N, FLAT, N)
def multiply(way, A, B, scale, c, ic, c_row, start, bias, ibias, workspace, iworkspace):
    """C = c0 + scale A B by one of the ways."""
    rows, depth, columns = A.shape[0], A.shape[1], B.shape[1]
    a, b, C = matrix(A), matrix(B), Matrix(c, ic, c_row, 1)
    beta, panels = Matrix(bias, ibias, 1, 1), Matrix(workspace, iworkspace, 1, 1)
    if way == OUTER:
        by_outer_products(rows, columns, depth, scale, a, b, C, start, beta)
    elif way == INNER:
        by_inner_products(rows, columns, depth, scale, a, b, C, start, beta)
    elif way == PACKED:
        packed(rows, columns, depth, scale, a, b, C, start, beta, panels, 0)
    else:
        product(rows, columns, depth, scale, a, b, C, start, beta, panels)


@entry(IN, NUMBER)
def gram_room(X, one):
    """Numbers of workspace that `gram_matrix` needs."""
    return gram_workspace_size(X.shape[1], X.shape[0], one, X.itemsize)


@entry(IN, NUMBER, FLAT, N, N, N, FLAT, N)
def gram_matrix(X, one, g, ig, g_row, start, workspace, iworkspace):
    """G = c0 + X^T X, both triangles."""
    G = Matrix(g, ig, g_row, 1)
    gram(X.shape[1], X.shape[0], one, matrix(X), G, start, Matrix(workspace, iworkspace, 1, 1))
    mirror(X.shape[1], G)


EXP, ACTIVATE, SLOPE, GRADIENT = 0, 1, 2, 3


@entry(INT, INT, FLAT, FLAT, FLAT)
def formula(which, activation, da, z, result):
    """One formula of `activations` on each element."""
    for i in range(z.size):
        x = load(z, i)
        if which == EXP:
            store(result, i, exp_of_negative(x))
        elif which == ACTIVATE:
            store(result, i, activate(x, activation))
        elif which == SLOPE:
            store(result, i, sigmoid_slope(x))
        else:
            store(result, i, gradient(load(da, i), x, activation))


@entry(IN, FLAT, N, N, INT)
def activated(Z, a, ia, a_row, activation):
    """A = g(Z), with a distance between the rows of A."""
    activate_rows(Z.shape[0], Z.shape[1], matrix(Z), Matrix(a, ia, a_row, 1), activation)


@entry(IN, IN, FLAT, N, N, INT)
def masked(dA, Z, dz, idz, dz_row, activation):
    """dZ = dA * g'(Z), with a distance between the rows of dZ."""
    gradient_rows(Z.shape[0], Z.shape[1], matrix(dA), matrix(Z), Matrix(dz, idz, dz_row, 1), activation)


@entry(OUT, OUT, INT)
def in_place(Z, dA, activation):
    """Z becomes g(Z), and dA the gradient through it: activations and masks may overwrite what they read."""
    values, gradients = matrix(Z), matrix(dA)
    gradient_rows(Z.shape[0], Z.shape[1], gradients, values, gradients, activation)
    activate_rows(Z.shape[0], Z.shape[1], values, values, activation)
