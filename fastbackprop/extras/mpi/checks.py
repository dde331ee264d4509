"""What all trainings on ranks check together before any work, and how an error names the rank."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastbackprop.checkpoint import digest
from fastbackprop.extras.mpi.identity import fingerprint, identified
from fastbackprop.extras.mpi.ranks import Ranks
from fastbackprop.slices import behind

SPLITS = ("examples", "features")


def split_named(split: Any) -> str:
    """What is spread over ranks."""
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; known ones are {', '.join(map(repr, SPLITS))}")
    return str(split)


def digest_of(start: Mapping[str, np.ndarray] | None) -> str:
    """The words for parameters that all ranks are to pass alike."""
    return "drawn" if start is None else digest(np.dtype(float), *start.values())


def same_dtype(ranks: Ranks, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the training on all ranks, from that which each would train in."""
    return np.result_type(*(ranks.exchange(dtype) or [dtype]))


def identity_of(ranks: Ranks, values: np.ndarray, row: int, column: int, shape: tuple[int, int]) -> str:
    """The words for a matrix of which each rank holds a part, its first number in that row and column of the whole."""
    mine = behind(values.nbytes, fingerprint, values, row, column, shape[1])
    return identified(ranks.exchange(mine) or [mine], shape)
