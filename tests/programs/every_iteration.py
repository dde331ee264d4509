# A cost at every iteration, updates in place, all names written out for two hidden layers or any number
import numpy as np
import matplotlib.pyplot as plt

def sigmoid(Z):
    return 1/(1+np.exp(-Z)), Z

def relu(Z):
    return np.maximum(0, Z), Z

def sigmoid_backward(dA, cache):
    A = 1/(1+np.exp(-cache))
    return dA*A*(1-A)

def relu_backward(dA, cache):
    g = np.zeros(cache.shape)
    g[cache > 0] = 1
    return dA*g

def initialize_parameters_deep(layer_dims):
    np.random.seed(1)
    p = dict()
    for i in range(len(layer_dims)-1):
        p["W"+str(i+1)] = np.random.randn(layer_dims[i+1], layer_dims[i])/np.sqrt(layer_dims[i])
        p["b"+str(i+1)] = np.zeros((layer_dims[i+1], 1))
    return p

def linear_forward(A, W, b):
    return np.dot(W, A)+b, (A, W, b)

def linear_activation_forward(A_prev, W, b, activation):
    Z, lc = linear_forward(A_prev, W, b)
    if activation == "relu": A, ac = relu(Z)
    if activation == "sigmoid": A, ac = sigmoid(Z)
    return A, (lc, ac)

def L_model_forward(X, parameters):
    A = X; caches = []
    L = len(parameters)//2
    for l in range(1, L):
        A, c = linear_activation_forward(A, parameters["W"+str(l)], parameters["b"+str(l)], "relu")
        caches.append(c)
    AL, c = linear_activation_forward(A, parameters["W"+str(L)], parameters["b"+str(L)], "sigmoid")
    caches.append(c)
    return AL, caches

def compute_cost(AL, Y):
    m = Y.shape[1]
    return -1/m*np.sum(Y*np.log(AL)+(1-Y)*np.log(1-AL))

def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T)/m
    db = np.sum(dZ, axis=1, keepdims=True)/m
    return np.dot(W.T, dZ), dW, db

def linear_activation_backward(dA, cache, activation):
    lc, ac = cache
    if activation == "relu": dZ = relu_backward(dA, ac)
    if activation == "sigmoid": dZ = sigmoid_backward(dA, ac)
    return linear_backward(dZ, lc)

def L_model_backward(AL, Y, caches):
    grads = {}; L = len(caches)
    dA = -Y/AL+(1-Y)/(1-AL)
    for l in range(L-1, -1, -1):
        dA, grads["dW"+str(l+1)], grads["db"+str(l+1)] = linear_activation_backward(dA, caches[l], "sigmoid" if l == L-1 else "relu")
    return grads

def update_parameters(parameters, grads, learning_rate):
    for l in range(1, len(parameters)//2+1):
        parameters["W"+str(l)] -= learning_rate*grads["dW"+str(l)]
        parameters["b"+str(l)] -= learning_rate*grads["db"+str(l)]

def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    W1_at_start = parameters["W1"].copy()
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        update_parameters(parameters, grads, learning_rate)
        costs.append(cost)
        if print_cost and i%60 == 0: print("Cost after iteration", i, "is", cost)
    print("Final cost: {}, W1 moved by {:.5f}".format(cost, np.abs(parameters["W1"] - W1_at_start).max()))
    return parameters, costs

np.random.seed(77)
X = np.random.randn(9, 42)
Y = (np.abs(X[:1]) > np.abs(X[1:2])).astype(float)
parameters, costs = L_layer_model(X, Y, (9, 8, 1), .5, 200, True)
plt.plot(costs, label="cost"); plt.legend(); plt.savefig("cost.png")
print(len(costs), min(costs) == costs[-1])
AL = L_model_forward(X, parameters)[0]
