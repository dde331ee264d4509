"""Memory for what only lives while a kernel runs: a call's own, or the scratch memory of its mailbox, which stays.

Memory that a call allocates and frees goes back to the system if it is large: then each call pays for every page again,
which took longer than the products of a layer of 784 x 128 x 1000.
"""

from fastbackprop.kernels.blocking import LINE_BYTES
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.mailbox import SCRATCH, SCRATCH_BYTES
from fastbackprop.kernels.matrix import Matrix, size_of
from fastbackprop.kernels.memory import allocate, at_address, gap, nothing


@inner
def workspace(size, one):
    """A row of `size` numbers of the dtype of `one`, from the start of a cache line on; its data are to be freed."""
    memory = allocate(size + LINE_BYTES, one)
    return Matrix(memory, gap(memory, 0), size, 1)


@inner
def scratch(size, one, team):
    """Such a row, one at a time of a mailbox, and what is to be freed: its own scratch memory where that suffices."""
    if size * size_of(one) < team[SCRATCH_BYTES]:
        return Matrix(at_address(team[SCRATCH], one), 0, size, 1), nothing(one)
    row = workspace(size, one)
    return row, row.data
