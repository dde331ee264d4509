# %% [markdown]
# # Who survives? A table of passengers, with a network written by hand

# %%
import numpy as np
import pandas as pd

# %%
np.random.seed(5)
n = 60
df = pd.DataFrame({
    "age": np.random.randint(1, 70, n),
    "fare": np.random.gamma(2.0, 15.0, n).round(2),
    "sex": np.random.choice(["male", "female"], n),
    "class": np.random.choice(["first", "second", "third"], n),
})
df["survived"] = ((df["sex"] == "female") & (df["class"] != "third") | (df["age"] < 12)).astype(int)
df.loc[::17, "age"] = np.nan

# %%
df["age"] = df["age"].fillna(df["age"].median())
df["fare"] = (df["fare"] - df["fare"].mean()) / df["fare"].std()
df["age"] = (df["age"] - df["age"].mean()) / df["age"].std()
table = pd.get_dummies(df.drop(columns="survived"), columns=["sex", "class"])
print(table.columns.tolist())
X = table.astype(float).T
Y = df["survived"].values.reshape(1, -1)
print(type(X).__name__, X.shape, Y.shape)

# %%
def sigmoid(Z):
    return 1/(1 + np.exp(-Z)), Z

def relu(Z):
    return np.maximum(0, Z), Z

def relu_backward(dA, cache):
    dZ = np.array(dA, copy=True)
    dZ[np.asarray(cache) <= 0] = 0
    return dZ

def sigmoid_backward(dA, cache):
    s = 1/(1 + np.exp(-cache))
    return dA * s * (1 - s)

def initialize_parameters_deep(layer_dims):
    np.random.seed(3)
    parameters = {}
    for l in range(1, len(layer_dims)):
        parameters["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l-1]) * np.sqrt(2. / layer_dims[l-1])
        parameters["b" + str(l)] = np.zeros((layer_dims[l], 1))
    return parameters

def linear_forward(A, W, b):
    return np.dot(W, A) + b, (A, W, b)

def linear_activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = sigmoid(Z) if activation == "sigmoid" else relu(Z)
    return A, (linear_cache, activation_cache)

def L_model_forward(X, parameters):
    caches, A, L = [], X, len(parameters) // 2
    for l in range(1, L):
        A, cache = linear_activation_forward(A, parameters["W" + str(l)], parameters["b" + str(l)], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters["W" + str(L)], parameters["b" + str(L)], "sigmoid")
    return AL, caches + [cache]

def compute_cost(AL, Y):
    cost = -np.mean(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
    return cost

def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    return np.dot(W.T, dZ), np.dot(dZ, A_prev.T) / m, np.sum(dZ, axis=1, keepdims=True) / m

def linear_activation_backward(dA, cache, activation):
    linear_cache, activation_cache = cache
    dZ = relu_backward(dA, activation_cache) if activation == "relu" else sigmoid_backward(dA, activation_cache)
    return linear_backward(dZ, linear_cache)

def L_model_backward(AL, Y, caches):
    grads, L = {}, len(caches)
    dA = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    for l in reversed(range(L)):
        dA, dW, db = linear_activation_backward(dA, caches[l], "sigmoid" if l == L - 1 else "relu")
        grads["dA" + str(l)], grads["dW" + str(l + 1)], grads["db" + str(l + 1)] = dA, dW, db
    return grads

def update_parameters(parameters, grads, learning_rate):
    for l in range(1, len(parameters) // 2 + 1):
        parameters["W" + str(l)] = parameters["W" + str(l)] - learning_rate * grads["dW" + str(l)]
        parameters["b" + str(l)] = parameters["b" + str(l)] - learning_rate * grads["db" + str(l)]
    return parameters

# %%
def L_layer_model(X, Y, layers_dims, learning_rate=0.0075, num_iterations=3000, print_cost=False):
    costs = []
    parameters = initialize_parameters_deep(layers_dims)
    for i in range(num_iterations):
        AL, caches = L_model_forward(X, parameters)
        cost = compute_cost(AL, Y)
        grads = L_model_backward(AL, Y, caches)
        parameters = update_parameters(parameters, grads, learning_rate)
        if i % 50 == 0:
            costs.append(cost)
            if print_cost:
                print("Cost after iteration", i, ":", round(float(cost), 6))
    return parameters, costs

def predict(X, parameters):
    AL, _ = L_model_forward(X, parameters)
    return pd.Series(np.asarray(AL).ravel() > 0.5).astype(int)

# %%
layers_dims = [X.shape[0], 8, 4, 1]
parameters, costs = L_layer_model(X, Y, layers_dims, 0.3, 300, print_cost=True)

# %%
guess = predict(X, parameters)
right = (guess == df["survived"]).mean()
print("right:", right)
print(pd.crosstab(guess, df["survived"]))
