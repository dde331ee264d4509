"""The update of parameters: W - learning_rate dW, and a routine for each rule of a training by batches."""

from typing import NamedTuple

import numpy as np

from fastbackprop.kernels.blocking import SHARED_ELEMENTS, SHARED_PARAMETERS
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import entry, inner, routine
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import ADDRESS, GIVEN, OUT, REAL, N, Number
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matrix import Matrix, matrix, part, serves
from fastbackprop.kernels.sums import add_row
from fastbackprop.kernels.threads import do_chunks


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
    stand_alone()
    w, dw, bad = update.w, update.dw, 0
    for i in range(update.n):
        bad += 0 if abs(stepped(w.data[w.at + i], dw.data[dw.at + i], update.rate)) <= largest else 1
    return bad == 0


@inner
def accept(update):
    """Take the proposed values: computed twice, they need no memory of their own."""
    w, dw = update.w, update.dw
    for i in range(update.n):
        w.data[w.at + i] = stepped(w.data[w.at + i], dw.data[dw.at + i], update.rate)


@entry(GIVEN, GIVEN, REAL, OUT)
def descend(W, dW, learning_rate, W_new):
    """W_new = W - learning_rate dW; returns whether it is done, which it is not where an operand does not serve."""
    rows, columns = W_new.shape
    if not (serves(W, rows, columns, W_new) and serves(dW, rows, columns, W_new)):
        return False
    rate = W_new.dtype.type(learning_rate)
    w, dw, new = matrix(W), matrix(dW), matrix(W_new)
    for i in range(rows):
        for j in range(columns):
            old, slope = w.data[w.at + i * w.row + j * w.column], dw.data[dw.at + i * dw.row + j * dw.column]
            new.data[new.at + i * new.row + j] = stepped(old, slope, rate)
    return True


# ------------------------------------------------------------------------------------------------- rules, a routine each


class Rule(NamedTuple):
    """A rule's numbers: that of the first moment (velocity), that of the second, and epsilon.

    The shares are 1 less the two, rounded once: of float32 numbers near 1 the difference would have few digits.
    """

    first: Number
    second: Number
    first_share: Number
    second_share: Number
    epsilon: Number


class Step(NamedTuple):
    """A step as all parameters take it: the address of the rule's routine, the rate, and the rule's numbers."""

    function: int
    rate: Number
    rule: Rule


class StepJob(NamedTuple):
    """A step of n numbers w in chunks of `each`, with the gradient dw + decay w; V and S are their first and second moments.

    dw is the sum of so many `rows`, which goes to the first of them.
    """

    n: int
    each: int
    w: Matrix
    dw: Matrix
    rows: int
    V: Matrix
    S: Matrix
    decay: Number
    rate: Number
    rule: Rule


@inner
def _gradient_descent(n, w, dw, decay, rate):
    stand_alone()
    for i in range(n):
        value = w.data[w.at + i]
        w.data[w.at + i] = stepped(value, dw.data[dw.at + i] + decay * value, rate)


@inner
def _momentum(n, w, dw, V, decay, rate, mu):
    stand_alone()
    for i in range(n):
        value = w.data[w.at + i]
        v = mu * V.data[V.at + i] - rate * (dw.data[dw.at + i] + decay * value)
        V.data[V.at + i] = v
        w.data[w.at + i] = value + v


@inner
def _nesterov(n, w, dw, V, decay, rate, mu):
    stand_alone()
    for i in range(n):
        value = w.data[w.at + i]
        step = rate * (dw.data[dw.at + i] + decay * value)
        v = mu * V.data[V.at + i] - step
        V.data[V.at + i] = v
        w.data[w.at + i] = value + (mu * v - step)


@inner
def _adam(n, w, dw, V, S, decay, rate, rule):
    stand_alone()
    for i in range(n):
        value = w.data[w.at + i]
        d = dw.data[dw.at + i] + decay * value
        v = rule.first * V.data[V.at + i] + rule.first_share * d
        s = rule.second * S.data[S.at + i] + rule.second_share * (d * d)
        V.data[V.at + i] = v
        S.data[S.at + i] = s
        w.data[w.at + i] = value - rate * v / (np.sqrt(s) + rule.epsilon)


@inner
def _span(job, chunk):
    """How many numbers a chunk has, and where they begin; their gradients are added up."""
    i = chunk * job.each
    n = min(job.each, job.n - i)
    for row in range(1, job.rows):
        add_row(n, job.dw.data, job.dw.at + row * job.dw.row + i, job.dw.at + i)
    return n, i


@routine(ADDRESS(StepJob), N, N)
def gradient_descent_step(job, chunk, member):
    """w <- w - rate d."""
    n, i = _span(job, chunk)
    _gradient_descent(n, part(job.w, 0, i), part(job.dw, 0, i), job.decay, job.rate)


@routine(ADDRESS(StepJob), N, N)
def momentum_step(job, chunk, member):
    """V <- mu V - rate d, w <- w + V."""
    n, i = _span(job, chunk)
    _momentum(n, part(job.w, 0, i), part(job.dw, 0, i), part(job.V, 0, i), job.decay, job.rate, job.rule.first)


@routine(ADDRESS(StepJob), N, N)
def nesterov_step(job, chunk, member):
    """V <- mu V - rate d, w <- w + mu V - rate d."""
    n, i = _span(job, chunk)
    _nesterov(n, part(job.w, 0, i), part(job.dw, 0, i), part(job.V, 0, i), job.decay, job.rate, job.rule.first)


@routine(ADDRESS(StepJob), N, N)
def adam_step(job, chunk, member):
    """V <- beta1 V + (1 - beta1) d, S <- beta2 S + (1 - beta2) d^2, w <- w - rate V / (sqrt(S) + epsilon).

    The rate and epsilon are those of the batch, see `adam_numbers`.
    """
    n, i = _span(job, chunk)
    _adam(n, part(job.w, 0, i), part(job.dw, 0, i), part(job.V, 0, i), part(job.S, 0, i), job.decay, job.rate, job.rule)


# How Adam's moments, which begin with 0, are corrected.
UNCORRECTED, CORRECTED_RATE, CORRECTED = 0, 1, 2


@inner
def adam_numbers(correction, rate, first, second, epsilon, t):
    """Rate and epsilon of batch t = 1, 2, ...: with them the moments need no correction of their own.

    CORRECTED is Kingma and Ba's algorithm 1; CORRECTED_RATE their shorter form, in which epsilon is added to sqrt(S) as it is.
    """
    if correction == UNCORRECTED:
        return rate, epsilon
    of_second = np.sqrt(1.0 - second**t)
    return rate * of_second / (1.0 - first**t), epsilon * of_second if correction == CORRECTED else epsilon


@inner
def take_step(step, n, w, dw, rows, V, S, decay, team):
    """A step of n numbers, shared by the team where it is worth it; for `rows` see `StepJob`."""
    if n == 0:
        return
    shared = team[MEMBERS] > 1 and n >= SHARED_PARAMETERS
    each = min(SHARED_ELEMENTS, -(-n // 128) * 64) if shared else n  # whole lines for each
    job = held(StepJob(n, each, w, dw, rows, V, S, decay, step.rate, step.rule))
    do_chunks(shared, team, step.function, job, -(-n // each))


@inner
def is_finite(n, w, largest):
    """Whether n numbers are within `largest`."""
    stand_alone()
    bad = 0
    for i in range(n):
        bad += 0 if abs(w.data[w.at + i]) <= largest else 1
    return bad == 0
