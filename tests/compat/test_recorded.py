"""The stand-ins on the pictures that notebooks train on: the costs and accuracies that other people recorded."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.compat import dnn_app_utils_v2, dnn_app_utils_v3

from ..support.recorded import PICTURES_COSTS, PICTURES_LAYERS, PICTURES_RTOL

each_application = pytest.mark.parametrize("module", [dnn_app_utils_v2, dnn_app_utils_v3])


@pytest.fixture(scope="module")
def data(pictures):
    """``train_x, train_y, test_x, test_y`` through ``load_data``, as a notebook goes on from there."""
    train_x_orig, train_y, test_x_orig, test_y, _ = dnn_app_utils_v3.load_data(pictures.folder)
    train_x, test_x = (x.reshape(x.shape[0], -1).T / 255 for x in (train_x_orig, test_x_orig))
    np.testing.assert_array_equal(train_x, pictures.X_train)
    np.testing.assert_array_equal(test_y, pictures.Y_test, strict=True)
    return train_x, train_y, test_x, test_y


@each_application
def test_the_compiled_training_from_the_modules_start(module, data, capsys):
    train_x, train_y, test_x, test_y = data
    start = module.initialize_parameters_deep(PICTURES_LAYERS)
    parameters, costs = bp.L_layer_model(train_x, train_y, PICTURES_LAYERS, 0.0075, 2500, parameters=start, return_costs=True)
    np.testing.assert_allclose(costs, PICTURES_COSTS, rtol=PICTURES_RTOL, atol=0)
    module.predict(train_x, train_y, parameters)
    module.predict(test_x, test_y, parameters)
    assert capsys.readouterr().out == "Accuracy: 0.9856459330143539\nAccuracy: 0.8\n"


@each_application
def test_a_notebooks_loop_over_the_modules_functions(module, data):
    train_x, train_y, _, _ = data
    parameters, costs = module.initialize_parameters_deep(PICTURES_LAYERS), []
    for i in range(201):
        AL, caches = module.L_model_forward(train_x, parameters)
        if i % 100 == 0:
            costs.append(float(module.compute_cost(AL, train_y)))
        parameters = module.update_parameters(parameters, module.L_model_backward(AL, train_y, caches), 0.0075)
    np.testing.assert_allclose(costs, PICTURES_COSTS[:3], rtol=PICTURES_RTOL, atol=0)


@each_application
def test_the_first_cost_of_two_layers(module, data):
    """Kulbear/deep-learning-coursera: the first cost from the start of two layers; later ones knew another db."""
    train_x, train_y, _, _ = data
    parameters = module.initialize_parameters(12288, 7, 1)
    cost = module.compute_cost(module.L_model_forward(train_x, parameters)[0], train_y)
    np.testing.assert_allclose(cost, 0.693049735659989, rtol=PICTURES_RTOL, atol=0)
