"""Step functions of the net of three layers: the notebooks' formulas, forms and key names."""

import numpy as np
import pytest

from fastbackprop.compat import init_utils, opt_utils, opt_utils_v1a, reg_utils

from ..support.three_layers import ATOL, RTOL, assert_close, backward, cost, forward, problem

MODULES = [init_utils, reg_utils, opt_utils, opt_utils_v1a]
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.split(".")[-1])
CACHE = ("z1", "a1", "W1", "b1", "z2", "a2", "W2", "b2", "z3", "a3", "W3", "b3")


@each_module
def test_activations_come_without_a_cache(module):
    x = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(module.sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-15)
    np.testing.assert_array_equal(module.relu(x), np.maximum(0, x), strict=True)


@each_module
def test_forward(module):
    X, _, parameters = problem()
    a3, cache = module.forward_propagation(X, parameters)
    expected, seen = forward(X, parameters)
    np.testing.assert_allclose(a3, expected, rtol=RTOL, atol=ATOL)
    assert isinstance(cache, tuple)
    assert_close(dict(zip(CACHE, cache, strict=True)), seen)
    assert all(cache[i] is parameters[CACHE[i]] for i in (2, 3, 6, 7, 10, 11))
    assert cache[9] is a3


@each_module
@pytest.mark.parametrize("labels", [lambda Y: Y, lambda Y: Y.astype(np.uint8), lambda Y: Y == 1, lambda Y: Y.astype(float)])
def test_backward(module, labels):
    X, Y, parameters = problem()
    _, cache = module.forward_propagation(X, parameters)
    expected = backward(X, Y, forward(X, parameters)[1])
    if module is not reg_utils:
        expected = {k.lower() if k[1] in "ZA" else k: v / X.shape[1] if k[1] in "ZA" else v for k, v in expected.items()}
    actual = module.backward_propagation(X, labels(Y), cache)
    assert_close(actual, expected)
    order = ("z3", "W3", "b3", "a2", "z2", "W2", "b2", "a1", "z1", "W1", "b1")
    assert [key[1] + key[2:] if key[1] in "Wb" else key[1:].lower() for key in actual] == list(order)


@each_module
def test_gradients_are_those_of_the_cost(module):
    X, Y, parameters = problem(n_0=2, m=5, sizes=(3, 2, 1))
    grads = module.backward_propagation(X, Y, module.forward_propagation(X, parameters)[1])
    for key, value in parameters.items():
        for i in np.ndindex(value.shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = value.copy()
                moved[i] += step
                ends.append(cost(forward(X, parameters | {key: moved})[0], Y))
            # the third derivative's part of a step of 1e-6, and the rounding of a cost near 1 divided by 2e-6
            np.testing.assert_allclose(grads[f"d{key}"][i], (ends[0] - ends[1]) / 2e-6, atol=1e-8)


def test_float32_stays():
    X, Y, parameters = problem()
    X, parameters = X.astype(np.float32), {key: value.astype(np.float32) for key, value in parameters.items()}
    a3, cache = init_utils.forward_propagation(X, parameters)
    grads = init_utils.backward_propagation(X, Y.astype(np.float32), cache)
    assert a3.dtype == np.float32
    assert {value.dtype for value in grads.values()} == {np.dtype(np.float32)}
    assert init_utils.compute_loss(a3, Y.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("function", "times"),
    [(init_utils.compute_loss, 1), (reg_utils.compute_cost, 1), (opt_utils.compute_cost, 1), (opt_utils_v1a.compute_cost, 40)],
)
def test_costs_are_scalars_means_or_a_sum(function, times):
    X, Y, parameters = problem()
    a3, _ = forward(X, parameters)
    actual = function(a3, Y)
    assert type(actual) is np.float64
    np.testing.assert_allclose(actual, times * cost(a3, Y), rtol=RTOL)


@pytest.mark.parametrize("function", [init_utils.compute_loss, reg_utils.compute_cost])
def test_terms_that_are_nan_do_not_count(function):
    a3, Y = np.array([[0.5, np.nan, 1.0, 0.0]]), np.array([[1, 1, 1, 0]])
    np.testing.assert_allclose(function(a3, Y), np.log(2) / 4, rtol=1e-15)


@pytest.mark.parametrize("function", [m.compute_cost for m in MODULES[1:]] + [init_utils.compute_loss])
def test_what_is_certain_and_wrong_costs_infinitely(function):
    with pytest.warns(RuntimeWarning, match="1 of 2 outputs in AL are certain and wrong"):
        assert function(np.array([[0.5, 1.0]]), np.array([[1, 0]])) == np.inf


@each_module
def test_predictions(module, capsys):
    X, y, parameters = problem()
    expected = forward(X, parameters)[0] > 0.5
    p = module.predict(X, y, parameters)
    np.testing.assert_array_equal(p, expected.astype(np.int64), strict=True)
    assert capsys.readouterr().out == f"Accuracy: {np.mean(expected == y)}\n"
    np.testing.assert_array_equal(module.predict_dec(parameters, X), expected, strict=True)
    assert capsys.readouterr().out == ""


FOUR = problem(sizes=(5, 4, 3, 1))[2]
CALLS = {
    "forward": lambda X, Y, p: init_utils.forward_propagation(X, p),
    "backward": lambda X, Y, p: init_utils.backward_propagation(X, Y, init_utils.forward_propagation(problem()[0], p)[1]),
    "predict": lambda X, Y, p: init_utils.predict(X, Y, p),
}


@pytest.mark.parametrize(
    ("name", "change", "error", "message"),
    [
        ("forward", lambda X, Y, p: (X[1:], Y, p), ValueError, r"W1 has shape \(5, 6\), X has shape \(5, 40\)"),
        ("forward", lambda X, Y, p: (X, Y, FOUR), ValueError, "parameters are of 4 layers; expected three"),
        ("forward", lambda X, Y, p: (X, Y, {k: v for k, v in p.items() if k != "W2"}), KeyError, "parameters lacks 'W2'"),
        ("forward", lambda X, Y, p: (X, Y, X), TypeError, r"parameters is an array of shape \(6, 40\)"),
        (
            "backward",
            lambda X, Y, p: (X, Y.T, p),
            ValueError,
            r"a3 has shape \(1, 40\), Y has shape \(40, 1\); expected one label",
        ),
        ("backward", lambda X, Y, p: (X[:, 1:], Y, p), ValueError, r"X has shape \(6, 39\).* expected the examples"),
        ("backward", lambda X, Y, p: (X, None, p), TypeError, "Y is None"),
        ("predict", lambda X, Y, p: (X, Y[:, 1:], p), ValueError, r"y has shape \(1, 39\); expected \(1, 40\), one label"),
        ("predict", lambda X, Y, p: (X, Y.T, p), ValueError, r"one label an example of X: use np\.asarray\(y\)\.reshape"),
        ("predict", lambda X, Y, p: (X, Y, problem(sizes=(5, 4, 2))[2]), ValueError, "parameters make 2 outputs an example"),
    ],
)
def test_what_is_refused(name, change, error, message, capsys):
    with pytest.raises(error, match=message):
        CALLS[name](*change(*problem()))
    assert capsys.readouterr().out == ""


def test_a_cache_of_another_form_is_refused():
    X, Y, parameters = problem()
    _, cache = reg_utils.forward_propagation_with_dropout(X, parameters)
    with pytest.raises(ValueError, match=r"cache is of type tuple of length 14; expected \(z1, a1, W1, b1, "):
        reg_utils.backward_propagation(X, Y, cache)
    with pytest.raises(ValueError, match=r"cache is of type tuple of length 13; expected \(z1, D1, a1, "):
        reg_utils.backward_propagation_with_dropout(X, Y, cache[1:], 0.5)


# ---------------------------------------------------------------------------------------------------------------- starts


@pytest.mark.parametrize(
    ("function", "scale"),
    [
        (init_utils.initialize_parameters_random, lambda n_prev: 10),
        (init_utils.initialize_parameters_he, lambda n_prev: np.sqrt(2 / n_prev)),
        (reg_utils.initialize_parameters, lambda n_prev: 1 / np.sqrt(n_prev)),
        (opt_utils.initialize_parameters, lambda n_prev: np.sqrt(2 / n_prev)),
        (opt_utils_v1a.initialize_parameters, lambda n_prev: np.sqrt(2 / n_prev)),
    ],
)
def test_starts_draw_after_a_seed_of_3(function, scale):
    np.random.seed(3)
    expected: dict = {}
    for l, (n_prev, n) in enumerate(((4, 3), (3, 2), (2, 1)), start=1):
        expected |= {f"W{l}": np.random.randn(n, n_prev) * scale(n_prev), f"b{l}": np.zeros((n, 1))}
    after = np.random.rand()
    np.random.seed(7)
    assert_close(function([4, 3, 2, 1]), expected, rtol=2**-52, atol=0)
    assert np.random.rand() == after


def test_the_start_of_he_as_it_was_recorded():
    """The notebook prints these digits of W1."""
    W1 = init_utils.initialize_parameters_he([2, 4, 1])["W1"]
    np.testing.assert_allclose(W1[0], [1.78862847, 0.43650985], atol=5e-9)


def test_the_start_of_zeros_draws_nothing():
    np.random.seed(7)
    before = np.random.get_state(legacy=False)["state"]["pos"]
    parameters = init_utils.initialize_parameters_zeros([4, 3, 1])
    assert np.random.get_state(legacy=False)["state"]["pos"] == before
    expected = {"W1": np.zeros((3, 4)), "b1": np.zeros((3, 1)), "W2": np.zeros((1, 3)), "b2": np.zeros((1, 1))}
    assert_close(parameters, expected)
