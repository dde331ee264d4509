# A network as a class: its methods call the functions of the course
import numpy as np


def sigmoid(Z):
    A = 1 / (1 + np.exp(-Z))
    return A, Z


def relu(Z):
    A = np.maximum(0, Z)
    return A, Z


def relu_backward(dA, cache):
    dZ = np.array(dA, copy=True)
    dZ[cache <= 0] = 0
    return dZ


def sigmoid_backward(dA, cache):
    s = 1 / (1 + np.exp(-cache))
    return dA * s * (1 - s)


def linear_forward(A, W, b):
    return np.dot(W, A) + b, (A, W, b)


def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = relu(Z) if activation == "relu" else sigmoid(Z)
    return A, (linear_cache, activation_cache)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T) / m, np.sum(dZ, axis=1, keepdims=True) / m


def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    dZ = relu_backward(dA, activation_cache) if activation == "relu" else sigmoid_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache)


def compute_cost(AL, Y):
    m = Y.shape[1]
    return np.squeeze(-(np.dot(Y, np.log(AL).T) + np.dot(1 - Y, np.log(1 - AL).T)) / m)


class DeepNet:
    def __init__(self, layers, seed=0):
        self.rng = np.random.RandomState(seed)
        self.W = [self.rng.randn(n, n_prev) / np.sqrt(n_prev) for n_prev, n in zip(layers, layers[1:])]
        self.b = [np.zeros((n, 1)) for n in layers[1:]]
        self.costs = []

    def activation(self, l):
        return "sigmoid" if l == len(self.W) - 1 else "relu"

    def forward(self, X):
        A, caches = X, []
        for l in range(len(self.W)):
            A, cache = linear_activation_forward(A, self.W[l], self.b[l], self.activation(l))
            caches.append(cache)
        return A, caches

    def fit(self, X, Y, learning_rate, num_iterations):
        for i in range(num_iterations):
            AL, caches = self.forward(X)
            if i % 20 == 0:
                self.costs.append(compute_cost(AL, Y))
                print("%4d %.6f" % (i, self.costs[-1]))
            dA = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
            for l in reversed(range(len(self.W))):
                dA, dW, db = linear_activation_backward(dA, caches[l], self.activation(l))
                self.W[l] = self.W[l] - learning_rate * dW
                self.b[l] = self.b[l] - learning_rate * db
        return self

    def predict(self, X):
        return (self.forward(X)[0] > 0.5).astype(int)


np.random.seed(14)
X = np.random.randn(5, 40)
Y = (X[:1] + X[1:2] * X[2:3] > 0).astype(int)
net = DeepNet([5, 7, 3, 1], seed=6).fit(X, Y, 0.3, 200)
costs = net.costs
weights = net.W + net.b
print("accuracy", (net.predict(X) == Y).mean())
