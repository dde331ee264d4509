"""Loops over a matrix that apply a formula of `activations` to each element; results lie along their rows."""

from fastbackprop.kernels.activations import activate, gradient
from fastbackprop.kernels.intrinsics import load, stand_alone, store
from fastbackprop.kernels.jit import inner


@inner
def _activate_span(n, Z, z, z_step, A, a, activation):
    stand_alone()
    for j in range(n):
        store(A, a + j, activate(load(Z, z + j * z_step), activation))


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
        store(dZ, dz + j, gradient(load(dA, da + j * da_step), load(Z, z + j * z_step), activation))


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
