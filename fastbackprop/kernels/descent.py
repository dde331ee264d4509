"""Full-batch gradient descent, compiled: the direct algorithm.

X is read once an iteration, dA0 is never formed, nothing of the size of m is allocated. The output layer uses the fused
gradient of sigmoid and cross-entropy, dZ_L = A_L - Y.
"""

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.jit import entry, inner
from fastbackprop.kernels.kinds import COSTS, FLAT, IN, INT, REAL, TABLE
from fastbackprop.kernels.matrix import Matrix, matrix
from fastbackprop.kernels.memory import bare, load_flag
from fastbackprop.kernels.network import DIVERGED, DONE, STOPPED, bare_net, keep_net, net_of, stays_finite, step
from fastbackprop.kernels.sweep import bare_plan, keep_plan, plan, sweep
from fastbackprop.kernels.threads import claim, release


@inner
def _iterate(net, p, X, Y, W, b, rate, largest, mean, begin, end, every, costs, state, team):
    n_weights, n_biases = net.weight_at[net.L + 1], net.unit_at[net.L + 1]
    dW, db = p.sums, Matrix(p.sums.data, p.sums.at + n_weights, 1, 1)
    first_cost = -(-begin // every)
    state[1] = DONE
    for iteration in range(begin, end):
        total = sweep(net, p, mean, X, Y, W, b, X, iteration % every == 0, state, team)
        if load_flag(state, 0) != 0:
            state[1] = STOPPED
            return iteration
        if iteration % every == 0:
            costs[iteration // every - first_cost] = total / p.m
        if not (stays_finite(n_weights, W, dW, rate, largest) and stays_finite(n_biases, b, db, rate, largest)):
            state[1] = DIVERGED
            return iteration
        step(n_weights, W, dW, rate)
        step(n_biases, b, db, rate)
    return end


@entry(IN, FLAT, TABLE, FLAT, FLAT, REAL, REAL, INT, INT, INT, COSTS, TABLE, INT, INT)
def direct_descent(X, Y, sizes, W, b, learning_rate, largest, begin, end, every, costs, state, own_mailbox, team_mailbox):
    """Iterations `begin` .. `end` - 1 of W <- W - learning_rate dW, likewise b; gives the first iteration not done.

    X (n_0, m), Y (m), sizes n_0 .. n_L, W and b all layers' in one row, updated in place. `costs` takes the cost before each
    iteration that is a multiple of `every`, the first of them at its start. state[0] not 0 stops within a block; state[1] is
    DONE, STOPPED, or DIVERGED: the iteration would have made parameters beyond `largest`, the dtype's largest finite number.
    Either leaves them as the iteration found them.
    """
    owners = net_of(sizes, 1)
    net = bare_net(owners)
    m = X.shape[1]
    one = one_of(W[0])
    rate, mean = W.dtype.type(learning_rate), one / W.dtype.type(m)
    inputs, labels = matrix(X), Matrix(bare(Y), 0, m, 1)
    weights, biases = Matrix(bare(W), 0, 1, 1), Matrix(bare(b), 0, 1, 1)
    team = claim(own_mailbox, team_mailbox)
    p = plan(net, 1, m, one, inputs, W.size, team)
    done = _iterate(
        net, bare_plan(p), inputs, labels, weights, biases, rate, b.dtype.type(largest), mean, begin, end, every, costs,
        bare(state), team,
    )  # fmt: skip
    release(team)
    keep_net(owners)
    keep_plan(p)
    return done
