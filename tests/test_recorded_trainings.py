"""Whole trainings that other people recorded, as in test_recorded.py."""

import numpy as np
import pytest

import fastbackprop as bp

from .support.recorded import PICTURES_COSTS, PICTURES_LAYERS, PICTURES_RTOL, he, lecun, start, train

PICTURES_LAST_COST = 0.088439943441702


def accuracy(X, Y, parameters):
    """The accuracy as it was recorded: a sum of m-ths, one for each right answer."""
    return np.sum((bp.predict(X, parameters) == Y) / Y.size)


@pytest.fixture(scope="module")
def pictures_training(pictures):
    X, Y = pictures.X_train, pictures.Y_train
    assert X.flags.f_contiguous
    assert Y.dtype == np.int64
    given = start(PICTURES_LAYERS, 1, lecun)
    return bp.L_layer_model(X, Y, PICTURES_LAYERS, 0.0075, 2500, parameters=given, return_costs=True)


def test_pictures_by_the_compiled_training(pictures, pictures_training):
    parameters, costs = pictures_training
    np.testing.assert_allclose(costs, PICTURES_COSTS, rtol=PICTURES_RTOL, atol=0)
    assert accuracy(pictures.X_train, pictures.Y_train, parameters) == pytest.approx(0.9856459330143539, abs=1e-12)
    assert accuracy(pictures.X_test, pictures.Y_test, parameters) == pytest.approx(0.8, abs=1e-12)


def test_pictures_by_a_loop_of_ones_own(pictures):
    """The first 201 iterations and the last 200: those between, the compiled training's here, ask no more of any function."""
    X, Y, given = pictures.X_train, pictures.Y_train, start(PICTURES_LAYERS, 1, lecun)
    _, costs = train(X, Y, dict(given), 0.0075, 201)
    np.testing.assert_allclose(costs[::100], PICTURES_COSTS[:3], rtol=PICTURES_RTOL, atol=0)
    parameters = bp.L_layer_model(X, Y, PICTURES_LAYERS, 0.0075, 2300, parameters=given)
    parameters, costs = train(X, Y, parameters, 0.0075, 200)
    np.testing.assert_allclose(costs[::100], PICTURES_COSTS[-2:], rtol=PICTURES_RTOL, atol=0)
    np.testing.assert_allclose(costs[-1], PICTURES_LAST_COST, rtol=PICTURES_RTOL, atol=0)
    assert accuracy(pictures.X_train, pictures.Y_train, parameters) == pytest.approx(0.9856459330143539, abs=1e-12)
    assert accuracy(pictures.X_test, pictures.Y_test, parameters) == pytest.approx(0.8, abs=1e-12)


# Kulbear/deep-learning-coursera, enggen/Deep-Learning-Coursera: widely copied numbers of an early version whose db was
# one number a layer, the sum over all entries of dZ. They must not come out.
WRONG_TWO_LAYERS = [0.693049735659989, 0.6464283150388817, 0.6325086257948581, 0.6014932097069347]
WRONG_PICTURES_COSTS = [
    *(0.771749, 0.673350, 0.648247, 0.620384, 0.568401, 0.520754, 0.469203, 0.487263, 0.358436, 0.347641, 0.291955),
    *(0.273223, 0.229250, 0.196667, 0.176585, 0.157727, 0.142742, 0.139015, 0.123863, 0.111514, 0.105953, 0.098199),
    *(0.094213, 0.087161, 0.082077),
]


def test_the_slip_of_an_early_version_is_not_repeated(pictures, pictures_training):
    _, costs = pictures_training
    same_digits = np.abs(np.array(costs) - WRONG_PICTURES_COSTS) < 1e-6
    assert list(same_digits) == [True] + 24 * [False]  # the first cost knows no db yet

    X, Y, layers = pictures.X_train, pictures.Y_train, [12288, 7, 1]
    given = start(layers, 1, lambda n_prev: 0.01)
    _, costs = bp.L_layer_model(X, Y, layers, 0.0075, 301, parameters=given, return_costs=True)
    assert costs[0] == pytest.approx(WRONG_TWO_LAYERS[0], rel=PICTURES_RTOL)
    assert np.all(np.abs(np.array(costs) - WRONG_TWO_LAYERS)[1:] > 1e-6)


@pytest.fixture(scope="module")
def circles():
    datasets = pytest.importorskip("sklearn.datasets")
    np.random.seed(1)
    X_train, Y_train = datasets.make_circles(n_samples=300, noise=0.05)
    np.random.seed(2)
    X_test, Y_test = datasets.make_circles(n_samples=100, noise=0.05)
    return X_train.T, Y_train.reshape(1, -1), X_test.T, Y_test.reshape(1, -1)


CIRCLES_LAYERS = [2, 10, 5, 1]
# amanchadha/coursera-deep-learning-specialization, Kulbear/deep-learning-coursera,
# gmortuza/Deep-Learning-Specialization: every thousandth cost.
CIRCLES_COSTS = [
    *(0.8830537463419761, 0.6879825919728063, 0.6751286264523371, 0.6526117768893807, 0.6082958970572938),
    *(0.5304944491717495, 0.4138645817071794, 0.3117803464844441, 0.23696215330322562, 0.18597287209206836),
    *(0.15015556280371817, 0.12325079292273552, 0.09917746546525932, 0.08457055954024274, 0.07357895962677362),
]


@pytest.mark.parametrize("by, rtol", [("a loop of one's own", 1e-12), ("direct", 1e-12), ("gram", 1e-11)])
def test_circles(circles, by, rtol):
    X, Y, X_test, Y_test = circles
    given = start(CIRCLES_LAYERS, 3, he)
    if by in ("direct", "gram"):
        parameters, costs = bp.L_layer_model(
            X, Y, CIRCLES_LAYERS, 0.01, 15000, parameters=given, return_costs=True, algorithm=by
        )
        costs = costs[::10]
    else:
        parameters, costs = train(X, Y, given, 0.01, 15000)
        costs = costs[::1000]
    np.testing.assert_allclose(costs, CIRCLES_COSTS, rtol=rtol, atol=0)
    assert accuracy(X, Y, parameters) == pytest.approx(0.9933333333333333, abs=1e-12)
    assert accuracy(X_test, Y_test, parameters) == pytest.approx(0.96, abs=1e-12)


@pytest.mark.parametrize("compiled", [False, True])
def test_circles_from_zeros_learn_nothing(circles, compiled):
    """The same repositories: Z is 0 everywhere, and relu's slope there is 0."""
    X, Y, _, _ = circles
    given = {key: 0 * value for key, value in start(CIRCLES_LAYERS, 3, he).items()}
    if compiled:
        parameters, costs = bp.L_layer_model(X, Y, CIRCLES_LAYERS, 0.01, 15000, parameters=given, return_costs=True)
    else:
        parameters, costs = train(X, Y, given, 0.01, 15000)
    np.testing.assert_allclose(costs, 0.6931471805599453, rtol=1e-15, atol=0)
    assert accuracy(X, Y, parameters) == pytest.approx(0.5, abs=1e-12)
    assert all(np.all(parameters[key] == 0) for key in ("W1", "b1", "W2", "b2", "W3"))
