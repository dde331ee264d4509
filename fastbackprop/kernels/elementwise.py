"""Loops over a matrix that apply a formula of `activations` to each element; results lie along their rows."""

from fastbackprop.kernels.activations import activate, gradient, one_of
from fastbackprop.kernels.blocking import SHARED_ELEMENTS
from fastbackprop.kernels.intrinsics import stand_alone
from fastbackprop.kernels.jit import inner, routine
from fastbackprop.kernels.kinds import POINTER, WORDS, N
from fastbackprop.kernels.matrix import part
from fastbackprop.kernels.threads import MEMBERS, share
from fastbackprop.kernels.words import put, take, tell


@inner
def _activate_span(n, Z, z, z_step, A, a, activation):
    stand_alone()
    for j in range(n):
        A[a + j] = activate(Z[z + j * z_step], activation)


@inner
def activate_rows(rows, columns, Z, A, activation):
    """A = g(Z)."""
    if Z.column == 1 and Z.row == columns and A.row == columns:
        rows, columns = 1, rows * columns
    for i in range(rows):
        z, a = Z.at + i * Z.row, A.at + i * A.row
        if Z.column == 1:
            _activate_span(columns, Z.data, z, 1, A.data, a, activation)
        else:
            _activate_span(columns, Z.data, z, Z.column, A.data, a, activation)


@inner
def _gradient_span(n, dA, da, da_step, Z, z, z_step, dZ, dz, activation):
    stand_alone()
    for j in range(n):
        dZ[dz + j] = gradient(dA[da + j * da_step], Z[z + j * z_step], activation)


@inner
def gradient_rows(rows, columns, dA, Z, dZ, activation):
    """dZ = dA * g'(Z)."""
    along_rows = dA.column == 1 and Z.column == 1
    if along_rows and dA.row == columns and Z.row == columns and dZ.row == columns:
        rows, columns = 1, rows * columns
    for i in range(rows):
        da, z, dz = dA.at + i * dA.row, Z.at + i * Z.row, dZ.at + i * dZ.row
        if along_rows:
            _gradient_span(columns, dA.data, da, 1, Z.data, z, 1, dZ.data, dz, activation)
        else:
            _gradient_span(columns, dA.data, da, dA.column, Z.data, z, Z.column, dZ.data, dz, activation)


@inner
def _range(w, chunk):
    """Rows and columns of a chunk: whole rows, or a piece of the only one; the first is where it begins."""
    rows, columns, row_step, column_step = w[0], w[1], w[2], w[3]
    i = chunk * row_step if row_step < rows else 0
    j = chunk * column_step if column_step < columns else 0
    return i, j, min(row_step, rows - i), min(column_step, columns - j)


@routine(WORDS, N, N, POINTER)
def activate_chunk(words, chunk, member, like):
    w, one = words, one_of(like[0])
    i, j, rows, columns = _range(w, chunk)
    activate_rows(rows, columns, part(take(w, 5, one), i, j), part(take(w, 8, one), i, j), w[4])


@routine(WORDS, N, N, POINTER)
def gradient_chunk(words, chunk, member, like):
    w, one = words, one_of(like[0])
    i, j, rows, columns = _range(w, chunk)
    dA, Z, dZ = part(take(w, 5, one), i, j), part(take(w, 8, one), i, j), part(take(w, 11, one), i, j)
    gradient_rows(rows, columns, dA, Z, dZ, w[4])


_activate_address, _gradient_address = activate_chunk.address(), gradient_chunk.address()


@inner
def _is_shared(rows, columns, team):
    return team[MEMBERS] > 1 and rows * columns >= 2 * SHARED_ELEMENTS


@inner
def _share(rows, columns, activation, job, team):
    """Share the job whose matrices are written; gives nothing back but the work done."""
    row_step = max(1, SHARED_ELEMENTS // columns) if rows > 1 else 1
    column_step = columns if rows > 1 else SHARED_ELEMENTS
    tell(team, (rows, columns, row_step, column_step, activation))
    share(team, job, -(-rows // row_step) * -(-columns // column_step))


@inner
def activate_shared(rows, columns, one, Z, A, activation, team):
    """A = g(Z), by the team where it is worth it."""
    if _is_shared(rows, columns, team):
        put(team, put(team, 5, Z), A)
        if Z.column == 1 and Z.row == columns and A.row == columns:
            rows, columns = 1, rows * columns
        _share(rows, columns, activation, _activate_address(one), team)
    else:
        activate_rows(rows, columns, Z, A, activation)


@inner
def gradient_shared(rows, columns, one, dA, Z, dZ, activation, team):
    """dZ = dA * g'(Z), by the team where it is worth it."""
    if _is_shared(rows, columns, team):
        put(team, put(team, put(team, 5, dA), Z), dZ)
        if dA.column == 1 and Z.column == 1 and dA.row == columns and Z.row == columns and dZ.row == columns:
            rows, columns = 1, rows * columns
        _share(rows, columns, activation, _gradient_address(one), team)
    else:
        gradient_rows(rows, columns, dA, Z, dZ, activation)
