"""Full-batch descent by a rule that is linear in the gradient, with weight decay: the gram algorithm, for wide data.

With the rule's step taken in W1, V = W1 X follows by the same rule from its own gradient dV = dZ1 G / m, and with

    W1 = c W1_start + (1 / m) T X^T

so do T from dZ1 and the number c, which begins with 1, from 0; each keeps a velocity of its own. The cost's term is, as
T G / m = V - c V_start,

    |W1|^2 = c^2 |W1_start|^2 + (1 / m) <c V_start + V, T>.
"""

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.batch_descent import FIRST, L2, LARGEST, SLOPE, STEP, copy_row, dot
from fastbackprop.kernels.blocks import BlocksJob, all_blocks, gradients_in
from fastbackprop.kernels.cut import cut_of, free_cut
from fastbackprop.kernels.descent import DIVERGED, DONE, STOPPED, labels_of
from fastbackprop.kernels.jit import entry
from fastbackprop.kernels.jobs import held
from fastbackprop.kernels.kinds import COSTS, FLAT, IN, INT, REAL, TABLE
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matmul import Product
from fastbackprop.kernels.matrix import Matrix, matrix
from fastbackprop.kernels.memory import allocate, bare, free, load_flag
from fastbackprop.kernels.microkernel import ZERO
from fastbackprop.kernels.network import Row, free_net, functions_of, net_of, units
from fastbackprop.kernels.product import pieces_size, product_in_pieces
from fastbackprop.kernels.threads import claim, release
from fastbackprop.kernels.update import Rule, Step, is_finite, take_step
from fastbackprop.kernels.workspace import workspace


@entry(IN, FLAT, TABLE, TABLE, COSTS, FLAT, FLAT, FLAT, FLAT, REAL, REAL, INT, INT, INT, COSTS, TABLE, INT, INT, dtypes="d")
def gram_rule_descent(
    G, Y, sizes, functions, numbers, P, M, kept, V_start, squares, learning_rate, begin, end, every, costs, state, own_mailbox,
    team_mailbox,
):  # fmt: skip
    """Iterations `begin` .. `end` - 1, as `direct_descent` counts, stops and reports them.

    P holds the weights from the second layer on, all biases, V, T and c; M their velocities, if the rule has one; `kept` is
    room for both. `functions` and `numbers` are those of `batch_descent`; `squares` is |W1_start|^2.
    """
    m, n_1, L, n, one = G.shape[0], sizes[1], sizes.size - 1, P.size, one_of(P[0])
    net = net_of(bare(sizes), L, 2, functions_of(functions, numbers[SLOPE]))
    n_W, n_V, p, v, flags = net.weight_at[L + 1], n_1 * m, bare(P), bare(M), bare(state)
    at_V = n_W + units(net)
    at_T = at_V + n_V
    at_c = at_T + n_V
    rows = allocate(2 * n_V + 2, one)
    dZ1, change, zero, to_sum = Matrix(rows, 0, m, 1), Matrix(rows, n_V, m, 1), 2 * n_V, Matrix(rows, 2 * n_V + 1, 1, 1)
    rows[zero] = 0.0
    team = claim(own_mailbox, team_mailbox)
    V, inverse_m = Matrix(p, at_V, m, 1), one / m
    to_change = Product(n_1, m, m, inverse_m, dZ1, matrix(G), change, ZERO, change)
    panels = workspace(pieces_size(to_change, team[MEMBERS]), one)
    cut = cut_of(net, 2, m, one, V, n_W, team)
    parameters = Row(Matrix(p, 0, 1, 1), Matrix(p, n_W, 1, 1))
    job = held(BlocksJob(net, 2, m, inverse_m, V, labels_of(Y, m), dZ1, parameters, cut, flags, team))
    gradients = gradients_in(net, cut.sums, 0)
    decay, step = numbers[L2] / m, Step(functions[STEP], learning_rate, Rule(numbers[FIRST], 0.0, 0.0, 0.0, 0.0))
    # Each part of P: how long, where, its gradient and its decay.
    parts = (
        (n_W, 0, gradients.W, decay),
        (units(net), n_W, gradients.b, 0.0),
        (n_V, at_V, change, decay),
        (n_V, at_T, dZ1, decay),
        (1, at_c, Matrix(rows, zero, 1, 1), decay),
    )
    first_cost = -(-begin // every)
    state[1], done = DONE, end
    for iteration in range(begin, end):
        copy_row(n, p, 0, bare(kept), 0)
        copy_row(M.size, v, 0, bare(kept), n)
        with_cost = iteration % every == 0
        cut.asked[0] = 1 if with_cost else 0
        total = all_blocks(job)
        product_in_pieces(to_change, panels, team, flags)
        if load_flag(flags, 0) != 0:
            state[1], done = STOPPED, iteration
            break
        if with_cost:
            cost = total / m
            if decay != 0:
                T, c = Matrix(p, at_T, 1, 1), p[at_c]
                of_start, of_now = dot(n_V, Matrix(bare(V_start), 0, 1, 1), T, to_sum, team), dot(n_V, V, T, to_sum, team)
                of_first = c * c * squares + inverse_m * (c * of_start + of_now)
                others = dot(n_W, parameters.W, parameters.W, to_sum, team) if n_W > 0 else 0.0
                cost += 0.5 * decay * (of_first + others)
            costs[iteration // every - first_cost] = cost
        for part in parts:
            length, at, gradient, part_decay = part
            moments = Matrix(v, at, 1, 1)
            take_step(step, length, Matrix(p, at, 1, 1), gradient, 1, moments, moments, part_decay, team)
        if not is_finite(n, parameters.W, numbers[LARGEST]):
            state[1], done = DIVERGED, iteration
            copy_row(n, bare(kept), 0, p, 0)
            copy_row(M.size, bare(kept), n, v, 0)
            break
    release(team)
    free(rows)
    free(panels.data)
    free_net(net)
    free_cut(cut)
    return done
