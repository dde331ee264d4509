"""Examples spread over ranks: each adds its part to the gradient of a batch, all take the same step."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fastbackprop.algorithms import cost_count
from fastbackprop.descents import Descent
from fastbackprop.extras.mpi.ranks import Ranks
from fastbackprop.shares import Share
from fastbackprop.slices import is_finite


class Left(KeyboardInterrupt):
    """Another rank has left the training: this one stops where it stopped, and saves as after an interrupt."""


class SpreadExamples(Descent):
    """A training by epochs, with one reduction a batch: the gradient, the cost, and whether a rank leaves, in one buffer.

    Parameters
    ----------
    ranks : Ranks
    share : Share
        The examples of this rank.
    counts : list of int
        How many examples each rank holds; they are numbered in the order of ranks.
    every : int
        Epochs from one cost to the next.
    name : str
        What a checkpoint calls the algorithm.
    generator : Generator, optional
        Draws the order of an epoch, the same on each rank; without it examples are taken as they lie.
    batch_size : int, optional
        Without it a batch is all examples.
    entropy : int
        What the generator was seeded with.
    """

    def __init__(
        self,
        ranks: Ranks,
        share: Share,
        counts: Sequence[int],
        every: int,
        name: str,
        generator: np.random.Generator | None = None,
        batch_size: int | None = None,
        entropy: int = 0,
    ) -> None:
        self.ranks, self.share, self.every, self.generator, self.entropy = ranks, share, every, generator, entropy
        self.X, self.Y, self.state = share.X, share.Y, share.state
        self.m, self.begin = sum(counts), sum(counts[: ranks.rank])
        self.batch_size = self.m if batch_size is None else min(batch_size, self.m)
        self.name, self.rate = name, share.optimizer.learning_rate
        self.done, self.torn, self.costs = 0, False, []
        self.over = False  # whether the ranks have agreed to stop here
        self._diverged = False
        self._sums = np.zeros(share.P.size + 2)

    @property
    def diverged(self) -> bool:
        return self._diverged

    @property
    def operations(self) -> int:
        return self.share.operations

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return -(-self.m // self.batch_size)

    def load(self) -> None:
        self.share.load()

    def advance(self, end: int) -> None:
        self.torn = True
        while self.done < end and not (self.diverged or self.over):
            with_cost = self.done % self.every == 0
            cost = self._epoch(with_cost)
            if cost is not None:
                self.done += 1
                self.costs += [cost] if with_cost else []
        self.torn = False
        if self.over and not self.stopped:
            raise Left

    def _epoch(self, with_cost: bool) -> float | None:
        """An epoch; returns its cost, or None where it is not to be: the ranks stop, or parameters would not be finite."""
        share, cost, generator = self.share, 0.0, self.generator
        drawn = None if generator is None else generator.bit_generator.state
        share.keep()
        t = share.t
        for mine, size in self._batches():
            sums = self._sums
            sums[-2] = share.add(mine, size, with_cost, sums[:-2])
            sums[-1] = self.stopped
            self.ranks.total(sums)
            self.over = bool(sums[-1] > 0)
            if self.over:
                break
            cost += sums[-2] + size * share.step(sums[:-2], size, with_cost)
        self._diverged = not self.over and not is_finite(share.P)
        if self.over or self.diverged:
            share.undo()
            share.t = t
            if generator is not None and drawn is not None:
                generator.bit_generator.state = drawn
            return None
        return float(cost / self.m)

    def _batches(self) -> Iterator[tuple[np.ndarray | None, int]]:
        """For each batch the examples in it that this rank holds, by their places here (None: all), and the batch's size."""
        m, batch, begin, count = self.m, self.batch_size, self.begin, self.X.shape[1]
        if batch == m:
            yield None, m
            return
        order = np.arange(m) if self.generator is None else self.generator.permutation(m)
        held = (order >= begin) & (order < begin + count)
        mine, ends = order[held] - begin, np.concatenate([np.cumsum(held)[batch - 1 :: batch], [count]])
        for i, (first, last) in enumerate(pairwise([0, *ends[: self.batches - 1].tolist(), count])):
            yield mine[first:last], min(batch, m - i * batch)

    def leave(self, end: int) -> None:
        """Have the others stop, where they wait for this rank: it has stopped without them."""
        if self.over or self.diverged or self.complete(end):
            return
        self._sums[:] = 0
        self._sums[-1] = 1
        self.ranks.total(self._sums)
        self.over = True

    def parameters(self) -> dict[str, np.ndarray]:
        return self.share.parameters()

    def whole(self, parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What this rank knows of the parameters, and the others the rest: here each has them all."""
        return parameters

    # ----------------------------------------------------------------------------------------------------- for checkpoints

    def arrays(self) -> dict[str, np.ndarray]:
        moments = {f"{key}_{i}": value for i, row in enumerate(self.share.moments()) for key, value in row.items()}
        return self.share.views() | moments

    def adopt(self, saved: Mapping[str, np.ndarray]) -> None:
        """Continue from what gram descent saved: its W1 is a sum over examples."""
        share, S, W1 = self.share, saved["S"], saved["W1_start"]
        change = S[:, self.begin : self.begin + self.X.shape[1]] @ np.asarray(self.X.T, float)
        sums = change.reshape(-1)
        self.ranks.total(sums)
        n_weights = share.P.size - saved["b"].size
        share.P[: W1.size] = (W1 - self.rate / self.m * change).reshape(-1)
        share.P[W1.size : n_weights], share.P[n_weights:] = saved["W"], saved["b"]

    def lengths(self, done: int) -> dict[str, int]:
        return {"costs": cost_count(done, self.every)}

    def memory(self) -> dict[str, Any]:
        drawn = {} if self.generator is None else {"generator": self.generator.bit_generator.state}
        return {"entropy": self.entropy} | drawn

    def recall(self, done: int, histories: Mapping[str, Sequence[float]], memory: Mapping[str, Any]) -> None:
        super().recall(done, histories, memory)
        self.share.t = done * self.batches
        if self.generator is not None:
            self.generator.bit_generator.state = memory["generator"]
