"""The model of two layers: numbers, lines and curve of a loop over the module's own functions."""

import matplotlib
import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.compat import dnn_app_utils_v2, dnn_app_utils_v3

from ..support.trainings import X, Y


def by_hand(iterations, rate):
    parameters, costs = dnn_app_utils_v3.initialize_parameters(len(X), 4, 1), []
    for i in range(iterations):
        AL, caches = bp.reference.L_model_forward(X, parameters)
        if i % 100 == 0:
            costs.append(bp.reference.compute_cost(AL, Y))
        parameters = bp.reference.update_parameters(parameters, bp.reference.L_model_backward(AL, Y, caches), rate)
    return parameters, costs


@pytest.fixture
def drawn(monkeypatch):
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    monkeypatch.setattr(plt, "show", lambda: None)
    yield plt
    plt.close("all")


@pytest.mark.parametrize("module", [dnn_app_utils_v2, dnn_app_utils_v3])
def test_it_trains_prints_and_draws(module, drawn, capsys):
    wanted, costs = by_hand(201, 0.3)
    np.random.seed(5)
    parameters = module.two_layer_model(X, Y, (len(X), 4, 1), learning_rate=0.3, num_iterations=201, print_cost=True)
    for key, value in wanted.items():
        np.testing.assert_allclose(parameters[key], value, rtol=1e-9, atol=1e-14)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"Cost after iteration {i}" for i in (0, 100, 200)]
    np.testing.assert_allclose([float(line.partition(": ")[2]) for line in lines], costs, rtol=1e-9)
    (line,) = drawn.gca().get_lines()
    np.testing.assert_allclose(line.get_ydata(), costs, rtol=1e-9)
    assert drawn.gca().get_title() == "Learning rate = 0.3"


def test_without_print_cost_there_are_no_costs(drawn, capsys):
    dnn_app_utils_v3.two_layer_model(X, Y, (len(X), 4, 1), num_iterations=5)
    assert capsys.readouterr().out == ""
    assert len(drawn.gca().get_lines()[0].get_ydata()) == 0


def test_it_has_two_layers():
    with pytest.raises(ValueError, match=r"layers_dims is \(3, 4, 2, 1\); expected three sizes"):
        dnn_app_utils_v3.two_layer_model(X, Y, (3, 4, 2, 1))
    with pytest.raises(TypeError, match="layers_dims is None; expected a sequence of layer sizes"):
        dnn_app_utils_v3.two_layer_model(X, Y, None)  # type: ignore[arg-type]
