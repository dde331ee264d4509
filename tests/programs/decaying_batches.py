# Mini-batches of three classes, the learning rate decays, orders come from numpy's generator as it stands
import numpy as np


def relu(Z):
    return np.maximum(Z, 0)


def softmax(Z):
    expZ = np.exp(Z - Z.max(0, keepdims=True))
    return expZ / expZ.sum(0, keepdims=True)


def forward_pass(X, params):
    A1 = relu(params['W1'] @ X + params['b1'])
    A2 = softmax(params['W2'] @ A1 + params['b2'])
    return A2, (X, A1, A2)


def loss_of(A2, Y):
    return -np.sum(Y * np.log(A2 + 1e-9)) / Y.shape[1]


def backward_pass(Y, cache, params, lambd):
    X, A1, A2 = cache
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m + (lambd / m) * params['W2']
    db2 = dZ2.sum(1, keepdims=True) / m
    dZ1 = (params['W2'].T @ dZ2) * (A1 > 0)
    dW1 = dZ1 @ X.T / m + (lambd / m) * params['W1']
    db1 = dZ1.sum(1, keepdims=True) / m
    return {'dW1': dW1, 'db1': db1, 'dW2': dW2, 'db2': db2}


def update_parameters(params, grads, lr):
    return {key: params[key] - lr * grads['d' + key] for key in params}


def make_batches(X, Y, batch_size):
    order = np.random.permutation(X.shape[1])
    return [(X[:, order[k:k + batch_size]], Y[:, order[k:k + batch_size]]) for k in range(0, X.shape[1], batch_size)]


def decayed(lr0, epoch, rate):
    return lr0 / (1 + rate * epoch)


def train(X, Y, n_hidden, lr0=0.5, rate=0.01, epochs=200, batch_size=32, lambd=0.1):
    params = {
        'W1': np.random.randn(n_hidden, X.shape[0]) * 0.3, 'b1': np.zeros((n_hidden, 1)),
        'W2': np.random.randn(Y.shape[0], n_hidden) * 0.3, 'b2': np.zeros((Y.shape[0], 1)),
    }
    costs, accuracies = [], []
    for epoch in range(epochs):
        lr = decayed(lr0, epoch, rate)
        batches = make_batches(X, Y, batch_size)
        for j, (xb, yb) in enumerate(batches):
            A2, cache = forward_pass(xb, params)
            grads = backward_pass(yb, cache, params, lambd)
            params = update_parameters(params, grads, lr)
        if epoch % 40 == 0:
            full, _ = forward_pass(X, params)
            costs.append(loss_of(full, Y))
            accuracies.append(np.mean(full.argmax(0) == Y.argmax(0)))
            print('epoch {:3d} lr {:.4f} loss {:.5f} accuracy {:.3f}'.format(epoch, lr, costs[-1], accuracies[-1]))
    return params, costs, accuracies, lr


np.random.seed(21)
labels = np.arange(150) % 3
X = np.array([[2, -1, -1], [0, 1.7, -1.7]])[:, labels] + np.random.randn(2, 150)
params, costs, accuracies, lr = train(X, np.eye(3)[labels].T, 7)
afterwards = np.random.randn()
