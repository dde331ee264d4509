"""Functions that only kernels call, made callable from Python: compiled once, and kept in the disk cache like the entries.

Matrices are passed as flat arrays with the place of the first element and the strides, so that a test can choose what
lies around them: `place` fills it with nan, which shows in the result of a kernel that reads too much, and which a kernel
that writes too much replaces.
"""

import functools

import numpy as np

from fastbackprop import testing
from fastbackprop.kernels import jit, matmul
from fastbackprop.kernels.activations import (
    exp_of_negative,
    log,
    one_of,
    relu,
    relu_mask,
    sigmoid,
    sigmoid_gradient,
    sigmoid_slope,
    tanh,
    tanh_gradient,
)
from fastbackprop.kernels.elementwise import apply, apply_gradient
from fastbackprop.kernels.gram import gram, gram_workspace_size, mirror, strip_room
from fastbackprop.kernels.jit import entry
from fastbackprop.kernels.kinds import FLAT, IN, INT, NUMBER, TABLE, N
from fastbackprop.kernels.matmul import Product
from fastbackprop.kernels.matrix import Matrix, matrix
from fastbackprop.kernels.memory import bare
from fastbackprop.kernels.microkernel import ADD, BIAS, BIAS_RELU, DIVIDE, MASK, ZERO, inner_tiles, outer_tiles
from fastbackprop.kernels.packing import pack, stream
from fastbackprop.kernels.plan import choose_blocks, choose_method, plan, planned
from fastbackprop.kernels.product import does_within, piece, product, room_of
from fastbackprop.kernels.sums import two_sum
from fastbackprop.team import _ALONE, NOBODY, _mailbox
from fastbackprop.team import place as mailbox_place

DTYPES = ("float64", "float32")


def _slice(x):
    wide = np.full((x.shape[0], x.shape[1] + 3), np.nan, x.dtype)
    view = wide[:, 2:-1]
    view[:] = x
    return view


# The layouts that the layers pass to kernels: native byte order; and mini-batches, whose rows lie apart.
LAYOUTS = {name: to for name, to in testing.LAYOUTS.items() if name != "byte-swapped"} | {"slice": _slice}
STARTS = (ZERO, BIAS, ADD, ZERO + DIVIDE, BIAS + DIVIDE, ADD + DIVIDE)
WITHIN = (BIAS_RELU, MASK)  # what outer products go on with
DIVISOR = 49  # in either dtype some whole numbers times 1/49 are not what they are divided by it
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


def exact_sum(c0, scale, A, B, dtype, start=ZERO):
    """c0 + scale A B of whole numbers, exactly; with DIVIDE (c0 + A B) / scale, rounded once."""
    sums = A.astype("d") @ B.astype("d")
    if start >= DIVIDE:
        return (c0 + sums).astype(dtype) / np.dtype(dtype).type(scale)
    return (c0 + scale * sums).astype(dtype)


def gone_on(values, start, mask):
    """What BIAS_RELU or MASK makes of values."""
    return np.where((values if start == BIAS_RELU else mask) <= 0, values.dtype.type(0), values) if start in WITHIN else values


# ------------------------------------------------------------------------------------------------------- the entries


@entry(N, N, N, NUMBER, FLAT, N, N, N, FLAT, N, N, N, FLAT, N, N, N, FLAT, N)
def outer(rows, columns, depth, scale, a, ia, a_row, a_depth, b, ib, b_depth, b_tile, c, ic, c_row, start, bias, ibias):
    outer_tiles(rows, columns, depth, scale, a, ia, a_row, a_depth, b, ib, b_depth, b_tile, c, ic, c_row, start, bias, ibias)


@entry(N, N, N, NUMBER, FLAT, N, N, FLAT, N, N, FLAT, N, N, N, N, FLAT, N)
def inner(rows, columns, depth, scale, a, ia, a_row, b, ib, b_column, c, ic, c_row, c_column, start, bias, ibias):
    inner_tiles(rows, columns, depth, scale, a, ia, a_row, b, ib, b_column, c, ic, c_row, c_column, start, bias, ibias)


@entry(N, N, FLAT, N, N, N, FLAT, N, N)
def pack_all(width, depth, x, ix, x_row, x_column, panels, at, panel):
    pack(width, depth, Matrix(bare(x), ix, x_row, x_column), bare(panels), at, panel)


@entry(N, N, FLAT, N, N, FLAT, N, N)
def streamed(rows, columns, a, ia, a_row, b, ib, b_row):
    stream(rows, columns, Matrix(bare(a), ia, a_row, 1), Matrix(bare(b), ib, b_row, 1))


OUTER, INNER, PACK_A, PACKED, STREAM, PRODUCT = matmul.OUTER, matmul.INNER, matmul.PACK_A, matmul.PACK_B, matmul.STREAM, 3
TURN, THIN, FLIP = matmul.TURN + PACKED, matmul.THIN, matmul.FLIP + matmul.THIN
PACK_BOTH = PACK_A + PACKED
STREAM_BOTH = PACK_BOTH + STREAM


@jit.inner
def product_of(A, B, scale, C, start, bias):
    """The product of two arrays."""
    return Product(A.shape[0], B.shape[1], A.shape[1], scale, matrix(A), matrix(B), C, start, bias)


@entry(IN, IN, NUMBER)
def chosen(A, B, one):
    """The method that `product` chooses, but for STREAM."""
    to_column = Matrix(matrix(A).data, 0, B.shape[1], 1)
    return choose_method(product_of(A, B, one, to_column, ZERO, to_column), False)


@entry(N, IN, IN, NUMBER, N)
def room(way, A, B, one, members):
    """Numbers of workspace that `multiply` needs in a team of `members`."""
    C = Matrix(matrix(A).data, 0, B.shape[1], 1)
    p = product_of(A, B, one, C, ZERO, C)
    how = plan(p, False, members) if way == PRODUCT else planned(way, p.rows, p.columns, p.depth, one, 1)
    return room_of(how, members)


@entry(IN, IN, NUMBER, N, TABLE)
def rooms(A, B, one, members, found):
    """Chunks of a product's plan, the workspace of each member, and what `room_of` asks for in all."""
    C = Matrix(matrix(A).data, 0, B.shape[1], 1)
    how = plan(product_of(A, B, one, C, ZERO, C), False, members)
    found[0], found[1], found[2] = how.chunks, how.room, room_of(how, members)


@entry(IN, IN, NUMBER, N, TABLE)
def cut(A, B, one, members, found):
    """Rows and columns of a chunk of a product's plan."""
    C = Matrix(matrix(A).data, 0, B.shape[1], 1)
    how = plan(product_of(A, B, one, C, ZERO, C), False, members)
    found[0], found[1] = how.row_step, how.column_step


@entry(N, IN, IN, NUMBER, FLAT, N, N, N, FLAT, N, FLAT, N, TABLE)
def multiply(way, A, B, scale, c, ic, c_row, start, bias, ibias, workspace, iworkspace, team):
    """C = c0 + scale A B by one of the methods, or by the one that `product` chooses."""
    beta = Matrix(bare(bias), ibias, c_row if start == MASK else 1, 1)
    p = product_of(A, B, scale, Matrix(bare(c), ic, c_row, 1), start, beta)
    panels = Matrix(bare(workspace), iworkspace, 1, 1)
    if way == PRODUCT:
        product(p, panels, bare(team))
    else:
        matmul.multiply(way, choose_blocks(way, p.rows, p.columns, p.depth, scale), p, panels)


@entry(IN, IN, NUMBER, N)
def within(A, B, one, start):
    """Whether a product can be done with BIAS_RELU or MASK."""
    C = Matrix(matrix(A).data, 0, B.shape[1], 1)
    return does_within(product_of(A, B, one, C, start, C))


@entry(IN, NUMBER, N)
def gram_room(X, one, members):
    """Numbers of workspace that `gram_matrix` needs in a team of `members`."""
    return gram_workspace_size(X.shape[1], X.shape[0], one, members)


@entry(IN, NUMBER, FLAT, N, N, N, FLAT, N, TABLE)
def gram_matrix(X, one, g, ig, g_row, start, workspace, iworkspace, team):
    """G = c0 + X^T X, both triangles."""
    G = Matrix(bare(g), ig, g_row, 1)
    gram(X.shape[0], matrix(X), G, start, Matrix(bare(workspace), iworkspace, 1, 1), bare(team), 0, X.shape[1])
    mirror(G, 0, X.shape[1])


@entry(N, N, N, NUMBER, TABLE)
def gram_rooms(m, depth, members, one, needed):
    """Numbers of workspace that a Gram matrix asks for, then what its strips of columns need in a team of `members`."""
    needed[0] = gram_workspace_size(m, depth, one, members)
    needed[1] = 0
    for j in range(1, m + 1):
        needed[1] = max(needed[1], strip_room(j, depth, one) * members)


@entry(FLAT, FLAT)
def compensated(terms, parts):
    """The sum of the terms one by one, and what its roundings lost."""
    total = lost = one_of(terms[0]) - one_of(terms[0])
    for i in range(terms.size):
        total, lost = two_sum(total, terms[i], lost)
    parts[0], parts[1] = total, lost


@entry(N, N, N, NUMBER, TABLE)
def pieces(rows, columns, depth, one, steps):
    """Rows, columns and depth of a piece of a product."""
    steps[0], steps[1], steps[2] = piece(rows, columns, depth, one)


EXP, ACTIVATE, SLOPE, GRADIENT = 0, 1, 2, 3
RELU, SIGMOID, TANH = 0, 1, 2


@jit.inner
def _each(g, z, result):
    for i in range(z.size):
        result[i] = g(z[i])


@jit.inner
def _each_pair(g, da, z, result):
    for i in range(z.size):
        result[i] = g(da[i], z[i])


@entry(INT, INT, FLAT, FLAT, FLAT)
def formula(which, activation, da, z, result):
    """One formula of `activations` on each element."""
    if which == EXP:
        _each(exp_of_negative, z, result)
    elif which == ACTIVATE:
        if activation == RELU:
            _each(relu, z, result)
        elif activation == TANH:
            _each(tanh, z, result)
        else:
            _each(sigmoid, z, result)
    elif which == SLOPE:
        _each(sigmoid_slope, z, result)
    elif activation == RELU:
        _each_pair(relu_mask, da, z, result)
    elif activation == TANH:
        _each_pair(tanh_gradient, da, z, result)
    else:
        _each_pair(sigmoid_gradient, da, z, result)


@entry(FLAT, FLAT)
def logarithm(x, result):
    """log of each element, of float64 numbers."""
    for i in range(x.size):
        result[i] = log(x[i])


@entry(IN, FLAT, N, N, INT, TABLE)
def activated(Z, a, ia, a_row, function, team):
    """A = g(Z) by the routine at an address, with a distance between the rows of A."""
    if Z.size > 0:
        A = Matrix(bare(a), ia, a_row, 1)
        apply(function, Z.shape[0], Z.shape[1], matrix(Z), A, Z.dtype.type(0), bare(team))


@entry(IN, IN, FLAT, N, N, INT, TABLE)
def masked(dA, Z, dz, idz, dz_row, function, team):
    """dZ = dA * g'(Z) by the routine at an address, with a distance between the rows of dZ."""
    if Z.size > 0:
        dZ = Matrix(bare(dz), idz, dz_row, 1)
        apply_gradient(function, Z.shape[0], Z.shape[1], matrix(dA), matrix(Z), dZ, Z.dtype.type(0), bare(team))


# ------------------------------------------------------------------------------------------------------------ the team


@functools.cache
def mailbox(members):
    """The mailbox of a team whose helpers never come: its caller does all chunks, one after the other."""
    return _ALONE if members == 1 else _mailbox(members)


def mailboxes(members):
    """The last arguments of an entry that works with such a mailbox."""
    return mailbox_place(mailbox(members)), NOBODY
