"""The whole network on a block of examples: forward, output gradient, backward. Training is made of it.

All weights lie in one flat array, layer after layer, and all biases in another; `Net` says where each begins. A block's
activations lie in a third, `length` numbers a unit, its gradients likewise. A hidden layer keeps A alone, from which g'(Z)
follows; the output layer keeps Z, the logits. What only lives from one loop to the next (Z, dA) goes to
`scratch`, the widest layer's rows: LLVM does not vectorize an elementwise loop that works in place.
"""

from typing import NamedTuple

from fastbackprop.kernels.activations import one_of
from fastbackprop.kernels.elementwise import apply, apply_gradient
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.jobs import held, in_turn
from fastbackprop.kernels.kinds import Number, Words
from fastbackprop.kernels.matmul import Product
from fastbackprop.kernels.matrix import Matrix, lanes_of, transposed
from fastbackprop.kernels.memory import allocate, free, load_flag
from fastbackprop.kernels.microkernel import BIAS, BIAS_RELU, MASK, ZERO
from fastbackprop.kernels.outputs import OutputJob, Terms
from fastbackprop.kernels.product import does_within, pieces_size, product, product_in_pieces


class Functions(NamedTuple):
    """What layers compute besides products: the addresses of routines.

    A = g(Z) of the hidden layers and its gradient from A, both 0 where g is the identity; the output's dZ and cost; the slope
    of leaky relu below 0. Where g is relu, products compute it and its gradient in their write-back if they can.
    """

    activation: int
    gradient: int
    output: int
    is_relu: bool
    slope: Number


class Net(NamedTuple):
    """Sizes n_0 .. n_L, and where layer l begins among the weights and among the units (biases, rows of a block).

    The weights begin with layer 1's, or under gram with layer 2's; the units with layer 1's.
    """

    L: int
    sizes: Words
    weight_at: Words
    unit_at: Words
    functions: Functions


class Examples(NamedTuple):
    """A block's labels Y (n_L, columns), weights of examples if `weighted`, and bounds of a term of cross-entropy."""

    Y: Matrix
    weights: Matrix
    weighted: bool
    low: float
    high: float


@inner
def functions_of(addresses, slope):
    """The functions at addresses."""
    return Functions(addresses[0], addresses[1], addresses[2], addresses[3] != 0, slope)


@inner
def net_of(sizes, L, first, functions):
    """The net of these layer sizes, its weights from layer `first` on; `free_net` comes after the last use."""
    weight_at, unit_at = allocate(L + 2, L), allocate(L + 2, L)
    weight_at[0], weight_at[1], unit_at[0], unit_at[1] = 0, 0, 0, 0
    for l in range(1, L + 1):
        weight_at[l + 1] = weight_at[l] + (sizes[l] * sizes[l - 1] if l >= first else 0)
        unit_at[l + 1] = unit_at[l] + sizes[l]
    return Net(L, sizes, weight_at, unit_at, functions)


@inner
def free_net(net):
    """Give the memory of a net back."""
    free(net.weight_at)
    free(net.unit_at)


@inner
def units(net):
    """Units of all layers but the inputs."""
    return net.unit_at[net.L + 1]


@inner
def widest(net):
    """Units of the widest layer but the inputs."""
    n = 0
    for l in range(1, net.L + 1):
        n = max(n, net.sizes[l])
    return n


@inner
def largest_product(net, first):
    """Multiply-adds an example in the largest product from layer `first` on."""
    largest = 1
    for l in range(first, net.L + 1):
        largest = max(largest, net.sizes[l] * net.sizes[l - 1])
    return largest


@inner
def row_length(columns, one):
    """Numbers from one row of a block to the next: whole vectors, and no power-of-two distance (rows would share L1 sets)."""
    lanes = lanes_of(one)
    vectors = -(-columns // lanes)
    return (vectors + 1 if vectors % 16 == 0 else vectors) * lanes


class Row(NamedTuple):
    """All weights in a row, layer after layer, and all biases in another; or their gradients."""

    W: Matrix
    b: Matrix


class Workplace(NamedTuple):
    """What a thread works with on a block: memory, and who helps.

    Rows of `A` and of `dZ`, `length` numbers apart, are a unit's activations and gradients; what only lives from one loop to
    the next goes to `scratch`; `panels` are the products' workspace; `ones` a column of them. state[0] not 0 stops.
    """

    length: int
    A: Matrix
    dZ: Matrix
    scratch: Matrix
    panels: Matrix
    terms: Terms
    ones: Matrix
    state: Words
    team: Words


@inner
def weights(net, row, l):
    """W_l, (n_l, n_{l-1}), in the row of all weights, or dW_l in that of their gradients."""
    return Matrix(row.W.data, row.W.at + net.weight_at[l], net.sizes[l - 1], 1)


@inner
def biases(net, row, l):
    """b_l, (n_l, 1), in the row of all biases, or db_l in that of their gradients."""
    return Matrix(row.b.data, row.b.at + net.unit_at[l], 1, 1)


@inner
def rows_of(net, block, l, length):
    """Layer l's rows in a block of activations or gradients."""
    return Matrix(block.data, block.at + net.unit_at[l] * length, length, 1)


@inner
def _to_Z(net, l, columns, one, row, A_prev, Z, start):
    """Z_l = W_l A_{l-1} + b_l, or with BIAS_RELU relu of that."""
    return Product(net.sizes[l], columns, net.sizes[l - 1], one, weights(net, row, l), A_prev, Z, start, biases(net, row, l))


@inner
def _to_dW(net, l, columns, inverse_m, dZ, A_prev, gradients, start):
    """dW_l = dZ_l A_{l-1}^T / m."""
    dW = weights(net, gradients, l)
    return Product(net.sizes[l], net.sizes[l - 1], columns, inverse_m, dZ, transposed(A_prev), dW, start, dW)


@inner
def _to_dA_prev(net, l, columns, one, row, dZ, dA_prev, start, A_prev):
    """dA_{l-1} = W_l^T dZ_l, or with MASK dZ_{l-1} by relu."""
    W = transposed(weights(net, row, l))
    return Product(net.sizes[l - 1], columns, net.sizes[l], one, W, dZ, dA_prev, start, A_prev)


@inner
def panels_size(net, first, columns, one, X, members):
    """Numbers of workspace that `forward_pass` and `backward_pass` need on a block of `columns` in a team of `members`."""
    length = row_length(columns, one)
    block, row = Matrix(X.data, 0, length, 1), Row(Matrix(X.data, 0, 1, 1), Matrix(X.data, 0, 1, 1))
    needed = 0
    for l in range(first, net.L + 1):
        A_prev = X if l == 1 else block
        needed = max(needed, pieces_size(_to_Z(net, l, columns, one, row, A_prev, block, BIAS), members))
        needed = max(needed, pieces_size(_to_dW(net, l, columns, one, block, A_prev, row, ZERO), members))
        needed = max(needed, pieces_size(_to_dA_prev(net, l, columns, one, row, block, block, ZERO, block), members))
    return needed


@inner
def forward_pass(net, first, columns, X, row, place):
    """Layers `first` .. L on a block: Z = W A_prev + b, A = g(Z). X is what layer 1 sees of it. Ends early when stopped."""
    one, length, g = one_of(place.ones.data[place.ones.at]), place.length, net.functions
    for l in range(first, net.L + 1):
        A_prev = X if l == 1 else rows_of(net, place.A, l - 1, length)
        if load_flag(place.state, 0) != 0:
            return
        A = rows_of(net, place.A, l, length)
        applied = l < net.L and g.activation != 0
        within = applied and g.is_relu and does_within(_to_Z(net, l, columns, one, row, A_prev, A, BIAS_RELU))
        Z = Matrix(place.scratch.data, place.scratch.at, length, 1) if applied and not within else A
        to_Z = _to_Z(net, l, columns, one, row, A_prev, Z, BIAS_RELU if within else BIAS)
        product_in_pieces(to_Z, place.panels, place.team, place.state)
        if applied and not within:
            apply(g.activation, net.sizes[l], length, Z, A, g.slope, place.team)


@inner
def output_pass(net, columns, examples, place, with_cost, costs, at):
    """dZ_L = A_L - Y; the block's cost, if it is asked for, is added to costs[at]."""
    Z, dZ = rows_of(net, place.A, net.L, place.length), rows_of(net, place.dZ, net.L, place.length)
    Y, weights, weighted, terms = examples.Y, examples.weights, examples.weighted, place.terms
    scratch = Matrix(place.scratch.data, place.scratch.at, place.length, 1)
    job = OutputJob(
        net.sizes[net.L], columns, Z, Y, dZ, scratch, terms, weights, weighted, with_cost, examples.low, examples.high, costs,
        at,
    )  # fmt: skip
    in_turn(net.functions.output, held(job), 1)


@inner
def backward_pass(net, first, columns, inverse_m, X, row, gradients, start, place):
    """Layers L .. `first` on a block: dW and db (started, or added to), and dZ of the layers below down to layer 1.

    Ends early when stopped.
    """
    one, length, g = one_of(inverse_m), place.length, net.functions
    for l in range(net.L, first - 1, -1):
        if load_flag(place.state, 0) != 0:
            return
        A_prev = X if l == 1 else rows_of(net, place.A, l - 1, length)
        dZ, db = rows_of(net, place.dZ, l, length), biases(net, gradients, l)
        product(Product(net.sizes[l], 1, columns, inverse_m, dZ, place.ones, db, start, db), place.panels, place.team)
        to_weights = _to_dW(net, l, columns, inverse_m, dZ, A_prev, gradients, start)
        product_in_pieces(to_weights, place.panels, place.team, place.state)
        if l > 1 and load_flag(place.state, 0) == 0:
            dZ_prev = rows_of(net, place.dZ, l - 1, length)
            within = g.is_relu and does_within(_to_dA_prev(net, l, columns, one, row, dZ, dZ_prev, MASK, A_prev))
            applied = g.gradient != 0 and not within
            dA_prev = Matrix(place.scratch.data, place.scratch.at, length, 1) if applied else dZ_prev
            to_inputs = _to_dA_prev(net, l, columns, one, row, dZ, dA_prev, MASK if within else ZERO, A_prev)
            product_in_pieces(to_inputs, place.panels, place.team, place.state)
            if applied:
                apply_gradient(g.gradient, net.sizes[l - 1], length, dA_prev, A_prev, dZ_prev, g.slope, place.team)
