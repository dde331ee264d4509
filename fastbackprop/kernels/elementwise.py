"""A = g(Z) and dZ = dA * g'(Z): loops that apply a formula of `activations` to each element, shared by the team.

Results lie along their rows. A chunk is some whole rows, or a piece of the only one.
"""

from typing import NamedTuple

from fastbackprop.kernels.activations import activate, gradient
from fastbackprop.kernels.blocking import SHARED_ELEMENTS
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import entry, inner, routine
from fastbackprop.kernels.jobs import held, in_turn
from fastbackprop.kernels.kinds import IN, INT, JOB, OUT, N
from fastbackprop.kernels.matrix import Matrix, is_odd, matrix, part
from fastbackprop.kernels.threads import MEMBERS, claim, release, share


class ActivationJob(NamedTuple):
    """A = g(Z)."""

    rows: int
    columns: int
    row_step: int
    column_step: int
    activation: int
    Z: Matrix
    A: Matrix


class GradientJob(NamedTuple):
    """dZ = dA * g'(Z)."""

    rows: int
    columns: int
    row_step: int
    column_step: int
    activation: int
    dA: Matrix
    Z: Matrix
    dZ: Matrix


@inner
def _activate_span(n, Z, z, z_step, A, a, activation):
    stand_alone()
    for j in range(n):
        A[a + j] = activate(Z[z + j * z_step], activation)


@routine(JOB(ActivationJob), N, N)
def activation_chunk(job, chunk, member):
    i, j, rows, columns = _range(job, chunk)
    Z, A = part(job.Z, i, j), part(job.A, i, j)
    for i in range(rows):
        z, a = Z.at + i * Z.row, A.at + i * A.row
        if Z.column == 1:
            _activate_span(columns, Z.data, z, 1, A.data, a, job.activation)
        else:
            _activate_span(columns, Z.data, z, Z.column, A.data, a, job.activation)


@inner
def _gradient_span(n, dA, da, da_step, Z, z, z_step, dZ, dz, activation):
    stand_alone()
    for j in range(n):
        dZ[dz + j] = gradient(dA[da + j * da_step], Z[z + j * z_step], activation)


@routine(JOB(GradientJob), N, N)
def gradient_chunk(job, chunk, member):
    i, j, rows, columns = _range(job, chunk)
    dA, Z, dZ = part(job.dA, i, j), part(job.Z, i, j), part(job.dZ, i, j)
    along_rows = dA.column == 1 and Z.column == 1
    for i in range(rows):
        da, z, dz = dA.at + i * dA.row, Z.at + i * Z.row, dZ.at + i * dZ.row
        if along_rows:
            _gradient_span(columns, dA.data, da, 1, Z.data, z, 1, dZ.data, dz, job.activation)
        else:
            _gradient_span(columns, dA.data, da, dA.column, Z.data, z, Z.column, dZ.data, dz, job.activation)


@inner
def _range(job, chunk):
    """Where a chunk begins, and its rows and columns."""
    i = chunk * job.row_step if job.row_step < job.rows else 0
    j = chunk * job.column_step if job.column_step < job.columns else 0
    return i, j, min(job.row_step, job.rows - i), min(job.column_step, job.columns - j)


@inner
def _steps(rows, columns, team):
    """Rows and columns of a chunk, and the number of chunks."""
    if team[MEMBERS] == 1 or rows * columns < 2 * SHARED_ELEMENTS:
        return rows, columns, 1
    if rows == 1:
        return 1, SHARED_ELEMENTS, -(-columns // SHARED_ELEMENTS)
    row_step = max(1, SHARED_ELEMENTS // columns)
    return row_step, columns, -(-rows // row_step)


@inner
def apply_activation(rows, columns, Z, A, activation, team):
    """A = g(Z), by the team where it is worth it."""
    if Z.column == 1 and Z.row == columns and A.row == columns:
        rows, columns = 1, rows * columns
    row_step, column_step, chunks = _steps(rows, columns, team)
    job = held(activation_chunk, ActivationJob(rows, columns, row_step, column_step, activation, Z, A))
    if chunks > 1:
        share(team, activation_chunk, job, chunks)
    else:
        in_turn(activation_chunk, job, 1)


@inner
def apply_gradient(rows, columns, dA, Z, dZ, activation, team):
    """dZ = dA * g'(Z), by the team where it is worth it."""
    along_rows = dA.column == 1 and Z.column == 1
    if along_rows and dA.row == columns and Z.row == columns and dZ.row == columns:
        rows, columns = 1, rows * columns
    row_step, column_step, chunks = _steps(rows, columns, team)
    job = held(gradient_chunk, GradientJob(rows, columns, row_step, column_step, activation, dA, Z, dZ))
    if chunks > 1:
        share(team, gradient_chunk, job, chunks)
    else:
        in_turn(gradient_chunk, job, 1)


@entry(IN, OUT, INT, INT, INT)
def activation_forward(Z, A, activation, own_mailbox, team_mailbox):
    """A = g(Z), elementwise; returns whether it is done, which it is not where Z is odd."""
    if is_odd(Z):
        return False
    if Z.size > 0:
        team = claim(own_mailbox, team_mailbox)
        apply_activation(Z.shape[0], Z.shape[1], matrix(Z), matrix(A), activation, team)
        release(team)
    return True


@entry(IN, IN, OUT, INT, INT, INT)
def activation_backward(dA, Z, dZ, activation, own_mailbox, team_mailbox):
    """dZ = dA * g'(Z), elementwise; returns whether it is done, which it is not where an operand is odd."""
    if is_odd(dA) or is_odd(Z):
        return False
    if Z.size > 0:
        team = claim(own_mailbox, team_mailbox)
        apply_gradient(Z.shape[0], Z.shape[1], matrix(dA), matrix(Z), matrix(dZ), activation, team)
        release(team)
    return True
