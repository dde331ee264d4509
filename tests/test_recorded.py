"""Numbers that other people recorded, on other machines, with code like the reference's: notebooks and their tests.

Each test names the public repositories on GitHub whose notebook or test file holds the expected numbers. Tolerances
are the digits that were printed or, for trainings, the rounding error of their iterations.
"""

from typing import Any

import numpy as np
import pytest

import fastbackprop as bp

from .support.recorded import lecun, start, train

PRINTED_8 = 1e-8  # recorded with 8 decimals


def near(actual, expected, atol=PRINTED_8):
    expected = np.asarray(expected)
    assert np.shape(actual) == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=atol)


# -------------------------------------------------------------------------------------------------- one call at a time


def test_initialize_parameters_deep():
    """amanchadha/coursera-deep-learning-specialization, alaaasfour/Neural-Networks-and-Deep-Learning-Exercises,
    pranayaryal/blog, greyhatguy007/deep-learning-specialization."""
    np.random.seed(3)
    parameters = bp.initialize_parameters_deep([5, 4, 3])
    assert list(parameters) == ["W1", "b1", "W2", "b2"]
    W1 = [
        [0.01788628, 0.0043651, 0.00096497, -0.01863493, -0.00277388],
        [-0.00354759, -0.00082741, -0.00627001, -0.00043818, -0.00477218],
        [-0.01313865, 0.00884622, 0.00881318, 0.01709573, 0.00050034],
        [-0.00404677, -0.0054536, -0.01546477, 0.00982367, -0.01101068],
    ]
    W2 = [
        [-0.01185047, -0.0020565, 0.01486148, 0.00236716],
        [-0.01023785, -0.00712993, 0.00625245, -0.00160513],
        [-0.00768836, -0.00230031, 0.00745056, 0.01976111],
    ]
    near(parameters["W1"], W1)
    near(parameters["b1"], np.zeros((4, 1)), atol=0)
    near(parameters["W2"], W2)
    near(parameters["b2"], np.zeros((3, 1)), atol=0)


A_FIRST = np.array([[-1.02387576, 1.12397796], [-1.62328545, 0.64667545], [-1.74314104, -0.59664964]])
W_FIRST = np.array([[0.74505627, 1.97611078, -1.24412333]])
Z_FIRST = np.array([[3.1980455, 7.85763489]])


def test_linear_forward_with_a_number_for_b():
    """Kulbear/deep-learning-coursera, amanchadha/coursera-deep-learning-specialization: b = 5 is broadcast."""
    Z, cache = bp.linear_forward(A_FIRST, W_FIRST, 5)
    near(Z, Z_FIRST, atol=2e-8)
    assert cache[2] == 5
    near(bp.sigmoid(Z)[0], [[0.96076066, 0.99961336]], atol=2e-8)
    near(bp.relu(Z)[0], Z_FIRST, atol=2e-8)


def test_linear_activation_forward():
    """amanchadha/coursera-deep-learning-specialization, alaaasfour/Neural-Networks-and-Deep-Learning-Exercises,
    pranayaryal/blog, greyhatguy007/deep-learning-specialization, Benardi/ml_algorithms."""
    np.random.seed(2)
    A_prev, W, b = np.random.randn(3, 2), np.random.randn(1, 3), np.random.randn(1, 1)
    for activation, expected in (("sigmoid", [[0.96890023, 0.11013289]]), ("relu", [[3.43896131, 0.0]])):
        A, (linear_cache, Z) = bp.linear_activation_forward(A_prev, W, b, activation)
        near(A, expected)
        near(Z, [[3.43896131, -2.08938436]])
        assert all(x is y for x, y in zip(linear_cache, (A_prev, W, b), strict=True))


def test_compute_cost():
    """amanchadha/coursera-deep-learning-specialization, alaaasfour/Neural-Networks-and-Deep-Learning-Exercises,
    greyhatguy007/deep-learning-specialization; Benardi/ml_algorithms, which asserts all digits."""
    cost = bp.compute_cost(np.array([[0.8, 0.9, 0.4]]), np.asarray([[1, 1, 0]]))
    assert type(cost) is np.ndarray
    near(cost, 0.2797765635793422, atol=1e-15)


AL_PLANAR = np.array([[0.5002307, 0.49985831, 0.50023963]])


def test_compute_cost_of_bool_labels():
    """amanchadha/coursera-deep-learning-specialization, planar data."""
    np.random.seed(1)
    near(bp.compute_cost(AL_PLANAR, np.random.randn(1, 3) > 0), 0.6930587610394646, atol=1e-14)


def test_compute_cost_of_real_valued_labels():
    """Kulbear/deep-learning-coursera, planar data."""
    np.random.seed(1)
    near(bp.compute_cost(AL_PLANAR, np.random.randn(1, 3)), 0.692919893776, atol=1e-11)


def test_linear_backward():
    """amanchadha/coursera-deep-learning-specialization, alaaasfour/Neural-Networks-and-Deep-Learning-Exercises,
    greyhatguy007/deep-learning-specialization, Benardi/ml_algorithms."""
    np.random.seed(1)
    dZ, A, W, b = (np.random.randn(*shape) for shape in ((3, 4), (5, 4), (3, 5), (3, 1)))
    dA_prev, dW, db = bp.linear_backward(dZ, (A, W, b))
    expected_dA_prev = [
        [-1.15171336, 0.06718465, -0.3204696, 2.09812712],
        [0.60345879, -3.72508701, 5.81700741, -3.84326836],
        [-0.4319552, -1.30987417, 1.72354705, 0.05070578],
        [-0.38981415, 0.60811244, -1.25938424, 1.47191593],
        [-2.52214926, 2.67882552, -0.67947465, 1.48119548],
    ]
    expected_dW = [
        [0.07313866, -0.0976715, -0.87585828, 0.73763362, 0.00785716],
        [0.85508818, 0.37530413, -0.59912655, 0.71278189, -0.58931808],
        [0.97913304, -0.24376494, -0.08839671, 0.55151192, -0.10290907],
    ]
    near(dA_prev, expected_dA_prev)
    near(dW, expected_dW)
    near(db, [[-0.14713786], [-0.11313155], [-0.13209101]])


def test_backward_with_a_number_for_b_in_the_cache():
    """Kulbear/deep-learning-coursera; db was recorded as a number, it is (1, 1) here."""
    cache = A_FIRST, W_FIRST, 5
    linear = (
        [[2.38272385, 5.85438014], [6.31969219, 15.52755701], [-3.97876302, -9.77586689]],
        [[2.77870358, -0.05500058, -5.13144969]],
        [[5.527840195]],
    )
    through_sigmoid = (
        [[0.08982777, 0.00226265], [0.23824996, 0.00600122], [-0.14999783, -0.00377826]],
        [[-0.06001514, -0.09687383, -0.10598695]],
        [[0.061800984273]],
    )
    for actual, expected in (
        (bp.linear_backward(Z_FIRST, cache), linear),
        (bp.linear_activation_backward(Z_FIRST, (cache, Z_FIRST), "relu"), linear),
        (bp.linear_activation_backward(Z_FIRST, (cache, Z_FIRST), "sigmoid"), through_sigmoid),
    ):
        for a, e in zip(actual, expected, strict=True):
            near(a, e, atol=2e-8)


def test_L_model_backward_of_outputs_that_are_no_probabilities():
    """amanchadha/coursera-deep-learning-specialization, alaaasfour/Neural-Networks-and-Deep-Learning-Exercises,
    pranayaryal/blog, greyhatguy007/deep-learning-specialization, Benardi/ml_algorithms: AL[0, 0] is 1.79 and unrelated
    to Z2, and the caches are a tuple."""
    np.random.seed(3)
    AL, Y = np.random.randn(1, 2), np.array([[1, 0]])
    shapes = (4, 2), (3, 4), (3, 1), (3, 2), (3, 2), (1, 3), (1, 1), (1, 2)
    A0, W1, b1, Z1, A1, W2, b2, Z2 = (np.random.randn(*shape) for shape in shapes)
    grads = bp.L_model_backward(AL, Y, (((A0, W1, b1), Z1), ((A1, W2, b2), Z2)))
    assert set(grads) == {"dA0", "dA1", "dW1", "dW2", "db1", "db2"}
    near(grads["dA1"], [[0.12913162, -0.44014127], [-0.14175655, 0.48317296], [0.01663708, -0.05670698]])
    near(grads["dW2"], [[-0.39202432, -0.13325855, -0.04601089]])
    near(grads["db2"], [[0.15187861]])
    near(grads["dA0"], [[0.0, 0.52257901], [0.0, -0.3269206], [0.0, -0.32070404], [0.0, -0.74079187]])
    dW1 = [
        [0.41010002, 0.07807203, 0.13798444, 0.10502167],
        [0, 0, 0, 0],
        [0.05283652, 0.01005865, 0.01777766, 0.0135308],
    ]
    near(grads["dW1"], dW1)
    near(grads["db1"], [[-0.22007063], [0], [-0.02835349]])


def test_update_parameters_with_numbers_and_a_row_for_gradients():
    """Kulbear/deep-learning-coursera, amanchadha/coursera-deep-learning-specialization: db are Python floats and dW3 is
    (1, 3) against W3 (2, 3), broadcast."""
    W1 = [
        [1.78862847, 0.43650985, 0.09649747],
        [-1.8634927, -0.2773882, -0.35475898],
        [-0.08274148, -0.62700068, -0.04381817],
        [-0.47721803, -1.31386475, 0.88462238],
    ]
    W2 = [
        [0.88131804, 1.70957306, 0.05003364, -0.40467741],
        [-0.54535995, -1.54647732, 0.98236743, -1.10106763],
        [-1.18504653, -0.2056499, 1.48614836, 0.23671627],
    ]
    W3 = [[-1.02378514, -0.7129932, 0.62524497], [-0.16051336, -0.76883635, -0.23003072]]
    dW1, dW2 = np.zeros((4, 3)), np.zeros((3, 4))
    dW1[0], dW2[0, 0] = [0.63070583, 0.66482653, 0.18308507], 1.62934255
    parameters = {"W1": np.array(W1), "W2": np.array(W2), "W3": np.array(W3)}
    parameters |= {"b1": np.zeros((4, 1)), "b2": np.zeros((3, 1)), "b3": np.zeros((2, 1))}
    grads: dict[str, Any] = {"dW1": dW1, "dW2": dW2, "dW3": np.array([[-1.40260776, 0, 0]])}
    grads |= {"db1": 0.75937676204411464, "db2": 0.86163759922811056, "db3": -0.84161956022334572}
    updated = bp.update_parameters(parameters, grads, 0.1)
    near(updated["W1"], [[1.72555789, 0.3700272, 0.07818896], *W1[1:]])
    near(updated["W2"], [[0.71838378, 1.70957306, 0.05003364, -0.40467741], *W2[1:]])
    near(updated["W3"], [[-0.88352436, -0.7129932, 0.62524497], [-0.02025258, -0.76883635, -0.23003072]])
    near(updated["b1"], np.full((4, 1), -0.07593768))
    near(updated["b2"], np.full((3, 1), -0.08616376))
    near(updated["b3"], np.full((2, 1), 0.08416196))


def test_update_parameters_with_an_odd_number_of_keys():
    """Benardi/ml_algorithms: W3 without b3 stays in the dict, untouched."""
    shapes = {"W1": (3, 4), "b1": (3, 1), "W2": (1, 3), "b2": (1, 1)}
    np.random.seed(2)
    parameters = {key: np.random.randn(*shape) for key, shape in shapes.items()}
    np.random.seed(3)
    grads = {f"d{key}": np.random.randn(*shape) for key, shape in shapes.items()}
    W3 = parameters["W3"] = np.random.randn(2, 2)
    bits = W3.tobytes()
    updated = bp.update_parameters(parameters, grads, 0.1)
    W1 = [
        [-0.59562069, -0.09991781, -2.14584584, 1.82662008],
        [-1.76569676, -0.80627147, 0.51115557, -1.18258802],
        [-1.0535704, -0.86128581, 0.68284052, 2.20374577],
    ]
    near(updated["W1"], W1)
    near(updated["W2"], [[-0.55569196, 0.0354055, 1.32964895]])
    assert updated["W3"] is W3
    assert W3.tobytes() == bits


def test_sigmoid_of_whole_numbers_and_of_a_number():
    """alaaasfour/Neural-Networks-and-Deep-Learning-Exercises."""
    near(bp.sigmoid(np.array([0, 2]))[0], [0.5, 0.88079708])
    near(bp.sigmoid(1)[0], 0.7310585, atol=1e-7)


# ------------------------------------------------------------------------------------------------------ few iterations


def small_table(labels):
    np.random.seed(1)
    X = np.random.randn(10, 10)
    return X, np.random.randn(1, 10) if labels is None else np.array(labels).reshape(1, 10)


@pytest.mark.parametrize("compiled", [False, True])
def test_two_iterations_of_three_layers(compiled):
    """guangfjy/dlcatclassifier, greyhatguy007/deep-learning-specialization."""
    X, Y = small_table([1, 1, 1, 1, 0, 0, 0, 1, 1, 0])
    layers = (10, 5, 6, 1)
    if compiled:
        parameters, costs = bp.L_layer_model(X, Y, layers, 0.0075, 2, parameters=start(layers, 1, lecun), return_costs=True)
        assert len(costs) == 1
    else:
        parameters, costs = train(X, Y, start(layers, 1, lecun), 0.0075, 2)
        near(costs[1], 0.7070709008912569, atol=1e-14)
    near(costs[0], 0.70723944)
    W1_row = [0.51384638, -0.19333098, -0.16705238, -0.33923196, 0.273477]
    W1_row += [-0.72775498, 0.55170785, -0.24077478, 0.10082452, -0.07882423]
    near(parameters["W1"][0], W1_row)
    near(parameters["b1"].ravel(), [-0.000216491028, 0.00015099913, 8.71516045e-06, 5.57557615e-05, -2.90746349e-05])
    near(parameters["W2"][0], [0.13428358, -0.15747685, -0.51095667, -0.15624083, -0.09342034])
    b2 = [1.80215514e-07, -0.000107935097, 0.000163081605, -3.51202008e-05, -7.40012619e-05, -4.43814901e-05]
    near(parameters["b2"].ravel(), b2)
    near(parameters["W3"], [[-0.09079199, -0.08117381, 0.07667568, 0.16665535, 0.08029575, 0.04805811]])
    near(parameters["b3"], [[0.0013201]])


def test_two_iterations_of_two_layers_on_real_valued_labels():
    """guangfjy/dlcatclassifier, greyhatguy007/deep-learning-specialization: a loop over single layers."""
    X, Y = small_table(None)
    parameters = start((10, 4, 1), 1, lambda n_prev: 0.01)
    costs = []
    for _ in range(2):
        A1, cache1 = bp.linear_activation_forward(X, parameters["W1"], parameters["b1"], "relu")
        A2, cache2 = bp.linear_activation_forward(A1, parameters["W2"], parameters["b2"], "sigmoid")
        costs.append(bp.compute_cost(A2, Y))
        dA2 = -(np.divide(Y, A2) - np.divide(1 - Y, 1 - A2))
        dA1, dW2, db2 = bp.linear_activation_backward(dA2, cache2, "sigmoid")
        _, dW1, db1 = bp.linear_activation_backward(dA1, cache1, "relu")
        grads: dict[str, Any] = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
        parameters = bp.update_parameters(parameters, grads, 0.0075)
    near(costs[0], 0.69315968)
    near(costs[1], 0.6915746967050506, atol=1e-14)
    near(parameters["b1"].ravel(), [1.10437111e-05, 1.78437869e-05, 3.74879549e-05, -4.42988824e-05])
    near(parameters["W2"], [[-0.00200283, -0.00888593, -0.00751122, 0.01688162]])
    near(parameters["b2"], [[-0.00689018]])


def test_gradient_check():
    """amanchadha/coursera-deep-learning-specialization, gmortuza/Deep-Learning-Specialization: the relative distance of
    the gradient from finite differences, as recorded, and with the two slips planted there. The labels have rank 1."""
    np.random.seed(1)
    X, y = np.random.randn(4, 3), np.array([1, 1, 0])
    shapes = {"W1": (5, 4), "b1": (5, 1), "W2": (3, 5), "b2": (3, 1), "W3": (1, 3), "b3": (1, 1)}
    parameters = {key: np.random.randn(*shape) for key, shape in shapes.items()}
    AL, caches = bp.L_model_forward(X, parameters)
    grads = bp.L_model_backward(AL, y, caches)

    step, numeric = 1e-7, []
    for value in parameters.values():
        for i in np.ndindex(*value.shape):
            at, costs = value[i], []
            for moved in (at + step, at - step):
                value[i] = moved
                costs.append(bp.compute_cost(bp.L_model_forward(X, parameters)[0], y.reshape(1, 3)))
            value[i] = at
            numeric.append((costs[0] - costs[1]) / (2 * step))

    def difference(slips):
        gradient = np.concatenate([(slips.get(key, 1) * grads[f"d{key}"]).ravel() for key in parameters])
        distance = np.linalg.norm(gradient - np.array(numeric))
        return distance / (np.linalg.norm(gradient) + np.linalg.norm(numeric))

    # The rounding of costs over the step, about 1e-16 / 1e-7 an entry, is what moves the last digits of these two.
    assert difference({}) == pytest.approx(1.19e-7, rel=0.05)
    assert difference({"W2": 2, "b1": 4}) == pytest.approx(0.2850931567761623, abs=1e-8)
