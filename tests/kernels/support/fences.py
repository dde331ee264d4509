"""Memory that ends: between two pages where reading or writing kills the process, for operands and for what kernels allocate.

Arrays lie flush against the page behind or the page before; what lies between the rows of one is nan.
"""

import ctypes
import mmap
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba.core.registry import cpu_target

from fastbackprop.kernels.blocking import LINE_BYTES

PAGE = mmap.PAGESIZE
MARGIN = 1024  # bytes
_LIBC = ctypes.CDLL(None, use_errno=True)


class Fence:
    """Readable memory between two unreadable pages."""

    def __init__(self, megabytes: int = 16) -> None:
        pages = megabytes * 2**20 // PAGE
        self.memory = mmap.mmap(-1, (pages + 2) * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for page in (start, start + (pages + 1) * PAGE):
            if _LIBC.mprotect(ctypes.c_void_p(page), ctypes.c_size_t(PAGE), 0) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")
        self.start, self.inside = start + PAGE, np.frombuffer(self.memory, np.uint8, pages * PAGE, PAGE)

    def bytes(self, count: int, at_end: bool) -> np.ndarray:
        """Memory of `size` bytes, against the page behind or before; on the other side lie nan."""
        size = len(self.inside)
        if count + MARGIN > size:
            raise ValueError(f"{count} bytes do not fit a fence of {size}")
        beside = size - count - MARGIN if at_end else count
        self.inside[beside : beside + MARGIN] = 255
        return self.inside[size - count :] if at_end else self.inside[:count]

    def address(self, count: int, at_end: bool) -> int:
        """Where they begin."""
        return self.start + (len(self.inside) - count if at_end else 0)

    def flat(self, count: int, dtype: Any, at_end: bool, value: float = np.nan) -> np.ndarray:
        """A vector of numbers, all `value`."""
        array = self.bytes(count * np.dtype(dtype).itemsize, at_end).view(dtype)
        array[:] = value
        return array

    def matrix(self, values: np.ndarray, at_end: bool, row: int, column: int) -> tuple[np.ndarray, np.ndarray]:
        """A copy of `values` with these distances between its elements, nan between them; and all of that, flat."""
        rows, columns = values.shape
        flat = self.flat(1 + (rows - 1) * row + (columns - 1) * column, values.dtype, at_end)
        view = np.lib.stride_tricks.as_strided(flat, values.shape, (row * flat.itemsize, column * flat.itemsize))
        view[:] = values
        return view, flat


def distances(layout: str, rows: int, columns: int) -> tuple[int, int]:
    """From one row and one column to the next: in one piece, or with numbers between."""
    return {
        "C": (columns, 1),
        "Fortran": (1, rows),
        "wide C": (columns + 3, 1),
        "wide Fortran": (1, rows + 3),
        "strided": (2 * columns + 1, 2),
    }[layout]


_ALLOCATE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)
_FREE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Allocator:
    """What compiled code allocates, fenced; in the place of Numba's own allocator for all that is compiled or loaded after.

    A `workspace` asks for LINE_BYTES numbers more than it has, to begin with a cache line. A first call, `learn`, finds which
    allocations have such a slack, that is, leave their last numbers alone; in the next ones the slack of these lies
    beyond the page behind, but for less than a line, or they begin with the page before.
    """

    FENCES = 48

    def __init__(self) -> None:
        cpu_target.target_context.refresh()  # now Numba has registered its own with the linker
        self.fences = [Fence() for _ in range(self.FENCES)]
        self.allocate, self.free = _ALLOCATE(self._allocate), _FREE(lambda address: None)
        self.itemsize, self.at_end = 8, False
        self.slack: list[bool] = []
        self.given: list[tuple[np.ndarray, int]] = []  # memory, and how many bytes at its end are to stay as they are
        for name, function in (("NRT_Allocate", self.allocate), ("NRT_Free", self.free)):
            llvm.add_symbol(name, ctypes.cast(function, ctypes.c_void_p).value)

    def _allocate(self, count: int) -> int:
        i = len(self.given)
        slack = LINE_BYTES * self.itemsize if i < len(self.slack) and self.slack[i] else 0
        if slack and self.at_end:
            used = count - slack
            count = -(-used // LINE_BYTES) * LINE_BYTES  # the memory begins with a line
            slack = count - used
        memory = self.fences[i].bytes(count, self.at_end)
        memory[:] = 255  # nan
        self.given.append((memory, slack))
        return self.fences[i].address(count, self.at_end)

    def begin(self, dtype: Any, at_end: bool, first: bool = False) -> None:
        """Prepare for a call; `first`: of a kind that `learn` examines."""
        self.itemsize, self.at_end, self.given = np.dtype(dtype).itemsize, at_end, []
        self.slack = [] if first else self.slack

    def learn(self) -> None:
        """Find which allocations of a first call have slack. Half of it counts: an overrun is to be found, not excused."""
        tail = LINE_BYTES // 2 * self.itemsize
        self.slack = [len(memory) >= tail and bool(np.all(memory[-tail:] == 255)) for memory, _ in self.given]

    def check(self) -> None:
        """Check after another call that the rest of the slack is as it was."""
        if len(self.given) != len(self.slack):
            raise AssertionError(f"{len(self.given)} allocations, {len(self.slack)} in the call before")
        for i, (memory, slack) in enumerate(self.given):
            if np.any(memory[len(memory) - slack :] != 255):
                raise AssertionError(f"allocation {i} was written beyond what was asked for")
