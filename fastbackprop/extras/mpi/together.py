"""The loop of a training on all ranks: they end together, by the last iteration, an interrupt, or an error on any of them."""

from collections.abc import Callable, Sequence

import numpy as np

from fastbackprop.checkpoint import Checkpoint
from fastbackprop.descents import Words
from fastbackprop.extras.mpi.examples import SpreadExamples
from fastbackprop.extras.mpi.features import SpreadGram
from fastbackprop.extras.mpi.ranks import Ranks
from fastbackprop.looping import Watcher, run

# How long a rank that was interrupted, or failed, waits for the others before it raises. Rank 0 saves meanwhile.
PATIENCE_SECONDS = 5.0


def run_together(
    ranks: Ranks,
    descent: SpreadExamples | SpreadGram,
    end: int,
    words: Words,
    watchers: Sequence[Watcher],
    file: Checkpoint | None,
    divergence: Callable[[dict[str, np.ndarray]], FloatingPointError],
) -> dict[str, np.ndarray]:
    """Train up to `end`; returns the parameters, whole on each rank."""
    caught: BaseException | None = None
    trained: dict[str, np.ndarray] = {}
    try:
        trained = run(descent, end, words, watchers if ranks.rank == 0 else (), file, divergence)
    except BaseException as error:
        caught = error
    _raise_what_others_met(ranks, descent, end, words, caught)
    if isinstance(caught, FloatingPointError) and hasattr(caught, "parameters"):  # all have it: they computed the same
        caught.parameters = descent.whole(caught.parameters)
        raise caught
    return descent.whole(trained)


def _raise_what_others_met(
    ranks: Ranks, descent: SpreadExamples | SpreadGram, end: int, words: Words, caught: BaseException | None
) -> None:
    """Meet the others at the end, and raise on all ranks what ended the training of some; of a divergence nothing."""
    diverged = isinstance(caught, FloatingPointError) and hasattr(caught, "parameters")
    failed = caught is not None and not diverged
    if failed:
        descent.leave(end)
    interrupted = isinstance(caught, KeyboardInterrupt)
    text = f"after {descent.done} of {end} {words.unit}s" if interrupted else type(caught).__name__
    said = (interrupted, str(caught) or text) if failed else None
    every = ranks.exchange(said, PATIENCE_SECONDS if failed else float("inf"))
    if ranks.size == 1 or every is None:
        if failed and caught is not None:
            raise caught
        return
    errors = {rank: outcome for rank, outcome in enumerate(every) if outcome is not None}
    for rank, (was_interrupt, text) in errors.items():
        if not was_interrupt:
            if failed and not interrupted and caught is not None:
                raise caught
            raise RuntimeError(f"rank {rank} failed: {text}") from None
    if errors:
        rank, (_, text) = min(errors.items())  # rank 0 knows what was saved
        raise KeyboardInterrupt(text) from None
