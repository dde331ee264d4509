"""Cross-entropy and its gradient, from outputs AL; `outputs.py` has what a training takes from the logits."""

import numpy as np

from fastbackprop.kernels.activations import log, sigmoid_slope
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import entry, inner
from fastbackprop.kernels.kinds import COSTS, GIVEN, OUT
from fastbackprop.kernels.matrix import matrix, part, serves
from fastbackprop.kernels.memory import allocate, free
from fastbackprop.kernels.sums import PIECE, pairwise, two_sum


@inner
def _term(y, a):
    """y log a, where 0 log 0 counts as 0."""
    return 0.0 if y == 0 and a == 0 else y * log(a)


@inner
def _are_plain(n, AL, a, Y, y):
    """Whether all labels are 0 or 1, and all outputs from 0 to 1."""
    stand_alone()
    others = 0
    for j in range(n):
        output, label = np.float64(AL[a + j]), np.float64(Y[y + j])
        others += 0 if output >= 0 and output <= 1 and label * (1.0 - label) == 0 else 1
    return others == 0


@inner
def _plain_terms(n, AL, a, Y, y, terms):
    """The bits of `_terms` where `_are_plain`, by one logarithm instead of two."""
    stand_alone()
    for j in range(n):
        output = np.float64(AL[a + j])
        terms[j] = log(output if Y[y + j] == 1 else 1.0 - output)


@inner
def _terms(n, AL, a, a_step, Y, y, y_step, terms):
    stand_alone()
    for j in range(n):
        output, label = np.float64(AL[a + j * a_step]), np.float64(Y[y + j * y_step])
        terms[j] = _term(label, output) + _term(1.0 - label, 1.0 - output)


@entry(GIVEN, GIVEN, COSTS)
def cross_entropy(AL, Y, cost):
    """cost[0] = -sum(Y log AL + (1 - Y) log(1 - AL)) / m in float64, where a term 0 log 0 counts as 0. AL, Y: (1, m).

    Returns whether it is done, which it is not where an operand does not serve.
    """
    m = AL.shape[1]
    if not (serves(AL, 1, m, AL) and serves(Y, 1, m, AL)):
        return False
    AL, Y, terms = matrix(AL), matrix(Y), allocate(PIECE, 0.0)
    total, lost = 0.0, 0.0
    for j in range(0, m, PIECE):
        n = min(PIECE, m - j)
        a, y = AL.at + j * AL.column, Y.at + j * Y.column
        if AL.column == 1 and Y.column == 1:
            if _are_plain(n, AL.data, a, Y.data, y):
                _plain_terms(n, AL.data, a, Y.data, y, terms)
            else:
                _terms(n, AL.data, a, 1, Y.data, y, 1, terms)
        else:
            _terms(n, AL.data, a, AL.column, Y.data, y, Y.column, terms)
        for rest in range(n, PIECE):
            terms[rest] = 0.0
        total, lost = two_sum(total, pairwise(terms, 0), lost)
    free(terms)
    # Beside an infinite or undefined sum nothing is lost that could be known.
    cost[0] = 0.0 - ((total + lost) / m if lost - lost == 0 else total / m)
    return True


@inner
def _output_gradient_span(n, AL, a, Y, y, Z, z, dZ, dz):
    stand_alone()
    for j in range(n):
        output, label = AL[a + j], Y[y + j]
        formula = -(label / output - (1 - label) / (1 - output)) * sigmoid_slope(Z[z + j])
        dZ[dz + j] = output - label if output * (1 - output) == 0 else formula


@entry(GIVEN, GIVEN, GIVEN, OUT)
def output_gradient(AL, Y, Z, dZ):
    """dZ = -(Y / AL - (1 - Y) / (1 - AL)) s(Z) (1 - s(Z)); where AL is exactly 0 or 1 its limit AL - Y.

    Returns whether it is done, which it is not where an operand does not serve.
    """
    n, m = dZ.shape
    if not (serves(AL, n, m, dZ) and serves(Y, n, m, dZ) and serves(Z, n, m, dZ)):
        return False
    AL, Y, Z, dZ = matrix(AL), matrix(Y), matrix(Z), matrix(dZ)
    in_one_piece = AL.column == Y.column == Z.column == 1
    length = m if in_one_piece else 1
    for i in range(n):
        for j in range(0, m, length):
            a, y, z = part(AL, i, j), part(Y, i, j), part(Z, i, j)
            _output_gradient_span(length, a.data, a.at, y.data, y.at, z.data, z.at, dZ.data, dZ.at + i * dZ.row + j)
    return True
