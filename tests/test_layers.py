"""One layer's functions: the activations that there are."""

import pytest

import fastbackprop as bp

from .support.arguments import A_PREV, CACHE, DZ, B, W, refusing


@pytest.mark.parametrize("activation", ["softplus", "Relu", "", None, 1, ["relu"]])
def test_an_unknown_activation(activation):
    with refusing(ValueError, repr(activation), "'relu'", "'sigmoid'"):
        bp.linear_activation_forward(A_PREV, W, B, activation)
    with refusing(ValueError, repr(activation), "'relu'", "'sigmoid'"):
        bp.linear_activation_backward(DZ, (CACHE, DZ), activation)
