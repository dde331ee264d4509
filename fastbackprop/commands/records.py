"""What commands that train print of it: their records, as JSON has them, and the lines that these make."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from fastbackprop.data.classes import Classes
from fastbackprop.data.scaling import Scaling
from fastbackprop.optimizers import name_of
from fastbackprop.trained import Trained


def of_data(path: str | os.PathLike[str], where: str, classes: Classes | None, scaling: Scaling, start: str) -> dict[str, Any]:
    """Of a record: the data, and what is done before a training."""
    values = None if classes is None else list(classes.values)
    return {"data": str(path), "taken": where, "classes": values, "scale": scaling.kind, "start": start}


def of_net(net: Trained) -> dict[str, Any]:
    """Of a record: a trained net, and its rule with its numbers."""
    return {
        **{"layers": net.layers_dims, "hidden": str(net.hidden), "output": net.output},
        **{"optimizer": name_of(net.optimizer), **dataclasses.asdict(net.optimizer)},
        **{"epochs": net.epochs, "costs": net.costs},
    }


def print_data(record: dict[str, Any], n_0: int, classes: Classes | None) -> None:
    """Print the lines on the data, of n_0 features."""
    m = record["examples"] + record.get("held_out", 0)
    print(f"data      {record['data']}: {record['taken']}; {m} examples of {n_0} features")
    if classes is not None:
        print(f"classes   {classes}")


def print_training(record: dict[str, Any], ended: str = "") -> None:
    """Print the lines on the net, the training, which may have ended in some way, and the cost."""
    print(f"net       {record['layers']}, start {record['start']}, seed {record['seed']}, scaling {record['scale']}")
    print(f"layers    hidden {record['hidden']}, output {record['output']}")
    rule = f"{record['optimizer'].replace('_', ' ')}, learning rate {record['learning_rate']:g}"
    batches = f", batches of {record['batch_size']}" if record["batch_size"] else ""
    penalty = f", l2 {record['l2']:g}" if record["l2"] else ""
    print(f"training  {record['epochs']} epochs, {rule}{batches}{penalty}, {record['seconds']:.2f} s{ended}")
    first = f"{record['costs'][0]:.6f} at first, " if record["costs"] else ""
    print(f"cost      {first}{record['cost']:.6f} at last")


def print_files(record: dict[str, Any], *names: str) -> None:
    """Print a line for each of these files that is written."""
    for name in names:
        if record[name]:
            print(f"{name:<9} {record[name]}")
