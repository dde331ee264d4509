"""Faults planted in a learner's module are found and named, each alone."""

import pytest

from fastbackprop.examination import DIFFERS, OTHER_FORM

from ..support.learner import OWN, module, the_only_one, verdicts

FAULTS = {
    "db is a sum": (
        ("db = np.sum(dZ, axis=1, keepdims=True) / m", "db = np.sum(dZ, axis=1, keepdims=True)"),
        "linear_backward",
        "db is a sum over the examples instead of their mean",
    ),
    "dW is a sum": (("dW = np.dot(dZ, A_prev.T) / m", "dW = np.dot(dZ, A_prev.T)"), "linear_backward", "dW is a sum over"),
    "dW is divided twice": (
        ("dW = np.dot(dZ, A_prev.T) / m", "dW = np.dot(dZ, A_prev.T) / m / m"),
        "linear_backward",
        "dW is divided by m once too often",
    ),
    "two parts are sums": (
        ("T) / m\n    db = np.sum(dZ, axis=1, keepdims=True) / m", "T)\n    db = np.sum(dZ, axis=1, keepdims=True)"),
        "linear_backward",
        "dW, db is a sum over the examples",
    ),
    "db has lost a dimension": (
        ("db = np.sum(dZ, axis=1, keepdims=True) / m", "db = np.sum(dZ, axis=1) / m"),
        "linear_backward",
        "db has shape (4,), expected (4, 1), with the right numbers",
    ),
    "W is not transposed": (("np.dot(W.T, dZ)", "np.dot(W, dZ)"), "linear_backward", "W dZ for dA_prev, where W^T is wanted"),
    "A_prev is not transposed": (("np.dot(dZ, A_prev.T)", "np.dot(dZ, A_prev)"), "linear_backward", "where A_prev^T is wanted"),
    "mask without 0": (("dZ[cache <= 0] = 0", "dZ[cache < 0] = 0"), "relu_backward", "lets the gradient pass where Z == 0"),
    "input written to": (("dZ = dA.copy()", "dZ = dA"), "relu_backward", "writes to its argument dA"),
    "mask by dA": (("dZ[cache <= 0] = 0", "dZ[dA <= 0] = 0"), "relu_backward", "sign of dA"),
    "update of the wrong sign": (("] - learning_rate", "] + learning_rate"), "update_parameters", "adds the gradients"),
    "update without the last layer": (
        ("for l in range(1, len(parameters) // 2 + 1):", "for l in range(1, len(parameters) // 2):"),
        "update_parameters",
        "is left as it was",
    ),
    "update without b": (
        ('parameters[f"b{l}"] = parameters[f"b{l}"] - learning_rate * grads[f"db{l}"]', "pass"),
        "update_parameters",
        "b is left as it was",
    ),
    "cost is a sum": (("cost = -np.sum(losses) / m", "cost = -np.sum(losses)"), "compute_cost", "is a sum over the examples"),
    "cost of the wrong sign": (("cost = -np.sum(losses)", "cost = np.sum(losses)"), "compute_cost", "has the wrong sign"),
    "squared error": (("-np.sum(losses) / m", "np.sum((AL - Y) ** 2) / m"), "compute_cost", "is the mean squared error"),
    "epsilon in the logarithm": (
        ("Y * np.log(AL) + (1 - Y) * np.log(1 - AL)", "Y * np.log(AL + 1e-8) + (1 - Y) * np.log(1 - AL + 1e-8)"),
        "compute_cost",
        "adds 1e-08 inside its logarithms",
    ),
    "epsilon that only shows at the ends": (
        ("Y * np.log(AL) + (1 - Y) * np.log(1 - AL)", "Y * np.log(AL + 1e-15) + (1 - Y) * np.log(1 - AL + 1e-15)"),
        "compute_cost",
        "adds 1e-15 inside its logarithms",
    ),
    "limits": (
        ("    m = Y.shape[1]\n    losses", "    AL = np.clip(AL, 1e-12, 1 - 1e-12)\n    m = Y.shape[1]\n    losses"),
        "compute_cost",
        "limits AL to [1e-12, 1 - 1e-12]",
    ),
    "sigmoid of -Z": (("1.0 / (1.0 + np.exp(-Z))", "1.0 / (1.0 + np.exp(Z))"), "sigmoid", "exp(Z) for exp(-Z)"),
    "leaky relu": (("A = Z * (Z > 0)", "A = np.where(Z > 0, Z, 0.01 * Z)"), "relu", "leaky relu"),
    "cache is A": (("    return A, Z\n\n\ndef relu", "    return A, A\n\n\ndef relu"), "sigmoid", "keeps A in its cache"),
    "slope alone": (("return dA * (s * (1 - s))", "return s * (1 - s)"), "sigmoid_backward", "leaves dA out"),
    "b left out": (("return W @ A + b, (A", "return W @ A, (A"), "linear_forward", "leaves b out"),
    "softmax output": (
        ("sigmoid(Z) if", "(np.exp(Z) / np.sum(np.exp(Z), axis=0), Z) if"),
        "linear_activation_forward",
        "with activation 'sigmoid' applies softmax",
    ),
    "linear output": (
        (
            'A, cache = linear_activation_forward(A, parameters[f"W{l}"], parameters[f"b{l}"], activation=activation)',
            'Z, c = linear_forward(A, parameters[f"W{l}"], parameters[f"b{l}"]); '
            "A, cache = (Z if l == L else np.maximum(0, Z)), (c, Z)",
        ),
        "L_model_forward",
        "has a linear output, not a sigmoid",
    ),
    "unknown activation": (
        ('else "sigmoid"\n', 'else "softmax"\n'),
        "L_model_forward",
        "raises ValueError: activation is 'softmax'",
    ),
    "dAL of the wrong sign": (
        ("(1 - Y) / (1 - AL) - Y / AL", "Y / AL - (1 - Y) / (1 - AL)"),
        "L_model_backward",
        "dAL of the wrong sign",
    ),
    "AL - Y as dAL": (("dA = (1 - Y) / (1 - AL) - Y / AL", "dA = AL - Y"), "L_model_backward", "starts from AL - Y as dAL"),
    "no gradient of the first layer": (
        ("for l in reversed(range(L)):", "for l in reversed(range(1, L)):"),
        "L_model_backward",
        "entries",
    ),
    "one iteration less": (("in range(num_iterations)", "in range(1, num_iterations)"), "L_layer_model", "one iteration less"),
    "rate ignored": (
        ("(parameters, grads, learning_rate)\n        if", "(parameters, grads, 0.0075)\n        if"),
        "L_layer_model",
        "takes 0.0075 whatever",
    ),
    "raises": (
        ("m = Y.shape[1]\n    losses", "m = count\n    losses"),
        "compute_cost",
        "raises NameError: name 'count' is not defined",
    ),
    "raises where m is 1": (
        ("cost = -np.sum(losses) / m", "cost = -np.sum(losses) / (m if m > 1 else None)"),
        "compute_cost",
        "(layers [2, 3, 1], m = 1)",
    ),
    "does not end": (("    return np.array(cost)", "    while True: pass"), "compute_cost", "does not end"),
    "other arguments": (
        ("def linear_forward(A, W, b):", "def linear_forward(A, W):\n    b = 0"),
        "linear_forward",
        "takes (A, W), the reference (A, W, b)",
    ),
    "start scaled by 1/sqrt": (
        (
            "W = 0.01 * np.random.randn(layer_dims[l], layer_dims[l - 1])",
            "W = np.random.randn(layer_dims[l], layer_dims[l - 1]) / np.sqrt(layer_dims[l - 1])",
        ),
        "initialize_parameters_deep",
        "W is randn scaled by 1 / sqrt(n_prev), not by 0.01",
    ),
    "start of He": (
        ("W = 0.01 *", "W = np.sqrt(2 / layer_dims[l - 1]) *"),
        "initialize_parameters_deep",
        "sqrt(2 / n_prev) (He)",
    ),
    "start seeded and scaled": (
        (
            "    parameters = {}\n    for l in range(1, len(layer_dims)):\n        W = 0.01 *",
            "    parameters = {}\n    np.random.seed(7)\n    for l in range(1, len(layer_dims)):\n        W = 0.1 *",
        ),
        "initialize_parameters_deep",
        "it calls np.random.seed(7) itself; W is randn scaled by 0.1, not by 0.01",
    ),
    "start of zeros": (("W = 0.01 *", "W = 0 *"), "initialize_parameters_deep", "every W is 0"),
    "uniform start": (
        ("0.01 * np.random.randn(", "0.01 * np.random.rand("),
        "initialize_parameters_deep",
        "other numbers than 0.01 * randn",
    ),
    "float32 gradients": (
        ("dW = np.dot(dZ, A_prev.T) / m", "dW = (np.dot(dZ, A_prev.T) / m).astype('float32')"),
        "linear_backward",
        "dW is float32",
    ),
    "a factor of two": (
        ("dA_prev = np.dot(W.T, dZ)", "dA_prev = 2 * np.dot(W.T, dZ)"),
        "linear_backward",
        "dA_prev is 2 times the reference's",
    ),
    "limited gradients in the update": (
        ('learning_rate * grads[f"dW{l}"]', 'learning_rate * np.clip(grads[f"dW{l}"], -5, 5)'),
        "update_parameters",
        "where the reference has",
    ),
    "limited gradients of a layer": (
        ("dW = np.dot(dZ, A_prev.T) / m", "dW = np.clip(np.dot(dZ, A_prev.T) / m, -10, 10)"),
        "linear_backward",
        "where the reference has",
    ),
    "limited gradients of the net": (
        ('grads["dW" + str(l + 1)] = dW', 'grads["dW" + str(l + 1)] = np.clip(dW, -1000, 1000)'),
        "L_model_backward",
        "where the reference has",
    ),
    "limited Z": (
        ("return W @ A + b, (A", "return np.clip(W @ A + b, -9, 9), (A"),
        "linear_forward",
        "where the reference has",
    ),
    "limited relu": (("A = Z * (Z > 0)", "A = np.minimum(Z * (Z > 0), 20)"), "relu", "where the reference has"),
    "limited exponent": (("np.exp(-Z)", "np.exp(-np.clip(Z, -20, 20))"), "sigmoid", "where the reference has"),
    "anything else": (
        ("dA_prev = np.dot(W.T, dZ)", "dA_prev = np.dot(W.T, dZ) + 0.125"),
        "linear_backward",
        "where the reference has",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_named_alone(fault):
    replacement, name, how = FAULTS[fault]
    finding = the_only_one(module(replacement))
    assert (finding.name, finding.verdict) == (name, DIFFERS)
    assert how in finding.explanation


def test_a_call_with_a_mask_of_its_own_is_judged_where_it_is():
    inlined = ("dZ = relu_backward(dA, activation_cache)", "dZ = np.where(activation_cache < 0, 0, dA)")
    finding = the_only_one(module(inlined))
    assert finding.name == "linear_activation_backward"
    assert "with activation 'relu' lets the gradient pass where Z == 0" in finding.explanation


INLINE = """def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    np.random.seed(6)
    p = {}
    for l in range(1, len(layers_dims)):
        p[f"W{l}"] = 0.01 * np.random.randn(layers_dims[l], layers_dims[l - 1])
        p[f"b{l}"] = np.zeros((layers_dims[l], 1))
    L = len(layers_dims) - 1
    for _ in range(num_iterations):
        A = [X]
        for l in range(1, L + 1):
            Z = p[f"W{l}"] @ A[-1] + p[f"b{l}"]
            A.append(np.maximum(0, Z) if l < L else 1 / (1 + np.exp(-Z)))
        dZ = A[L] - Y
        for l in range(L, 0, -1):
            dW, db = dZ @ A[l - 1].T / Y.shape[1], dZ.mean(axis=1, keepdims=True)
            dZ = (p[f"W{l}"].T @ dZ) * (A[l - 1] > 0)
            p[f"W{l}"] = p[f"W{l}"] - learning_rate * dW
            p[f"b{l}"] = p[f"b{l}"] - learning_rate * db
    return p
"""


def test_a_training_that_calls_no_other_function_is_judged_by_its_numbers():
    whole = OWN[OWN.index("def L_layer_model") :]
    finding = the_only_one(module((whole, INLINE)))
    assert (finding.name, finding.verdict) == ("L_layer_model", OTHER_FORM)
    assert "np.random.seed(6)" in finding.explanation
    finding = the_only_one(
        module((whole, INLINE.replace("(A[l - 1] > 0)", "(A[l - 1] >= 0)").replace("np.random.seed(6)", "")))
    )
    assert (finding.name, finding.verdict) == ("L_layer_model", DIFFERS)


def test_two_faults_are_two_findings():
    found = verdicts(module(("dZ[cache <= 0] = 0", "dZ[cache < 0] = 0"), ("= np.dot(W.T, dZ)", "= -np.dot(W.T, dZ)")))
    assert set(found) == {"relu_backward", "linear_backward"}
    assert "dA_prev has the wrong sign" in found["linear_backward"].explanation
