"""Full-batch gradient descent, compiled: the direct algorithm.

X is read once an iteration, dA0 is never formed, nothing of the size of m is allocated. The output layer uses the fused
gradient of sigmoid and cross-entropy, dZ_L = A_L - Y.
"""

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.intrinsics import load_flag
from fastbackprop.kernels.jit import COSTS, FLAT, IN, INT, REAL, TABLE, entry
from fastbackprop.kernels.matrix import Matrix, matrix
from fastbackprop.kernels.network import DIVERGED, DONE, STOPPED, net_of, stays_finite, step
from fastbackprop.kernels.sweep import plan, sweep


@entry(IN, FLAT, TABLE, FLAT, FLAT, REAL, INT, INT, INT, COSTS, TABLE, TABLE)
def direct_descent(X, Y, sizes, W, b, learning_rate, begin, end, every, costs, state, team):
    """Iterations `begin` .. `end` - 1 of W <- W - learning_rate dW, likewise b; gives the first iteration not done.

    X (n_0, m), Y (m), sizes n_0 .. n_L, W and b all layers' in one row, updated in place. costs[i // every] is the cost
    before iteration i, for every `every`-th. state[0] not 0 stops within a block; state[1] tells DONE, STOPPED, or
    DIVERGED: the iteration would have made parameters that are not finite. Either leaves them as the iteration found them.
    """
    net = net_of(sizes, 1)
    m = X.shape[1]
    one = one_of(W[0])
    rate, mean = W.dtype.type(learning_rate), one / W.dtype.type(m)
    inputs, labels = matrix(X), Matrix(Y, 0, m, 1)
    weights, biases = Matrix(W, 0, 1, 1), Matrix(b, 0, 1, 1)
    p = plan(net, 1, m, one, inputs, W.size, team)
    dW, db = p.sums, Matrix(p.sums.data, p.sums.at + W.size, 1, 1)
    state[1] = DONE
    for iteration in range(begin, end):
        total = sweep(net, p, mean, inputs, labels, weights, biases, inputs, iteration % every == 0, state, team)
        if load_flag(state, 0) != 0:
            state[1] = STOPPED
            return iteration
        if iteration % every == 0:
            costs[iteration // every] = total / m
        if not (stays_finite(W.size, weights, dW, rate) and stays_finite(b.size, biases, db, rate)):
            state[1] = DIVERGED
            return iteration
        step(W.size, weights, dW, rate)
        step(b.size, biases, db, rate)
    return end
