"""Shows that a redesign keeps every bit: a grid of calls and trainings on two states of the tree.

Each state is a folder with a package in it, and runs in its own process, which writes a digest of each result.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]  # an old state has no package of scripts to ask
SHAPES = (  # n, n_prev, m of one layer
    (1, 1, 1), (1, 2, 400), (4, 2, 400), (1, 7, 33), (5, 1, 1), (3, 65, 1), (7, 20, 209), (16, 30, 569), (64, 128, 1000),
    (20, 12288, 209), (128, 784, 250), (300, 5, 7), (1, 300, 5000), (40, 40, 40), (257, 129, 511), (1000, 3, 1200),
    (8, 16, 70001),
)  # fmt: skip
NETS = (  # layer sizes, examples, iterations
    ((1, 1), 1, 20), ((2, 4, 1), 400, 40), ((3, 1), 5, 40), ((30, 16, 8, 1), 569, 20), ((30, 16, 8, 1), 30_011, 3),
    ((2000, 20, 7, 5, 1), 209, 10), ((300, 9, 1), 40, 20), ((784, 128, 64, 1), 1000, 3), ((50, 700, 300, 1), 3000, 2),
    ((900, 400, 1), 350, 3), ((64, 1), 48, 15),
)  # fmt: skip
LAYOUTS = ("C", "Fortran", "strided", "misaligned")
THREADS = (1, 2, 3)
Calls = Iterator[tuple[str, Callable[[], Any]]]


def digest(tree: Any) -> str:
    """A digest of the dtypes, shapes and bits of all arrays and numbers in nested tuples, lists and dicts."""
    found = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, dict):
            for key in sorted(part):
                found.update(key.encode())
                add(part[key])
        elif isinstance(part, (tuple, list)):
            for item in part:
                add(item)
        elif part is not None and not isinstance(part, str):
            array = np.asarray(part)
            found.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())

    add(tree)
    return found.hexdigest()[:16]


def layer_calls(bp: Any, shape: tuple[int, int, int], char: str, layout: Callable[[np.ndarray], np.ndarray]) -> Calls:
    """Calls on one layer's arrays."""
    n, n_prev, m = shape
    rng = np.random.default_rng(0)
    drawn = [rng.standard_normal(size) for size in ((n_prev, m), (n, n_prev), (n, 1), (n, m), (n, m))]
    A_prev, W, b, dA, Z = (layout(x.astype(char)) for x in drawn)
    AL, Y = layout(rng.uniform(0.01, 0.99, (1, m)).astype(char)), (rng.random((1, m)) < 0.4).astype(char)
    for activation in ("relu", "sigmoid", "tanh"):
        yield f"forward {activation}", partial(bp.linear_activation_forward, A_prev, W, b, activation)
        yield f"backward {activation}", partial(bp.linear_activation_backward, dA, ((A_prev, W, b), Z), activation)
    yield "linear forward", partial(bp.linear_forward, A_prev, W, b)
    yield "linear backward", partial(bp.linear_backward, dA, (A_prev, W, b))
    yield "sigmoid", partial(bp.sigmoid, Z)
    yield "sigmoid backward", partial(bp.sigmoid_backward, dA, Z)
    yield "relu", partial(bp.relu, Z)
    yield "relu backward", partial(bp.relu_backward, dA, Z)
    yield "cost", partial(bp.compute_cost, AL, Y)
    yield "update", partial(bp.update_parameters, {"W1": W, "b1": b}, {"dW1": W * 3, "db1": b * 5}, 0.3)


def network_calls(bp: Any, layers: tuple[int, ...], m: int, iterations: int, char: str) -> Calls:
    """Whole networks, forward and backward, and trainings by each algorithm."""
    rng = np.random.default_rng(1)
    X, Y = rng.standard_normal((layers[0], m)).astype(char), (rng.random((1, m)) < 0.4).astype(char)
    start = {}
    for l in range(1, len(layers)):
        start[f"W{l}"] = (rng.standard_normal((layers[l], layers[l - 1])) / layers[l - 1] ** 0.5).astype(char)
        start[f"b{l}"] = rng.standard_normal((layers[l], 1)).astype(char) / 10

    def whole() -> Any:
        AL, caches = bp.L_model_forward(X, start)
        return AL, caches, bp.L_model_backward(AL, Y, caches), bp.predict(X, start)

    yield "network", whole
    train = partial(bp.L_layer_model, X, Y, layers, 0.05, iterations, parameters=start, return_costs=True)
    for algorithm in ("direct", "gram") if m < 1000 else ("direct",):
        yield f"training {algorithm}", partial(train, algorithm=algorithm)
    rules = bp.GradientDescent(0.05), bp.Momentum(0.05), bp.Nesterov(0.05), bp.Adam()
    for rule, l2, batch_size in product(rules, (0.0, 0.5), (None, 64)):
        options = {"optimizer": rule, "l2": l2, "batch_size": batch_size, "hidden": "tanh", "parameters": start, "seed": 1}
        epochs = iterations if batch_size is None else 2
        yield f"{rule} {l2} {batch_size}", partial(by_rule, bp, X, Y, layers, epochs=epochs, **options)


def by_rule(bp: Any, *args: Any, **options: Any) -> Any:
    """What a training in general makes."""
    trained = bp.train(*args, **options)
    return trained.parameters, trained.costs


def calls(bp: Any, every: int) -> Calls:
    """Names of calls, and functions that make them; of every ``every``-th layer."""
    from fastbackprop.testing import LAYOUTS as LAID_OUT  # of the state that is run

    for i, (shape, char, layout) in enumerate(product(SHAPES, "df", LAYOUTS)):
        if i % every == 0:
            for name, call in layer_calls(bp, shape, char, LAID_OUT[layout]):
                yield f"{name} {shape} {char} {layout}", call
    for (layers, m, iterations), char in product(NETS, "df"):
        for name, call in network_calls(bp, layers, m, iterations, char):
            yield f"{name} {layers} {m} {char}", call


def run(output: Path, every: int) -> None:
    """Write the digests of all calls with each number of threads, by the package that is imported here."""
    import fastbackprop as bp

    found = {}
    for threads in THREADS:
        bp.set_num_threads(threads)
        for name, call in calls(bp, every):
            np.random.seed(1)
            found[f"{name}, {threads} threads"] = digest(call())
    output.write_text(json.dumps(found))


def state(revision: str | None, folder: Path) -> Path:
    """A folder with the package of a commit, or the working tree."""
    if revision is None:
        return ROOT
    place = folder / revision.replace("/", "-")
    place.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", revision, "fastbackprop"], check=True, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", str(place)], input=archive.stdout, check=True)
    return place


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", nargs="?", default="HEAD", help="a commit (default HEAD)")
    parser.add_argument("new", nargs="?", help="another (default: the working tree)")
    parser.add_argument("--quick", action="store_true", help="a third of the grid of calls")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    every = 3 if options.quick else 1
    if options.run:
        run(options.run, every)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        digests = []
        for name, revision in (("old", options.old), ("new", options.new)):
            output = folder / f"{name}.json"
            environment = os.environ | {"PYTHONPATH": str(state(revision, folder))}
            command = [sys.executable, "-P", __file__] if sys.version_info >= (3, 11) else [sys.executable, __file__]
            subprocess.run(
                [*command, "--run", str(output), *(["--quick"] if options.quick else [])],
                check=True,
                env=environment,
                cwd=folder,
            )
            digests.append(json.loads(output.read_text()))
    old, new = digests
    different = [name for name in old | new if old.get(name) != new.get(name)]
    threads = [name for name in new if new[name] != new[name.rsplit(",", 1)[0] + ", 1 threads"]]
    for name in different:
        print(f"other bits: {name}")
    for name in threads:
        print(f"bits depend on the number of threads: {name}")
    print(f"{len(old)} results of {options.old} and of {options.new or 'the working tree'}: {len(different)} differ")
    return 1 if different or threads else 0


if __name__ == "__main__":
    sys.exit(main())
