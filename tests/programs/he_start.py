# He initialization, iterations counted from one, a cost every 10 iterations, gradient norms on the way
import numpy as np


def sigmoid(Z):
    A = 1 / (1 + np.exp(-Z))
    return A, Z


def relu(Z):
    A = np.maximum(0, Z)
    return A, Z


def relu_backward(dA, cache):
    dZ = np.multiply(dA, np.int64(cache > 0))
    return dZ


def sigmoid_backward(dA, cache):
    s = 1 / (1 + np.exp(-cache))
    dZ = dA * s * (1 - s)
    return dZ


def initialize_parameters_deep(layer_dims):
    """He: randn * sqrt(2 / n_prev)"""
    np.random.seed(3)
    parameters = {}
    L = len(layer_dims) - 1
    for l in range(1, L + 1):
        parameters['W' + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * np.sqrt(2 / layer_dims[l - 1])
        parameters['b' + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters


def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    cache = (A, W, b)
    return Z, cache


def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = eval_activation(Z, activation)
    return A, (linear_cache, activation_cache)


def eval_activation(Z, activation):
    if activation == 'relu':
        return relu(Z)
    return sigmoid(Z)


def L_model_forward(X, parameters):
    A = X
    caches = []
    L = len(parameters) // 2
    for l in range(1, L):
        A, cache = linear_activation_forward(A, parameters['W' + str(l)], parameters['b' + str(l)], 'relu')
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters['W' + str(L)], parameters['b' + str(L)], 'sigmoid')
    caches.append(cache)
    assert AL.shape == (1, X.shape[1])
    return AL, caches


def compute_cost(AL, Y):
    m = Y.shape[1]
    logprobs = np.multiply(-np.log(AL), Y) + np.multiply(-np.log(1 - AL), 1 - Y)
    cost = 1. / m * np.nansum(logprobs)
    return cost


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1 / m * (dZ @ A_prev.T)
    db = 1 / m * np.sum(dZ, axis=1, keepdims=True)
    dA_prev = W.T @ dZ
    assert dA_prev.shape == A_prev.shape and dW.shape == W.shape and db.shape == b.shape
    return dA_prev, dW, db


def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == 'relu':
        dZ = relu_backward(dA, activation_cache)
    elif activation == 'sigmoid':
        dZ = sigmoid_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache)


def L_model_backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    Y = Y.reshape(AL.shape)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    grads['dA' + str(L - 1)], grads['dW' + str(L)], grads['db' + str(L)] = \
        linear_activation_backward(dAL, caches[L - 1], 'sigmoid')
    for l in reversed(range(L - 1)):
        grads['dA' + str(l)], grads['dW' + str(l + 1)], grads['db' + str(l + 1)] = \
            linear_activation_backward(grads['dA' + str(l + 1)], caches[l], 'relu')
    return grads


def update_parameters(parameters, grads, learning_rate):
    L = len(parameters) // 2
    for l in range(L):
        parameters['W' + str(l + 1)] = parameters['W' + str(l + 1)] - learning_rate * grads['dW' + str(l + 1)]
        parameters['b' + str(l + 1)] = parameters['b' + str(l + 1)] - learning_rate * grads['db' + str(l + 1)]
    return parameters


def L_layer_model(X, Y, layers_dims, learning_rate=0.01, num_iterations=1000, print_cost=True):
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(1, num_iterations + 1):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate=learning_rate)
        if i % 10 == 0:
            costs.append(cost)
        if print_cost:
            if i % 50 == 0 or i == 1:
                norm = np.linalg.norm(grads['dW1'])
                print('%4d  cost %.8f  norm of dW1 %.6f' % (i, cost, norm))
    return parameters, costs


def predict(X, y, parameters):
    AL, _ = L_model_forward(X, parameters)
    p = (AL > 0.5).astype(int)
    print('Accuracy:', np.mean(p[0, :] == y[0, :]))
    return p


np.random.seed(100)
angle = np.linspace(0, 2 * np.pi, 30)
X = np.hstack([np.array([np.cos(angle), np.sin(angle)]) * r + np.random.randn(2, 30) * 0.1 for r in (0.5, 1.0)])
Y = np.hstack([np.ones((1, 30)), np.zeros((1, 30))]).astype(int)

parameters, costs = L_layer_model(X, Y, [2, 10, 5, 1], learning_rate=0.1, num_iterations=300)
predictions = predict(X, Y, parameters)
