"""Digits-like classes: tanh layers, softmax, Adam on the whole data, with the cost of every iteration in a list."""
import numpy as np

CLASSES = 4


def one_hot(labels):
    return np.eye(CLASSES)[labels].T


def init_params(dims, rng):
    params = {}
    for l in range(1, len(dims)):
        params[f"W{l}"] = rng.standard_normal((dims[l], dims[l - 1])) / np.sqrt(dims[l - 1])
        params[f"b{l}"] = np.zeros((dims[l], 1))
    return params


def softmax(Z):
    T = np.exp(Z - np.max(Z, axis=0))
    return T / T.sum(axis=0)


def forward(X, params):
    A = X
    activations = [X]
    L = len(params) // 2
    for l in range(1, L):
        A = np.tanh(params[f"W{l}"] @ A + params[f"b{l}"])
        activations.append(A)
    return softmax(params[f"W{L}"] @ A + params[f"b{L}"]), activations


def cross_entropy(P, Y):
    return -np.mean(np.sum(Y * np.log(P), axis=0))


def backward(P, Y, activations, params):
    m = Y.shape[1]
    L = len(params) // 2
    grads = {}
    dZ = P - Y
    for l in range(L, 0, -1):
        A_prev = activations[l - 1]
        grads[f"W{l}"] = dZ @ A_prev.T / m
        grads[f"b{l}"] = dZ.mean(axis=1, keepdims=True)
        if l > 1:
            dZ = (params[f"W{l}"].T @ dZ) * (1 - A_prev**2)
    return grads


def update_parameters_adam(params, grads, m, v, t, lr, b1=0.9, b2=0.999, eps=1e-8):
    new = {}
    m_new, v_new = {}, {}
    for k in params:
        m_new[k] = b1 * m[k] + (1 - b1) * grads[k]
        v_new[k] = b2 * v[k] + (1 - b2) * grads[k] ** 2
        m_hat = m_new[k] / (1 - b1**t)
        v_hat = v_new[k] / (1 - b2**t)
        new[k] = params[k] - lr * m_hat / (np.sqrt(v_hat) + eps)
    return new, m_new, v_new


def fit(X, Y, dims, lr=0.02, steps=400, report=100):
    rng = np.random.default_rng(12)
    params = init_params(dims, rng)
    m = {k: np.zeros_like(p) for k, p in params.items()}
    v = {k: np.zeros_like(p) for k, p in params.items()}
    costs = []
    for step in range(1, steps + 1):
        P, activations = forward(X, params)
        loss = cross_entropy(P, Y)
        grads = backward(P, Y, activations, params)
        params, m, v = update_parameters_adam(params, grads, m, v, step, lr)
        costs.append(loss)
        if step % report == 0:
            print(f"step {step:4d}  loss {loss:.6f}")
    return params, costs, m, v


rng = np.random.default_rng(40)
labels = rng.integers(0, CLASSES, 160)
centres = np.array([[1.5, 0, 0, -1], [0, 1.5, 0, -1], [0, 0, 1.5, -1]])
X = centres[:, labels] + 0.8 * rng.standard_normal((3, 160))
params, costs, m, v = fit(X, one_hot(labels), [3, 12, 8, CLASSES])
guess = forward(X, params)[0].argmax(axis=0)
print("right:", (guess == labels).sum(), "of", labels.size)
