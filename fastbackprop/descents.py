"""What the loop of a training and its checkpoint ask of a descent, whatever its iterations compute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Words:
    """How messages call a training: its function, what is counted, and the argument that says how many."""

    function: str
    unit: str
    limit: str


class Descent:
    """The state of a training. ``state[0]`` is set to stop it; what it computes with lies in ``arrays()``.

    ``torn`` says that an exception came between what an iteration changes and the count of iterations.
    """

    name: str
    X: np.ndarray
    Y: np.ndarray
    state: np.ndarray
    done: int  # iterations, or epochs
    costs: list[float]
    torn: bool

    @property
    def finished(self) -> bool:
        """Whether it ends before as many as were asked for."""
        return False

    @property
    def diverged(self) -> bool:
        """Whether the next iteration makes parameters that are not finite."""
        raise NotImplementedError

    @property
    def stopped(self) -> bool:
        """Whether the work is to end soon (state[0]); parameters stay as the last finished iteration left them."""
        return bool(self.state[0])

    @property
    def operations(self) -> int:
        """Multiply-adds of an iteration."""
        raise NotImplementedError

    def complete(self, end: int) -> bool:
        """Whether nothing is left to do on the way to `end`."""
        return self.done >= end or self.finished

    def load(self) -> None:
        """Compile or load the kernels."""

    def prepare(self) -> None:
        """Compute what the first iteration needs, also that of a resumed training; returns early when stopped."""

    def advance(self, end: int) -> None:
        """Train up to `end`; returns early when stopped or where parameters would cease to be finite."""
        raise NotImplementedError

    def parameters(self) -> dict[str, np.ndarray]:
        """``W1, b1, ..., WL, bL`` as they are now, in new arrays; not usable when stopped."""
        raise NotImplementedError

    # ----------------------------------------------------------------------------------------------------- for checkpoints

    def arrays(self) -> dict[str, np.ndarray]:
        """What iterations change and what they began with: a descent with the same arrays resumes as this one would."""
        raise NotImplementedError

    def histories(self) -> dict[str, Sequence[float]]:
        """Lists that grow as the training does."""
        return {"costs": self.costs}

    def lengths(self, done: int) -> dict[str, int]:
        """The lengths of the histories after so many iterations."""
        raise NotImplementedError

    def memory(self) -> dict[str, Any]:
        """What else resuming needs, as JSON values."""
        return {}

    def recall(self, done: int, histories: Mapping[str, Sequence[float]], memory: Mapping[str, Any]) -> None:
        """Continue from there; ``arrays()`` are filled already."""
        self.done, self.costs = done, list(histories["costs"])
