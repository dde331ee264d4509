"""A program: kernels on memory that ends, on either side, where reading or writing kills the process.

`python -m tests.kernels.support.guarded [full | once]` from the folder of the project, on a system with mmap and mprotect;
Numba's own settings choose the processor's code. Each operand lies once against the page behind it and once against the page
before it, at every edge of the tiles, in one piece and with nan between its rows; so does what kernels allocate. Inputs stay
as they are, and nothing is read that lies between or was never written: it is nan, or shows in the result.
"""

import itertools
import sys
from typing import Any

import numpy as np

from fastbackprop.activations import HIDDEN, OUTPUT, OUTPUTS, RELU, SIGMOID, layer_functions
from fastbackprop.batches import Batches
from fastbackprop.gram_rules import GramRule
from fastbackprop.kernels import cost, descent, elementwise, gram_descent, layer, update
from fastbackprop.kernels.blocking import INNER_COLUMNS, INNER_ROWS, KC, MR, NV, SQUARE, STRIP_BYTES
from fastbackprop.kernels.intrinsics import lanes
from fastbackprop.kernels.microkernel import ADD, BIAS, DIVIDE, ZERO
from fastbackprop.optimizers import Adam, GradientDescent, Momentum, Nesterov

from . import probes
from .fences import Allocator, Fence, distances
from .probes import DIVISOR, exact_sum, mailbox, mailboxes, whole_numbers

FULL = "full" in sys.argv[1:]
ONCE = "once" in sys.argv[1:]  # trainings in float64 alone: half as much to compile, and all below them still in both
# The ways of a product, with the layouts that operands may have: B along its rows unless it is packed (or TURN), and so on.
ALONG_ROWS, ANY = ("wide C", "C"), ("wide C", "wide Fortran", "strided")
WAYS = {
    probes.OUTER: (("wide Fortran", "wide C"), ALONG_ROWS),
    probes.INNER: (ALONG_ROWS, ("wide Fortran", "Fortran")),
    probes.PACK_A: (ANY, ALONG_ROWS),
    probes.PACKED: (("wide C", "Fortran"), ANY),
    probes.PACK_BOTH: (ANY, ANY),
    probes.STREAM: (("Fortran",), ALONG_ROWS),
    probes.STREAM_BOTH: (ANY, ANY),
    probes.TURN: (ANY, ANY),
    probes.FLIP: (("Fortran", "wide Fortran"), ("Fortran",)),
    probes.THIN: (("C",), ALONG_ROWS),
    probes.PRODUCT: (ANY, ANY),
}
STREAMED = (probes.STREAM, probes.STREAM_BOTH)


class Bench:
    """Fences for the operands of one dtype, and a kernel called between them."""

    def __init__(self, dtype, allocator):
        self.dtype, self.allocator = np.dtype(dtype), allocator
        self.fences = [Fence() for _ in range(16)]
        self.rng = np.random.default_rng(0)

    def drawn(self, rows, columns, largest=8):
        return whole_numbers(self.rng, rows, columns, self.dtype, largest)

    def call(self, kernel, arguments, at_end):
        """The kernel's result, and what it wrote.

        `arguments` are (values, layout) for what is read, (values, None) for what is written, else as they are.
        """
        inputs, written, passed = [], [], []
        fences = iter(self.fences)
        for argument in arguments:
            if not isinstance(argument, tuple):
                passed.append(argument)
                continue
            (values, layout), fence = argument, next(fences)
            if layout is None:
                view = fence.flat(values.size, values.dtype, at_end, 0).reshape(values.shape)
                view[...] = values
                written.append(view)
            else:
                view, flat = fence.matrix(values, at_end, *distances(layout, *values.shape))
                view.flags.writeable = False
                inputs.append((flat, flat.tobytes()))
            passed.append(view)
        answer = kernel(*passed)
        for flat, before in inputs:
            if flat.tobytes() != before:
                raise AssertionError("an input was written to")
        return answer, written

    def check(self, kernel, arguments, expected):
        """Both ends, after a first call that the allocator learns from; what is written equals the `expected` arrays."""
        for i, at_end in enumerate((False, False, True)):
            self.allocator.begin(self.dtype, at_end, first=i == 0)
            answer, written = self.call(kernel, arguments, at_end)
            if i == 0:
                self.allocator.learn()
            self.allocator.check()
            if answer is False:
                raise AssertionError("refused")
            for actual, values in zip(written, expected, strict=True):
                expect(actual, values)


def expect(actual, expected):
    """Whole numbers exactly; fractions but for rounding: what doesn't belong there is nan, or as large as numbers are."""
    if np.array_equal(actual, expected):  # a tenth of what the other takes
        return
    if not np.allclose(actual, expected, rtol=1e-4 if actual.dtype == np.float32 else 1e-9, atol=1e-6, equal_nan=True):
        raise AssertionError(f"{actual} instead of {expected}")


def around(*sizes):
    """The given sizes, each with the one below and the one above."""
    return sorted({n for size in sizes for n in (size - 1, size, size + 1)} - {-1, 0})


def micro_kernels(bench):
    c, dtype = bench.dtype.char, bench.dtype
    one, n, NR = dtype.type(1), lanes(dtype), NV * lanes(dtype)
    columns_of, depths = around(1, n, 2 * n, NR), (1, 2, n, n + 1)
    for rows, columns, depth in itertools.product(range(1, MR + 1), columns_of, depths):
        A, B, C, bias = (bench.drawn(*shape) for shape in ((rows, depth), (depth, columns), (rows, columns), (rows, 1)))
        for start in (BIAS, ADD + DIVIDE):
            expected = exact_sum(C if start >= ADD else bias, DIVISOR if start >= DIVIDE else 1, A, B, dtype, start)
            scale = dtype.type(DIVISOR) if start >= DIVIDE else one
            for at_end in (False, True):
                (a, b, result, beta) = fenced(bench, at_end, A.T, B, C, bias)
                probes.outer[c](
                    rows, columns, depth, scale, a, 0, 1, rows, b, 0, columns, NR, result, 0, columns, start, beta, 0
                )
                expect(result.reshape(rows, columns), expected)
    for rows, columns, depth in itertools.product(
        around(1, INNER_ROWS, 2 * INNER_ROWS), range(1, INNER_COLUMNS + 1), columns_of
    ):
        A, B, C, bias = (bench.drawn(*shape) for shape in ((rows, depth), (depth, columns), (rows, columns), (rows, 1)))
        for at_end in (False, True):
            (a, b, result, beta) = fenced(bench, at_end, A, B.T, C, bias)
            probes.inner[c](rows, columns, depth, one, a, 0, depth, b, 0, depth, result, 0, columns, 1, ADD, beta, 0)
            expect(result.reshape(rows, columns), C + A @ B)


def fenced(bench, at_end, *arrays):
    """Copies, flat."""
    found = []
    for fence, x in zip(bench.fences, arrays, strict=False):
        found.append(fence.flat(x.size, x.dtype, at_end))
        found[-1][:] = x.ravel()
    return found


def packing(bench):
    """Panels of the requested depth, the last one narrower; and copies past the caches."""
    c, n = bench.dtype.char, lanes(bench.dtype)
    for panel in (MR, NV * n):
        for width, depth in itertools.product(around(1, n // 2, SQUARE, n, panel, 2 * panel), around(1, SQUARE, 16)):
            X = bench.drawn(width, depth)
            padded = np.full((-(-width // panel) * panel, depth), np.nan, X.dtype)
            padded[:width] = X
            panels = [padded[w : w + panel].T.ravel() for w in range(0, width, panel)]
            expected = np.concatenate(panels)[: len(padded) * depth - (len(padded) - width)]  # what the last one lacks
            for layout, at_end in itertools.product(("C", "wide C", "Fortran", "wide Fortran", "strided"), (False, True)):
                row, column = distances(layout, width, depth)
                _, flat = bench.fences[0].matrix(X, at_end, row, column)
                before, result = flat.tobytes(), bench.fences[1].flat(len(expected), bench.dtype, at_end)
                probes.pack_all[c](width, depth, flat, 0, row, column, result, 0, panel)
                expect(result, expected)
                assert flat.tobytes() == before
    for rows, columns, gap, at_end in itertools.product((1, 3), around(1, n, 2 * n, 4 * n, 64), (0, 3), (False, True)):
        X, row = bench.drawn(rows, columns), columns + gap
        _, flat = bench.fences[0].matrix(X, at_end, row, 1)
        result, all_of_it = bench.fences[1].matrix(X * 0, at_end, row, 1)
        probes.streamed[c](rows, columns, flat, 0, row, all_of_it, 0, row)
        expect(result, X)
        assert np.isnan(all_of_it).sum() == gap * (rows - 1)


def sizes_of(way, dtype):
    """Rows, columns and depth of a product: each edge of the tiles, and beyond a block of depth."""
    n, NR = lanes(dtype), NV * lanes(dtype)
    rows_of, columns_of, depths = around(1, MR, 2 * MR), around(1, SQUARE, n, NR), [1, 2, SQUARE + 1, n, 2 * n + 1]
    if not FULL:
        rows_of, columns_of, depths = [1, MR, MR + 1], [1, SQUARE + 1, n - 1, NR, NR + 1], [1, n + 1]
    kc = KC * 8 // dtype.itemsize
    deep = [(MR + 1, 3, kc + 1), (3, NR + 1, 4 * KC + 1)] if way not in STREAMED else []
    for rows, columns, depth in [*itertools.product(rows_of, columns_of, depths), *deep]:
        yield (1 if way == probes.THIN else rows), (1 if way == probes.FLIP else columns), depth


def products(bench):
    """Every way; between the rows of C lies nan, the workspace has just what is asked for."""
    dtype, c = bench.dtype, bench.dtype.char
    one = dtype.type(1)
    for way, (layouts_a, layouts_b) in WAYS.items():
        starts = [ZERO, BIAS, ZERO + DIVIDE] + ([] if way in STREAMED else [ADD, ADD + DIVIDE])
        layouts = itertools.cycle(itertools.product(layouts_a, layouts_b))
        for (rows, columns, depth), start in itertools.product(dict.fromkeys(sizes_of(way, dtype)), starts):
            A, B, C, bias = (bench.drawn(*shape) for shape in ((rows, depth), (depth, columns), (rows, columns), (rows, 1)))
            c0, scale = {ZERO: 0, BIAS: bias, ADD: C}[start % DIVIDE], dtype.type(DIVISOR if start >= DIVIDE else 1)
            expected = exact_sum(c0, scale, A, B, dtype, start)
            in_team = way == probes.PRODUCT and rows * columns * depth > 500
            layout_a, layout_b = next(layouts)
            for at_end, members in ((False, 1), (True, 3 if in_team else 1)):
                a, all_a = bench.fences[0].matrix(A, at_end, *distances(layout_a, rows, depth))
                b, all_b = bench.fences[1].matrix(B, at_end, *distances(layout_b, depth, columns))
                gap = 0 if way == probes.FLIP else 3
                result, all_c = bench.fences[2].matrix(C, at_end, columns + gap, 1)
                if start % DIVIDE != ADD:
                    all_c[:] = np.nan
                before = all_a.tobytes(), all_b.tobytes()
                (beta,) = (bench.fences[3].matrix(bias, at_end, 1, 1)[1],)
                room = probes.room[c](way, a, b, one, members)
                workspace = bench.fences[4].flat(room, dtype, at_end)
                arguments = way, a, b, scale, all_c, 0, columns + gap, start, beta, 0, workspace, 0, mailbox(members)
                probes.multiply[c](*arguments)
                expect(result, expected)
                assert np.isnan(all_c).sum() == gap * (rows - 1), "between the rows of C"
                assert (all_a.tobytes(), all_b.tobytes()) == before, "an input was written to"


def gram_matrices(bench):
    dtype, c, one = bench.dtype, bench.dtype.char, bench.dtype.type(1)
    NR = NV * lanes(dtype)
    for m, depth in itertools.product((1, SQUARE + 1, MR, NR - 1, NR + 1, 2 * NR + 1, 250), (1, 3, SQUARE + 1)):
        X = bench.drawn(depth, m)
        for layout, at_end, members in itertools.product(("wide C", "wide Fortran"), (False, True), (1, 3)):
            x, _ = bench.fences[0].matrix(X, at_end, *distances(layout, depth, m))
            g, all_g = bench.fences[1].matrix(bench.drawn(m, m) * 0, at_end, m + 3, 1)
            workspace = bench.fences[2].flat(probes.gram_room[c](x, one, members), dtype, at_end)
            probes.gram_matrix[c](x, one, all_g, 0, m + 3, ZERO, workspace, 0, mailbox(members))
            expect(g, X.T @ X)
            assert np.isnan(all_g).sum() == 3 * (m - 1)


def single_elements(bench):
    c, n = bench.dtype.char, lanes(bench.dtype)
    for rows, columns in itertools.product((1, 3), around(1, n, 2 * n, 4 * n)):
        Z, dA = bench.drawn(rows, columns), bench.drawn(rows, columns)
        result = np.full(Z.shape, np.nan, Z.dtype)
        s = 1 / (1 + np.exp(-Z))
        for g, A, dZ in (
            (RELU, np.maximum(Z, 0), dA * (Z > 0)),
            (SIGMOID, s, dA * s * (1 - s)),
        ):
            for layout in ("C", "wide C", "wide Fortran", "strided"):
                bench.check(elementwise.activation_forward[c], [(Z, layout), (result, None), g.at[c], *mailboxes(1)], [A])
                other = (dA, layout), (Z, "wide C"), (result, None), g.gradient_at[c], *mailboxes(1)
                bench.check(elementwise.activation_backward[c], other, [dZ])
        W_new = Z - bench.dtype.type(0.25) * dA
        for layout in ("C", "wide C", "wide Fortran", "strided"):
            bench.check(update.descend[c], [(Z, layout), (dA, "wide C"), 0.25, (result, None)], [W_new])
            AL, Y = bench.rng.uniform(0.1, 0.9, (rows, columns)).astype(bench.dtype), (dA > 0).astype(bench.dtype)
            dZ = -(Y / AL - (1 - Y) / (1 - AL)) * s * (1 - s)
            bench.check(cost.output_gradient[c], [(AL, layout), (Y, "wide C"), (Z, layout), (result, None)], [dZ])
            expected = -np.mean(Y[:1] * np.log(AL[:1]) + (1 - Y[:1]) * np.log(1 - AL[:1]))
            bench.check(
                cost.cross_entropy[c], [(AL[:1], layout), (Y[:1], "wide C"), (np.zeros(1), None)], [np.array([expected])]
            )


def layers(bench):
    """Forward and backward: one strip of columns, many, in chunks; alone and in a team."""
    c, dtype, n = bench.dtype.char, bench.dtype, lanes(bench.dtype)
    units = (1, 2, MR + 1, 2 * MR + 3) if FULL else (1, MR + 1)
    sizes = [
        *itertools.product(units, units, (1, 3, n + 1, NV * n + 1)),
        (3, 40 * MR, 20),
        (20, 16 * NV * n + 1, 209),
        (70, 90, 50),
    ]
    many = 2 * STRIP_BYTES // dtype.itemsize + 1
    sizes += [(1, 2, many), (2, 1, many)] + ([(3, 2, 9 * many // 4), (300, 200, 345)] if FULL else [])
    for (n, n_prev, m), layout in itertools.product(sizes, ("wide C", "wide Fortran")):
        W, A_prev, b, dA, Z = (bench.drawn(*s, 2) for s in ((n, n_prev), (n_prev, m), (n, 1), (n, m), (n, m)))
        empty = [np.full(shape, np.nan, dtype) for shape in ((n, m), (n, m), (n_prev, m), (n, n_prev), (n, 1))]
        to_Z = exact_sum(b, 1, W, A_prev, dtype)
        dZ = np.where(Z <= 0, 0, dA)
        dW, db = exact_sum(0, m, dZ, A_prev.T, dtype, DIVIDE), exact_sum(0, m, dZ, np.ones((m, 1), dtype), dtype, DIVIDE)
        dA_prev = exact_sum(0, 1, W.T, dZ, dtype)
        for members in (1, 3) if n * n_prev * m > 10_000 else (1,):
            read = (A_prev, layout), (W, "wide C"), (b, "strided")
            written = [(x, None) for x in empty]
            bench.check(
                layer.layer_forward[c],
                [*read, *written[:2], RELU.at[c], *mailboxes(members)],
                [to_Z, np.maximum(to_Z, 0)],
            )
            read_back = (dA, layout), (Z, "wide C"), (A_prev, layout), (W, layout)
            bench.check(
                layer.layer_backward[c], [*read_back, *written[2:], RELU.gradient_at[c], *mailboxes(members)], [dA_prev, dW, db]
            )


def problems(bench, most):
    """Nets and numbers of examples: X, Y, sizes, W, b, and an entry's arguments on rates and iterations."""
    dtype = bench.dtype
    for sizes, m in itertools.product([(1, 1), (5, 3, 1), (3, MR + 1, 2, 1)], (1, MR + 1, 50, 300, 1201)):
        if m <= most:
            X, Y = bench.drawn(sizes[0], m) / 8, (bench.drawn(1, m)[0] > 0).astype(dtype)
            W = bench.rng.uniform(-1, 1, sum(np.multiply(sizes[1:], sizes[:-1]))).astype(dtype)
            schedule = (0.5, float(np.finfo(dtype).max), 0, 3, 100)
            yield X, Y, np.array(sizes, np.int64), W, np.zeros(sum(sizes[1:]), dtype), schedule


def direct_descents(bench):
    """A few iterations; expected is what they leave in memory of the usual kind."""
    if ONCE and bench.dtype.char == "f":
        return
    kernel, costs, state = descent.direct_descent[bench.dtype.char], np.zeros(1), np.zeros(2, np.int64)
    functions = layer_functions(HIDDEN["relu"], OUTPUT, bench.dtype.char), 0.0
    for X, Y, sizes, W, b, schedule in problems(bench, 1201):
        for layout, members in (("wide C", 1), ("wide Fortran", 3)):
            rows = W.copy(), b.copy(), costs.copy()
            kernel(X, Y, sizes, *functions, *rows[:2], *schedule, rows[2], state.copy(), *mailboxes(members))
            before, written = [(x, None) for x in (Y, sizes)], [(x, None) for x in (W, b)]
            last = *schedule, (costs, None), (state, None), *mailboxes(members)
            bench.check(kernel, ((X, layout), *before, *functions, *written, *last), [Y, sizes, *rows, state])


def gram_descents(bench):
    """Likewise, and the entries before and after the iterations."""
    if bench.dtype.char == "f":
        return
    start, state = np.zeros(1), np.zeros(2, np.int64)
    functions = layer_functions(HIDDEN["relu"], OUTPUT, "d"), 0.0
    for X, Y, sizes, W, b, schedule in problems(bench, 300):
        n_0, m = X.shape
        n_1 = int(sizes[1])
        W1, rest, zeros = W[: n_1 * n_0].reshape(n_1, n_0), W[n_1 * n_0 :], np.zeros((m, m))
        G, V, S = X.T @ X, W1 @ X, np.zeros((n_1, m))
        for members in (1, 3):
            G_added, V_added = zeros.copy(), S.copy()
            gram_descent.gram_add["d"](X, W1, G_added, V_added, state.copy(), *mailboxes(members))
            expect(np.triu(G_added), np.triu(G))
            to_add = (X, "wide C"), (W1, "wide C"), (zeros, None), (S, None), (state, None), *mailboxes(members)
            bench.check(gram_descent.gram_add["d"], to_add, [G_added, V_added, state])
            bench.check(gram_descent.gram_mirror["d"], [(np.triu(G), None), (state, None)], [G, state])
            to_finish = (X, "wide C"), (V, "wide C"), 0.5, (W1, None), (state, None), *mailboxes(members)
            bench.check(gram_descent.gram_finish["d"], to_finish, [W1 - 0.5 / m * V @ X.T, state])
            rows = [x.copy() for x in (rest, b, V.ravel(), S.ravel())]
            costs = start.copy()
            gram_descent.gram_descent["d"](G, Y, sizes, *functions, *rows, *schedule, costs, state.copy(), *mailboxes(members))
            before, written = [(x, None) for x in (Y, sizes)], [(x, None) for x in (rest, b, V.ravel(), S.ravel())]
            last = *schedule, (start, None), (state, None), *mailboxes(members)
            to_descend = (G, "wide C"), *before, *functions, *written, *last
            bench.check(gram_descent.gram_descent["d"], to_descend, [Y, sizes, *rows, costs, state])


def batch_descents(bench):
    """Epochs by batches of every output, hidden activation and rule; expected is what they leave in usual memory."""
    dtype = bench.dtype
    if ONCE and dtype.char == "f":
        return
    kinds = zip(
        ("relu", "tanh", "leaky_relu", "sigmoid", "identity"),
        ("sigmoid", "softmax", "identity", "softmax", "sigmoid"),
        (Adam(0.01), Momentum(0.1), GradientDescent(0.1), Nesterov(0.1), Adam(0.01)),
        (None, 3, MR + 1, 50, 10**6),
        strict=True,
    )
    for hidden, output, optimizer, batch in kinds:
        for sizes, m in itertools.product([(1, 2), (5, 3, 2), (3, MR + 1, 2, 3)], (1, MR + 1, 50, 301)):
            X, Y = bench.drawn(sizes[0], m) / 8, bench.drawn(sizes[-1], m) / 8
            weights, order = bench.rng.uniform(0.5, 1, m).astype(dtype), np.tile(bench.rng.permutation(m), 2)
            start: dict[str, np.ndarray] = {}
            for l, (n_prev, n) in enumerate(itertools.pairwise(sizes), start=1):
                start |= {f"W{l}": bench.drawn(n, n_prev) / 16, f"b{l}": bench.drawn(n, 1) / 16}
            work = Batches(
                X, Y, sizes, start, hidden=HIDDEN[hidden], output=OUTPUTS[output], optimizer=optimizer, l2=0.5,
                weights=weights if m % 2 else None, batch_size=batch,
            )  # fmt: skip
            calls: list[tuple[Any, tuple[Any, ...]]] = []
            work.call = lambda kernel, *arguments, calls=calls: calls.append((kernel, arguments)) or 0
            work.advance(order, np.full(2, 0.01))
            work.loss_and_gradients()
            for (kernel, arguments), members in itertools.product(calls, (1, 3)):
                recorded(bench, kernel, arguments, 2, members)


def recorded(bench, kernel, arguments, matrices, members):
    """A call as it was recorded: its first arguments are matrices, in the others it may write."""
    expected = [x.copy() if isinstance(x, np.ndarray) else x for x in arguments]
    kernel(*expected, *mailboxes(members))
    passed: list[Any] = [(x, "wide C") for x in arguments[:matrices]]
    written = []
    for before, after in zip(arguments[matrices:], expected[matrices:], strict=True):
        fenced = isinstance(before, np.ndarray) and before.size
        passed.append((before, None) if fenced else before)
        written += [after] if fenced else []
    bench.check(kernel, [*passed, *mailboxes(members)], written)


def gram_rule_descents(bench):
    """A few iterations with a velocity and decay."""
    if bench.dtype.char == "f":
        return
    for X, Y, sizes, W, _, _ in problems(bench, 300):
        start = {f"b{l}": np.zeros((int(n), 1)) for l, n in enumerate(sizes[1:], start=1)}
        ends = np.cumsum(sizes[1:] * sizes[:-1])
        for l, weights in enumerate(np.split(W, ends[:-1]), start=1):
            start[f"W{l}"] = weights.reshape(int(sizes[l]), int(sizes[l - 1]))
        work = GramRule(X, Y.reshape(1, -1), sizes.tolist(), start, Nesterov(0.1), 0.5)
        work.G[...], work.V[...] = X.T @ X, start["W1"] @ X
        work.V_start[...] = work.V
        calls: list[tuple[Any, tuple[Any, ...]]] = []
        work.call = lambda kernel, *arguments, calls=calls: calls.append((kernel, arguments)) or 0
        work.kernel(0, 3, 1, np.zeros(3))
        for members in (1, 3):
            recorded(bench, *calls[0], 1, members)


PARTS = (
    micro_kernels, packing, products, gram_matrices, single_elements, layers, direct_descents, gram_descents, batch_descents,
    gram_rule_descents,
)  # fmt: skip


def main() -> None:
    allocator = Allocator()
    for dtype in probes.DTYPES:
        bench = Bench(dtype, allocator)
        for part in PARTS:
            part(bench)
    print("nothing beyond")


if __name__ == "__main__":
    main()
