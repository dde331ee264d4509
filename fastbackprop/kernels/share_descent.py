"""A batch whose examples several processes share: the gradient of those that one holds, and the step by the sum of all.

A process passes its share's gradient on and takes the step once it has the others': two calls, between which Python may wait.
"""

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.batch_descent import (
    HIGH,
    L2,
    LOW,
    SLOPE,
    batch_of,
    copy_row,
    dot,
    learned_of,
    parameters_of,
    step_of,
    take_steps,
)
from fastbackprop.kernels.blocks import all_blocks, gradients_in
from fastbackprop.kernels.cut import free_cut
from fastbackprop.kernels.gather import Source, blocks_in, gather, gathered_size
from fastbackprop.kernels.jit import entry
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import COSTS, FLAT, IN, INT, REAL, TABLE
from fastbackprop.kernels.matrix import Matrix, matrix
from fastbackprop.kernels.memory import allocate, bare, free
from fastbackprop.kernels.network import Examples, free_net, functions_of, net_of
from fastbackprop.kernels.threads import claim, release
from fastbackprop.kernels.workspace import workspace


@entry(IN, IN, TABLE, TABLE, TABLE, COSTS, FLAT, REAL, INT, FLAT, COSTS, TABLE, INT, INT)
def share_gradient(
    X, Y, order, sizes, functions, numbers, P, batch, with_cost, dP, costs, state, own_mailbox, team_mailbox
):  # fmt: skip
    """dP: the part of the gradient of a batch of `batch` examples that the examples `order` of X and Y have in it.

    Without an order they are all examples, one or more. costs[0] takes the sum of their costs where `with_cost` is not 0. Ends
    early when stopped (state[0] not 0). `functions`, `numbers` and P are those of `batch_descent`.
    """
    n_0, n_L, L, n, one, number = X.shape[0], Y.shape[0], sizes.size - 1, P.size, one_of(P[0]), P.dtype.type
    net = net_of(bare(sizes), L, 1, functions_of(functions, number(numbers[SLOPE])))
    n_weights, gathers, x, y = net.weight_at[L + 1], order.size > 0, matrix(X), matrix(Y)
    count = order.size if gathers else X.shape[1]
    room = workspace(gathered_size(count, n_0, n_L, one) if gathers else 1, one)
    X_block, Y_block = blocks_in(room, count, n_0, one) if gathers else (x, y)
    team = claim(own_mailbox, team_mailbox)
    if gathers:
        gather(count, Source(n_0, n_L, x, y, bare(order), count, count), 0, X_block, Y_block, team)
    examples = Examples(Y_block, Y_block, False, numbers[LOW], numbers[HIGH])
    inverse, parameters = one / number(batch), parameters_of(bare(P), n_weights)
    job = held(batch_of(net, count, inverse, X_block, examples, parameters, n_weights, bare(state), team))
    job.cut.asked[0] = 1 if with_cost != 0 else 0
    costs[0] = all_blocks(job)
    dW = gradients_in(net, job.cut.sums, 0).W
    copy_row(n, dW.data, dW.at, bare(dP), 0)
    release(team)
    free_cut(job.cut)
    free_net(net)
    free(room.data)


@entry(TABLE, INT, COSTS, INT, FLAT, FLAT, FLAT, REAL, REAL, INT, INT, COSTS, INT, INT)
def share_step(
    functions, n_weights, numbers, correction, P, dP, M, learning_rate, batch, t, with_cost, costs, own_mailbox, team_mailbox
):  # fmt: skip
    """The step t = 1, 2, ... of a rule by the gradient dP of a batch of so many examples, without its decay.

    costs[0] takes l2 / (2 batch) |W|^2 before the step, where `with_cost` is not 0. P holds all W, then all b; M the moments.
    """
    learned, W = learned_of(bare(P), bare(M), P.size, n_weights), Matrix(bare(P), 0, 1, 1)
    decay, to_sum = numbers[L2] / batch, allocate(1, one_of(P[0]))
    team = claim(own_mailbox, team_mailbox)
    costs[0] = 0.0
    if with_cost != 0 and decay != 0:
        costs[0] = 0.5 * decay * dot(n_weights, W, W, Matrix(to_sum, 0, 1, 1), team)
    step = step_of(functions, numbers, correction, learning_rate, t, P)
    take_steps(step, learned, parameters_of(bare(dP), n_weights), 1, P.dtype.type(decay), team)
    release(team)
    free(to_sum)
