"""The fourteen functions in NumPy: the yardstick for the equivalence tests and the benchmarks.

Conventions: examples are columns. ``X (n_0, m)``, ``W_l (n_l, n_{l-1})``, ``b_l (n_l, 1)``, ``Z_l, A_l, dA_l (n_l, m)``,
``Y, AL (1, m)``. The network is ``[LINEAR -> RELU] * (L - 1) -> LINEAR -> SIGMOID``, trained by full-batch gradient
descent on the binary cross-entropy. This module reads like the maths; it is never made fast.
"""

import numpy as np


def sigmoid(Z):
    """``A = 1 / (1 + exp(-Z))``; returns ``A, cache`` where ``cache`` is the object ``Z``."""
    A = 1 / (1 + np.exp(-Z))
    return A, Z


def relu(Z):
    """``A = max(0, Z)``; returns ``A, cache`` where ``cache`` is the object ``Z``."""
    A = np.maximum(0, Z)
    return A, Z


def relu_backward(dA, cache):
    """``dZ = dA`` where ``Z > 0``, 0 where ``Z <= 0``; ``cache`` is ``Z``. A new array: ``dA`` stays as it is."""
    Z = cache
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def sigmoid_backward(dA, cache):
    """``dZ = dA * s * (1 - s)`` with ``s = sigmoid(Z)``; ``cache`` is ``Z``."""
    Z = cache
    s, _ = sigmoid(Z)
    dZ = dA * s * (1 - s)
    return dZ


def tanh(Z):
    """``A = tanh(Z)``; returns ``A, cache`` with ``cache`` the very object ``Z``."""
    A = np.tanh(Z)
    return A, Z


def tanh_backward(dA, cache):
    """``dZ = dA * (1 - tanh(Z)^2)``; ``cache`` is ``Z``."""
    Z = cache
    A, _ = tanh(Z)
    dZ = dA * (1 - A * A)
    return dZ


ACTIVATIONS = {"sigmoid": (sigmoid, sigmoid_backward), "relu": (relu, relu_backward), "tanh": (tanh, tanh_backward)}


def _activation(name):
    """The functions of an activation, forward and backward."""
    if name not in tuple(ACTIVATIONS):
        raise ValueError(f"activation is {name!r}; known ones are {', '.join(map(repr, ACTIVATIONS))}")
    return ACTIVATIONS[name]


def initialize_parameters_deep(layer_dims):
    """``W_l ~ 0.01 * randn`` from NumPy's global generator and ``b_l = 0``, as the dict ``W1, b1, ..., WL, bL``."""
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters[f"W{l}"] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.01
        parameters[f"b{l}"] = np.zeros((layer_dims[l], 1))
    return parameters


def linear_forward(A, W, b):
    """``Z = W A + b``; returns ``Z, cache`` with ``cache = (A, W, b)``."""
    Z = np.dot(W, A) + b
    return Z, (A, W, b)


def linear_activation_forward(A_prev, W, b, activation):
    """``A = g(W A_prev + b)`` for ``activation`` "sigmoid", "relu" or "tanh"; returns ``A, ((A_prev, W, b), Z)``."""
    g, _ = _activation(activation)
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = g(Z)
    return A, (linear_cache, activation_cache)


def L_model_forward(X, parameters):
    """``[LINEAR -> RELU] * (L - 1) -> LINEAR -> SIGMOID``; returns ``AL, caches``, one cache a layer."""
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A, cache = linear_activation_forward(A, parameters[f"W{l}"], parameters[f"b{l}"], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters[f"W{L}"], parameters[f"b{L}"], "sigmoid")
    caches.append(cache)
    return AL, caches


def compute_cost(AL, Y):
    """Cross-entropy ``-(Y log(AL)^T + (1 - Y) log(1 - AL)^T) / m``, a 0-d array."""
    m = Y.shape[1]
    cost = -(np.dot(Y, np.log(AL).T) + np.dot(1 - Y, np.log(1 - AL).T)) / m
    return np.squeeze(cost)


def linear_backward(dZ, cache):
    """``dA_prev = W^T dZ``, ``dW = dZ A_prev^T / m``, ``db = rowsum(dZ) / m``; ``cache`` is ``(A_prev, W, b)``."""
    A_prev, W, _ = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def linear_activation_backward(dA, cache, activation):
    """``dZ = dA * g'(Z)``, then ``linear_backward``; ``cache`` is ``((A_prev, W, b), Z)``."""
    _, g_backward = _activation(activation)
    linear_cache, activation_cache = cache
    dZ = g_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache)


def L_model_backward(AL, Y, caches):
    """Gradients of the cost, as the dict ``dA0 .. dA{L-1}, dW1 .. dWL, db1 .. dbL``."""
    grads = {}
    L = len(caches)
    Y = np.reshape(Y, AL.shape)
    dA = -(Y / AL - (1 - Y) / (1 - AL))
    for l in range(L, 0, -1):
        activation = "sigmoid" if l == L else "relu"
        dA, dW, db = linear_activation_backward(dA, caches[l - 1], activation)
        grads[f"dA{l - 1}"], grads[f"dW{l}"], grads[f"db{l}"] = dA, dW, db
    return grads


def update_parameters(parameters, grads, learning_rate):
    """``W <- W - learning_rate * dW``, likewise ``b``: the same dict, its entries rebound to new arrays."""
    L = len(parameters) // 2
    for l in range(1, L + 1):
        parameters[f"W{l}"] = parameters[f"W{l}"] - learning_rate * grads[f"dW{l}"]
        parameters[f"b{l}"] = parameters[f"b{l}"] - learning_rate * grads[f"db{l}"]
    return parameters


def L_layer_model(
    X,
    Y,
    layers_dims,
    learning_rate=0.0075,
    num_iterations=3000,
    print_cost=False,
    *,
    parameters=None,
    return_costs=False,
):
    """Full-batch gradient descent; returns ``parameters``, or ``parameters, costs`` (one cost every 100 iterations)."""
    costs = []
    parameters = initialize_parameters_deep(layers_dims) if parameters is None else dict(parameters)
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 100 == 0:
            costs.append(float(cost))
            if print_cost:
                print("Cost after iteration %i: %f" % (i, cost))
    return (parameters, costs) if return_costs else parameters
