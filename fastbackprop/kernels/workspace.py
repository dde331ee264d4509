"""Memory for what only lives while a kernel runs: a call's own, or the scratch memory of its mailbox, which stays.

Memory that a call allocates and frees goes back to the system if it is large: then each call pays for every page anew,
which took longer than the products of a layer of 784 x 128 x 1000.
"""

import numpy as np

from fastbackprop.kernels.blocking import LINE_BYTES
from fastbackprop.kernels.jit import inner
from fastbackprop.kernels.matrix import Matrix, size_of
from fastbackprop.kernels.memory import at_address, bare, gap
from fastbackprop.kernels.threads import SCRATCH, SCRATCH_BYTES


@inner
def workspace(size, one):
    """A row of `size` numbers of the dtype of `one`, from the start of a cache line on."""
    data = np.empty(size + LINE_BYTES, np.asarray(one).dtype)
    return Matrix(data, gap(data, 0), size, 1)


@inner
def lent(A):
    """A workspace to hand on; its owner has to be kept."""
    return Matrix(bare(A.data), A.at, A.row, A.column)


@inner
def scratch(size, one, team):
    """A row of `size` numbers to hand on, and the array to keep meanwhile; one at a time of a mailbox.

    It is the mailbox's where that suffices.
    """
    suffices = size * size_of(one) < team[SCRATCH_BYTES]
    own = workspace(0 if suffices else size, one)
    if suffices:
        return Matrix(at_address(team[SCRATCH], one), 0, size, 1), own.data
    return lent(own), own.data
