"""One layer, forward and backward, fused: columns are taken a strip at a time, so that what one step writes is still in
L1/L2 for the next; the bias goes into the product's write-back, the division by m into the last strip's.

    Z = W A_prev + b,  A = g(Z)
    dZ = dA * g'(Z),  dA_prev = W^T dZ,  dW = dZ A_prev^T / m,  db = rowsum(dZ) / m

Many strips are gathered into chunks, which the team shares; dW and db then have a partial sum a chunk, added up in order,
then divided. With few strips the team shares each product. Chunks depend on the shape alone, so the bits don't depend on
the team.
"""

from fastbackprop.kernels.activations import LINEAR, one_of
from fastbackprop.kernels.blocking import CHUNKS, L2_BYTES, NV, SHARED_OPERATIONS, STREAM_BYTES, STRIP_BYTES
from fastbackprop.kernels.elementwise import activate_shared, gradient_shared
from fastbackprop.kernels.jit import entry, inner, routine
from fastbackprop.kernels.kinds import IN, INT, OUT, POINTER, REAL, WORDS, N
from fastbackprop.kernels.matmul import divide
from fastbackprop.kernels.matrix import Matrix, is_odd, matrix, part, size_of, transposed
from fastbackprop.kernels.memory import keep
from fastbackprop.kernels.microkernel import ADD, BIAS, DIVIDE, ZERO
from fastbackprop.kernels.product import last_of, product, workspace_size
from fastbackprop.kernels.threads import MEMBERS, claim, release, share
from fastbackprop.kernels.words import alone, put, take, tell
from fastbackprop.kernels.workspace import scratch


@entry(IN, OUT, INT, INT, INT)
def activation_forward(Z, A, activation, own_mailbox, team_mailbox):
    """A = g(Z), elementwise; tells whether it is done, which it is not where Z is odd."""
    if is_odd(Z):
        return False
    if Z.size > 0:
        team = claim(own_mailbox, team_mailbox)
        activate_shared(Z.shape[0], Z.shape[1], one_of(A[0, 0]), matrix(Z), matrix(A), activation, team)
        release(team)
    return True


@entry(IN, IN, OUT, INT, INT, INT)
def activation_backward(dA, Z, dZ, activation, own_mailbox, team_mailbox):
    """dZ = dA * g'(Z), elementwise; tells whether it is done, which it is not where an operand is odd."""
    if is_odd(dA) or is_odd(Z):
        return False
    if Z.size > 0:
        one = one_of(dZ[0, 0])
        team = claim(own_mailbox, team_mailbox)
        gradient_shared(Z.shape[0], Z.shape[1], one, matrix(dA), matrix(Z), matrix(dZ), activation, team)
        release(team)
    return True


@inner
def vector(n, b, memory, at):
    """A column as a matrix that lies along it: a view, or a copy in `memory` where its stride is another."""
    if b.row == 1:
        return b
    for i in range(n):
        memory[at + i] = b.data[b.at + i * b.row]
    return Matrix(memory, at, 1, 1)


@inner
def strip(rows, m, size):
    """Columns to take at a time, `rows` numbers each; all of them if a strip would be thinner than four tiles."""
    columns = STRIP_BYTES // (max(rows, 1) * size)
    narrowest = 4 * NV * 64 // size
    return min(m, columns) if columns >= narrowest else m


@inner
def is_large(rows, columns, one):
    """Whether a result is so large that it is written past the caches."""
    return rows * columns * size_of(one) >= STREAM_BYTES


@inner
def chunk_columns(m, step):
    """Columns of a chunk: whole strips, in at most CHUNKS chunks."""
    strips = -(-m // step)
    return -(-strips // CHUNKS) * step


@inner
def forward(columns, step, n, n_prev, one, A_prev, W, b, Z, A, activation, panels, team):
    """Z = W A_prev + b, A = g(Z), strip by strip; LINEAR writes Z alone."""
    for j in range(0, columns, step):
        here = min(step, columns - j)
        product(n, here, n_prev, one, W, part(A_prev, 0, j), part(Z, 0, j), BIAS, b, panels, team)
        if activation != LINEAR:
            activate_shared(n, here, one, part(Z, 0, j), part(A, 0, j), activation, team)


@routine(WORDS, N, N, POINTER)
def forward_chunk(words, chunk, member, like):
    w, one = words, one_of(like[0])
    n, m, n_prev, step, span, activation, room = (
        w[0],
        w[1],
        w[2],
        w[3],
        w[4],
        w[5],
        w[6],
    )
    j = chunk * span
    A_prev, Z, A = part(take(w, 10, one), 0, j), part(take(w, 13, one), 0, j), part(take(w, 16, one), 0, j)
    W, b, panels = take(w, 19, one), take(w, 22, one), part(take(w, 25, one), 0, member * room)
    forward(min(span, m - j), step, n, n_prev, one, A_prev, W, b, Z, A, activation, panels, alone(words))


_forward_address = forward_chunk.address()


@entry(IN, IN, IN, OUT, OUT, INT, INT, INT)
def layer_forward(A_prev, W, b, Z, A, activation, own_mailbox, team_mailbox):
    """Z = W A_prev + b, A = g(Z); LINEAR: A is not written. Tells whether it is done: not where an operand is odd."""
    if is_odd(A_prev) or is_odd(W) or is_odd(b):
        return False
    n, m = Z.shape
    n_prev = W.shape[1]
    team = claim(own_mailbox, team_mailbox)
    one = Z.dtype.type(1)
    inputs, weights, values, outputs = matrix(A_prev), matrix(W), matrix(Z), matrix(A)
    step = strip(2 * n + n_prev, m, Z.itemsize)
    span = chunk_columns(m, step)
    chunks, members = -(-m // span), team[MEMBERS]
    shared = chunks > 1 and members > 1 and n * n_prev * m >= SHARED_OPERATIONS
    helped = 1 if shared else members
    room = 0
    for columns in (step, last_of(m, step)):
        room = max(room, workspace_size(n, columns, n_prev, one, weights, inputs, False, helped))
    rooms = room * members if shared else room
    panels, owner = scratch(rooms + n, one, team)
    bias = vector(n, matrix(b), panels.data, panels.at + rooms)
    if shared:
        tell(team, (n, m, n_prev, step, span, activation, room))
        end = put(team, put(team, put(team, 10, inputs), values), outputs)
        put(team, put(team, put(team, end, weights), bias), panels)
        share(team, _forward_address(one), chunks)
    else:
        forward(m, step, n, n_prev, one, inputs, weights, bias, values, outputs, activation, panels, team)
    release(team)
    keep(owner)
    return True


@inner
def backward(columns, step, n, n_prev, divisor, dA, Z, A_prev, W, dA_prev, dW, db, dZ, activation, ones, panels, streams, team):
    """dA_prev, dW and db, divided with the last strip, strip by strip; dZ is workspace for a strip, not used if LINEAR."""
    one = one_of(divisor)
    wide = step >= columns and is_large(n, n_prev, one)
    for j in range(0, columns, step):
        here, start, scale = min(step, columns - j), ADD if j > 0 else ZERO, one
        if j + here >= columns and divisor != one:
            start, scale = start + DIVIDE, divisor
        gradients = part(dA, 0, j)
        if activation != LINEAR:
            gradients = Matrix(dZ.data, dZ.at, here, 1)
            gradient_shared(n, here, one, part(dA, 0, j), part(Z, 0, j), gradients, activation, team)
        product(n, 1, here, scale, gradients, ones, db, start, db, panels, team)
        product(n, n_prev, here, scale, gradients, transposed(part(A_prev, 0, j)), dW, start, db, panels, team, wide)
        product(n_prev, here, n, one, transposed(W), gradients, part(dA_prev, 0, j), ZERO, db, panels, team, streams)


@routine(WORDS, N, N, POINTER)
def backward_chunk(words, chunk, member, like):
    w, one = words, one_of(like[0])
    n, m, n_prev, step, span, activation, room, streams = (
        w[0],
        w[1],
        w[2],
        w[3],
        w[4],
        w[5],
        w[6],
        w[7] != 0,
    )
    j = chunk * span
    dA, Z, A_prev = part(take(w, 10, one), 0, j), part(take(w, 13, one), 0, j), part(take(w, 16, one), 0, j)
    W, dA_prev, sums = take(w, 19, one), part(take(w, 22, one), 0, j), part(take(w, 25, one), chunk, 0)
    ones, panels = take(w, 28, one), part(take(w, 31, one), 0, member * room)
    dZ = part(take(w, 34, one), 0, member * n * step)
    dW, db = Matrix(sums.data, sums.at, n_prev, 1), Matrix(sums.data, sums.at + n * n_prev, 1, 1)
    backward(
        min(span, m - j), step, n, n_prev, one, dA, Z, A_prev, W, dA_prev, dW, db, dZ, activation, ones, panels, streams,
        alone(words),
    )  # fmt: skip


_backward_address = backward_chunk.address()


@inner
def _add_up(chunks, size, sums, dW, db, n_weights, divisor):
    """dW and db from the chunks' partial sums, added up in order and divided."""
    for i in range(size):
        total = sums.data[sums.at + i]
        for chunk in range(1, chunks):
            total += sums.data[sums.at + chunk * sums.row + i]
        if i < n_weights:
            dW.data[dW.at + i] = total
        else:
            db.data[db.at + i - n_weights] = total
    divide(n_weights, dW.data, dW.at, divisor)
    divide(size - n_weights, db.data, db.at, divisor)


@entry(IN, IN, IN, IN, OUT, OUT, OUT, INT, INT, INT)
def layer_backward(dA, Z, A_prev, W, dA_prev, dW, db, activation, own_mailbox, team_mailbox):
    """dA_prev, dW, db from dA and Z; LINEAR: dA is dZ, Z is not read. Tells whether it is done: not where an operand is odd."""
    if is_odd(dA) or is_odd(Z) or is_odd(A_prev) or is_odd(W):
        return False
    n, m = dA.shape
    n_prev = W.shape[1]
    team = claim(own_mailbox, team_mailbox)
    one = dW.dtype.type(1)
    divisor = dW.dtype.type(m)
    step = strip(2 * n + 2 * n_prev, m, dW.itemsize)
    span = chunk_columns(m, step)
    chunks, size = -(-m // span), n * n_prev + n
    gradients, values, inputs, weights = matrix(dA), matrix(Z), matrix(A_prev), matrix(W)
    to_inputs, to_weights, to_bias = matrix(dA_prev), matrix(dW), matrix(db)
    streams = is_large(n_prev, m, one)
    strip_of_dZ = gradients if activation == LINEAR else Matrix(to_weights.data, 0, step, 1)
    in_chunks, members = chunks > 1 and chunks * size * dW.itemsize <= 2 * L2_BYTES, team[MEMBERS]
    shared = in_chunks and members > 1 and n * n_prev * m >= SHARED_OPERATIONS
    copies, helped = (members, 1) if shared else (1, members)
    room = 0
    for columns in (step, last_of(m, step)):
        wide = is_large(n, n_prev, one)
        room = max(room, workspace_size(n, n_prev, columns, one, strip_of_dZ, transposed(inputs), wide, helped))
        room = max(room, workspace_size(n_prev, columns, n, one, transposed(weights), strip_of_dZ, streams, helped))
    strips = 0 if activation == LINEAR else copies * n * step
    partial_sums = chunks * size if in_chunks else 0
    dZ, owner = scratch(strips + partial_sums + copies * room + step, one, team)
    sums = Matrix(dZ.data, dZ.at + strips, size, 1)
    panels = Matrix(dZ.data, sums.at + partial_sums, 1, 1)
    ones = Matrix(dZ.data, panels.at + copies * room, 1, 1)
    for j in range(step):
        ones.data[ones.at + j] = one
    if not in_chunks:
        backward(
            m, step, n, n_prev, divisor, gradients, values, inputs, weights, to_inputs, to_weights, to_bias, dZ, activation,
            ones, panels, streams, team,
        )  # fmt: skip
    elif shared:
        tell(team, (n, m, n_prev, step, span, activation, room, 1 if streams else 0))
        end = put(team, put(team, put(team, 10, gradients), values), inputs)
        end = put(team, put(team, put(team, end, weights), to_inputs), sums)
        put(team, put(team, put(team, end, ones), panels), dZ)
        share(team, _backward_address(one), chunks)
    else:
        for chunk in range(chunks):
            j = chunk * span
            partial = part(sums, chunk, 0)
            backward(
                min(span, m - j), step, n, n_prev, one, part(gradients, 0, j), part(values, 0, j), part(inputs, 0, j), weights,
                part(to_inputs, 0, j), Matrix(partial.data, partial.at, n_prev, 1),
                Matrix(partial.data, partial.at + n * n_prev, 1, 1), dZ, activation, ones, panels, streams, team,
            )  # fmt: skip
    if in_chunks:
        _add_up(chunks, size, sums, to_weights, to_bias, n * n_prev, divisor)
    release(team)
    keep(owner)
    return True


@entry(IN, IN, REAL, OUT)
def descend(W, dW, learning_rate, W_new):
    """W_new = W - learning_rate dW; tells whether it is done, which it is not where an operand is odd."""
    if is_odd(W) or is_odd(dW):
        return False
    rate = W_new.dtype.type(learning_rate)
    weights, gradients, new = matrix(W), matrix(dW), matrix(W_new)
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            w = weights.data[weights.at + i * weights.row + j * weights.column]
            g = gradients.data[gradients.at + i * gradients.row + j * gradients.column]
            new.data[new.at + i * new.row + j] = w - rate * g
    return True
