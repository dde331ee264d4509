"""Mini-batches, in NumPy: which examples an epoch's updates see, one after the other."""

import numpy as np


def mini_batches(m, batch_size=None, order=None):
    """The indices of each batch: ``order`` cut into pieces of ``batch_size``; what is left over is a smaller batch, the last.

    ``order`` is an array of indices, or None for ``0 .. m - 1``; a ``batch_size`` of None is all examples at once.
    """
    order = np.arange(m) if order is None else np.asarray(order)
    if batch_size is None:
        return [order]
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size!r}; expected a whole number, at least 1")
    return [order[begin : begin + batch_size] for begin in range(0, len(order), batch_size)]
