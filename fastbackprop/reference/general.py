"""General training, in NumPy: ``[LINEAR -> hidden] * (L - 1) -> LINEAR -> output`` by mini-batches and any update rule.

The loop puts the ideas of the other pages together, each of which is written there: ``activations``, ``outputs``,
``optimizers``, ``regularization``, ``mini_batches``. Shapes are those of the fourteen functions; ``Y`` has n_L rows.
"""

import numpy as np

from fastbackprop.reference import activations, linear_forward, outputs
from fastbackprop.reference.mini_batches import mini_batches
from fastbackprop.reference.optimizers import step
from fastbackprop.reference.regularization import l2_gradient, l2_penalty


def forward(X, parameters, *, hidden):
    """``A_l = g(W_l A_{l-1} + b_l)`` up to the last layer's logits; returns ``[A_0 .. A_{L-1}], Z_L`` with ``A_0 = X``."""
    g, _ = activations.functions_of(hidden)
    L = len(parameters) // 2
    A = [X]
    for l in range(1, L):
        Z, _ = linear_forward(A[l - 1], parameters[f"W{l}"], parameters[f"b{l}"])
        A.append(g(Z))
    Z_L, _ = linear_forward(A[L - 1], parameters[f"W{L}"], parameters[f"b{L}"])
    return A, Z_L


def cost_and_gradients(X, Y, parameters, *, hidden, output, l2=0.0, weights=None):
    """The data term of the cost, the penalty, and the gradients ``dW1, db1, ..`` of their sum.

    ``dW_l = dZ_l A_{l-1}^T / m + l2 / m W_l`` and ``db_l = rowsum(dZ_l) / m``; with weights of examples m is their sum.
    """
    _, g_gradient = activations.functions_of(hidden)
    value, _ = outputs.functions_of(output)
    L = len(parameters) // 2
    m = outputs.total(X.shape[1], weights)
    A, Z_L = forward(X, parameters, hidden=hidden)
    cost = outputs.cost(output, Z_L, Y, weights)

    grads = {}
    dZ = outputs.gradient(value(Z_L), Y, weights)
    for l in range(L, 0, -1):
        W = parameters[f"W{l}"]
        grads[f"dW{l}"] = np.dot(dZ, A[l - 1].T) / m + l2_gradient(W, l2, m)
        grads[f"db{l}"] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dZ = g_gradient(np.dot(W.T, dZ), A[l - 1])
    return cost, l2_penalty(parameters, l2, m), grads


def descend(
    X,
    Y,
    layers_dims,
    parameters,
    *,
    hidden,
    output,
    optimizer,
    l2=0.0,
    batch_size=None,
    orders=None,
    epochs,
    weights=None,
):
    """Training from ``parameters``; returns ``parameters, costs``, one cost an epoch.

    ``orders[epoch]`` is the order in which that epoch takes the examples, and None stands for the order in which they lie.
    ``weights (m,)`` are the examples', of a positive sum in each batch. A batch's cost, data term and penalty, is that before
    its update; an epoch's is their mean, each counted as often as it has examples.
    """
    parameters = {f"{name}{l}": parameters[f"{name}{l}"] for l in range(1, len(layers_dims)) for name in "Wb"}
    state: dict = {}
    costs = []
    for epoch in range(epochs):
        batches = mini_batches(X.shape[1], batch_size, None if orders is None else orders[epoch])
        batch_costs = []
        for batch in batches:
            w = None if weights is None else weights[batch]
            cost, penalty, grads = cost_and_gradients(
                X[:, batch], Y[:, batch], parameters, hidden=hidden, output=output, l2=l2, weights=w
            )
            parameters = step(optimizer, parameters, grads, state)
            batch_costs.append(cost + penalty)
        costs.append(float(np.average(batch_costs, weights=[len(batch) for batch in batches])))
    return parameters, costs
