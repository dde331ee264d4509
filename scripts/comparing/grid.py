"""Times fits of scikit-learn's MLPClassifier and of ours on a grid of nets, solvers, batches and dtypes: none is to be slower.

Breast cancer and digits, standardized; as many epochs as make a fit of some hundredths of a second, of which scikit-learn's
checks of its arguments are a part. L-BFGS has no batches. Fits take turns, each side with `--threads` threads; with one thread
processor time counts, which other processes do not add to. SciPy's search, the same on both sides, takes what time it takes:
where its BLAS has several threads and others want the cores, most of a small net's fit.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from fastbackprop.resources import usable_cores
from fastbackprop.team import num_threads
from fastbackprop.testing import TRAINING_RTOL
from scripts.comparing.tables import SEED, TABLES
from scripts.measuring.machine import facts
from scripts.measuring.timing import FEWEST, REST, Estimate, interleave, paired_ratio

HIDDEN = ((1,), (16,), (100,), (100, 50))
EPOCHS = {1: 1, 32: 5, 200: 20}  # by the size of a batch
LONGEST = 20  # of all examples at once
SEARCH = 50  # iterations of L-BFGS


class Cell(NamedTuple):
    """A cell of the grid; a batch of None is all examples."""

    table: str
    hidden: tuple[int, ...]
    solver: str
    batch: int | None
    dtype: str

    def __str__(self) -> str:
        batch = "" if self.solver == "lbfgs" else f" by {self.batch or 'all'}"
        return f"{self.table} {self.hidden} {self.solver}{batch}, {self.dtype}"


def cells() -> Iterator[Cell]:
    for table in ("cancer", "digits"):
        for hidden in HIDDEN:
            for dtype in ("float64", "float32"):
                for solver in ("adam", "sgd"):
                    for batch in (*EPOCHS, None):
                        yield Cell(table, hidden, solver, batch, dtype)
                yield Cell(table, hidden, "lbfgs", None, dtype)


def examples(cell: Cell) -> tuple[np.ndarray, np.ndarray]:
    """Rows of standardized features, and classes."""
    X, classes = TABLES[cell.table].load()
    deviation = X.std(axis=0)
    return ((X - X.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)).astype(cell.dtype), classes


def fitted(classifier: Callable[..., Any], cell: Cell, X: np.ndarray, classes: np.ndarray) -> Any:
    """A model that was fitted as the cell says."""
    epochs = SEARCH if cell.solver == "lbfgs" else EPOCHS.get(cell.batch or 0, LONGEST)
    model = classifier(
        cell.hidden, solver=cell.solver, batch_size=cell.batch or len(X), max_iter=epochs, tol=0.0, n_iter_no_change=epochs + 1,
        random_state=SEED,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "maximum iterations reached": as it should
        return model.fit(X, classes)


def are_apart(cell: Cell, mine: Any, theirs: Any) -> bool:
    """Whether the models differ; in float32, and by a search, whose steps depend on each rounding, in their epochs."""
    if mine.n_iter_ != theirs.n_iter_:
        return True
    pairs = zip(mine.coefs_, theirs.coefs_, strict=True) if cell.dtype == "float64" and cell.solver != "lbfgs" else ()
    return any(np.abs(a - b).max() > TRAINING_RTOL * np.abs(b).max() for a, b in pairs)


def measure(cell: Cell, threads: int, repeats: int) -> tuple[Estimate, bool]:
    """scikit-learn's time over ours, and whether the two fitted something else."""
    from sklearn.neural_network import MLPClassifier as Theirs

    from fastbackprop.extras.sklearn_mlp import MLPClassifier as Ours

    data = examples(cell)
    clock, rest = (time.process_time, 0.0) if threads == 1 else (time.perf_counter, REST)
    with num_threads(threads), threadpool_limits(limits=threads, user_api="blas"):
        apart = are_apart(cell, fitted(Ours, cell, *data), fitted(Theirs, cell, *data))  # compiles
        sides = {"ours": partial(fitted, Ours, cell, *data), "scikit-learn": partial(fitted, Theirs, cell, *data)}
        seconds = interleave(sides, repeats, rest=rest, clock=clock)
    return paired_ratio(seconds["scikit-learn"], seconds["ours"]), apart


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/compare-peers grid", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="cells whose lines have all these words")
    parser.add_argument("--threads", type=int, default=usable_cores(), metavar="N", help="of each side; one a core by default")
    parser.add_argument("--repeats", type=int, default=FEWEST, metavar="N", help="how many turns the sides take")
    options = parser.parse_args()
    print(*facts(), "", "scikit-learn / ours [95 %]", sep="\n", flush=True)
    slower, differing, least = [], [], np.inf
    for cell in [cell for cell in cells() if all(word in str(cell).replace(",", "").split() for word in options.only)]:
        ratio, apart = measure(cell, options.threads, options.repeats)
        print(f"  {ratio!s:<24} {cell}", flush=True)
        slower += [str(cell)] if ratio.high < 1 else []
        differing += [str(cell)] if apart else []
        least = min(least, ratio.median)
    print(f"\nthe least ratio is {least:.2f}; " + (f"slower are {'; '.join(slower)}" if slower else "no cell is slower"))
    if differing:
        print(f"models differ: {'; '.join(differing)}")
    return 1 if slower or differing else 0


if __name__ == "__main__":
    sys.exit(main())
