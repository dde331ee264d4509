import numpy as np
import matplotlib.pyplot as plt

import my_helper as dnn

rng = np.random.RandomState(8)
X = rng.uniform(-1, 1, (4, 55))
Y = (X[:1] * X[1:2] > 0).astype(float)

figure, axes = plt.subplots(1, 2, figsize=(8, 3))
results = {}
for rate in (0.4, 1.2):
    parameters, costs = dnn.L_layer_model(X, Y, [4, 12, 1], rate, 300, print_cost=(rate > 1))
    results[rate] = costs
    dnn.plot_costs(costs, "rate %s" % rate, axes[0])
    accuracy = np.mean(dnn.predict(X, parameters) == Y)
    print("rate", rate, "accuracy", round(accuracy * 100, 2), "%")

axes[1].scatter(X[0], X[1], c=dnn.predict(X, parameters).ravel())
axes[1].set_title("what it says")
plt.tight_layout()
plt.savefig("costs.png")

# three seeds
for seed in range(3):
    parameters, costs = dnn.L_layer_model(X, Y, layers_dims=[4, 6, 1], learning_rate=0.8, num_iterations=120, seed=seed)
    print("seed %d: %.6f" % (seed, costs[-1]))
