"""General training of the reference: gradients by finite differences, whole trainings by others that compute the same."""

import warnings

import numpy as np
import pytest

from fastbackprop import reference
from fastbackprop.activations import LeakyRelu
from fastbackprop.optimizers import Adam, GradientDescent, Momentum, Nesterov
from fastbackprop.reference.activations import HIDDEN, functions_of
from fastbackprop.reference.general import cost_and_gradients, descend
from fastbackprop.reference.outputs import OUTPUTS

U = np.finfo(float).eps / 2
LAYERS = (3, 5, 4, 2)
M = 7
WEIGHTS = np.array([0.5, 2.0, 1.0, 0.0, 1.5, 3.0, 0.25])
WEIGHTS.flags.writeable = False


def problem(output, layers=LAYERS, m=M, seed=15):
    """X, Y and a start; Y is what the output expects. X and the start are the same for each output."""
    rng = np.random.default_rng(seed)
    X, n_L = rng.normal(size=(layers[0], m)), layers[-1]
    parameters = {}
    for l in range(1, len(layers)):
        parameters[f"W{l}"] = rng.normal(size=(layers[l], layers[l - 1])) / np.sqrt(layers[l - 1])
        parameters[f"b{l}"] = 0.1 * rng.normal(size=(layers[l], 1))
    if output == "identity":
        return X, rng.normal(size=(n_L, m)), parameters
    if output == "softmax":
        return X, np.eye(n_L)[:, rng.integers(0, n_L, m)], parameters
    return X, rng.integers(0, 2, (n_L, m)).astype(float), parameters


def orders(epochs, m=M):
    return [np.random.default_rng(epoch).permutation(m) for epoch in range(epochs)]


def smallest_logit(X, parameters, hidden):
    """How near any hidden unit comes to 0, where relu and leaky relu have a kink."""
    g, _ = functions_of(hidden)
    A, near = X, np.inf
    for l in range(1, len(parameters) // 2):
        Z = parameters[f"W{l}"] @ A + parameters[f"b{l}"]
        A, near = g(Z), min(near, np.abs(Z).min())
    return near


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("hidden", [*HIDDEN, LeakyRelu(0.3)], ids=str)
def test_gradients_against_finite_differences(hidden, output, weights):
    """``(8 (f(h) - f(-h)) - (f(2h) - f(-2h))) / 12 h`` errs by ``h^4 / 30 |f^(5)|`` and by 1.5 times f's error over h.

    With h = 1e-3, a fifth derivative of at most 10^4 and 100 roundings in a cost of at most 10: 3.3e-10 + 1.7e-10.
    """
    X, Y, parameters = problem(output)
    h, options = 1e-3, dict(hidden=hidden, output=output, l2=0.3, weights=weights)
    if not isinstance(hidden, str) or "relu" in hidden:
        assert (
            smallest_logit(X, parameters, hidden) > 10 * h
        )  # a step of 2h, times an |A| of at most 5, does not reach the kink

    def cost_at(key, i, step):
        moved = {name: W.copy() for name, W in parameters.items()}
        moved[key][i] += step
        cost, penalty, _ = cost_and_gradients(X, Y, moved, **options)
        return cost + penalty

    _, _, grads = cost_and_gradients(X, Y, parameters, **options)
    assert list(grads) == [f"d{name}{l}" for l in (3, 2, 1) for name in "Wb"]
    for key, W in parameters.items():
        assert grads[f"d{key}"].shape == W.shape
        for i in np.ndindex(*W.shape):
            inner, outer = (cost_at(key, i, k * h) - cost_at(key, i, -k * h) for k in (1, 2))
            assert abs(grads[f"d{key}"][i] - (8 * inner - outer) / (12 * h)) <= 5e-10, (key, i)


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_weight_of_k_is_the_example_k_times(output):
    """The same sums in another order: a hundred roundings of each gradient's terms, which are below 10."""
    X, Y, parameters = problem(output)
    k, options = np.array([1, 2, 0, 3, 1, 1, 2]), dict(hidden="tanh", output=output, l2=0.3)
    weighted = cost_and_gradients(X, Y, parameters, weights=k.astype(float), **options)
    repeated = cost_and_gradients(np.repeat(X, k, axis=1), np.repeat(Y, k, axis=1), parameters, **options)
    for actual, expected in zip((*weighted[:2], *weighted[2].values()), (*repeated[:2], *repeated[2].values()), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1000 * U)


def test_full_batches_by_gradient_descent_are_the_fourteens_training():
    """200 steps that differ by rounding alone, the cost in 1 - A near 1: 1e-12."""
    X, Y, start = problem("sigmoid", (4, 6, 3, 1), 40)
    expected, expected_costs = reference.L_layer_model(X, Y, (4, 6, 3, 1), 0.1, 201, parameters=start, return_costs=True)
    parameters, costs = descend(
        X, Y, (4, 6, 3, 1), start, hidden="relu", output="sigmoid", optimizer=GradientDescent(0.1), epochs=201
    )
    assert len(costs) == 201
    np.testing.assert_allclose(costs[::100], expected_costs, rtol=1e-12)
    for key in start:
        np.testing.assert_allclose(parameters[key], expected[key], rtol=0, atol=1e-12)


def test_an_epoch_is_its_batches_one_after_the_other():
    """Batches of 3, 3 and 1: each one's cost before its update, as often as it has examples."""
    X, Y, start = problem("softmax")
    options, rule = dict(hidden="tanh", output="softmax", l2=0.2), Momentum(0.1)
    order = orders(1)[0]
    actual, costs = descend(
        X, Y, LAYERS, start, optimizer=rule, batch_size=3, orders=[order], epochs=1, weights=WEIGHTS, **options
    )
    parameters, V, expected = start, {key: 0 * W for key, W in start.items()}, 0.0
    for batch in (order[:3], order[3:6], order[6:]):
        cost, penalty, grads = cost_and_gradients(X[:, batch], Y[:, batch], parameters, weights=WEIGHTS[batch], **options)
        expected += len(batch) * (cost + penalty) / M
        V = {key: 0.9 * V[key] - 0.1 * grads[f"d{key}"] for key in V}
        parameters = {key: parameters[key] + V[key] for key in V}
    for key in start:
        np.testing.assert_allclose(actual[key], parameters[key], rtol=0, atol=100 * U)
    assert costs == pytest.approx([expected], rel=100 * U)


def test_each_epoch_has_its_order_and_the_next_goes_on_from_there():
    """Plain gradient descent has no memory: two epochs are one, and one more from its end, bit for bit."""
    X, Y, start = problem("identity")
    options = dict(hidden="relu", output="identity", optimizer=GradientDescent(0.1), batch_size=2)
    parameters, costs = descend(X, Y, LAYERS, start, orders=orders(2), epochs=2, **options)
    for order, cost in zip(orders(2), costs, strict=True):
        start, (expected,) = descend(X, Y, LAYERS, start, orders=[order], epochs=1, **options)
        assert cost == expected
    for key in start:
        np.testing.assert_array_equal(parameters[key], start[key])


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_epoch_that_moves_nothing_costs_what_the_data_cost(output):
    """The mean over batches of 4 and 3, each counted by its size, is the mean over all; the penalty is each batch's own."""
    X, Y, start = problem(output)
    options = dict(hidden="relu", output=output)
    full, _, _ = cost_and_gradients(X, Y, start, **options)
    _, costs = descend(X, Y, LAYERS, start, optimizer=Adam(0.0), batch_size=4, epochs=2, **options)
    assert costs == pytest.approx([full, full], rel=32 * U)
    _, penalized = descend(X, Y, LAYERS, start, optimizer=Adam(0.0), batch_size=4, epochs=1, l2=0.5, **options)
    squares = sum(np.sum(start[f"W{l}"] ** 2) for l in (1, 2, 3))
    assert penalized == pytest.approx([full + 0.5 / 2 * squares * 2 / 7], rel=64 * U)  # 4/7 of 1/4 and 3/7 of 1/3


@pytest.mark.parametrize(
    "rule", [GradientDescent(0.1), Momentum(0.05), Nesterov(0.05), Adam(0.01)], ids=lambda rule: type(rule).__name__
)
@pytest.mark.parametrize("output", OUTPUTS)
def test_training_lowers_the_cost_and_leaves_its_arguments(output, rule):
    X, Y, start = problem(output)
    for array in (X, Y, *start.values()):
        array.flags.writeable = False
    kept = dict(start)
    _, costs = descend(
        X, Y, LAYERS, start, hidden="tanh", output=output, optimizer=rule, batch_size=4, orders=orders(150), epochs=150,
        weights=WEIGHTS,
    )  # fmt: skip
    assert costs[-1] < costs[0] / 2
    assert all(start[key] is kept[key] for key in kept)


@pytest.mark.parametrize("output", OUTPUTS)
def test_float32_stays(output):
    X, Y, start = problem(output)
    narrow = {key: W.astype("f") for key, W in start.items()}
    parameters, costs = descend(
        X.astype("f"), Y.astype("f"), LAYERS, narrow, hidden="leaky_relu", output=output, optimizer=Adam(), l2=0.1,
        batch_size=4, epochs=3, weights=WEIGHTS.astype("f"),
    )  # fmt: skip
    assert {W.dtype.char for W in parameters.values()} == {"f"}
    assert all(type(cost) is float for cost in costs)


def test_no_epochs_return_the_start():
    X, Y, start = problem("identity")
    parameters, costs = descend(X, Y, LAYERS, start, hidden="relu", output="identity", optimizer=Adam(), epochs=0)
    assert costs == []
    assert all(parameters[key] is start[key] for key in start)


# ----------------------------------------------------------------------------------- scikit-learn computes the same

SGD = dict(solver="sgd", learning_rate_init=0.05, momentum=0.8)
UNITS = {"sigmoid": 2, "softmax": 3, "identity": 1}  # of the outputs that it has
SOLVERS = {
    "gradient descent": (GradientDescent(0.05), dict(SGD, momentum=0.0)),
    "momentum": (Momentum(0.05, 0.8), dict(SGD, nesterovs_momentum=False)),
    "Nesterov": (Nesterov(0.05, 0.8), SGD),
    # its epsilon stands beside another root, so it is one that vanishes
    "Adam": (Adam(0.01, epsilon=1e-150), dict(solver="adam", learning_rate_init=0.01, epsilon=1e-150)),
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("hidden", ["relu", "tanh", "sigmoid", "identity"])
@pytest.mark.parametrize("output", UNITS)
def test_scikit_learn_trains_alike(output, hidden, solver):
    """From one state, 10 epochs of batches of 16, 16 and 8 examples: the same formulas, 30 steps that differ by rounding."""
    networks = pytest.importorskip("sklearn.neural_network", reason="scikit-learn is not installed: pip install '.[test]'")
    kind = networks.MLPRegressor if output == "identity" else networks.MLPClassifier
    layers, (rule, options) = (4, 6, 5, UNITS[output]), SOLVERS[solver]
    X, Y, _ = problem(output, layers, 40)
    labels = {"sigmoid": Y.T, "softmax": Y.argmax(axis=0), "identity": Y[0]}[output]
    theirs = kind(
        hidden_layer_sizes=layers[1:-1], activation={"sigmoid": "logistic"}.get(hidden, hidden), alpha=0.3, batch_size=16,
        shuffle=False, max_iter=1, n_iter_no_change=100, warm_start=True, random_state=1, **options,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)  # it has not converged
        theirs.fit(X.T, labels)
        start = {f"W{l}": W.T.copy() for l, W in enumerate(theirs.coefs_, 1)}
        start |= {f"b{l}": b.reshape(-1, 1).copy() for l, b in enumerate(theirs.intercepts_, 1)}
        theirs.set_params(max_iter=10).fit(X.T, labels)
    parameters, costs = descend(
        X, Y, layers, start, hidden=hidden, output=output, optimizer=rule, l2=0.3, batch_size=16, epochs=10
    )
    np.testing.assert_allclose(costs, theirs.loss_curve_[-10:], rtol=1e-12)
    for l in (1, 2, 3):
        np.testing.assert_allclose(parameters[f"W{l}"], theirs.coefs_[l - 1].T, rtol=0, atol=1e-12)
        np.testing.assert_allclose(parameters[f"b{l}"][:, 0], theirs.intercepts_[l - 1], rtol=0, atol=1e-12)
