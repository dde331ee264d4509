#!/usr/bin/env python3
"""Train a small network on generated data: python command_line.py --iterations 200 --hidden 6 4"""
import argparse
import sys

import numpy as np

RESULTS = {}


def sigmoid(Z):
    A = np.exp(-np.logaddexp(0, -Z))
    return A, Z


def relu(Z):
    A = np.maximum(Z, 0)
    return A, Z


def relu_backward(dA, cache):
    Z = cache
    return dA * (Z > 0)


def sigmoid_backward(dA, cache):
    A, Z = sigmoid(cache)
    return dA * A * (1 - A)


def initialize_parameters_deep(layer_dims):
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters['W' + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * 0.01
        parameters['b' + str(l)] = np.zeros(shape=(layer_dims[l], 1))
    return parameters


def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    return Z, (A, W, b)


def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    if activation == 'sigmoid':
        A, activation_cache = sigmoid(Z)
    if activation == 'relu':
        A, activation_cache = relu(Z)
    return A, (linear_cache, activation_cache)


def L_model_forward(X, parameters):
    caches = []
    A = X
    L = int(len(parameters) / 2)
    for l in range(1, L):
        A, cache = linear_activation_forward(A, parameters[f'W{l}'], parameters[f'b{l}'], activation='relu')
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters[f'W{L}'], parameters[f'b{L}'], activation='sigmoid')
    caches.append(cache)
    return AL, caches


def compute_cost(AL, Y):
    m = Y.shape[1]
    cost = -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m
    return np.squeeze(cost)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1).reshape(b.shape) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    if activation == 'relu':
        dZ = relu_backward(dA, activation_cache)
    if activation == 'sigmoid':
        dZ = sigmoid_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache)


def L_model_backward(AL, Y, caches):
    L = len(caches)
    Y = Y.reshape(AL.shape)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    grads = {}
    dA_prev, dW, db = linear_activation_backward(dAL, caches[L - 1], activation='sigmoid')
    grads[f'dA{L - 1}'], grads[f'dW{L}'], grads[f'db{L}'] = dA_prev, dW, db
    for l in reversed(range(L - 1)):
        dA_prev, dW, db = linear_activation_backward(dA_prev, caches[l], activation='relu')
        grads[f'dA{l}'], grads[f'dW{l + 1}'], grads[f'db{l + 1}'] = dA_prev, dW, db
    return grads


def update_parameters(parameters, grads, learning_rate):
    L = len(parameters) // 2
    for l in range(1, L + 1):
        parameters[f'W{l}'] = parameters[f'W{l}'] - learning_rate * grads[f'dW{l}']
        parameters[f'b{l}'] = parameters[f'b{l}'] - learning_rate * grads[f'db{l}']
    return parameters


def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 100 == 0:
            if print_cost:
                print('Cost after iteration {}: {:.6f}'.format(i, float(cost)))
            costs.append(cost)
    RESULTS['costs'] = costs
    return parameters


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--iterations', type=int, default=250)
    parser.add_argument('--rate', type=float, default=0.9)
    parser.add_argument('--hidden', type=int, nargs='*', default=[5])
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--goal', type=float, default=0.9, help='exit with 3 below this accuracy')
    return parser.parse_args(argv)


def main(argv=None):
    args = parse(argv)
    np.random.seed(args.seed)
    X = np.random.normal(size=(5, 60))
    Y = (X[[0]] - X[[4]] + np.random.normal(scale=0.5, size=(1, 60)) > 0) * 1.0
    parameters = L_layer_model(X, Y, [5] + args.hidden + [1], args.rate, args.iterations, print_cost=True)
    AL, _ = L_model_forward(X, parameters)
    accuracy = np.mean((AL > 0.5) == Y)
    RESULTS.update(parameters=parameters, AL=AL)
    print('accuracy %.3f' % accuracy)
    return 0 if accuracy >= args.goal else 3


if __name__ == '__main__':
    sys.exit(main())
