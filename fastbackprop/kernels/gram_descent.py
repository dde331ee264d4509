"""Full-batch gradient descent, compiled: the gram algorithm, for wide data.

The first layer is only ever seen through V = W1 X, and dW1 = dZ1 X^T / m, so with the Gram matrix G = X^T X

    V <- V - (alpha / m) dZ1 G,    S <- S + dZ1,    W1 = W1_start - (alpha / m) S X^T at the end:

an iteration costs nothing in n_0, and takes one product of n_1 m^2 instead of two of n_1 n_0 m. X is read three times in a
training. In exact arithmetic it is direct descent. (It is the dual form of a linear layer's training; for kernels see
Aizerman, Braverman and Rozonoer, Automation and Remote Control 25, 1964.)

G stays as it is, row by row: packed into panels it was no faster (20 x 209 x 209: 14.7 against 15.3 us).
"""

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.blocking import KC
from fastbackprop.kernels.blocks import BlocksJob, gradients_in
from fastbackprop.kernels.cut import cut_of, free_cut
from fastbackprop.kernels.descent import Iterations, OfGram, iterate, labels_of, of_layers
from fastbackprop.kernels.gram import MIRROR, gram, gram_step, gram_workspace_size, mirror
from fastbackprop.kernels.jit import entry
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import COSTS, FLAT, IN, INT, OUT, REAL, TABLE
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matmul import Product
from fastbackprop.kernels.matrix import Matrix, matrix, transposed
from fastbackprop.kernels.memory import allocate, bare, free, load_flag
from fastbackprop.kernels.microkernel import ADD, ZERO
from fastbackprop.kernels.network import Row, free_net, functions_of, net_of
from fastbackprop.kernels.product import pieces_size, product_in_pieces
from fastbackprop.kernels.threads import claim, release
from fastbackprop.kernels.update import Update
from fastbackprop.kernels.workspace import scratch, workspace

DEPTH = 8 * KC  # rows of X at a time: float32 data is widened piece by piece


@entry(IN, IN, OUT, OUT, TABLE, INT, INT, dtypes="d")
def gram_add(X, W1, G, V, state, own_mailbox, team_mailbox):
    """G += X^T X, the upper triangle, and V += W1 X, for some rows of X and the columns of W1 that belong to them.

    Ends early when stopped (state[0] not 0).
    """
    depth, m = X.shape
    stop = bare(state)
    team = claim(own_mailbox, team_mailbox)
    members = team[MEMBERS]
    to_V = Product(W1.shape[0], m, depth, one_of(V[0, 0]), matrix(W1), matrix(X), matrix(V), ADD, matrix(V))
    room = max(pieces_size(to_V, members), gram_workspace_size(m, depth, to_V.scale, members))
    panels, own = scratch(room, to_V.scale, team)
    product_in_pieces(to_V, panels, team, stop)
    step = gram_step(m, depth, to_V.scale)
    for j in range(0, m, step):
        if load_flag(stop, 0) == 0:
            gram(depth, matrix(X), matrix(G), ADD, panels, team, j, min(j + step, m))
    release(team)
    free(own)


@entry(OUT, TABLE, dtypes="d")
def gram_mirror(G, state):
    """The lower triangle of G from the upper one; ends early when stopped."""
    m, stop = G.shape[0], bare(state)
    for i in range(0, m, MIRROR):
        if load_flag(stop, 0) == 0:
            mirror(matrix(G), i, min(i + MIRROR, m))


@entry(IN, IN, REAL, OUT, TABLE, INT, INT, dtypes="d")
def gram_finish(X, S, learning_rate, W1, state, own_mailbox, team_mailbox):
    """W1 <- W1 - (learning_rate / m) S X^T, for some rows of X and the columns of W1 that belong to them.

    Ends early when stopped.
    """
    n_0, m = X.shape
    rate = W1.dtype.type(-learning_rate / m)
    team = claim(own_mailbox, team_mailbox)
    to_W1 = Product(W1.shape[0], n_0, m, rate, matrix(S), transposed(matrix(X)), matrix(W1), ADD, matrix(W1))
    panels, own = scratch(pieces_size(to_W1, team[MEMBERS]), one_of(rate), team)
    product_in_pieces(to_W1, panels, team, bare(state))
    release(team)
    free(own)


@entry(IN, FLAT, TABLE, TABLE, REAL, FLAT, FLAT, FLAT, FLAT, REAL, REAL, INT, INT, INT, COSTS, TABLE, INT, INT, dtypes="d")
def gram_descent(
    G, Y, sizes, functions, slope, W, b, V, S, learning_rate, largest, begin, end, every, costs, state, own_mailbox,
    team_mailbox,
):  # fmt: skip
    """Iterations as in `direct_descent`, on G, V = W1 X and S = sum of dZ1; W holds the layers from the second on."""
    m, n_1, one = G.shape[0], sizes[1], one_of(b[0])
    rate, inverse_m = b.dtype.type(learning_rate), one / b.dtype.type(m)
    parameters, labels = Row(Matrix(bare(W), 0, 1, 1), Matrix(bare(b), 0, 1, 1)), labels_of(Y, m)
    first, total_dZ1 = Matrix(bare(V), 0, m, 1), Matrix(bare(S), 0, m, 1)
    rows = allocate(2 * n_1 * m, one)
    dZ1, change = Matrix(rows, 0, m, 1), Matrix(rows, n_1 * m, m, 1)
    team = claim(own_mailbox, team_mailbox)
    to_change = Product(n_1, m, m, inverse_m, dZ1, matrix(G), change, ZERO, change)
    panels = workspace(pieces_size(to_change, team[MEMBERS]), one)
    net = net_of(bare(sizes), sizes.size - 1, 2, functions_of(functions, b.dtype.type(slope)))
    c = cut_of(net, 2, m, one, first, W.size, team)
    job = held(BlocksJob(net, 2, m, inverse_m, first, labels, dZ1, parameters, c, bare(state), team))
    updates = of_layers(net, gradients_in(net, c.sums, 0), parameters, rate)
    of_first = Update(n_1 * m, first, change, rate), Update(n_1 * m, total_dZ1, dZ1, -one)
    iterations = Iterations(begin, end, every, b.dtype.type(largest))
    done = iterate(job, OfGram(matrix(G), change, panels), updates + of_first, iterations, costs)
    release(team)
    free(rows)
    free(panels.data)
    free_net(net)
    free_cut(c)
    return done
