"""Every loop with several passes and a last one that is smaller, on matrices of a few hundred numbers.

With NUMBA_DISABLE_JIT=1 the sizes of blocks, strips and chunks can be made tiny, and the workspaces just as large as
requested: each access beyond one raises, and each number that is read before it was written is nan. Compiled, the same calls
run with the real sizes.
"""

import importlib
import pkgutil

import numpy as np
import pytest

from fastbackprop import kernels
from fastbackprop.activations import LINEAR, RELU
from fastbackprop.kernels import blocking, workspace
from fastbackprop.kernels.jit import JIT
from fastbackprop.kernels.microkernel import ADD, BIAS, ZERO

from .support.probes import DTYPES, PRODUCT
from .support.products import check as check_product
from .support.products import full_columns
from .support.trainings import assert_close, follow, problem, train
from .test_layer import check as check_layer
from .test_layer import named

KC = 4
TINY = {
    "KC": KC,
    "BLOCK_A_BYTES": 2 * blocking.MR * KC * 8,
    "BLOCK_B_BYTES": 2 * full_columns("float64") * KC * 8,
    "STRIP_BYTES": 100 * 16 * 8,  # a strip is at least four tiles wide
    "BLOCK_BYTES": 100 * 16 * 8,
    "BLOCK_COLUMNS": 100,
    "L2_BYTES": 2048,
    "CHUNKS": 2,
    "STREAM_BYTES": 512,
    "PAGES": 3,
    "PIECE_OPERATIONS": 500,
}
OF_LARGE_L2 = {"L2_BYTES": 2**20}  # partial sums of several chunks fit
# Blocks of a few dozen examples fit: a chunk each, or more.
OF_MIDDLE_L2 = {"L2_BYTES": 2**15, "SHARED_OPERATIONS": 1, "SHARED_COLUMNS": 4, "ENOUGH_COLUMNS": 8, "ENOUGH_CHUNKS": 2}
L2 = {"small L2": {}, "middle L2": OF_MIDDLE_L2, "large L2": OF_LARGE_L2}


class Exact:
    """Memory that refuses what lies outside it, on either side."""

    def __init__(self, size, dtype):
        self.array, self.dtype = np.full(size, np.nan, dtype), np.dtype(dtype)

    def _within(self, i):
        first, last = (i.start, i.stop) if isinstance(i, slice) else (i, i + 1)
        if not 0 <= first <= last <= self.array.size:
            raise IndexError(f"{i} of a workspace of {self.array.size}")
        return i

    def __getitem__(self, i):
        return self.array[self._within(i)]

    def __setitem__(self, i, value):
        self.array[self._within(i)] = value


@pytest.fixture(params=L2, autouse=True)
def tiny(request, monkeypatch):
    """Tiny sizes wherever a kernel holds one, and exact workspaces."""
    if JIT:  # machine code has the sizes in it
        return
    sizes = TINY | L2[request.param]
    for found in pkgutil.iter_modules(kernels.__path__):
        module = importlib.import_module(f"{kernels.__name__}.{found.name}")
        for name, size in sizes.items():
            if module is not blocking and hasattr(module, name):
                monkeypatch.setattr(module, name, size)
    monkeypatch.setattr(workspace, "LINE_BYTES", 0)
    monkeypatch.setattr(workspace, "gap", lambda array, i: 0)
    monkeypatch.setattr(workspace, "allocate", lambda size, like: Exact(size, np.asarray(like).dtype))


@pytest.mark.plain
@pytest.mark.parametrize("start", [ZERO, BIAS, ADD])
@pytest.mark.parametrize("layouts", ["CC", "CF", "FC", "FF"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_several_blocks(dtype, layouts, start):
    MR, NR = blocking.MR, full_columns(dtype)
    to = {"C": "C", "F": "Fortran"}
    sizes = [(3 * MR + 1, 2 * NR + 5, 3 * KC + 1), (2, 2 * NR + 1, 70), (3 * MR + 1, 1, 70), (1, 2 * NR + 1, 70), (3, 5, 70)]
    if layouts == "CF":
        sizes.append((21, 32 * MR + 5, 220))  # a result so flat that its transpose is computed
    for rows, columns, depth in sizes:
        check_product(PRODUCT, dtype, rows, columns, depth, start, 2, to[layouts[0]], to[layouts[1]])


@pytest.mark.plain
@pytest.mark.parametrize("layout", ["C", "Fortran"])
@pytest.mark.parametrize("activation", [LINEAR, RELU], ids=named)
@pytest.mark.parametrize("dtype", DTYPES)
def test_layers_of_several_strips(dtype, activation, layout):
    check_layer(dtype, 2, 3, 1024, activation, layout, largest=2)
    check_layer(dtype, 1, 4, 1024, activation, layout, largest=2)
    check_layer(dtype, 30, 20, 64, activation, layout, largest=2)


@pytest.mark.plain
@pytest.mark.parametrize(
    "layers, m", [((2, 3, 2, 1), 450), ((3, 1), 400), ((40, 30, 2, 1), 130), ((40, 30, 2, 1), 70)], ids=str
)
@pytest.mark.parametrize("algorithm", ["direct", "gram"])
def test_trainings_of_several_blocks(algorithm, layers, m):
    # Several blocks, of which the last is smaller; the Gram matrix takes m^2 steps.
    X, Y, start = problem(layers, min(m, 330) if algorithm == "gram" else m)
    parameters, costs, _ = follow(X, Y, start, 0.1, 3)
    assert_close(train(algorithm, X, Y, start, 0.1, 3), parameters, costs)
