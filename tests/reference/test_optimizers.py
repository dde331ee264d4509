"""Update rules of the reference against their sums written out, in exact fractions.

A rule's recursion rounds each of its terms at most a few times a step: after T steps ``8 T u`` of the sizes of what was added.
"""

import math
from fractions import Fraction

import numpy as np
import pytest

from fastbackprop import optimizers
from fastbackprop.optimizers import Adam, GradientDescent, Momentum, Nesterov
from fastbackprop.reference.optimizers import RULES, step

U = np.finfo(float).eps / 2
STEPS = 12
rng = np.random.default_rng(11)
START = rng.normal(size=(2, 3))
GRADIENTS = rng.normal(size=(STEPS, 2, 3))


def path(optimizer):
    """W after STEPS steps along GRADIENTS, and the state."""
    parameters = {"W1": START, "b1": np.zeros((2, 1))}
    state: dict = {}
    for d in GRADIENTS:
        parameters = step(optimizer, parameters, {"dW1": d, "db1": d[:, :1]}, state)
    return parameters["W1"], state


def written_out(total):
    """The exact W at each place: ``total(d)`` is what is added to the start, from the gradients d of that place."""
    exact = np.empty(START.shape)
    for i in np.ndindex(*START.shape):
        exact[i] = Fraction(float(START[i])) + total([Fraction(d[i]) for d in GRADIENTS])
    return exact


def assert_near(actual, exact, added):
    assert np.all(np.abs(actual - exact) <= 8 * STEPS * U * (np.abs(START) + added))


def test_gradient_descent():
    a = Fraction(0.3)
    W, _ = path(GradientDescent(0.3))
    assert_near(W, written_out(lambda d: -a * sum(d)), 0.3 * np.abs(GRADIENTS).sum(axis=0))


def test_momentum():
    """The gradient of step i moves W in each later step too: ``1 + mu + .. + mu^(T - i)`` times in all."""
    a, mu = Fraction(0.2), Fraction(0.75)
    W, _ = path(Momentum(0.2, 0.75))
    exact = written_out(lambda d: -a * sum(d[i] * sum(mu**k for k in range(STEPS - i)) for i in range(STEPS)))
    assert_near(W, exact, 0.2 * np.abs(GRADIENTS).sum(axis=0) / (1 - 0.75))


def test_nesterov():
    """As with momentum, and one power of mu further: it looks a step ahead."""
    a, mu = Fraction(0.2), Fraction(0.75)
    W, _ = path(Nesterov(0.2, 0.75))
    exact = written_out(lambda d: -a * sum(d[i] * sum(mu**k for k in range(STEPS - i + 1)) for i in range(STEPS)))
    assert_near(W, exact, 0.2 * np.abs(GRADIENTS).sum(axis=0) / (1 - 0.75))


def test_adam():
    """M and V are weighted means of all gradients so far, with weights ``beta^(t - i)`` that sum to 1."""
    a, beta1, beta2, epsilon = Fraction(0.1), Fraction(0.75), Fraction(0.875), Fraction(0.01)

    def mean(values, beta):
        weights = [beta ** (len(values) - 1 - i) for i in range(len(values))]
        return sum(w * value for w, value in zip(weights, values, strict=True)) / sum(weights)

    def total(d):
        moved = Fraction(0)
        for t in range(1, STEPS + 1):
            root = Fraction(math.sqrt(mean([x * x for x in d[:t]], beta2)))
            moved -= a * mean(d[:t], beta1) / (root + epsilon)
        return moved

    W, _ = path(Adam(0.1, 0.75, 0.875, 0.01))
    # M cancels: its error is relative to the largest gradient, which is at most 1 / sqrt(1 - beta2) times the root of V.
    assert_near(W, written_out(total), 0.1 * STEPS * np.sqrt(1 / (1 - 0.875)) * np.abs(GRADIENTS).max())


def test_adam_with_its_defaults_moves_by_the_rate_whatever_the_gradients_size():
    """A constant gradient d: the corrected means are d and d^2 in every step, so W moves by ``a d / (|d| + epsilon)``."""
    parameters, d = {"b1": np.zeros(3)}, np.array([1e-3, -7.0, 0.0])
    state: dict = {}
    for _ in range(10):
        parameters = step(Adam(), parameters, {"db1": d}, state)
    # 1 - beta2^t, with beta2^t rounded t times, has lost up to three digits in the first steps
    np.testing.assert_allclose(parameters["b1"], -10 * 1e-3 * d / (np.abs(d) + 1e-8), rtol=1e3 * 16 * U)


def test_momentum_of_0_is_gradient_descent():
    plain, _ = path(GradientDescent(0.1))
    for rule in (Momentum, Nesterov):
        np.testing.assert_array_equal(path(rule(0.1, 0.0))[0], plain)


def test_each_parameter_has_a_state_of_its_own():
    _, state = path(Adam())
    assert {key: of["M"].shape for key, of in state.items()} == {"W1": (2, 3), "b1": (2, 1)}
    assert [of["t"] for of in state.values()] == [STEPS, STEPS]
    assert path(GradientDescent())[1] == {"W1": {}, "b1": {}}


@pytest.mark.parametrize("optimizer", [GradientDescent(), Momentum(), Nesterov(), Adam()])
def test_a_step_makes_new_arrays_of_the_same_dtype(optimizer):
    W, d = np.ones((2, 2), "f"), np.full((2, 2), 0.5, "f")
    state: dict = {}
    W.flags.writeable = d.flags.writeable = False
    for _ in range(3):
        (after,) = step(optimizer, {"W1": W}, {"dW1": d}, state).values()
        assert after.dtype == "f"
        assert np.all(after < W)
        assert all(np.asarray(kept).dtype == "f" for key, kept in state["W1"].items() if key != "t")


def test_each_dataclass_has_its_rule():
    classes = {rule.__name__ for rule in optimizers.Optimizer.__subclasses__()}
    assert set(RULES) == classes
    with pytest.raises(ValueError, match=r"optimizer is 'adam'; known ones are GradientDescent, Momentum, Nesterov, Adam"):
        step("adam", {}, {}, {})
