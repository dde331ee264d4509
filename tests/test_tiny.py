"""The whole product in a second: a rule is learned by each way through the public face, and all ways agree."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import TRAINING_RTOL, assert_within_bound, map_arrays


@pytest.mark.plain
def test_a_rule_is_learned_and_all_ways_agree():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 12))
    Y = (X[0] + X[1] > 0).astype(int).reshape(1, 12)
    layers, rate, iterations = [2, 3, 1], 1.0, 101

    np.random.seed(1)
    start = map_arrays(lambda x: 50 * x, bp.initialize_parameters_deep(layers))
    compiled, costs = bp.L_layer_model(X, Y, layers, rate, iterations, parameters=start, return_costs=True)

    parameters, own_costs = dict(start), []
    for i in range(iterations):
        A1, cache1 = bp.linear_activation_forward(X, parameters["W1"], parameters["b1"], "relu")
        Z2, linear_cache2 = bp.linear_forward(A1, parameters["W2"], parameters["b2"])
        AL, Z2 = bp.sigmoid(Z2)
        if i % 100 == 0:
            own_costs.append(float(bp.compute_cost(AL, Y)))
        dZ2 = bp.sigmoid_backward(-(Y / AL - (1 - Y) / (1 - AL)), Z2)
        dA1, dW2, db2 = bp.linear_backward(dZ2, linear_cache2)
        _, dW1, db1 = bp.linear_activation_backward(dA1, cache1, "relu")
        grads = bp.L_model_backward(AL, Y, [cache1, (linear_cache2, Z2)])
        assert_within_bound((grads["dW1"], grads["db2"]), (dW1, db2), 1e-12)
        parameters = bp.update_parameters(parameters, {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}, rate)

    expected, expected_costs = reference.L_layer_model(X, Y, layers, rate, iterations, parameters=start, return_costs=True)
    bound = map_arrays(lambda x: TRAINING_RTOL * np.max(np.abs(x)), expected)
    assert_within_bound(compiled, expected, bound)
    assert_within_bound(parameters, expected, bound)
    np.testing.assert_allclose(costs, expected_costs, rtol=TRAINING_RTOL)
    np.testing.assert_allclose(own_costs, expected_costs, rtol=TRAINING_RTOL)
    assert costs[-1] < costs[0] / 2
    np.testing.assert_array_equal(bp.predict(X, compiled), Y)
