"""Jobs: what a chunk reads is what the caller put into the tuple, of the types that the routine takes."""

from typing import NamedTuple

import numpy as np
import pytest
from numba.core.errors import TypingError

from fastbackprop.kernels.jit import JIT, entry, inner, routine
from fastbackprop.kernels.jobs import held, in_turn
from fastbackprop.kernels.kinds import ADDRESS, FLAT, N, Number, Reals
from fastbackprop.kernels.matrix import Matrix
from fastbackprop.kernels.memory import allocate, bare, free


class Nested(NamedTuple):
    first: int
    second: int


class SumJob(NamedTuple):
    """Of every kind of field: numbers, flags, a tuple of equal fields, a matrix, memory of two dtypes."""

    offset: int
    doubled: bool
    scale: Number
    nested: Nested
    x: Matrix
    costs: Reals


@routine(ADDRESS(SumJob), N, N)
def sum_chunk(job, chunk, member):
    term = job.x.data[job.x.at + chunk] * job.scale * (2 if job.doubled else 1)
    job.costs[0] += term + job.offset + job.nested.first + 10 * job.nested.second + member


@inner
def _summed(x, scale, doubled, costs):
    job = held(SumJob(1, doubled, scale, Nested(2, 3), Matrix(x, 0, 1, 1), costs))
    in_turn(sum_chunk, job, 4)


@entry(FLAT, FLAT, FLAT)
def summed(x, scale, result):
    """The chunks' sum, in the memory of another dtype on the way."""
    costs = allocate(1, 0.0)
    costs[0] = 0
    _summed(bare(x), scale[0], True, costs)
    result[0] = costs[0]
    free(costs)


@entry(FLAT)
def misfit(x):
    job = held(SumJob(1, True, x[0], Nested(2, 3), x[0], x[0]))
    in_turn(sum_chunk, job, 1)


@entry(N)
def greedy(size):
    """More memory than there is."""
    free(allocate(size, 0.0))


@pytest.mark.plain
@pytest.mark.parametrize("char", "df")
def test_a_chunk_reads_what_the_caller_put_in(char):
    x, result = np.arange(4, dtype=char), np.zeros(1, char)
    summed[char](x, np.full(1, 0.5, char), result)
    assert result[0] == 2 * 0.5 * x.sum() + 4 * (1 + 2 + 30)


@pytest.mark.skipif(not JIT, reason="nothing is compiled")
def test_another_tuple_is_refused_when_it_is_compiled():
    with pytest.raises(TypingError, match="no routine takes the job SumJob"):
        misfit["d"]


@pytest.mark.skipif(not JIT, reason="NumPy allocates")
def test_no_memory_is_an_error():
    with pytest.raises(MemoryError):
        greedy["d"](2**58)
    greedy["d"](2**10)
