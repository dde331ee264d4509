"""Outputs of the reference: values, costs and dZ_L against the formulas in many digits, and against one another."""

import mpmath
import numpy as np
import pytest

from fastbackprop import activations, reference
from fastbackprop.reference import outputs
from fastbackprop.reference.outputs import OUTPUTS

U = np.finfo(float).eps / 2
every = pytest.mark.parametrize("output", OUTPUTS)
weighted = pytest.mark.parametrize("w", [None, np.array([0.5, 2.0, 0.0, 1.25, 3.0])], ids=["plain", "weighted"])


def labels(output, n, m, rng):
    if output == "softmax":
        return np.eye(n)[:, rng.integers(0, n, m)]
    return rng.integers(0, 2, (n, m)).astype(float) if output == "sigmoid" else rng.normal(size=(n, m))


def exact_loss(output, z, y):
    """The loss of one example from the formula that everybody knows, with 100 digits."""
    with mpmath.workdps(100):
        z, y = [mpmath.mpf(x) for x in z], [mpmath.mpf(x) for x in y]
        if output == "identity":
            return float(sum((a - b) ** 2 for a, b in zip(z, y, strict=True)) / 2)
        if output == "softmax":
            a = [mpmath.exp(x) / sum(map(mpmath.exp, z)) for x in z]
            return float(-sum(b * mpmath.log(x) for x, b in zip(a, y, strict=True)))
        a = [1 / (1 + mpmath.exp(-x)) for x in z]
        return float(-sum(b * mpmath.log(x) + (1 - b) * mpmath.log(1 - x) for x, b in zip(a, y, strict=True)))


@every
@pytest.mark.parametrize("scale", [0.1, 3, 30])
def test_losses_are_those_of_the_formula(output, scale):
    """Each loss is a sum of a few terms of at most its own size plus max |Z|, each of a few roundings: 16 u of that."""
    rng = np.random.default_rng(3)
    Z = scale * rng.normal(size=(3, 5))
    Y = labels(output, 3, 5, rng)
    expected = np.array([exact_loss(output, Z[:, j], Y[:, j]) for j in range(5)])
    _, losses = outputs.functions_of(output)
    assert np.all(np.abs(losses(Z, Y) - expected) <= 16 * U * (expected + np.abs(Z).max(axis=0)))


@every
@weighted
def test_the_gradient_is_the_slope_of_the_cost(output, w):
    """``dZ_L / m`` against central differences: ``h^2 / 6 |f'''| + u |cost| / h`` with |f'''| <= 1, |cost| <= 20: 1e-8 at 1e-4.

    Softmax's labels need not be one-hot: any distribution will do.
    """
    rng, h = np.random.default_rng(5), 1e-4
    Z = rng.normal(size=(3, 5))
    Y = rng.dirichlet(np.ones(3), 5).T if output == "softmax" else labels(output, 3, 5, rng)
    value, _ = outputs.functions_of(output)
    dZ = outputs.gradient(value(Z), Y, w) / outputs.total(5, w)
    for i in np.ndindex(*Z.shape):
        E = np.zeros_like(Z)
        E[i] = h
        difference = (outputs.cost(output, Z + E, Y, w) - outputs.cost(output, Z - E, Y, w)) / (2 * h)
        assert abs(dZ[i] - difference) <= 1e-8


@every
def test_a_weight_of_k_is_the_example_k_times(output):
    """The same sums in another order: at most 32 roundings of the cost."""
    rng = np.random.default_rng(7)
    Z, k = rng.normal(size=(3, 5)), np.array([1, 3, 0, 2, 1])
    Y = labels(output, 3, 5, rng)
    cost = outputs.cost(output, Z, Y, k.astype(float))
    repeated = outputs.cost(output, np.repeat(Z, k, axis=1), np.repeat(Y, k, axis=1))
    assert abs(cost - repeated) <= 32 * U * repeated


def test_one_sigmoid_row_is_the_fourteens_cost():
    """They take the logarithm of A, which near 1 has lost a few digits of 1 - A: with |Z| <= 3, ``exp(3) u`` a term."""
    Z, Y = np.linspace(-3, 3, 20).reshape(1, 20), np.arange(20).reshape(1, 20) % 2
    A, _ = reference.sigmoid(Z)
    assert abs(outputs.cost("sigmoid", Z, Y) - reference.compute_cost(A, Y)) <= 4 * np.exp(3) * U
    np.testing.assert_array_equal(outputs.functions_of("sigmoid")[0](Z), A)


def test_softmax_of_two_classes_is_the_sigmoid_of_their_difference():
    """Two roundings of Z's difference (at most 8), exp's, a sum's and a quotient's."""
    Z = np.random.default_rng(9).uniform(-4, 4, (2, 30))
    A, _ = reference.sigmoid(Z[:1] - Z[1:])
    np.testing.assert_allclose(outputs.softmax(Z), np.concatenate([A, 1 - A]), rtol=0, atol=16 * U)


def test_far_logits_have_finite_costs():
    Z = np.array([[600.0, -600.0], [-600.0, 600.0]])
    right, wrong = np.eye(2), np.eye(2)[::-1]
    assert outputs.cost("softmax", Z, right) == 0  # exp(-1200) is too small for a number
    assert outputs.cost("sigmoid", Z, right) == pytest.approx(2 * np.exp(-600), rel=1e-12)
    assert outputs.cost("softmax", Z, wrong) == 1200
    assert outputs.cost("sigmoid", Z, wrong) == 1200  # two rows of 600
    np.testing.assert_array_equal(outputs.softmax(1e6 * Z), right)
    apart = Z + [[0, 1e6]]  # a column's own largest counts, not the largest of all
    np.testing.assert_array_equal(outputs.softmax(apart), outputs.softmax(Z))
    assert outputs.cost("softmax", apart, wrong) == 1200


@every
def test_float32_stays(output):
    Z, Y = np.array([[1.0, -2.0], [0.5, 3.0]], "f"), np.eye(2, dtype="f")
    value, _ = outputs.functions_of(output)
    for w in (None, np.array([1, 2], "f")):
        assert outputs.cost(output, Z, Y, w).dtype == outputs.gradient(value(Z), Y, w).dtype == "f"


def test_the_names_are_those_of_the_fast_training():
    assert set(OUTPUTS) == set(activations.OUTPUTS)


def test_an_unknown_one_is_named():
    with pytest.raises(ValueError, match=r"output is 'linear'; known ones are 'sigmoid', 'softmax', 'identity'"):
        outputs.functions_of("linear")


@pytest.mark.parametrize("w", [[0.0, 0.0], [1.0, -1.0], [np.nan, 1.0]])
def test_weights_without_a_positive_sum_are_refused(w):
    with pytest.raises(ValueError, match=r"weights sum to (0\.0|nan); expected a positive sum"):
        outputs.cost("identity", np.ones((1, 2)), np.ones((1, 2)), np.array(w))
