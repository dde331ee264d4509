"""All the network functions I wrote for the course, in one file."""

import matplotlib.pyplot as plt
import numpy as np

np.seterr(divide="warn")


def sigmoid(Z):
    return 1.0 / (1.0 + np.exp(-Z)), Z


def relu(Z):
    return np.where(Z > 0, Z, 0.0), Z


def sigmoid_backward(dA, cache):
    s = sigmoid(cache)[0]
    return dA * s * (1.0 - s)


def relu_backward(dA, cache):
    dZ = dA.copy()
    dZ[cache <= 0] = 0.0
    return dZ


def initialize_parameters_deep(layer_dims, seed=1):
    np.random.seed(seed)
    params = {}
    for l, (n_prev, n) in enumerate(zip(layer_dims[:-1], layer_dims[1:]), start=1):
        params["W%d" % l] = np.random.randn(n, n_prev) * np.sqrt(1.0 / n_prev)
        params["b%d" % l] = np.zeros((n, 1))
    return params


def linear_forward(A, W, b):
    return np.matmul(W, A) + b, (A, W, b)


def linear_activation_forward(A_prev, W, b, activation="relu"):
    Z, linear_cache = linear_forward(A_prev, W, b)
    if activation == "relu":
        A, activation_cache = relu(Z)
    elif activation == "sigmoid":
        A, activation_cache = sigmoid(Z)
    else:
        raise ValueError("what is " + activation)
    return A, (linear_cache, activation_cache)


def L_model_forward(X, parameters):
    L = len(parameters) // 2
    A, caches = X, []
    for l in range(1, L + 1):
        A, cache = linear_activation_forward(A, parameters["W%d" % l], parameters["b%d" % l], "sigmoid" if l == L else "relu")
        caches.append(cache)
    return A, caches


def compute_cost(AL, Y):
    m = Y.shape[1]
    return float(-(np.dot(Y, np.log(AL).T) + np.dot(1 - Y, np.log(1 - AL).T)).item() / m)


def linear_backward(dZ, cache):
    A_prev, W, _ = cache
    m = A_prev.shape[1]
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T) / m, np.sum(dZ, axis=1, keepdims=True) / m


def linear_activation_backward(dA, cache, activation):
    linear_cache, Z = cache
    backward = {"relu": relu_backward, "sigmoid": sigmoid_backward}[activation]
    return linear_backward(backward(dA, Z), linear_cache)


def L_model_backward(AL, Y, caches):
    L = len(caches)
    grads = {}
    dA = -(Y / AL - (1 - Y) / (1 - AL))
    for l in range(L, 0, -1):
        dA, grads["dW%d" % l], grads["db%d" % l] = linear_activation_backward(
            dA, caches[l - 1], "sigmoid" if l == L else "relu"
        )
        grads["dA%d" % (l - 1)] = dA
    return grads


def update_parameters(parameters, grads, learning_rate=0.01):
    L = len(parameters) // 2
    for l in range(1, L + 1):
        for letter in "Wb":
            parameters[f"{letter}{l}"] = parameters[f"{letter}{l}"] - learning_rate * grads[f"d{letter}{l}"]
    return parameters


def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False, seed=1):
    parameters = initialize_parameters_deep(layers_dims, seed)
    costs = []
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 50 == 0:
            costs.append(cost)
            if print_cost:
                print(f"Cost after iteration {i}: {cost}")
    return parameters, costs


def plot_costs(costs, name, axes=None):
    axes = axes or plt.gca()
    axes.plot(50 * np.arange(len(costs)), costs, label=name)
    axes.set_xlabel("iteration")
    axes.set_ylabel("cost")
    axes.legend()


def predict(X, parameters):
    AL, _ = L_model_forward(X, parameters)
    return (AL > 0.5).astype(int)
