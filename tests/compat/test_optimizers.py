"""Mini-batches, momentum and Adam: the notebooks' formulas, and numbers that many recorded."""

import numpy as np
import pytest

from fastbackprop.compat import opt_utils, opt_utils_v1a

from ..support.three_layers import assert_close

SHARED = sorted(set(opt_utils.__all__) - {"compute_cost", "model"})


@pytest.mark.parametrize("name", SHARED)
def test_both_generations_share_all_but_the_cost(name):
    assert getattr(opt_utils, name) is getattr(opt_utils_v1a, name)


def arrays():
    """``parameters, grads`` of the notebook's test cases."""
    W1, b1, W2, b2, dW1, db1, dW2, db2 = opt_utils.load_params_and_grads()
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def test_arrays_for_trying_an_update():
    np.random.seed(1)
    expected = [np.random.randn(*shape) for shape in 2 * [(2, 3), (2, 1), (3, 3), (3, 1)]]
    for actual, value in zip(opt_utils.load_params_and_grads(), expected, strict=True):
        np.testing.assert_array_equal(actual, value, strict=True)
    assert opt_utils.load_params_and_grads(2)[0][0, 0] != expected[0][0, 0]


# --------------------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize(("m", "size"), [(148, 64), (128, 64), (5, 64), (7, 1)])
def test_batches(m, size):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(3, m)), rng.integers(0, 2, (1, m))
    np.random.seed(4)
    order = np.random.permutation(m)
    after = np.random.rand()
    batches = opt_utils.random_mini_batches(X, Y, size, seed=4)
    assert np.random.rand() == after
    assert [x.shape[1] for x, _ in batches] == [size] * (m // size) + [m % size] * (m % size > 0)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches], axis=1), X[:, order], strict=True)
    np.testing.assert_array_equal(np.concatenate([y for _, y in batches], axis=1), Y[:, order], strict=True)


def test_batches_as_they_were_recorded():
    """The notebook's check: X of randn(12288, 148) and Y of randn(1, 148) < 0.5 after a seed of 1, batches of 64."""
    np.random.seed(1)
    X, Y = np.random.randn(12288, 148), np.random.randn(1, 148) < 0.5
    (x, y), _, (x_last, y_last) = opt_utils.random_mini_batches(X, Y, 64)
    assert (x.shape, y.shape, x_last.shape, y_last.shape) == ((12288, 64), (1, 64), (12288, 20), (1, 20))
    np.testing.assert_allclose(x[0, :3], [0.90085595, -0.7612069, 0.2344157], atol=5e-8)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((np.ones((2, 4)), np.ones((1, 3))), ValueError, r"Y has shape \(1, 3\); expected \(1, 4\)"),
        ((np.ones((2, 4)), np.ones(4)), ValueError, r"Y has shape \(4,\); expected \(1, 4\).*reshape"),
        ((np.ones(4), np.ones((1, 4))), ValueError, r"X has shape \(4,\)"),
        ((np.ones((2, 0)), np.ones((1, 0))), ValueError, "no examples"),
        ((np.ones((2, 4)), np.ones((1, 4)), 0), ValueError, "mini_batch_size is 0; expected at least 1"),
        ((np.ones((2, 4)), np.ones((1, 4)), 2.5), TypeError, "mini_batch_size is 2.5; expected a whole number"),
    ],
)
def test_batches_that_are_refused(args, error, message):
    with pytest.raises(error, match=message):
        opt_utils.random_mini_batches(*args)


# --------------------------------------------------------------------------------------------------------------- updates


def test_starts_of_averages_are_zeros_of_the_shapes():
    parameters, grads = arrays()
    zeros = {key: np.zeros_like(value) for key, value in grads.items()}
    assert_close(opt_utils.initialize_velocity(parameters), zeros)
    v, s = opt_utils.initialize_adam(parameters)
    assert_close(v, zeros)
    assert_close(s, zeros)
    assert v["dW1"] is not s["dW1"]


def test_gradient_descent():
    parameters, grads = arrays()
    expected = {key: value - 0.01 * grads[f"d{key}"] for key, value in parameters.items()}
    assert opt_utils.update_parameters_with_gd(parameters, grads, 0.01) is parameters
    assert_close(parameters, expected, rtol=1e-15)


def test_momentum():
    parameters, grads = arrays()
    old = {key: (value, value.tobytes()) for key, value in parameters.items()}
    v = {key: 0.5 * value for key, value in grads.items()}
    expected_v = {key: 0.9 * v[key] + (1 - 0.9) * value for key, value in grads.items()}
    expected = {key: value - 0.01 * expected_v[f"d{key}"] for key, value in parameters.items()}
    returned = opt_utils.update_parameters_with_momentum(parameters, grads, v, 0.9, 0.01)
    assert returned[0] is parameters and returned[1] is v and len(returned) == 2
    assert_close(parameters, expected, rtol=1e-14)
    assert_close(v, expected_v, rtol=1e-14)
    assert all(value.tobytes() == bits for value, bits in old.values())


def test_adam():
    parameters, grads = arrays()
    v, s = {k: 0.5 * g for k, g in grads.items()}, {k: 0.1 * g * g for k, g in grads.items()}
    beta1, beta2, t = 0.8, 0.99, 3
    expected_v = {k: beta1 * v[k] + (1 - beta1) * g for k, g in grads.items()}
    expected_s = {k: beta2 * s[k] + (1 - beta2) * g**2 for k, g in grads.items()}
    expected = {}
    for key, value in parameters.items():
        v_corrected, s_corrected = expected_v[f"d{key}"] / (1 - beta1**t), expected_s[f"d{key}"] / (1 - beta2**t)
        expected[key] = value - 0.02 * v_corrected / (np.sqrt(s_corrected) + 1e-6)
    returned = opt_utils.update_parameters_with_adam(parameters, grads, v, s, t, 0.02, beta1, beta2, 1e-6)
    assert len(returned) == 3 and all(a is b for a, b in zip(returned, (parameters, v, s), strict=True))
    assert_close(parameters, expected, rtol=1e-14)
    assert_close(v, expected_v, rtol=1e-14)
    assert_close(s, expected_s, rtol=1e-14)


def test_adam_as_it_was_recorded():
    """The notebook's check, step 2 from averages of 0, which many repositories print."""
    parameters, grads = arrays()
    v, s = opt_utils.initialize_adam(parameters)
    parameters, v, s = opt_utils.update_parameters_with_adam(parameters, grads, v, s, t=2)
    W1 = [[1.63178673, -0.61919778, -0.53561312], [-1.08040999, 0.85796626, -2.29409733]]
    np.testing.assert_allclose(parameters["W1"], W1, atol=5e-9)
    np.testing.assert_allclose(parameters["b1"], [[1.75225313], [-0.75376553]], atol=5e-9)
    np.testing.assert_allclose(v["dW1"][0], [-0.11006192, 0.11447237, 0.09015907], atol=5e-9)
    np.testing.assert_allclose(s["db2"].ravel(), [5.49507194e-05, 2.75494327e-03, 5.50629536e-04], rtol=1e-8)


def test_lists_and_whole_numbers_are_taken_as_numpy_takes_them():
    parameters: dict = {"W1": [[1.0, 2.0]], "b1": [[3]]}
    grads: dict = {"dW1": [[10, 20]], "db1": [[30]]}
    v: dict = {"dW1": [[0, 0]], "db1": [[0]]}
    opt_utils.update_parameters_with_momentum(parameters, grads, v, 0.5, 0.1)
    np.testing.assert_allclose(parameters["W1"], [[0.5, 1.0]])
    np.testing.assert_allclose(v["db1"], [[15.0]])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"grads": lambda g: g | {"dW2": g["dW2"][1:]}}, ValueError, r"W2 has shape \(3, 3\), dW2 has shape \(2, 3\)"),
        ({"v": lambda v: v | {"db2": v["db2"].T}}, ValueError, r"db2 in v has shape \(1, 3\).*; expected equal shapes"),
        ({"v": lambda v: {k: v[k] for k in v if k != "db2"}}, KeyError, "v lacks 'db2', which layer 2 needs"),
        ({"grads": lambda g: g | {"dW2": None}}, TypeError, "dW2 is None"),
        ({"grads": lambda g: {}}, KeyError, "grads lacks 'dW1'"),
        ({"rate": lambda rate: np.nan}, ValueError, "learning_rate is nan; expected a finite number"),
    ],
)
def test_an_update_that_is_refused_changes_nothing(change, error, message):
    parameters, grads = arrays()
    given = {"grads": grads, "v": opt_utils.initialize_velocity(parameters), "rate": 0.1}
    given |= {name: make(given[name]) for name, make in change.items()}
    s, before = opt_utils.initialize_velocity(parameters), dict(parameters)
    averages = dict(given["v"]), dict(s)
    with pytest.raises(error, match=message):
        opt_utils.update_parameters_with_momentum(parameters, given["grads"], given["v"], 0.9, given["rate"])
    with pytest.raises(error, match=message):
        opt_utils.update_parameters_with_adam(parameters, given["grads"], given["v"], s, 1, given["rate"])
    for now, then in ((parameters, before), (given["v"], averages[0]), (s, averages[1])):
        assert now.keys() == then.keys() and all(now[key] is then[key] for key in now)


def test_steps_of_adam_are_counted_from_1():
    parameters, grads = arrays()
    v, s = opt_utils.initialize_adam(parameters)
    with pytest.raises(ValueError, match="t is 0; expected at least 1"):
        opt_utils.update_parameters_with_adam(parameters, grads, v, s, 0)


@pytest.mark.parametrize("name", ["beta1", "beta2"])
def test_an_average_of_adam_that_forgets_nothing_is_refused(name):
    """Its formula divides by 0."""
    parameters, grads = arrays()
    v, s = opt_utils.initialize_adam(parameters)
    with pytest.raises(ValueError, match=rf"{name} is 1; expected a number for which 1 - {name}\^t"):
        opt_utils.update_parameters_with_adam(parameters, grads, v, s, 1, **{name: 1.0})
