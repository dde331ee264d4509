"""Features spread over ranks, for wide data: G = X^T X and V = W1 X are sums over features, so one reduction is all.

From then on each rank runs gram descent on the same numbers, and nobody waits for anybody. At the end each rank has the columns
of W1 that belong to its features.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fastbackprop.algorithms import Gram
from fastbackprop.extras.mpi.examples import Left
from fastbackprop.extras.mpi.ranks import Ranks
from fastbackprop.kernels.gram_descent import gram_add, gram_finish, gram_mirror


class SpreadGram(Gram):
    """Gram descent on G and V that all ranks have added to.

    Parameters
    ----------
    ranks : Ranks
    X : array (n_r, m)
        The features of this rank.
    Y, sizes, start, rate
        As in ``Gram``, of all features.
    counts : list of int
        How many features each rank holds; they are numbered in the order of ranks.
    """

    def __init__(
        self,
        ranks: Ranks,
        X: np.ndarray,
        Y: np.ndarray,
        sizes: list[int],
        start: dict[str, np.ndarray] | None,
        rate: float,
        counts: Sequence[int],
    ) -> None:
        self.ranks, self.counts = ranks, list(counts)
        super().__init__(X, Y, sizes, start, rate)
        first = sum(counts[: ranks.rank])
        self._mine = slice(first, first + X.shape[0])
        self._reduced = self._afresh = False

    @property
    def W1_here(self) -> np.ndarray:
        """The columns of the first W1 that belong to the features of this rank."""
        return self.W1_start[:, self._mine]

    def _sums(self) -> np.ndarray:
        """Room for G, V and whether a rank leaves."""
        return np.zeros(self.G.size + self.V.size + 1)

    def prepare(self) -> None:
        sums = self._sums()
        G, V = sums[: self.G.size].reshape(self.G.shape), sums[self.G.size : -1].reshape(self.V.shape)
        for rows, slab in self.slabs():
            self.call(gram_add["d"], slab, self.W1_here[:, rows], G, V, self.state)
        sums[-1] = self.stopped
        self._reduced = True
        self.ranks.total(sums)
        if sums[-1]:
            self.state[0] = 1
            raise Left
        self.G = G
        if self.done == 0 or self._afresh:  # else a resumed descent has its V, with the rounding errors so far
            self.V[...] = V
        gram_mirror["d"](self.G, self.state)

    def adopt(self, saved: Mapping[str, np.ndarray]) -> None:
        """Continue from the parameters that direct descent saved."""
        for key, value in self.views().items():
            value[...] = saved[key]
        self.W1_start[...], self.S[...], self._afresh = saved["W1"], 0, True

    def leave(self, end: int) -> None:
        """Have the others stop, where they wait for this rank: it has stopped without them."""
        if not self._reduced and not self.complete(end):
            self._reduced, sums = True, self._sums()
            sums[-1] = 1
            self.ranks.total(sums)

    def parameters(self) -> dict[str, np.ndarray]:
        """Of W1 the columns of this rank."""
        W1 = np.empty((int(self.sizes[1]), self.X.shape[0]), self.X.dtype)
        for rows, slab in self.slabs():
            piece = self.W1_here[:, rows].copy()
            self.call(gram_finish["d"], slab, self.S, self.rate, piece, self.state)
            W1[:, rows] = piece
        others = {key: value.astype(self.X.dtype) for key, value in self.views().items()}
        return {"W1": W1} | others

    def whole(self, parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Those of all ranks; the one gather of a training."""
        columns = self.ranks.joined(parameters["W1"].T, self.counts)
        return parameters | {"W1": np.ascontiguousarray(columns.T, self.X.dtype)}
