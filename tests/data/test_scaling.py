"""Scaling."""

import numpy as np
import pytest

from fastbackprop.bad_input import BadInput
from fastbackprop.data.scaling import fit

from ..support.tables import ROWS

X = ROWS.T


def test_none_is_the_very_array_and_255_a_division():
    assert fit("none", X)(X) is X
    np.testing.assert_array_equal(fit("255", X)(X), X / 255)


def test_standard():
    """A mean of 40 numbers is within 40 u of the exact one, relative to their size, and so is the deviation."""
    scaled = fit("standard", X)(X)
    np.testing.assert_allclose(scaled.mean(axis=1), 0, atol=1e-13)
    np.testing.assert_allclose(scaled.std(axis=1), 1, rtol=1e-13)


def test_minmax():
    scaled = fit("minmax", X)(X)
    assert scaled.min(axis=1).tolist() == [0, 0, 0]
    assert scaled.max(axis=1).tolist() == [1, 1, 1]


@pytest.mark.parametrize("kind", ["standard", "minmax"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e300, 5e-324])
def test_a_constant_feature_becomes_0(kind, value):
    constant = np.full((1, 7), value)
    assert fit(kind, constant)(constant).tolist() == [[0] * 7]
    assert np.isfinite(fit(kind, constant)(np.array([[1.0]]))).all()


@pytest.mark.parametrize("kind", ["standard", "minmax"])
def test_features_that_overflow(kind):
    wide = np.array([[1.0, 2.0], [-1.7e308, 1.7e308]])
    with pytest.raises(BadInput, match="feature 2 is too large"):
        fit(kind, wide)
    with pytest.raises(BadInput, match="feature 1 is too large"):
        fit(kind, np.array([[0.0, 1e-150]]))(np.array([[1e300]]))
