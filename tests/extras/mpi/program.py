"""What the tests run on several ranks: ``program.py NAME,NAME FOLDER``; what rank 0 finds stands in FOLDER/found.json."""

import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np

import fastbackprop as bp
from fastbackprop import checkpoint, cli
from fastbackprop.extras import mpi
from fastbackprop.extras.mpi import command
from fastbackprop.extras.mpi.__main__ import main, parser
from fastbackprop.extras.mpi.ranks import MPI, Ranks
from fastbackprop.shares import GATHERED_BYTES, Share

WORLD = MPI.COMM_WORLD
RANK, SIZE = WORLD.Get_rank(), WORLD.Get_size()
LAYERS, M, ITERATIONS = [6, 9, 4, 1], 301, 24
WIDE, M_WIDE = [200, 5, 1], 40


def tall() -> tuple[Any, Any, dict[str, Any]]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((LAYERS[0], M))
    return X, (X[:1] * X[1:2] > 0).astype(float), start(LAYERS, rng)


def wide() -> tuple[Any, Any, dict[str, Any]]:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((WIDE[0], M_WIDE))
    return X, (X[:1] + X[1:2] > 0).astype(float), start(WIDE, rng)


def start(layers: list[int], rng: np.random.Generator) -> dict[str, Any]:
    shapes = {f"W{l}": (layers[l], layers[l - 1]) for l in range(1, len(layers))}
    parameters: dict[str, Any] = {key: rng.standard_normal(shape) / shape[1] ** 0.5 for key, shape in shapes.items()}
    return parameters | {f"b{l}": np.zeros((layers[l], 1)) for l in range(1, len(layers))}


def part(n: int) -> slice:
    """The part of n that this rank holds: not all are as long."""
    ends = [0, *(n * (3 * i + 1) // (3 * SIZE) for i in range(1, SIZE)), n]
    return slice(ends[RANK], ends[RANK + 1])


def far(ours: Any, theirs: Any) -> float:
    """The largest difference, relative to the largest number of each array."""
    return max(float(abs(ours[key] - theirs[key]).max() / abs(theirs[key]).max()) for key in theirs)


def bits(parameters: Any) -> bytes:
    return b"".join(np.ascontiguousarray(value).tobytes() for value in parameters.values())


def gathered(thing: Any) -> list[Any]:
    return list(WORLD.allgather(thing))


class Counting:
    """A communicator that notes how many numbers each call with a buffer sends."""

    def __init__(self, comm: Any) -> None:
        self.comm = comm
        self.sent: list[tuple[str, int]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.comm, name)
        if not name.startswith(("Iall", "Iga", "Ired", "All")):
            return method

        def call(sent: Any, *rest: Any) -> Any:
            self.sent.append((name, sent.size))
            return method(sent, *rest)

        return call


def same(folder: Path) -> dict[str, Any]:
    """Trainings beside those of one process."""
    found: dict[str, Any] = {}
    X, Y, parameters = tall()
    here = part(M)

    def examples(dtype: str = "float64", **options: Any) -> Any:
        start = {key: value.astype(dtype) for key, value in parameters.items()}
        data = X[:, here].astype(dtype), Y[:, here], LAYERS, 0.3, ITERATIONS
        return mpi.L_layer_model(*data, parameters=start, return_costs=True, **options)

    def features(**options: Any) -> Any:
        Xw, Yw, first = wide()
        data = Xw[part(WIDE[0])], Yw, WIDE, 0.1, 210
        return mpi.L_layer_model(*data, parameters=first, split="features", return_costs=True, **options)

    def adam(**options: Any) -> Any:
        labels = (X[0] > 0).astype(int) + (X[1] > 0)
        rule: dict[str, Any] = {
            "output": "softmax",
            "optimizer": bp.Adam(0.01),
            "l2": 0.1,
            "batch_size": 32,
            "epochs": 3,
            "seed": 5,
        }
        if options.pop("alone", False):
            return bp.train(X, labels, [6, 8, 3], **rule)
        return mpi.train(X[:, here], labels[here], [6, 8, 3], **rule, **options)

    counting = Counting(WORLD)
    for name, train, one in (
        ("examples", examples, bp.L_layer_model(X, Y, LAYERS, 0.3, ITERATIONS, parameters=parameters, return_costs=True)),
        ("features", features, bp.L_layer_model(*wide()[:2], WIDE, 0.1, 210, parameters=wide()[2], return_costs=True)),
    ):
        counting.sent.clear()
        ours, costs = train(comm=counting)
        again, _ = train()
        found[name] = {
            "far": far(ours, one[0]),
            "costs far": max(abs(a - b) for a, b in zip(costs, one[1], strict=True)),
            "same again": bits(ours) == bits(again),
            "same on all ranks": len(set(gathered(bits(ours)))) == 1,
            "sent": list(counting.sent),
        }
    net, again, one = adam(), adam(), adam(alone=True)
    found["adam"] = {
        "far": far(net.parameters, one.parameters),
        "costs far": max(abs(a - b) for a, b in zip(net.costs, one.costs, strict=True)),
        "same again": bits(net.parameters) == bits(again.parameters),
        "same on all ranks": len(set(gathered(bits(net.parameters)))) == 1,
        "sent": [],
    }
    found["float32"] = [str(value.dtype) for value in examples("float32")[0].values()]
    numbers = np.random.default_rng(RANK).standard_normal(GATHERED_BYTES // 8 + 3)  # in pieces of unequal length
    parts, summed = gathered(numbers), numbers.copy()
    Ranks().total(summed)
    expected = parts[0]
    for other in parts[1:]:
        expected = expected + other
    found["sums"] = {
        "in order": bool((summed == expected).all()),
        "same on all ranks": len(set(gathered(summed.tobytes()))) == 1,
    }
    np.random.seed(3 if RANK == 0 else 4)
    drawn = mpi.L_layer_model(X[:, here], Y[:, here], LAYERS, 0.3, 20)
    np.random.seed(3)
    found["drawn"] = far(drawn, bp.L_layer_model(X, Y, LAYERS, 0.3, 20))
    return found


def refused(folder: Path) -> dict[str, Any]:
    """What each rank raises where the last one passes something wrong."""
    X, Y, parameters = tall()
    here, last = part(M), RANK == SIZE - 1
    X, Y = X[:, here], Y[:, here]
    kept = folder / "other.npz"
    mpi.L_layer_model(X, Y, LAYERS, 0.1, 2, parameters=parameters, checkpoint=kept)
    alone = folder / "alone.npz"
    if RANK == 0:
        bp.L_layer_model(X, Y, LAYERS, 0.1, 2, parameters=parameters, checkpoint=alone)
    WORLD.Barrier()
    other = X + (np.arange(X.size).reshape(X.shape) == 7 if last else 0)  # one number
    large = {key: 1e150 * value for key, value in parameters.items()}  # the sum of the ranks' gradients overflows
    asked = ["train", "x.npy", "--layers", "3", "--split", "features", "--l2", "1"]
    rule: Any = "adam" if last else bp.Adam()
    broken = np.where(X.max() == X, np.nan, X) if last else X
    calls = {
        "nan": lambda: mpi.L_layer_model(broken, Y, LAYERS),
        "labels": lambda: mpi.L_layer_model(X, Y[:, :-1] if last else Y, LAYERS),
        "rates": lambda: mpi.L_layer_model(X, Y, LAYERS, 0.1 * (RANK + 1)),
        "split": lambda: mpi.L_layer_model(X, Y, LAYERS, split="rows"),
        "features": lambda: mpi.L_layer_model(X, Y[:, :1].repeat(X.shape[1], 1), LAYERS, split="features"),
        "key": lambda: mpi.L_layer_model(X, Y, LAYERS, parameters={} if last else parameters),
        "rule": lambda: mpi.train(X, Y, LAYERS, optimizer=rule),
        "folder": lambda: mpi.train(X, Y, LAYERS, checkpoint=folder / "missing" / "file.npz"),
        "other data": lambda: mpi.L_layer_model(other, Y, LAYERS, 0.1, 4, checkpoint=kept),
        "beyond": lambda: mpi.L_layer_model(X, Y, LAYERS, 0.1, 1, checkpoint=kept),
        "of one process": lambda: mpi.L_layer_model(X, Y, LAYERS, 0.1, 4, checkpoint=alone),
        "csv": lambda: mpi.read_part("table.csv", RANK, SIZE),
        "command": lambda: command.run(parser().parse_args(asked)),
        "overflows": lambda: mpi.L_layer_model(1e150 * X, Y, LAYERS, 1.0, 5, parameters=large),
        "diverges": lambda: mpi.L_layer_model(1e150 * X, Y, LAYERS, 1e200, 5, parameters=parameters),
    }
    found = {}
    for name, call in calls.items():
        try:
            call()
            raised = "nothing"
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
        found[name] = gathered(raised)
    return found


def unbroken(folder: Path) -> dict[str, Any]:
    """Whether a training that resumes on as many ranks has the bits of one without a break."""
    X, Y, parameters = tall()
    here, there = part(M), part(LAYERS[0])
    rule: dict[str, Any] = {"optimizer": bp.Adam(0.01), "batch_size": 64, "seed": 5}
    trainings = {
        "examples": lambda n, **file: mpi.L_layer_model(X[:, here], Y[:, here], LAYERS, 0.3, n, parameters=parameters, **file),
        "features": lambda n, **file: mpi.L_layer_model(
            X[there], Y, LAYERS, 0.3, n, split="features", parameters=parameters, **file
        ),
        "adam": lambda n, **file: mpi.train(X[:, here], Y[:, here], LAYERS, epochs=n, **rule, **file).parameters,
    }
    found = {}
    for name, train in trainings.items():
        file = folder / f"unbroken {name}.npz"
        train(2, checkpoint=file)
        found[name] = gathered(bits(train(5, checkpoint=file)) == bits(train(5)))
    return found


def fails(folder: Path) -> dict[str, Any]:
    """One rank has no memory in the fifth batch."""
    X, Y, parameters = tall()
    here, share, calls = part(M), cast(Any, Share), []
    add = share.add

    def failing(self: Any, *arguments: Any) -> float:
        calls.append(1)
        if RANK == 1 and len(calls) == 5:
            raise MemoryError("no room for a block")
        return add(self, *arguments)

    share.add = failing
    try:
        mpi.L_layer_model(X[:, here], Y[:, here], LAYERS, 0.3, ITERATIONS, parameters=parameters)
        raised = "nothing"
    except Exception as error:
        raised = f"{type(error).__name__}: {error}"
    share.add = add
    return {"raised": gathered(raised), "calls": gathered(len(calls))}


def long(folder: Path) -> dict[str, Any]:
    """A training that does not end by itself, saved often; each rank notes its number."""
    checkpoint.SAVE_SECONDS = 0.1
    (folder / f"{RANK}.pid").write_text(str(os.getpid()))
    X, Y, parameters = tall()
    here = part(M)
    mpi.L_layer_model(X[:, here], Y[:, here], LAYERS, 0.1, 10**8, parameters=parameters, checkpoint=folder / "long.npz")
    return {}


def resumes(folder: Path) -> dict[str, Any]:
    """That training for 20 iterations more, by examples and by features, beside one process."""
    X, Y, parameters = tall()
    with np.load(folder / "long.npz") as file:
        done = json.loads(str(file["about"]))["iteration"]
    end = done + 20
    one = bp.L_layer_model(X, Y, LAYERS, 0.1, end, parameters=parameters, algorithm="direct")
    found: dict[str, Any] = {"done": done}
    copied = (folder / "long.npz").read_bytes()
    for split, data in (("features", (X[part(LAYERS[0])], Y)), ("examples", (X[:, part(M)], Y[:, part(M)]))):
        if RANK == 0:
            (folder / f"{split}.npz").write_bytes(copied)
        WORLD.Barrier()
        ours = mpi.L_layer_model(*data, LAYERS, 0.1, end, split=split, checkpoint=folder / f"{split}.npz")
        found[split] = far(ours, one)
    there = mpi.L_layer_model(  # which features saved, and examples go on with
        X[:, part(M)], Y[:, part(M)], LAYERS, 0.1, end + 10, checkpoint=folder / "features.npz"
    )
    found["changed"] = far(there, bp.L_layer_model(X, Y, LAYERS, 0.1, end + 10, parameters=parameters, algorithm="direct"))
    return found


def raises(folder: Path) -> dict[str, Any]:
    """One rank raises between two trainings, while the others begin the next."""
    X, Y, parameters = tall()
    here = part(M)
    mpi.L_layer_model(X[:, here], Y[:, here], LAYERS, 0.3, 2, parameters=parameters)
    if RANK == 1:
        raise LookupError("a fault of the user's own")
    mpi.L_layer_model(X[:, here], Y[:, here], LAYERS, 0.3, 10**8, parameters=parameters)
    return {}


# Each command, and what of it the command of one process does not have.
COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "rows": (["rows.npy", "--layers", "5", "--epochs", "30", "--learning-rate", "0.5"], []),
    "columns": (["columns.npy", "--examples", "columns", "--label", "1", "--layers", "none", "--epochs", "30"], []),
    "numbers": (["rows.npy", "--layers", "5", "--output", "identity", "--optimizer", "adam", "--epochs", "9", "--l2", "1"], []),
    "classes": (["classes.h5", "--layers", "4", "--output", "softmax", "--batch-size", "9", "--epochs", "4"], []),
    "range": (["classes.h5", "--layers", "4", "--output", "softmax", "--scale", "minmax", "--epochs", "4"], []),
    "wide": (["wide.npy", "--label", "3", "--layers", "4", "--epochs", "130"], ["--split", "features"]),
    "pictures": (["pictures.h5", "--layers", "4", "--epochs", "130"], ["--split", "features"]),
    "pictures by examples": (["pictures.h5", "--layers", "4", "--epochs", "130"], []),
}


def commands(folder: Path) -> dict[str, Any]:
    """Costs, accuracy and model of the command on all ranks, beside those of the command of one process."""
    os.chdir(folder)
    if RANK == 0:
        write_data()
    WORLD.Barrier()
    found = {}
    for name, (arguments, here) in COMMANDS.items():
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main(["train", *arguments, *here, "--model", "ours.npz", "--json"])
        codes = gathered(code)
        if RANK == 0:
            with contextlib.redirect_stdout(io.StringIO()) as theirs:
                cli.main(["train", *arguments, "--model", "theirs.npz", "--json"])
            ours, one = json.loads(out.getvalue()), json.loads(theirs.getvalue())
            every = 100 if here else 1
            costs = zip([*ours["costs"], ours["cost"]], [*one["costs"][::every], one["cost"]], strict=True)
            with np.load("ours.npz") as a, np.load("theirs.npz") as b:
                of_models = far({key: a[key] for key in b if key != "about"}, {key: b[key] for key in b if key != "about"})
            scores = [abs(ours[key] - one[key]) for key in ("accuracy", "rms_error") if key in one]
            found[name] = {"codes": codes, "costs far": max(abs(a - b) for a, b in costs), "far": of_models, "scores": scores}
        WORLD.Barrier()
    return found


def write_data() -> None:
    """The files that COMMANDS read."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((61, 5)) * [1, 2, 3, 4, 0] + 7  # the last feature is constant
    labels = (X[:, 0] > X[:, 1]).astype(float)
    np.save("rows.npy", np.column_stack([X, labels]))
    np.save("columns.npy", np.vstack([labels, X.T]))
    np.save("wide.npy", np.insert(rng.standard_normal((20, 90)), 2, np.arange(20) % 2, axis=1))
    with h5py.File("classes.h5", "w") as file:
        file["X"], file["Y"] = X.T, np.array([b"red", b"blue", b"green"])[np.arange(61) % 3]
    with h5py.File("pictures.h5", "w") as file:
        file["train_set_x"] = rng.integers(0, 256, (24, 5, 5, 3), dtype=np.uint8)
        file["train_set_y"] = np.arange(24) % 2


if __name__ == "__main__":
    names, folder = sys.argv[1].split(","), Path(sys.argv[2])
    results = {name: globals()[name](folder) for name in names}
    if RANK == 0:
        (folder / "found.json").write_text(json.dumps(results))
