"""The cost curve of a training. It needs matplotlib, the extra ``plot``."""

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from fastbackprop.extras import missing

try:
    from matplotlib import pyplot as plt
    from matplotlib.figure import Figure
except ImportError as error:
    raise missing("plot_cost=True", "plot") from error


def plot_costs(costs: Sequence[float], learning_rate: float) -> None:
    """Draw and show the costs, one every hundred iterations."""
    _draw(plt.gca(), costs, learning_rate, "iterations (per hundreds)")
    plt.show()


def save_costs(file: BinaryIO, costs: Sequence[float], learning_rate: float, software: str) -> None:
    """Write the costs, one an epoch, to a file, as a PNG that names the software; pyplot's figures stay as they are."""
    figure = Figure()
    _draw(figure.subplots(), costs, learning_rate, "epochs")
    figure.savefig(file, format="png", metadata={"Software": software})


def save_curves(file: BinaryIO, curves: Mapping[str, Sequence[float]], software: str) -> None:
    """Write several cost curves, by what they are called, to a file, as a PNG that names the software."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    for name, costs in curves.items():
        axes.plot(costs, label=name)
    axes.set_ylabel("cost")
    axes.set_xlabel("epochs")
    axes.set_yscale("log" if all(cost > 0 for costs in curves.values() for cost in costs) else "linear")
    figure.legend(loc="outside right upper", fontsize="small", ncols=1 + len(curves) // 25)
    figure.savefig(file, format="png", metadata={"Software": software})


def _draw(axes: Any, costs: Sequence[float], learning_rate: float, counted: str) -> None:
    axes.plot(costs)
    axes.set_ylabel("cost")
    axes.set_xlabel(counted)
    axes.set_title(f"Learning rate = {learning_rate}")
