"""Hidden activations of the reference: the gradient from A is the derivative of the forward at Z."""

import numpy as np
import pytest

from fastbackprop import activations, reference
from fastbackprop.activations import LeakyRelu
from fastbackprop.reference.activations import HIDDEN, functions_of

LEAKY = [LeakyRelu(slope) for slope in (0.0, 0.3, 1.0)]
EVERY = pytest.mark.parametrize("hidden", [*HIDDEN, *LEAKY], ids=str)


@EVERY
def test_the_gradient_from_a_is_the_slope_of_the_forward(hidden):
    """A central difference over 2h errs by ``h^2 / 6 |g'''| + u |A| / h``: with |g'''| <= 8 and |A| <= 4, 2e-8 at h = 1e-4."""
    g, g_gradient = functions_of(hidden)
    Z = np.linspace(-3.95, 3.95, 80).reshape(4, 20)  # no 0, where two have a kink
    dA, h = np.cos(Z), 1e-4
    assert np.min(np.abs(Z)) > h
    np.testing.assert_allclose(g_gradient(dA, g(Z)), dA * (g(Z + h) - g(Z - h)) / (2 * h), rtol=0, atol=2e-8)


@pytest.mark.parametrize(("hidden", "slope"), [("relu", 0.0), ("leaky_relu", 0.01), *((g, g.slope) for g in LEAKY)], ids=str)
def test_the_slope_at_the_kink_is_that_of_the_left(hidden, slope):
    """A has the sign of Z, or is 0, however small Z is."""
    g, g_gradient = functions_of(hidden)
    A = g(np.array([[-1e-300, -5e-324, -0.0, 0.0, 5e-324, 1e-300]]))
    np.testing.assert_array_equal(g_gradient(np.full((1, 6), 7.0), A), [[slope * 7] * 4 + [7, 7]])


@EVERY
def test_nan_stays(hidden):
    g, g_gradient = functions_of(hidden)
    A = g(np.array([[np.nan, 1.0]]))
    np.testing.assert_array_equal(np.isnan(A), [[True, False]])
    np.testing.assert_array_equal(np.isnan(g_gradient(np.array([[1.0, np.nan]]), A))[:, 1], [True])


@pytest.mark.parametrize("name", reference.ACTIVATIONS)
def test_those_among_the_fourteens_agree_with_them(name):
    """The slope from A and that from Z are each at most 1, after a few roundings: 16 u |dA|."""
    Z, dA = np.linspace(-3, 3, 25).reshape(5, 5), np.sin(np.arange(25.0)).reshape(5, 5)
    g, g_gradient = functions_of(name)
    forward, backward = reference.ACTIVATIONS[name]
    np.testing.assert_array_equal(g(Z), forward(Z)[0])
    np.testing.assert_allclose(g_gradient(dA, g(Z)), backward(dA, Z), rtol=0, atol=16 * np.finfo(float).eps / 2)


def test_leaky_relu_by_name_has_a_slope_of_a_hundredth():
    (g, _), Z = functions_of("leaky_relu"), np.array([[-2.0, 0.0, 3.0]])
    np.testing.assert_array_equal(g(Z), [[-0.02, 0, 3]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@EVERY
def test_dtypes_stay_and_inputs_are_not_written(hidden, dtype):
    Z, dA = np.array([[-1.0, 2.0]], dtype), np.ones((1, 2), dtype)
    Z.flags.writeable = dA.flags.writeable = False
    g, g_gradient = functions_of(hidden)
    assert g(Z).dtype == g_gradient(dA, g(Z)).dtype == dtype


def test_the_names_are_those_of_the_fast_training():
    assert list(HIDDEN) == list(activations.HIDDEN)


@pytest.mark.parametrize("hidden", ["softplus", None, ["relu"], activations.HIDDEN["tanh"]], ids=str)
def test_an_unknown_one_is_named(hidden):
    with pytest.raises(ValueError, match=f"hidden is .*; known ones are {', '.join(map(repr, HIDDEN))}, or LeakyRelu"):
        functions_of(hidden)


@pytest.mark.parametrize("slope", [-0.1, np.nan])
def test_a_slope_below_0_is_refused(slope):
    with pytest.raises(ValueError, match=r"slope is (-0\.1|nan); expected"):
        functions_of(LeakyRelu(slope))
