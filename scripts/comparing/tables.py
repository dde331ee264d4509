"""Tables of examples, and the nets that are trained on them by mini-batches as scikit-learn's classifier does by default.

Start and orders are those that ``MLPClassifier(random_state=SEED)`` draws, so that all sides can do the same training.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

# MLPClassifier's defaults.
BATCH_SIZE, L2, LEARNING_RATE, BETA1, BETA2, EPSILON = 200, 1e-4, 1e-3, 0.9, 0.999, 1e-8
SEED = 0


class Table(NamedTuple):
    """Examples, features and classes, the epochs of a training, and what loads rows of features and their classes."""

    m: int
    n_0: int
    classes: int
    epochs: int
    load: Callable[[], Any]

    @property
    def n_L(self) -> int:
        """Two classes have one unit with a sigmoid, more have softmax."""
        return self.classes if self.classes > 2 else 1


def _breast_cancer() -> Any:
    from sklearn.datasets import load_breast_cancer

    return load_breast_cancer(return_X_y=True)


def _digits() -> Any:
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


def _made(m: int, n_0: int) -> Any:
    from sklearn.datasets import make_classification

    return make_classification(m, n_0, random_state=SEED)


TABLES = {
    "cancer": Table(569, 30, 2, 100, _breast_cancer),
    "digits": Table(1797, 64, 10, 30, _digits),
    "long": Table(100_000, 20, 2, 2, lambda: _made(100_000, 20)),
    "pixels": Table(5000, 784, 2, 5, lambda: _made(5000, 784)),
}


class Case(NamedTuple):
    """A table, and a net of one hidden layer."""

    name: str
    table: Table
    hidden: int

    @property
    def layers_dims(self) -> tuple[int, ...]:
        return self.table.n_0, self.hidden, self.table.n_L

    @property
    def weights(self) -> int:
        return sum(n_prev * n for n_prev, n in pairwise(self.layers_dims))

    @property
    def batches(self) -> int:
        """Of a whole training."""
        return -(-self.table.m // BATCH_SIZE) * self.table.epochs

    def __str__(self) -> str:
        return f"{self.name}: {list(self.layers_dims)}, {self.table.m:,}, {self.table.epochs} epochs"


NETS = {f"{name}-{hidden}": Case(name, table, hidden) for name, table in TABLES.items() for hidden in (100, 16)}


class Problem(NamedTuple):
    """Standardized examples as rows, their classes, and 0 and 1 as rows of outputs; the net, its start, the orders.

    ``start`` has the shapes of the formulas; ``orders`` has a row an epoch.
    """

    X: np.ndarray
    classes: np.ndarray
    Y: np.ndarray
    layers_dims: tuple[int, ...]
    start: dict[str, np.ndarray]
    orders: np.ndarray
    threads: int


def drawn(layers_dims: tuple[int, ...], m: int, epochs: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The start (Glorot and Bengio 2010, uniform) and the orders: each epoch shuffles that of the one before."""
    from sklearn.utils import shuffle

    rng, start = np.random.RandomState(SEED), {}
    for l, (n_prev, n) in enumerate(pairwise(layers_dims), start=1):
        bound = np.sqrt(6.0 / (n_prev + n))
        start[f"W{l}"] = rng.uniform(-bound, bound, (n_prev, n)).T
        start[f"b{l}"] = rng.uniform(-bound, bound, n)[:, None]
    orders, order = [], np.arange(m)
    for _ in range(epochs):
        order = shuffle(order, random_state=rng)
        orders.append(order)
    return start, np.array(orders)


def problem(case: Case, threads: int) -> Problem:
    X, classes = case.table.load()
    deviation = X.std(axis=0)
    X = np.ascontiguousarray((X - X.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))
    Y = np.eye(case.table.classes)[classes] if case.table.n_L > 1 else classes[:, None].astype(np.float64)
    start, orders = drawn(case.layers_dims, len(X), case.table.epochs)
    return Problem(X, classes, Y, case.layers_dims, start, orders, threads)
