"""Descent by batches of examples, compiled: epochs of any rule, with weight decay and weights of examples.

The examples of a batch are gathered into a block, in an order that is handed in; without one the batch is all of them, as they
lie. Whether numbers stay finite is looked at once an epoch, and the last good epoch is kept: a look at each batch would take as
long as its update.
"""

from typing import NamedTuple

from fastbackprop.kernels.activations import one_of, zero_of
from fastbackprop.kernels.blocks import (
    BlocksJob,
    all_blocks,
    blocks_chunk,
    cost_of,
    gradients_in,
    helpers_of,
)
from fastbackprop.kernels.cut import cut_of, free_cut
from fastbackprop.kernels.descent import DIVERGED, DONE, STOPPED
from fastbackprop.kernels.gather import Source, blocks_in, copy_spaced, gather, gathered_size
from fastbackprop.kernels.jit import entry, inner, routine
from fastbackprop.kernels.jobs import do_one, held
from fastbackprop.kernels.kinds import ADDRESS, COSTS, FLAT, IN, INT, TABLE, N, Words
from fastbackprop.kernels.matmul import Product
from fastbackprop.kernels.matrix import Matrix, matrix, part
from fastbackprop.kernels.memory import allocate, bare, free, load_flag
from fastbackprop.kernels.microkernel import ZERO
from fastbackprop.kernels.network import Examples, Row, free_net, functions_of, net_of
from fastbackprop.kernels.product import product
from fastbackprop.kernels.threads import claim, do_chunks, release
from fastbackprop.kernels.update import Rule, Step, adam_numbers, is_finite, take_step
from fastbackprop.kernels.workspace import workspace

STEP = 4  # the place of the rule's step in `functions`, after those of `network.Functions`
SLOPE, L2, FIRST, SECOND, EPSILON, LOW, HIGH, LARGEST = range(8)  # places in `numbers`


class BatchJob(NamedTuple):
    """A batch: what is to be done with its block, and from where examples order[at[0]], ... are copied to it, if they are."""

    blocks: BlocksJob
    gathers: bool
    source: Source
    at: Words


@routine(ADDRESS(BatchJob), N, N)
def batch_chunk(job, chunk, member):
    """A chunk's examples are gathered by whom they are then in the cache of."""
    blocks = job.blocks
    if job.gathers:
        begin = chunk * blocks.cut.span
        count = min(blocks.cut.span, blocks.m - begin)
        X, Y = part(blocks.X, 0, begin), part(blocks.examples.Y, 0, begin)
        gather(count, job.source, job.at[0] + begin, X, Y, helpers_of(blocks))
    do_one(blocks_chunk, held(blocks), chunk, member)


@inner
def _take_shares(count, weights, gathers, order, at, shares):
    """Each weight of a batch over their sum, which is returned."""
    total = 0.0
    for j in range(count):
        total += weights[order[at + j] if gathers else j]
    for j in range(count):
        shares.data[shares.at + j] = weights[order[at + j] if gathers else j] / total
    return total


@inner
def copy_row(n, A, a, B, b):
    """B[b ..] = A[a ..], n numbers."""
    copy_spaced(n, A, a, 1, B, b)


@inner
def dot(n, v, w, to, team):
    """<v, w> of rows of n numbers, which is left in the first number of `to`."""
    C = Matrix(to.data, to.at, 1, 1)
    one = one_of(C.data[C.at])
    product(Product(1, 1, n, one, Matrix(v.data, v.at, n, 1), Matrix(w.data, w.at, 1, n), C, ZERO, C), C, team)
    return to.data[to.at]


@inner
def batch_of(net, count, inverse, X, examples, parameters, n_weights, flags, team):
    """The job of a batch of so many examples."""
    cut = cut_of(net, 1, count, one_of(inverse), X, n_weights, team)
    cut.asked[0] = 1  # for the cost
    return BlocksJob(net, 1, count, inverse, X, examples, X, parameters, cut, flags, team)


@inner
def parameters_of(P, n_weights):
    """The weights and the biases in the row of both."""
    return Row(Matrix(P, 0, 1, 1), Matrix(P, n_weights, 1, 1))


class Learned(NamedTuple):
    """What a rule's step changes: so many weights and biases, and their first and second moments, if the rule has them."""

    n_weights: int
    n_biases: int
    values: Row
    V: Row
    S: Row


@inner
def learned_of(P, M, n, n_weights):
    """All n parameters with their moments, in the rows of both."""
    second = Row(Matrix(M, n, 1, 1), Matrix(M, n + n_weights, 1, 1))
    return Learned(n_weights, n - n_weights, parameters_of(P, n_weights), parameters_of(M, n_weights), second)


@inner
def step_of(functions, numbers, correction, rate, t, P):
    """The rule's step t = 1, 2, ... of parameters P, in their dtype."""
    first, second, number = numbers[FIRST], numbers[SECOND], P.dtype.type
    rate, epsilon = adam_numbers(correction, rate, first, second, numbers[EPSILON], t)
    rule = Rule(number(first), number(second), number(1.0 - first), number(1.0 - second), number(epsilon))
    return Step(functions[STEP], number(rate), rule)


@inner
def take_steps(step, learned, gradients, rows, decay, team):
    """The step of all weights, which decay, and of all biases, which do not; for `rows` see `StepJob`."""
    values, V, S = learned.values, learned.V, learned.S
    take_step(step, learned.n_weights, values.W, gradients.W, rows, V.W, S.W, decay, team)
    take_step(step, learned.n_biases, values.b, gradients.b, rows, V.b, S.b, zero_of(decay), team)


@entry(IN, IN, FLAT, TABLE, INT, TABLE, TABLE, COSTS, INT, FLAT, FLAT, FLAT, COSTS, INT, COSTS, TABLE, INT, INT)
def batch_descent(
    X, Y, weights, order, batch, sizes, functions, numbers, correction, P, M, kept, rates, t, costs, state, own_mailbox,
    team_mailbox,
):  # fmt: skip
    """Epochs with the learning rates `rates`; returns how many were completed.

    X (n_0, m), Y (n_L, m), `weights` of the examples or nothing; `order`: m numbers of examples an epoch, `batch` of them a
    batch, or nothing: then a batch is all m. P holds all W, then all b; M the moments of P, as many as the rule has; `kept` is
    room for both. `functions`: addresses as in `network.Functions`, then that of the rule's step. `numbers` by their places.
    `t` batches are done. `costs` takes two numbers an epoch: the mean over its examples of their batches' costs, and of
    l2 / (2 m) |W|^2, each before the batch's step. state[0] not 0 stops; state[1] is DONE, STOPPED or DIVERGED, where an epoch
    made parameters beyond numbers[LARGEST]. Either leaves P and M as the last complete epoch did.
    """
    n_0, m = X.shape
    n_L, L, n, one, number = Y.shape[0], sizes.size - 1, P.size, one_of(P[0]), P.dtype.type
    net = net_of(bare(sizes), L, 1, functions_of(functions, number(numbers[SLOPE])))
    n_weights = net.weight_at[L + 1]
    gathers, weighted, rest = order.size > 0, weights.size > 0, m % batch
    x, y = matrix(X), matrix(Y)
    # A batch's examples, the shares of its weights, and a number for a sum.
    at_shares = gathered_size(batch, n_0, n_L, one) if gathers else 0
    room = workspace(at_shares + (batch if weighted else 0) + 1, one)
    shares = part(room, 0, at_shares)
    to_sum = part(shares, 0, batch if weighted else 0)
    X_block, Y_block = blocks_in(room, batch, n_0, one) if gathers else (x, y)
    examples = Examples(Y_block, shares, weighted, numbers[LOW], numbers[HIGH])
    flags, indices, learned = bare(state), bare(order), learned_of(bare(P), bare(M), n, n_weights)
    parameters = learned.values
    team = claim(own_mailbox, team_mailbox)
    inverse = one if weighted else one / number(batch)
    source, now = Source(n_0, n_L, x, y, indices, batch, order.size), allocate(1, m)
    blocks = batch_of(net, batch, inverse, X_block, examples, parameters, n_weights, flags, team)
    whole = held(BatchJob(blocks, gathers, source, now))
    inverse = one if weighted or rest == 0 else one / number(rest)
    blocks = batch_of(net, max(rest, 1), inverse, X_block, examples, parameters, n_weights, flags, team)
    last = held(BatchJob(blocks, gathers, source, now))
    state[1] = DONE
    done = 0
    while done < rates.size:
        copy_row(n, bare(P), 0, bare(kept), 0)
        copy_row(M.size, bare(M), 0, bare(kept), n)
        cost, penalty, begin = 0.0, 0.0, 0
        while begin < m and state[1] == DONE:
            count, at = min(batch, m - begin), done * m + begin
            job = whole if count == batch else last
            of_batch = _take_shares(count, weights, gathers, indices, at, shares) if weighted else float(count)
            now[0] = at
            cut = job.blocks.cut
            do_chunks(cut.shared, team, batch_chunk, job, cut.chunks)
            total = cost_of(cut)
            if load_flag(flags, 0) != 0:
                state[1] = STOPPED
                break
            decay = numbers[L2] / of_batch
            cost += total * count if weighted else total
            if decay != 0:
                penalty += 0.5 * decay * count * dot(n_weights, parameters.W, parameters.W, to_sum, team)
            t += 1
            step = step_of(functions, numbers, correction, rates[done], t, P)
            take_steps(step, learned, gradients_in(net, cut.sums, 0), cut.chunks, number(decay), team)
            begin += batch
        if state[1] == DONE and not is_finite(n, parameters.W, numbers[LARGEST]):
            state[1] = DIVERGED
        if state[1] != DONE:
            copy_row(n, bare(kept), 0, bare(P), 0)
            copy_row(M.size, bare(kept), n, bare(M), 0)
            break
        costs[2 * done], costs[2 * done + 1] = cost / m, penalty / m
        done += 1
    release(team)
    free_cut(whole.blocks.cut)
    free_cut(last.blocks.cut)
    free_net(net)
    free(room.data)
    free(now)
    return done


@entry(IN, IN, FLAT, TABLE, TABLE, COSTS, FLAT, FLAT, COSTS, TABLE, INT, INT)
def batch_gradient(X, Y, weights, sizes, functions, numbers, P, dP, costs, state, own_mailbox, team_mailbox):
    """Cost and penalty of all examples, as in `batch_descent`, and dP, the gradient of both; ends early when stopped."""
    m, L, n, one, number = X.shape[1], sizes.size - 1, P.size, one_of(P[0]), P.dtype.type
    net = net_of(bare(sizes), L, 1, functions_of(functions, number(numbers[SLOPE])))
    n_weights, weighted, x, y = net.weight_at[L + 1], weights.size > 0, matrix(X), matrix(Y)
    room = allocate(1 + (m if weighted else 0), one)
    to_sum, shares = Matrix(room, 0, 1, 1), Matrix(room, 1, 1, 1)
    examples = Examples(y, shares, weighted, numbers[LOW], numbers[HIGH])
    of_batch = _take_shares(m, weights, False, bare(sizes), 0, shares) if weighted else float(m)
    team, parameters = claim(own_mailbox, team_mailbox), parameters_of(bare(P), n_weights)
    inverse = one if weighted else one / number(m)
    job = held(batch_of(net, m, inverse, x, examples, parameters, n_weights, bare(state), team))
    total = all_blocks(job)
    decay = number(numbers[L2] / of_batch)
    costs[0] = total if weighted else total / m
    costs[1] = 0.5 * decay * dot(n_weights, parameters.W, parameters.W, to_sum, team)
    dW = gradients_in(net, job.cut.sums, 0).W
    for i in range(n):
        dP[i] = dW.data[dW.at + i] + (decay * P[i] if i < n_weights else number(0))
    release(team)
    free_cut(job.cut)
    free_net(net)
    free(room)
