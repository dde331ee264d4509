# L2 regularization: lambd in the cost and in the backward functions
import numpy as np
import matplotlib.pyplot as plt


def sigmoid(Z):
    A = 1/(1+np.exp(-Z))
    return A, Z

def relu(Z):
    return np.maximum(0, Z), Z

def sigmoid_backward(dA, cache):
    s = 1/(1+np.exp(-cache))
    return dA * s * (1-s)

def relu_backward(dA, cache):
    dZ = np.array(dA, copy=True)
    dZ[cache <= 0] = 0
    return dZ

def initialize_parameters_deep(layer_dims):
    np.random.seed(3)
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters['W' + str(l)] = np.random.randn(layer_dims[l], layer_dims[l-1]) / np.sqrt(layer_dims[l-1])
        parameters['b' + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters

def linear_forward(A, W, b):
    return np.dot(W, A) + b, (A, W, b)

def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    if activation == "sigmoid":
        A, activation_cache = sigmoid(Z)
    elif activation == "relu":
        A, activation_cache = relu(Z)
    return A, (linear_cache, activation_cache)

def L_model_forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):
        A, cache = linear_activation_forward(A, parameters['W' + str(l)], parameters['b' + str(l)], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters['W' + str(L)], parameters['b' + str(L)], "sigmoid")
    caches.append(cache)
    return AL, caches

def compute_cost(AL, Y, parameters, lambd):
    m = Y.shape[1]
    cross_entropy = -np.sum(Y*np.log(AL) + (1-Y)*np.log(1-AL)) / m
    L2 = 0
    for l in range(1, len(parameters)//2 + 1):
        L2 += np.sum(np.square(parameters['W' + str(l)]))
    return cross_entropy + lambd/(2*m) * L2

def linear_backward(dZ, cache, lambd=0.):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T)/m + lambd/m * W
    db = np.sum(dZ, axis=1, keepdims=True)/m
    return np.dot(W.T, dZ), dW, db

def linear_activation_backward(dA, cache, activation, lambd=0.):
    linear_cache, activation_cache = cache
    if activation == "relu":
        dZ = relu_backward(dA, activation_cache)
    elif activation == "sigmoid":
        dZ = sigmoid_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache, lambd)

def L_model_backward(AL, Y, caches, lambd=0.7):
    grads = {}
    L = len(caches)
    Y = Y.reshape(AL.shape)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    grads["dA" + str(L-1)], grads["dW" + str(L)], grads["db" + str(L)] = linear_activation_backward(dAL, caches[L-1], "sigmoid", lambd)
    for l in reversed(range(L-1)):
        grads["dA" + str(l)], grads["dW" + str(l+1)], grads["db" + str(l+1)] = \
            linear_activation_backward(grads["dA" + str(l+1)], caches[l], "relu", lambd = lambd)
    return grads

def update_parameters(parameters, grads, learning_rate):
    for l in range(len(parameters) // 2):
        parameters["W" + str(l+1)] = parameters["W" + str(l+1)] - learning_rate * grads["dW" + str(l+1)]
        parameters["b" + str(l+1)] = parameters["b" + str(l+1)] - learning_rate * grads["db" + str(l+1)]
    return parameters

def L_layer_model(X, Y, layers_dims, learning_rate = 0.0075, num_iterations = 3000, print_cost=False, lambd = 0.7):
    np.random.seed(1)
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(0, num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y, parameters, lambd)
        grads = L_model_backward(AL, Y, caches, lambd=lambd)
        parameters = update_parameters(parameters, grads, learning_rate)
        if print_cost and i % 100 == 0:
            print("Cost after iteration %i: %f" % (i, cost))
            costs.append(cost)
    plt.plot(np.squeeze(costs))
    plt.ylabel('cost')
    plt.title("lambd = " + str(lambd))
    plt.show()
    return parameters

np.random.seed(55)
X = np.random.randn(6, 58)
Y = (X[:1] + 0.5*np.random.randn(1, 58) > 0).astype(int)
parameters = L_layer_model(X, Y, [6, 10, 1], learning_rate = 0.2, num_iterations = 300, print_cost = True)
without = L_layer_model(X, Y, [6, 10, 1], learning_rate = 0.2, num_iterations = 300, print_cost = True, lambd = 0)
print("norms of W1: %.6f with, %.6f without" % (np.linalg.norm(parameters["W1"]), np.linalg.norm(without["W1"])))

# without lambd, one layer backward is the plain one
Z, linear_cache = linear_forward(X, parameters["W1"], parameters["b1"])
_, plain, _ = linear_backward(np.ones_like(Z), linear_cache)
_, regular, _ = linear_backward(np.ones_like(Z), linear_cache, 0.7)
print(np.allclose(regular - plain, 0.7 / 58 * parameters["W1"]))
