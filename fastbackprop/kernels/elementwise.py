"""A = g(Z) and dZ = dA * g'(Z): loops that apply a formula of `activations` to each element, shared by the team.

Results lie along their rows. A chunk is some whole rows, or a piece of the only one.
"""

from typing import NamedTuple

from fastbackprop.kernels.activations import (
    leaky_relu,
    leaky_relu_gradient_of,
    relu,
    relu_mask,
    sigmoid,
    sigmoid_gradient,
    sigmoid_gradient_of,
    tanh,
    tanh_gradient,
    tanh_gradient_of,
)
from fastbackprop.kernels.blocking import SHARED_ELEMENTS
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import entry, inner, routine
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import ADDRESS, IN, INT, OUT, N, Number
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matrix import Matrix, is_odd, matrix, part
from fastbackprop.kernels.threads import claim, do_chunks, release


class ActivationJob(NamedTuple):
    """A = g(Z); `slope` is that of leaky relu below 0."""

    rows: int
    columns: int
    row_step: int
    column_step: int
    Z: Matrix
    A: Matrix
    slope: Number


class GradientJob(NamedTuple):
    """dZ = dA * g'(Z), where a training keeps A in the place of Z."""

    rows: int
    columns: int
    row_step: int
    column_step: int
    dA: Matrix
    Z: Matrix
    dZ: Matrix
    slope: Number


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


# A routine a formula: who calls relu alone waits for no other to be compiled. They are closures over it: passed as an
# argument, a compiled function is an address in the machine code, which then cannot be kept on disk.


def _named(name, function):
    function.__name__ = function.__qualname__ = name
    return function


def _activation_chunk(name, g, sloped=False):
    """A = g(Z) on a chunk, or g(Z, slope)."""
    if sloped:

        def activate(n, Z, z, z_step, A, a, slope):
            stand_alone()
            for j in range(n):
                A[a + j] = g(Z[z + j * z_step], slope)

    else:

        def activate(n, Z, z, z_step, A, a, slope):
            stand_alone()
            for j in range(n):
                A[a + j] = g(Z[z + j * z_step])

    span = inner(_named(f"{name}_span", activate))

    def activation_chunk(job, chunk, member):
        i, j, rows, columns = _range(job, chunk)
        Z, A = part(job.Z, i, j), part(job.A, i, j)
        for i in range(rows):
            z, a = Z.at + i * Z.row, A.at + i * A.row
            if Z.column == 1:
                span(columns, Z.data, z, 1, A.data, a, job.slope)
            else:
                span(columns, Z.data, z, Z.column, A.data, a, job.slope)

    return routine(ADDRESS(ActivationJob), N, N)(_named(name, activation_chunk))


def _gradient_chunk(name, g, sloped=False):
    """dZ = dA * g'(Z) on a chunk, g being of dA and Z, or of the slope too."""
    if sloped:

        def gradient(n, dA, da, da_step, Z, z, z_step, dZ, dz, slope):
            stand_alone()
            for j in range(n):
                dZ[dz + j] = g(dA[da + j * da_step], Z[z + j * z_step], slope)

    else:

        def gradient(n, dA, da, da_step, Z, z, z_step, dZ, dz, slope):
            stand_alone()
            for j in range(n):
                dZ[dz + j] = g(dA[da + j * da_step], Z[z + j * z_step])

    span = inner(_named(f"{name}_span", gradient))

    def gradient_chunk(job, chunk, member):
        i, j, rows, columns = _range(job, chunk)
        dA, Z, dZ = part(job.dA, i, j), part(job.Z, i, j), part(job.dZ, i, j)
        for i in range(rows):
            da, z, dz = dA.at + i * dA.row, Z.at + i * Z.row, dZ.at + i * dZ.row
            if dA.column == 1 and Z.column == 1:
                span(columns, dA.data, da, 1, Z.data, z, 1, dZ.data, dz, job.slope)
            else:
                span(columns, dA.data, da, dA.column, Z.data, z, Z.column, dZ.data, dz, job.slope)

    return routine(ADDRESS(GradientJob), N, N)(_named(name, gradient_chunk))


relu_chunk, relu_gradient_chunk = _activation_chunk("relu_chunk", relu), _gradient_chunk("relu_gradient_chunk", relu_mask)
sigmoid_chunk = _activation_chunk("sigmoid_chunk", sigmoid)
sigmoid_gradient_chunk = _gradient_chunk("sigmoid_gradient_chunk", sigmoid_gradient)
tanh_chunk, tanh_gradient_chunk = _activation_chunk("tanh_chunk", tanh), _gradient_chunk("tanh_gradient_chunk", tanh_gradient)
# What trainings take besides: gradients from A, and leaky relu.
sigmoid_gradient_of_chunk = _gradient_chunk("sigmoid_gradient_of_chunk", sigmoid_gradient_of)
tanh_gradient_of_chunk = _gradient_chunk("tanh_gradient_of_chunk", tanh_gradient_of)
leaky_relu_chunk = _activation_chunk("leaky_relu_chunk", leaky_relu, sloped=True)
leaky_relu_gradient_of_chunk = _gradient_chunk("leaky_relu_gradient_of_chunk", leaky_relu_gradient_of, sloped=True)


@inner
def _activation_job(rows, columns, Z, A, slope, team):
    if Z.column == 1 and Z.row == columns and A.row == columns:
        rows, columns = 1, rows * columns
    row_step, column_step, chunks = _steps(rows, columns, team)
    return ActivationJob(rows, columns, row_step, column_step, Z, A, slope), chunks


@inner
def _gradient_job(rows, columns, dA, Z, dZ, slope, team):
    along_rows = dA.column == 1 and Z.column == 1
    if along_rows and dA.row == columns and Z.row == columns and dZ.row == columns:
        rows, columns = 1, rows * columns
    row_step, column_step, chunks = _steps(rows, columns, team)
    return GradientJob(rows, columns, row_step, column_step, dA, Z, dZ, slope), chunks


# The loop of an activation is called by its address, once a chunk. No table of functions within a loop: it would be called for
# each element. No chain within it either: of three formulas LLVM makes a loop each, of four none that is vectorized.


@inner
def apply(function, rows, columns, Z, A, slope, team):
    """A = g(Z), by the team where it is worth it; `function` is the address of the routine of g."""
    job, chunks = _activation_job(rows, columns, Z, A, slope, team)
    do_chunks(chunks > 1, team, function, held(job), chunks)


@inner
def apply_gradient(function, rows, columns, dA, Z, dZ, slope, team):
    """dZ = dA * g'(Z), by the team where it is worth it; `function` is the address of the routine, of Z or of A = g(Z)."""
    job, chunks = _gradient_job(rows, columns, dA, Z, dZ, slope, team)
    do_chunks(chunks > 1, team, function, held(job), chunks)


@entry(IN, OUT, INT, INT, INT)
def activation_forward(Z, A, function, own_mailbox, team_mailbox):
    """A = g(Z), elementwise, by the routine of g at an address; returns whether it is done, which it is not where Z is odd."""
    if is_odd(Z):
        return False
    if Z.size > 0:
        team = claim(own_mailbox, team_mailbox)
        apply(function, Z.shape[0], Z.shape[1], matrix(Z), matrix(A), Z.dtype.type(0), team)
        release(team)
    return True


@entry(IN, IN, OUT, INT, INT, INT)
def activation_backward(dA, Z, dZ, function, own_mailbox, team_mailbox):
    """dZ = dA * g'(Z), elementwise, by the routine at an address; returns whether it is done: not where an operand is odd."""
    if is_odd(dA) or is_odd(Z):
        return False
    if Z.size > 0:
        team = claim(own_mailbox, team_mailbox)
        apply_gradient(function, Z.shape[0], Z.shape[1], matrix(dA), matrix(Z), matrix(dZ), Z.dtype.type(0), team)
        release(team)
    return True
