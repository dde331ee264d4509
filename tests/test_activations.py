"""Each row of the table of activations: what the kernels compute against the reference's formula in extended precision."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.activations import ACTIVATIONS, LINEAR
from fastbackprop.kernels.elementwise import activation_backward, activation_forward
from fastbackprop.testing import assert_within_bound, unit_roundoff

from .kernels.support.probes import mailboxes

pytestmark = pytest.mark.plain
rows = pytest.mark.parametrize("g", ACTIVATIONS.values(), ids=list(ACTIVATIONS))
dtypes = pytest.mark.parametrize("dtype", ["float64", "float32"])
extended = pytest.mark.skipif(np.finfo(np.longdouble).nmant <= 52, reason="longdouble is float64 here")


def forward(g, Z):
    A = np.full_like(Z, np.nan)
    assert activation_forward[Z.dtype.char](Z, A, g.at[Z.dtype.char], *mailboxes(1))
    return A


def backward(g, dA, Z):
    dZ = np.full_like(Z, np.nan)
    assert activation_backward[Z.dtype.char](dA, Z, dZ, g.gradient_at[Z.dtype.char], *mailboxes(1))
    return dZ


def arguments(dtype):
    """Of every size: near 0 and far from it, on both sides."""
    rng = np.random.default_rng(0)
    sizes = np.concatenate([2.0 ** rng.uniform(-60, 6, 400), rng.uniform(0, 25, 400)])
    return (sizes * rng.choice([-1, 1], 800)).astype(dtype).reshape(1, -1)


@extended
@rows
@dtypes
def test_values_keep_their_bound(g, dtype):
    Z = arguments(dtype)
    exact = g.forward(Z.astype(np.longdouble))[0]
    assert_within_bound(forward(g, Z), exact, g.ulp * np.spacing(np.abs(exact).astype(dtype)))


@extended
@rows
@dtypes
def test_slopes_keep_their_bound(g, dtype):
    Z = arguments(dtype)
    dA = np.random.default_rng(1).standard_normal(Z.shape).astype(dtype)
    exact = g.backward(dA.astype(np.longdouble), Z.astype(np.longdouble))
    assert_within_bound(backward(g, dA, Z), exact, g.backward_u * unit_roundoff(dA) * np.abs(dA))


@rows
@dtypes
def test_zeros_infinities_and_nan(g, dtype):
    Z = np.array([[0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, -1e-30, 80, -80]], dtype)
    with np.errstate(over="ignore"):
        expected = g.forward(Z)[0]
    A, ulp = forward(g, Z), np.spacing(np.abs(np.nan_to_num(expected, posinf=1)))
    assert_within_bound(A, expected, 2 * g.ulp * ulp)
    if not g.masks:  # max(0, -0) is either zero
        assert np.array_equal(np.signbit(A[:, :2]), np.signbit(expected[:, :2]))


@rows
@dtypes
def test_the_steepest_slope_is_that(g, dtype):
    Z = arguments(dtype)
    slopes = np.abs(backward(g, np.ones_like(Z), Z))
    assert np.all(slopes <= g.slope_bound(Z) * (1 + 8 * unit_roundoff(Z)))
    assert slopes.max() > 0.99 * g.steepest


def test_each_row_has_a_name_and_routines_of_its_own():
    assert all(g.name == name for name, g in ACTIVATIONS.items())
    for char in "df":
        rows = (LINEAR, *ACTIVATIONS.values())
        assert len({g.at[char] for g in rows}) == len({g.gradient_at[char] for g in rows}) == len(rows)
    assert {name: (g.forward, g.backward) for name, g in ACTIVATIONS.items()} == reference.ACTIVATIONS


def test_what_is_no_activation_is_refused_with_the_names_of_those_that_are():
    for module in (bp, reference):
        with pytest.raises(ValueError, match=r"activation is 'softplus'; known ones are .*'sigmoid'.*'tanh'"):
            module.linear_activation_forward(np.ones((2, 3)), np.ones((1, 2)), np.ones((1, 1)), "softplus")
