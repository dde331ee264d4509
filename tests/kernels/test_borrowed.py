"""Arrays without owners: what entries take of them, what they refuse, and that nothing is left of them after a call."""

import sys

import numpy as np
import pytest

from fastbackprop.kernels import cost, descent, elementwise, jit, layer, update
from fastbackprop.kernels.activations import LINEAR
from fastbackprop.team import ALONE, NOBODY
from fastbackprop.testing import LAYOUTS

N, N_PREV, M = 3, 4, 5


class Subclass(np.ndarray):
    """Not a plain array: it may mean another thing by its operators."""


def drawn(*shape):
    return np.random.default_rng(0).uniform(0.1, 0.9, shape)


class Call:
    """An entry of what users give, the operands that it reads, and those that it writes between two numbers."""

    def __init__(self, entry, read, written, before=(), after=()):
        self.entry, self.read, self.written, self.before, self.after = entry, read, written, before, after

    def __call__(self, char, read):
        results = [np.full(shape, 7.0, "d" if self.entry is cost.cross_entropy else char) for shape in self.written]
        return self.entry[char](*read, *self.before, *results, *self.after), results

    def operands(self, char):
        return [drawn(*shape).astype(char) for shape in self.read]


TEAM = (LINEAR, ALONE, NOBODY)
CALLS = {
    "layer_forward": Call(layer.layer_forward, [(N_PREV, M), (N, N_PREV), (N, 1)], [(N, M), (N, M)], after=TEAM),
    "layer_backward": Call(
        layer.layer_backward, [(N, M), (N, M), (N_PREV, M), (N, N_PREV)], [(N_PREV, M), (N, N_PREV), (N, 1)], after=TEAM
    ),
    "descend": Call(update.descend, [(N, M), (N, M)], [(N, M)], before=(0.5,)),
    "cross_entropy": Call(cost.cross_entropy, [(1, M), (1, M)], [(1,)]),
    "output_gradient": Call(cost.output_gradient, [(N, M), (N, M), (N, M)], [(N, M)]),
}
# What their callers look at before they call: it has two dimensions, and its dtype is the entry's.
LOOKED_AT = {"layer_forward": (1,), "layer_backward": (), "descend": (), "cross_entropy": (0,), "output_gradient": ()}


def no_operands(x):
    """What is no plain matrix of x's shape and dtype, or is odd."""
    other = np.float32 if x.dtype == np.float64 else np.float64
    yield from (None, 5, 0.5, x.tolist(), x[0, 0], object(), np, "array", type(x), memoryview(x))
    yield from (x.view(Subclass), np.asmatrix(x), np.ma.masked_array(x))
    yield from (x.astype(other), x.astype(int), x.astype(bool), x.astype(object), x.astype(complex), x.astype(np.float16))
    yield x.astype(x.dtype.newbyteorder())
    yield from (x.ravel(), x[None], x[0, 0:1].reshape(()), np.repeat(x, 2, 0), np.repeat(x, 2, 1), x[:0], x[:, :0])
    if x.shape[0] > 1:
        records = np.zeros(x.shape[0], [("", "i1"), ("x", x.dtype, x.shape[1:])])
        records["x"] = x
        yield records["x"]


@pytest.mark.plain
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("char", "df")
@pytest.mark.parametrize("name", CALLS)
def test_what_does_not_serve_is_refused_before_anything_is_written(name, char):
    call = CALLS[name]
    operands = call.operands(char)
    assert call(char, operands)[0]
    for i, x in enumerate(operands):
        if i in LOOKED_AT[name]:
            continue
        for wrong in no_operands(x):
            done, results = call(char, [*operands[:i], wrong, *operands[i + 1 :]])
            assert not done, (i, wrong)
            assert all((result == 7).all() for result in results), (i, wrong)


@pytest.mark.plain
@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "byte-swapped"])  # that is another dtype
@pytest.mark.parametrize("name", CALLS)
def test_every_layout_serves(name, layout):
    call = CALLS[name]
    operands = call.operands("d")
    _, expected = call("d", operands)
    done, results = call("d", [LAYOUTS[layout](x) for x in operands])
    assert done
    for result, value in zip(results, expected, strict=True):
        np.testing.assert_allclose(result, value, rtol=1e-12)


@pytest.mark.plain
def test_a_dtype_with_metadata_serves():
    """It equals the dtype, and is another object."""
    call = CALLS["layer_forward"]
    operands = [x.astype(np.dtype("d", metadata={"unit": "m"})) for x in call.operands("d")]
    assert call("d", operands)[0]


@pytest.mark.skipif(not jit.JIT, reason="plain Python takes what it is given")
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_other_entries_raise():
    kernel, x = elementwise.activation_forward["d"], drawn(N, M)
    records = 1  # the last: of the right dtype and dimensions
    for wrong in list(no_operands(x))[:-records]:
        if type(wrong) is np.ndarray and wrong.ndim == 2 and wrong.dtype == x.dtype:
            continue  # of another shape, which callers check
        with pytest.raises(TypeError, match="plain array of float64 here, of dimensions: 2"):
            kernel(wrong, np.empty((N, M)), LINEAR, ALONE, NOBODY)
    with pytest.raises(TypeError, match="plain array of int64 here, of dimensions: 1"):
        descent.direct_descent["d"](x, x[0], drawn(3), *[None] * 13)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_keeps_no_reference(name):
    call = CALLS[name]
    operands = call.operands("d")
    before = [sys.getrefcount(x) for x in operands]
    for _ in range(3):
        call("d", operands)
        call("d", [*operands[:-1], None])
    assert [sys.getrefcount(x) for x in operands] == before
