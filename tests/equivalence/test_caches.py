"""Caches: the reference's nesting and identities, and either implementation's feed the other."""

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import reference
from fastbackprop.testing import CASES, LAYOUTS, TRAINING_RTOL, Size, assert_same_form, assert_within_bound, map_arrays

SIZE = Size((7, 5, 3, 1), 11)
MODULES = {"fast": bp, "reference": reference}


@pytest.mark.parametrize("name", ["sigmoid", "relu"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_cache_of_an_activation_is_the_very_object(name, layout):
    (Z,) = CASES[name].make(SIZE, "float64", layout)
    assert getattr(bp, name)(Z)[1] is Z


def test_the_cache_of_a_layer_holds_the_very_arguments():
    A, W, b = CASES["linear_forward"].make(SIZE, "float64", "Fortran")
    _, cache = bp.linear_forward(A, W, b)
    assert isinstance(cache, tuple)
    assert all(x is y for x, y in zip(cache, (A, W, b), strict=True))
    for activation in ("relu", "sigmoid"):
        _, layer_cache = bp.linear_activation_forward(A, W, b, activation)
        assert isinstance(layer_cache, tuple)
        linear_cache, Z = layer_cache
        assert isinstance(linear_cache, tuple)
        assert all(x is y for x, y in zip(linear_cache, (A, W, b), strict=True))
        assert_within_bound(Z, reference.linear_forward(A, W, b)[0], CASES["linear_forward"].bound(A, W, b)[0])


def test_the_caches_of_the_network_are_a_list_one_a_layer_and_chained():
    X, parameters = CASES["L_model_forward"].make(SIZE, "float64")
    AL, caches = bp.L_model_forward(X, parameters)
    assert isinstance(caches, list)
    assert len(caches) == 3
    assert caches[0][0][0] is X
    for l, ((A_prev, W, b), Z) in enumerate(caches, start=1):
        assert W is parameters[f"W{l}"]
        assert b is parameters[f"b{l}"]
        assert Z.shape == (SIZE.layers[l], SIZE.m)
        if l > 1:  # the A that the layer before made from its Z
            np.testing.assert_array_equal(A_prev, np.maximum(0, caches[l - 2][1]))
    assert AL.shape == (1, SIZE.m)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("of", MODULES)
def test_either_implementation_takes_the_caches_of_the_other(of, dtype):
    maker, taker = MODULES[of], MODULES["reference" if of == "fast" else "fast"]
    X, parameters = CASES["L_model_forward"].make(SIZE, dtype)
    _, Y = CASES["compute_cost"].make(SIZE, dtype)
    AL, caches = maker.L_model_forward(X, parameters)
    actual, expected = taker.L_model_backward(AL, Y, caches), maker.L_model_backward(AL, Y, caches)
    assert_same_form(actual, expected)
    assert_within_bound(actual, expected, CASES["L_model_backward"].bound(AL, Y, caches))
    for activation in ("relu", "sigmoid"):
        args = CASES["linear_activation_forward"].make(SIZE, dtype, activation=activation)
        A, cache = maker.linear_activation_forward(*args)
        actual, expected = (module.linear_activation_backward(A, cache, activation) for module in (taker, maker))
        assert_within_bound(actual, expected, CASES["linear_activation_backward"].bound(A, cache, activation))


def test_caches_may_be_a_tuple_and_labels_any_shape_of_the_right_size():
    AL, Y, caches = CASES["L_model_backward"].make(SIZE, "float64")
    expected = bp.L_model_backward(AL, Y, caches)
    for labels in (Y, Y.ravel(), Y.T, Y.astype(int).ravel(), Y.astype(bool)):
        assert_within_bound(bp.L_model_backward(AL, labels, tuple(caches)), expected, 0.0)


def test_outputs_that_are_no_probabilities_follow_the_formula(rng, reference_raises):
    """AL need not be sigmoid(Z) nor lie in (0, 1): public tests pass random numbers."""
    _, Y, caches = CASES["L_model_backward"].make(SIZE, "float64")
    AL = rng.standard_normal(Y.shape) * 2
    expected, bound = reference.L_model_backward(AL, Y, caches), CASES["L_model_backward"].bound(AL, Y, caches)
    with reference_raises():
        actual = bp.L_model_backward(AL, Y, caches)
    assert_within_bound(actual, expected, bound)


def test_outputs_of_the_reference_are_followed_too_where_the_labels_are_real_valued(rng):
    AL, Y, caches = CASES["L_model_backward"].make(SIZE, "float64")
    Y = rng.standard_normal(Y.shape)
    expected, bound = reference.L_model_backward(AL, Y, caches), CASES["L_model_backward"].bound(AL, Y, caches)
    assert_within_bound(bp.L_model_backward(AL, Y, caches), expected, bound)
    assert_within_bound(bp.compute_cost(AL, Y), reference.compute_cost(AL, Y), CASES["compute_cost"].bound(AL, Y))


@pytest.mark.parametrize("forward", MODULES)
@pytest.mark.parametrize("backward", MODULES)
def test_a_loop_over_a_mix_of_both_trains_as_the_reference_does(forward, backward):
    """Images come in Fortran order, mini-batches as slices: the loop takes both."""
    X, Y, layers, _, _ = CASES["L_layer_model"].make(Size((6, 5, 3, 1), 40), "float64", "Fortran")
    _, start = CASES["L_model_forward"].make(Size(tuple(layers), 40), "float64")

    def train(forward, backward):
        parameters = dict(start)
        for i in range(300):
            batch = slice(20 * (i % 2), 20 * (i % 2) + 20)
            AL, caches = forward.L_model_forward(X[:, batch], parameters)
            cost = forward.compute_cost(AL, Y[:, batch])
            grads = backward.L_model_backward(AL, Y[:, batch], caches)
            parameters = backward.update_parameters(parameters, grads, 0.1)
        return parameters, float(cost)

    expected = train(reference, reference)
    bound = map_arrays(lambda x: TRAINING_RTOL * np.max(np.abs(x)), expected[0]), TRAINING_RTOL
    assert_within_bound(train(MODULES[forward], MODULES[backward]), expected, bound)


def test_update_rebinds_the_entries_of_the_same_dict_to_new_arrays():
    parameters, grads, rate = CASES["update_parameters"].make(SIZE, "float64")
    before, bits = dict(parameters), {key: value.tobytes() for key, value in parameters.items()}
    updated = bp.update_parameters(parameters, grads, rate)
    assert updated is parameters
    for key, value in before.items():
        assert parameters[key] is not value
        assert not np.shares_memory(parameters[key], value)
        assert value.tobytes() == bits[key]


def test_update_takes_the_first_half_of_the_keys_and_leaves_the_others_alone():
    parameters, grads, rate = CASES["update_parameters"].make(SIZE, "float64")
    velocity, W3, b3 = np.ones(2), parameters["W3"], parameters.pop("b3")
    assert b3 is not None
    parameters["velocity"] = velocity  # 6 keys, but b3 is not among them: the third layer's is missing
    del parameters["W3"]
    parameters["W3"] = W3
    del parameters["velocity"]
    updated = bp.update_parameters(parameters, grads, rate)  # 5 keys: two layers
    assert updated["W3"] is W3
    assert list(updated) == ["W1", "b1", "W2", "b2", "W3"]


def test_grads_may_hold_more_than_is_needed():
    parameters, grads, rate = CASES["update_parameters"].make(SIZE, "float64")
    expected = bp.update_parameters(dict(parameters), dict(grads), rate)
    grads = {"dA0": "unused", **grads, "dW9": None}
    assert_within_bound(bp.update_parameters(parameters, grads, rate), expected, 0.0)
