"""How examples are cut into blocks and chunks; by the shape alone, so that bits don't depend on the team.

Narrow nets have blocks that stay in L1/L2, middle ones blocks whose data and activations fit L2. Both are gathered into chunks,
which the team shares: each member does all layers of its chunks, and waits for others once an iteration. Where so few examples
fit, or so few chunks' gradients, that blocks would be short or threads idle, they are long, one after the other, and the team
shares each product.
"""

from typing import NamedTuple

from fastbackprop.kernels.blocking import (
    BLOCK_BYTES,
    BLOCK_COLUMNS,
    BLOCK_OPERATIONS,
    CHUNKS,
    ENOUGH_CHUNKS,
    ENOUGH_COLUMNS,
    L2_BYTES,
    NV,
    SHARED_COLUMNS,
    SHARED_OPERATIONS,
)
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.kinds import Reals, Words
from fastbackprop.kernels.mailbox import MEMBERS
from fastbackprop.kernels.matrix import Matrix, lanes_of, size_of
from fastbackprop.kernels.memory import allocate, free
from fastbackprop.kernels.network import largest_product, panels_size, row_length, units, widest
from fastbackprop.kernels.outputs import Terms, terms_row
from fastbackprop.kernels.workspace import workspace


class Cut(NamedTuple):
    """How examples are cut into blocks of `columns` and chunks of `span`, and the workspace: a row of `room` a member.

    A row of `room` is a block's activations, its gradients, and scratch, `length` numbers a unit, then panels. A row of `sums`
    is a chunk's dW and db; a number of `costs` its cost, where asked[0] is not 0. A member has two rows of `terms`.
    """

    columns: int
    span: int
    chunks: int
    shared: bool
    length: int
    room: Matrix
    sums: Matrix
    costs: Reals
    terms: Terms
    asked: Words
    ones: Matrix


@inner
def _in_l2(m, fit, most):
    """Into how many blocks m examples are cut that lie in L2, where `fit` have room, for `most` chunks at most; 0 for none.

    An even number, for two threads: as many as there may be chunks if the blocks are not too short, or several for each chunk.
    """
    even, few = most // 2 * 2, m <= 2 * fit
    blocks = min(m // (SHARED_COLUMNS if few else ENOUGH_COLUMNS) // 2 * 2, even)
    if not few and blocks == even:
        if even < ENOUGH_CHUNKS:
            return 0
        blocks *= min(-(-m // max(even * fit, 1)), m // (even * ENOUGH_COLUMNS))
    return blocks if 2 * m <= 3 * blocks * fit else 0  # half as many again do as well


@inner
def _block_of(net, first, m, one, n_weights):
    """Columns of a block, and the most chunks into which blocks are gathered: 1 where the team shares each product."""
    size, NR = size_of(one), NV * lanes_of(one)
    of_column, of_sum = (net.sizes[first - 1] + 2 * units(net)) * size, (n_weights + units(net)) * size
    most = max(1, min(CHUNKS, 2 * L2_BYTES // of_sum))
    columns = BLOCK_BYTES // of_column // NR * NR
    narrow = columns >= 4 * NR
    if narrow and columns < m:
        return columns, most if most >= min(-(-m // columns), CHUNKS) else 1
    blocks = _in_l2(m, L2_BYTES // of_column, most) if n_weights * m >= SHARED_OPERATIONS else 0
    if blocks > 0:
        return -(-m // blocks), most // 2 * 2
    return (m, 1) if narrow else (max(4 * NR, min(BLOCK_COLUMNS, BLOCK_OPERATIONS // largest_product(net, first))), 1)


@inner
def cut_of(net, first, m, one, X, n_weights, team):
    """The cut of m examples for layers from `first` on, X being what layer `first` - 1 holds of them; `free_cut` ends it."""
    lanes, width = lanes_of(one), n_weights + units(net)
    columns, most = _block_of(net, first, m, one, n_weights)
    # Blocks of about the same size, and of whole vectors: at the end of a row a masked one is slow to store.
    columns = min(m, -(-m // (-(-m // columns) * lanes)) * lanes)
    blocks = -(-m // columns)
    span = -(-blocks // most) * columns
    chunks, members = -(-m // span), team[MEMBERS]
    shared = chunks > 1 and members > 1 and n_weights * m >= SHARED_OPERATIONS
    length = row_length(columns, one)
    copies, helpers = (members, 1) if shared else (1, members)
    panels = panels_size(net, first, columns, one, X, helpers)
    panels = max(panels, panels_size(net, first, m - (blocks - 1) * columns, one, X, helpers))
    copy = -(-((2 * units(net) + widest(net)) * length + panels) // 16) * 16
    room, sums, ones = workspace(copies * copy, one), workspace(chunks * width, one), workspace(columns, one)
    for j in range(columns):
        ones.data[ones.at + j] = one
    terms = terms_row(columns)
    return Cut(
        columns, span, chunks, shared, length, Matrix(room.data, room.at, copy, 1), Matrix(sums.data, sums.at, width, 1),
        allocate(chunks, 0.0), Terms(allocate(2 * copies * terms, 0.0), 0, terms), allocate(1, chunks),
        Matrix(ones.data, ones.at, 1, 1),
    )  # fmt: skip


@inner
def free_cut(c):
    """Give the memory of a cut back."""
    free(c.room.data)
    free(c.sums.data)
    free(c.ones.data)
    free(c.costs)
    free(c.terms.data)
    free(c.asked)
