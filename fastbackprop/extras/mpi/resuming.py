"""One checkpoint of all ranks: rank 0 reads and writes it, and it resumes on any number of ranks, whatever is spread."""

import os
import secrets
from typing import Any

import numpy as np

from fastbackprop.algorithms import cost_count
from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Descent, Words
from fastbackprop.extras.mpi.examples import SpreadExamples
from fastbackprop.extras.mpi.features import SpreadGram
from fastbackprop.extras.mpi.ranks import Ranks


class _Other(Descent):
    """What a file holds that the other algorithm wrote."""

    def __init__(self, name: str, sizes: list[int], m: int) -> None:
        self.name = name
        n_W = [sizes[l] * sizes[l - 1] for l in range(1, len(sizes))]
        if name == "gram":
            of_m, b = (sizes[1], m), (sum(sizes[1:]),)
            shapes = {"W": (sum(n_W[1:]),), "b": b, "V": of_m, "S": of_m, "W1_start": (sizes[1], sizes[0])}
        else:
            shapes = {f"W{l}": (sizes[l], sizes[l - 1]) for l in range(1, len(sizes))}
            shapes |= {f"b{l}": (sizes[l], 1) for l in range(1, len(sizes))}
        self._arrays = {key: np.zeros(shape) for key, shape in shapes.items()}

    def arrays(self) -> dict[str, np.ndarray]:
        return self._arrays

    def lengths(self, done: int) -> dict[str, int]:
        return {"costs": cost_count(done)}


def opened(ranks: Ranks, path: str | os.PathLike[str] | None, end: int, words: Words) -> Checkpoint | None:
    """The checkpoint, on rank 0 alone."""

    def open_it() -> tuple[Checkpoint | None, None]:
        return (None if path is None or ranks.rank else Checkpoint(path, end, words)), None

    return ranks.agreed(open_it)[0]


def entropy_of(ranks: Ranks, file: Checkpoint | None, seed: int | None) -> int:
    """What the generator is seeded with on all ranks: as the file remembers, or by the seed, or as rank 0 draws it."""

    def find() -> tuple[None, int]:
        entropy = seed if file is None or not file.found else file.recorded("entropy")
        return None, secrets.randbits(128) if entropy is None else entropy

    return int(ranks.agreed(find)[1][0])


def identify(ranks: Ranks, file: Checkpoint | None, identity: dict[str, Any]) -> None:
    """Compare what identifies the training with the file's, on rank 0."""

    def compare() -> tuple[None, None]:
        if file is not None:
            file.identify("auto", identity)
        return None, None

    ranks.agreed(compare)


def restore(ranks: Ranks, file: Checkpoint | None, descent: SpreadExamples | SpreadGram, sizes: list[int], m: int) -> None:
    """Load the file into the descents of all ranks, if there is one."""

    def read() -> tuple[None, Any]:
        if file is None or not file.found:
            return None, None
        name = file.about["algorithm"]
        state: Descent = descent if name == descent.name else _Other(name, sizes, m)
        file.restore(state)
        return None, (name, state.done, state.arrays(), state.histories(), state.memory())

    _, (said, *_) = ranks.agreed(read)
    if said is None:
        return
    name, done, arrays, histories, memory = said
    if name == descent.name:
        for key, value in descent.arrays().items():
            value[...] = arrays[key]
    else:
        descent.adopt(arrays)
    descent.recall(done, histories, memory)
