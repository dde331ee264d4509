"""Output layers as trainings take them: dZ and cost against extended precision, over the whole range of logits.

A net of one layer whose W is the identity has its inputs as logits, and with one example db is dZ.
"""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastbackprop.activations import HIDDEN, OUTPUTS
from fastbackprop.batches import Batches
from fastbackprop.kernels.sums import PIECE
from fastbackprop.optimizers import GradientDescent
from fastbackprop.reference import outputs as reference
from fastbackprop.testing import assert_same_bits

from .support.probes import DTYPES, mailboxes


def batches(Z, Y, output, weights=None, clip=(0.0, np.inf)):
    """A training whose logits are Z (n_L, m)."""
    n = len(Z)
    start = {"W1": np.eye(n, dtype=Z.dtype), "b1": np.zeros((n, 1), Z.dtype)}
    work = Batches(
        Z, Y, [n, n], start, hidden=HIDDEN["relu"], output=OUTPUTS[output], optimizer=GradientDescent(), weights=weights
    )
    work.clip = clip
    work.call = lambda kernel, *arguments: kernel(*arguments, *mailboxes(1))
    return work


def value(Z, Y, output, weights=None, clip=(0.0, np.inf)):
    """Cost and db."""
    cost, _, grads = batches(Z, Y, output, weights, clip).loss_and_gradients()
    return cost, grads["db1"]


def exact(z, y, output):
    """The output of one example and its cost, with 60 digits."""
    with mpmath.workdps(60):
        z, y = [mpmath.mpf(float(x)) for x in z], [mpmath.mpf(float(x)) for x in y]
        if output == "identity":
            return z, sum((a - b) ** 2 for a, b in zip(z, y, strict=True)) / 2
        if output == "softmax":
            total = sum(mpmath.exp(x) for x in z)
            return [mpmath.exp(x) / total for x in z], sum(b * (mpmath.log(total) - x) for x, b in zip(z, y, strict=True))
        losses = [b * mpmath.log1p(mpmath.exp(-x)) + (1 - b) * mpmath.log1p(mpmath.exp(x)) for x, b in zip(z, y, strict=True)]
        return [1 / (1 + mpmath.exp(-x)) for x in z], sum(losses)


RANGES = {"float64": 800.0, "float32": 110.0}  # beyond, exp is 0


@pytest.mark.plain
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(st.data())
def test_one_example(dtype, output, data):
    """dZ = A - Y: A to 4 ulp (softmax: exp to 2, a sum of n and a division, and the rounding of z - the greatest, times that in
    exp), subnormal numbers to a few of the smallest, and the rounding of the difference.

    Costs are sums in float64 of terms to 4 ulp; each term is at most (1 + |z| + |greatest z|), as is its rounding. The sum that
    softmax takes the logarithm of is one of the dtype's.
    """
    n = data.draw(st.integers(2, 4))
    logits = st.floats(-RANGES[dtype], RANGES[dtype], width=32)
    z = data.draw(st.lists(logits, min_size=n, max_size=n))
    y = data.draw(st.lists(st.sampled_from([0.0, 1.0, 0.25]), min_size=n, max_size=n))
    Z, Y = np.array([z], dtype).T, np.array([y], dtype).T
    cost, dZ = value(Z, Y, output)
    A, expected = exact(z, y, output)
    u, smallest = float(np.finfo(dtype).eps) / 2, 4 * float(np.finfo(dtype).smallest_subnormal)
    shift = 2 * (max(z) - min(z)) if output == "softmax" else 0
    for i in range(n):
        error = abs(mpmath.mpf(float(dZ[i, 0])) - (A[i] - y[i]))
        assert error <= smallest + u * (abs(A[i]) * (2 * (4 + n) + shift) + abs(A[i] - y[i]) + abs(y[i])), (i, dZ, A)
    size = 1 + 2 * max(map(abs, z)) + (float(expected) if output == "identity" else 0)
    bound = 2.0**-53 * n * 8 * size + (2 * u * n * n if output == "softmax" else 0)
    assert abs(mpmath.mpf(cost) - expected) <= bound


@pytest.mark.plain
@pytest.mark.parametrize("z", [40.0, 700.0, -40.0, -700.0])
def test_a_small_cost_keeps_its_digits(z):
    """Relative to the cost itself: log(1 + e) of a tiny e is e."""
    cost, _ = value(np.array([[z]]), np.array([[1.0 if z > 0 else 0.0]]), "sigmoid")
    assert cost == pytest.approx(float(mpmath.exp(-abs(z))), rel=2.0**-50, abs=0)


@pytest.mark.plain
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("m", [1, PIECE - 1, PIECE, PIECE + 1, 1000])
def test_weights_of_examples(output, m):
    """An example of weight 3 counts as three of it; weight 0 counts for nothing."""
    rng = np.random.default_rng(m)
    Z, Y = rng.standard_normal((3, m)), np.eye(3)[rng.integers(3, size=m)].T.copy()
    weights = rng.integers(1, 4, m).astype(float)
    times = np.repeat(np.arange(m), weights.astype(int))
    cost, db = value(Z, Y, output, weights)
    cost_of_all, db_of_all = value(Z[:, times], Y[:, times], output)
    assert cost == pytest.approx(cost_of_all, rel=1e-13)
    np.testing.assert_allclose(db, db_of_all, rtol=0, atol=1e-14)
    assert cost == pytest.approx(float(reference.cost(output, Z, Y, weights)), rel=1e-13)
    if m > 1:
        weights[0] = 0.0
        np.testing.assert_allclose(
            value(Z, Y, output, weights)[1], value(Z[:, 1:], Y[:, 1:], output, weights[1:])[1], atol=1e-14
        )


@pytest.mark.plain
@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_bounds_of_the_terms(output):
    """-log of a probability that is clipped to [eps, 1 - eps]."""
    eps = 2.0**-52
    Z, Y = np.array([[800.0, -800.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 1.0]])
    low, high = -np.log1p(-eps), -np.log(eps)
    cost, _ = value(Z, Y, output, clip=(low, high))
    of_second = [high, low] if output == "softmax" else [np.log(2)] * 2
    of_first = [0.0, 0.0] if output == "softmax" else [high, low]
    assert cost == pytest.approx((sum(of_first) + sum(of_second)) / 2, rel=1e-15)


@pytest.mark.plain
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy warns of nan on the plain twins
def test_what_is_undefined_stays_so(output, dtype):
    Z, Y = np.array([[np.nan], [1.0]], dtype), np.array([[1.0], [0.0]], dtype)
    cost, _ = value(Z, Y, output)
    assert np.isnan(cost)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_each_example_has_the_bits_that_it_has_alone(output, dtype):
    """Wherever in a vector it stands."""
    rng = np.random.default_rng(0)
    Z = (8 * rng.standard_normal((3, 40))).astype(dtype)
    Y = np.eye(3, dtype=dtype)[rng.integers(3, size=40)].T.copy()
    for j in range(40):
        single = np.zeros(40, dtype)
        single[j] = 1
        alone = value(Z[:, j : j + 1].copy(), Y[:, j : j + 1].copy(), output)[1]
        assert_same_bits(value(Z, Y, output, single)[1], alone)


def test_an_infinite_cost_is_infinite():
    """Its compensation is nan then."""
    cost, dZ = value(np.array([[1e200]]), np.array([[0.0]]), "identity")
    assert cost == np.inf
    assert dZ == 1e200


def test_the_costs_of_many_examples_are_summed_with_compensation():
    """Each of the ones is lost beside 2^53 in a sum without it."""
    m = 5 * PIECE
    Z = np.zeros((2, m))
    Z[:, ::PIECE] = 1.0  # of each piece one costs 1
    Z[:, 0] = 2.0**27, 0.0
    cost, _ = value(Z, np.zeros((2, m)), "identity")
    assert cost == (2**53 + 4) / m
