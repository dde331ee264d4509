"""Elementwise functions on arrays of another class."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import assert_same_bits

from .support.arguments import DZ


def test_np_matrix_answers_as_in_the_reference():
    with pytest.warns(PendingDeprecationWarning):
        Z = np.matrix(DZ)
    for name in ("sigmoid", "relu"):
        expected, actual = getattr(reference, name)(Z)[0], getattr(bp, name)(Z)[0]
        assert type(actual) is type(expected)
        assert_same_bits(np.asarray(actual), np.asarray(expected))
