"""Output layers in a training: dZ_L and the examples' costs from Z_L, where nothing cancels or saturates.

Each is an activation with its cost, so that dZ_L = A_L - Y: sigmoid with cross-entropy, a unit at a time; softmax with
cross-entropy; the identity with half the squared error. Weights of examples multiply both.
"""

from typing import NamedTuple

import numpy as np

from fastbackprop.kernels.activations import exp_of_negative, log, log1p, sigmoid, zero_of
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import inner, routine
from fastbackprop.kernels.kinds import ADDRESS, N, Reals
from fastbackprop.kernels.matrix import Matrix
from fastbackprop.kernels.sums import PIECE, pairwise, two_sum


class Terms(NamedTuple):
    """Rows of float64 numbers, `row` apart: whole pieces of `sums`."""

    data: Reals
    at: int
    row: int


@inner
def terms_row(columns):
    """The length of such a row for so many examples."""
    return -(-columns // PIECE) * PIECE


class OutputJob(NamedTuple):
    """The n units of the output on a block: dZ, and if `with_cost` the sum of the examples' costs, added to costs[at].

    Y has a row a unit. The two rows of `scratch` only live in here, as do those of `terms`, each from a whole number of pieces.
    An example's terms of cross-entropy are taken to lie from `low` to `high`.
    """

    n: int
    columns: int
    Z: Matrix
    Y: Matrix
    dZ: Matrix
    scratch: Matrix
    terms: Terms
    weights: Matrix
    weighted: bool
    with_cost: bool
    low: float
    high: float
    costs: Reals
    at: int


@inner
def _within(x, low, high):
    """x, or the bound that it is beyond; nan stays nan."""
    return high if x > high else (low if x < low else x)


@inner
def _times(n, weights, w, x, at):
    stand_alone()
    for j in range(n):
        x[at + j] = x[at + j] * weights[w + j]


@inner
def _no_terms(job):
    """The examples' costs, all 0."""
    terms = job.terms
    for j in range(terms.at, terms.at + terms_row(job.columns)):
        terms.data[j] = 0.0


@inner
def _weigh(job):
    """Multiply each example's dZ by its weight."""
    if job.weighted:
        for i in range(job.n):
            _times(job.columns, job.weights.data, job.weights.at, job.dZ.data, job.dZ.at + i * job.dZ.row)


@inner
def _add_cost(job):
    """Add the weighted sum of the examples' costs."""
    terms = job.terms
    if job.weighted:
        _times(job.columns, job.weights.data, job.weights.at, terms.data, terms.at)
    total, lost = 0.0, 0.0
    for j in range(terms.at, terms.at + job.columns, PIECE):
        total, lost = two_sum(total, pairwise(terms.data, j), lost)
    job.costs[job.at] = job.costs[job.at] + (total + lost if lost - lost == 0 else total)


@inner
def _sigmoid_gradient(n, Z, z, Y, y, dZ, dz):
    stand_alone()
    for j in range(n):
        dZ[dz + j] = sigmoid(Z[z + j]) - Y[y + j]


@inner
def _exponentials(n, Z, z, terms, e):
    """exp(-|z|)."""
    stand_alone()
    for j in range(n):
        terms[e + j] = exp_of_negative(-abs(np.float64(Z[z + j])))


@inner
def _log1p_row(n, terms, e):
    """log(1 + e) in the place of e."""
    stand_alone()
    for j in range(n):
        terms[e + j] = log1p(terms[e + j])


@inner
def _sigmoid_terms(n, Z, z, Y, y, low, high, terms, t, tail):
    """Add y softplus(-z) + (1 - y) softplus(z), the cross-entropy of sigmoid(z), with the tails log(1 + exp(-|z|))."""
    stand_alone()
    for j in range(n):
        logit, label, of_both = np.float64(Z[z + j]), np.float64(Y[y + j]), terms[tail + j]
        of_one, of_zero = of_both + max(-logit, 0.0), of_both + max(logit, 0.0)
        terms[t + j] = terms[t + j] + (label * _within(of_one, low, high) + (1.0 - label) * _within(of_zero, low, high))


@routine(ADDRESS(OutputJob), N, N)
def sigmoid_output(job, chunk, member):
    """Sigmoid with cross-entropy."""
    Z, Y, dZ = job.Z, job.Y, job.dZ
    for i in range(job.n):
        _sigmoid_gradient(job.columns, Z.data, Z.at + i * Z.row, Y.data, Y.at + i * Y.row, dZ.data, dZ.at + i * dZ.row)
    _weigh(job)
    if job.with_cost:
        _no_terms(job)
        for i in range(job.n):
            z, y, terms, tail = Z.at + i * Z.row, Y.at + i * Y.row, job.terms.data, job.terms.at + job.terms.row
            # Three loops: of all in one LLVM makes no vectors, which took 5 to 40 times as long.
            _exponentials(job.columns, Z.data, z, terms, tail)
            _log1p_row(job.columns, terms, tail)
            _sigmoid_terms(job.columns, Z.data, z, Y.data, y, job.low, job.high, terms, job.terms.at, tail)
        _add_cost(job)


@inner
def _identity_gradient(n, Z, z, Y, y, dZ, dz):
    stand_alone()
    for j in range(n):
        dZ[dz + j] = Z[z + j] - Y[y + j]


@inner
def _identity_terms(n, Z, z, Y, y, terms, t):
    """Add (z - y)^2 / 2."""
    stand_alone()
    for j in range(n):
        error = np.float64(Z[z + j]) - np.float64(Y[y + j])
        terms[t + j] = terms[t + j] + 0.5 * error * error


@routine(ADDRESS(OutputJob), N, N)
def identity_output(job, chunk, member):
    """The identity with half the squared error."""
    Z, Y, dZ = job.Z, job.Y, job.dZ
    for i in range(job.n):
        _identity_gradient(job.columns, Z.data, Z.at + i * Z.row, Y.data, Y.at + i * Y.row, dZ.data, dZ.at + i * dZ.row)
    _weigh(job)
    if job.with_cost:
        _no_terms(job)
        for i in range(job.n):
            _identity_terms(job.columns, Z.data, Z.at + i * Z.row, Y.data, Y.at + i * Y.row, job.terms.data, job.terms.at)
        _add_cost(job)


@inner
def _greatest(n, columns, Z, greatest, at):
    """The greatest of each column."""
    stand_alone()
    for j in range(columns):
        greatest[at + j] = Z.data[Z.at + j]
    for i in range(1, n):
        z = Z.at + i * Z.row
        for j in range(columns):
            greatest[at + j] = Z.data[z + j] if Z.data[z + j] > greatest[at + j] else greatest[at + j]


@inner
def _exp_row(columns, Z, z, greatest, at, E, e, sums, s):
    """A row of exp(Z - greatest), and its values added to the columns' sums."""
    stand_alone()
    for j in range(columns):
        value = exp_of_negative(Z[z + j] - greatest[at + j])
        E[e + j] = value
        sums[s + j] = sums[s + j] + value


@inner
def _softmax_gradient(columns, sums, s, Y, y, dZ, dz):
    """exp(Z - greatest) becomes softmax(Z) - Y."""
    stand_alone()
    for j in range(columns):
        dZ[dz + j] = dZ[dz + j] / sums[s + j] - Y[y + j]


@inner
def _softmax_terms(columns, Z, z, greatest, at, logs, Y, y, low, high, terms, t):
    """Add -y log(softmax(z))."""
    stand_alone()
    for j in range(columns):
        below = np.float64(Z[z + j]) - np.float64(greatest[at + j])
        terms[t + j] = terms[t + j] + np.float64(Y[y + j]) * _within(terms[logs + j] - below, low, high)


@inner
def _logs(columns, sums, s, terms, logs):
    stand_alone()
    for j in range(columns):
        terms[logs + j] = log(np.float64(sums[s + j]))


@routine(ADDRESS(OutputJob), N, N)
def softmax_output(job, chunk, member):
    """Softmax, exp(z - the greatest z) over their sum, with cross-entropy."""
    Z, Y, dZ, columns = job.Z, job.Y, job.dZ, job.columns
    memory, greatest, sums = job.scratch.data, job.scratch.at, job.scratch.at + job.scratch.row
    _greatest(job.n, columns, Z, memory, greatest)
    for j in range(columns):
        memory[sums + j] = zero_of(memory[greatest])
    for i in range(job.n):
        _exp_row(columns, Z.data, Z.at + i * Z.row, memory, greatest, dZ.data, dZ.at + i * dZ.row, memory, sums)
    for i in range(job.n):
        _softmax_gradient(columns, memory, sums, Y.data, Y.at + i * Y.row, dZ.data, dZ.at + i * dZ.row)
    _weigh(job)
    if job.with_cost:
        _no_terms(job)
        terms, logs = job.terms.data, job.terms.at + job.terms.row
        _logs(columns, memory, sums, terms, logs)
        for i in range(job.n):
            z, y = Z.at + i * Z.row, Y.at + i * Y.row
            _softmax_terms(columns, Z.data, z, memory, greatest, logs, Y.data, y, job.low, job.high, terms, job.terms.at)
        _add_cost(job)
