# Regression with leaky relu and momentum; velocities and weights change in place
import numpy as np


def leaky_relu(Z):
    return np.where(Z > 0, Z, 0.01 * Z)


def leaky_relu_prime(Z):
    return np.where(Z > 0, 1.0, 0.01)


class Settings:
    learning_rate = 0.05
    momentum = 0.9


def model_forward(X, parameters):
    L = len(parameters) // 2
    caches, A = [], X
    for l in range(1, L + 1):
        Z = parameters['W' + str(l)].dot(A) + parameters['b' + str(l)]
        caches.append((A, Z))
        A = leaky_relu(Z) if l < L else Z
    return A, caches


def mse(prediction, Y):
    return float(((prediction - Y) ** 2).sum() / (2 * Y.shape[1]))


def model_backward(prediction, Y, caches, parameters, lambd):
    m = Y.shape[1]
    L = len(caches)
    grads = {}
    dZ = prediction - Y
    for l in range(L, 0, -1):
        A_prev, Z = caches[l - 1]
        grads['dW' + str(l)] = dZ.dot(A_prev.T) / m + lambd / m * parameters['W' + str(l)]
        grads['db' + str(l)] = dZ.sum(axis=1, keepdims=True) / m
        if l > 1:
            dZ = parameters['W' + str(l)].T.dot(dZ) * leaky_relu_prime(caches[l - 2][1])
    return grads


def update_parameters(parameters, grads, velocity, learning_rate, momentum):
    for key in parameters:
        velocity['d' + key] *= momentum
        velocity['d' + key] -= learning_rate * grads['d' + key]
        parameters[key] += velocity['d' + key]
    return parameters, velocity


def train(X, Y, dims, settings, iterations, lambd=0.0):
    np.random.seed(4)
    parameters, velocity = {}, {}
    for l in range(1, len(dims)):
        parameters['W' + str(l)] = np.random.randn(dims[l], dims[l - 1]) * np.sqrt(2.0 / dims[l - 1])
        parameters['b' + str(l)] = np.zeros((dims[l], 1))
    for key in parameters:
        velocity['d' + key] = np.zeros_like(parameters[key])
    learning_rate, momentum = settings.learning_rate, settings.momentum
    costs = []
    for epoch in range(iterations):
        prediction, caches = model_forward(X, parameters)
        grads = model_backward(prediction, Y, caches, parameters, lambd)
        parameters, velocity = update_parameters(parameters, grads, velocity, learning_rate, momentum)
        if epoch % 60 == 0 or epoch == iterations - 1:
            loss = mse(prediction, Y)
            costs.append(loss)
            print('epoch', epoch, 'loss %.7f' % loss)
    return parameters, costs, velocity


rng = np.random.RandomState(11)
X = rng.randn(5, 120)
Y = np.vstack([np.abs(X[0]) - X[1], X[2] * X[3]]) + 0.05 * rng.randn(2, 120)
parameters, costs, velocity = train(X, Y, [5, 10, 6, 2], Settings, 300)
smaller, _, _ = train(X, Y, [5, 10, 2], Settings, 300, lambd=2.0)
print('norms: %.5f %.5f' % (np.linalg.norm(parameters['W1']), np.linalg.norm(smaller['W1'])))
