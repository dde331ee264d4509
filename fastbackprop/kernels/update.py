"""The update of parameters: one formula, W - learning_rate dW."""

from typing import NamedTuple

from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import entry, inner
from fastbackprop.kernels.kinds import IN, OUT, REAL, Number
from fastbackprop.kernels.matrix import Matrix, is_odd, matrix


class Update(NamedTuple):
    """A row of n numbers w, that of their gradients, and the rate: w becomes w - rate dw."""

    n: int
    w: Matrix
    dw: Matrix
    rate: Number


@inner
def stepped(w, dw, rate):
    """A step of gradient descent."""
    return w - rate * dw


@inner
def stays_finite(update, largest):
    """Whether the proposed values are within `largest`."""
    return _all_within(update.n, update.w.data, update.w.at, update.dw.data, update.dw.at, update.rate, largest)


@inner
def _all_within(n, w, iw, dw, idw, rate, largest):
    stand_alone()
    bad = 0
    for i in range(n):
        bad += 0 if abs(stepped(w[iw + i], dw[idw + i], rate)) <= largest else 1
    return bad == 0


@inner
def accept(update):
    """Take the proposed values: computed twice, they need no memory of their own."""
    w, dw = update.w, update.dw
    for i in range(update.n):
        w.data[w.at + i] = stepped(w.data[w.at + i], dw.data[dw.at + i], update.rate)


@entry(IN, IN, REAL, OUT)
def descend(W, dW, learning_rate, W_new):
    """W_new = W - learning_rate dW; returns whether it is done, which it is not where an operand is odd."""
    if is_odd(W) or is_odd(dW):
        return False
    rate = W_new.dtype.type(learning_rate)
    w, dw, new = matrix(W), matrix(dW), matrix(W_new)
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            old, slope = w.data[w.at + i * w.row + j * w.column], dw.data[dw.at + i * dw.row + j * dw.column]
            new.data[new.at + i * new.row + j] = stepped(old, slope, rate)
    return True
