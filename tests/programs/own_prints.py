# My network. The update makes a new dict; the costs go into one list for all runs; prints as I like them.
import numpy as np

COSTS = []
np.random.seed(21)


def sigmoid(z):
    return 1 / (1 + np.exp(-z)), z


def relu(z):
    a = z.copy()
    a[a < 0] = 0
    return a, z


def sigmoid_backward(dA, cache):
    a, _ = sigmoid(cache)
    return dA * (a - a * a)


def relu_backward(dA, cache):
    return dA * np.where(cache > 0, 1, 0)


def initialize_parameters_deep(layer_dims):
    rng = np.random.RandomState(2)
    parameters = {}
    for l in range(1, len(layer_dims)):
        bound = np.sqrt(6.0 / (layer_dims[l] + layer_dims[l - 1]))     # Xavier
        parameters["W%i" % l] = rng.uniform(-bound, bound, size=(layer_dims[l], layer_dims[l - 1]))
        parameters["b%i" % l] = np.zeros((layer_dims[l], 1))
    return parameters


def linear_forward(A, W, b):
    return W.dot(A) + b, (A, W, b)


def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    if activation == "sigmoid":
        A, activation_cache = sigmoid(Z)
    else:
        A, activation_cache = relu(Z)
    return A, (linear_cache, activation_cache)


def L_model_forward(X, parameters):
    L = len(parameters) // 2
    caches = []
    A = X
    for l in range(1, L + 1):
        A, cache = linear_activation_forward(A, parameters["W%i" % l], parameters["b%i" % l], "sigmoid" if l == L else "relu")
        caches.append(cache)
    return A, caches


def compute_cost(AL, Y):
    return np.squeeze(-(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)).mean())


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = dZ.shape[1]
    return W.T.dot(dZ), dZ.dot(A_prev.T) / m, dZ.sum(axis=1, keepdims=True) / m


def linear_activation_backward(dA, cache, activation):
    if activation == "sigmoid":
        return linear_backward(sigmoid_backward(dA, cache[1]), cache[0])
    return linear_backward(relu_backward(dA, cache[1]), cache[0])


def L_model_backward(AL, Y, caches):
    L = len(caches)
    grads = {}
    grads["dA%i" % L] = (1 - Y) / (1 - AL) - Y / AL
    for l in range(L, 0, -1):
        activation = "sigmoid" if l == L else "relu"
        grads["dA%i" % (l - 1)], grads["dW%i" % l], grads["db%i" % l] = linear_activation_backward(
            grads["dA%i" % l], caches[l - 1], activation)
    del grads["dA%i" % L]
    return grads


def update_parameters(parameters, grads, learning_rate):
    new = {}
    for name, value in parameters.items():
        new[name] = value - learning_rate * grads["d" + name]
    return new


def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 25 == 0:
            COSTS.append((i, float(cost)))
        if print_cost and i % 50 == 0:
            accuracy = np.mean((AL > 0.5) == (Y > 0.5))
            print(f"epoch {i:>4} | loss {cost:.5f} | acc {accuracy:6.2%} | #dW1 {np.abs(grads['dW1']).max():.3e}")
    print("done after", i + 1, "epochs, loss", cost)
    return parameters


X = np.random.rand(3, 48) * 2 - 1
Y = (X[0:1] ** 2 + X[1:2] ** 2 < 0.6).astype(np.float64)

first = L_layer_model(X, Y, [3, 10, 1], 0.6, 251, print_cost=True)
second = L_layer_model(X, Y, [3, 5, 5, 1], learning_rate=0.6, num_iterations=200)
costs = [cost for _, cost in COSTS[:11]]
p = L_model_forward(X, first)[0]
print(np.round(p[0, :6], 4))
print(len(COSTS), "costs")
