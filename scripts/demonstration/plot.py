"""The demo's picture: the cost curves of both sides, which should lie on each other."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws to files; no display is needed
import matplotlib.pyplot as plt

from scripts import ROOT
from scripts.demonstration.training import Side

PATH = ROOT / "build" / "cost_curves.png"
REFERENCE, FAST, INK = "#f2b36b", "#1f4e79", "#404040"


def draw_cost_curves(compared: list[dict[str, Side]]) -> Path:
    """One panel a problem, the fast curve dotted upon the reference's; returns where it was drawn."""
    figure, panels = plt.subplots(1, len(compared), figsize=(9, 3.6), layout="constrained", squeeze=False)
    for axes, sides in zip(panels[0], compared, strict=True):
        _draw(axes, sides["reference"], sides["fast"])
    panels[0][0].set_ylabel("cost", color=INK)
    PATH.parent.mkdir(exist_ok=True)
    figure.savefig(PATH, dpi=120)
    plt.close(figure)
    return PATH


def _draw(axes, reference: Side, fast: Side) -> None:
    problem = reference.problem
    iterations = range(0, problem.num_iterations, 100)
    label = f"reference, {reference.seconds:.2f} s{reference.scaled}"
    axes.plot(iterations, reference.costs, color=REFERENCE, linewidth=6, label=label)
    label = f"fast, {fast.seconds:.2f} s{fast.scaled}"
    step = max(1, len(iterations) // 25)
    axes.plot(iterations, fast.costs, "o", color=FAST, markersize=3, markevery=step, label=label)
    axes.set_title(f"{problem.name}: {problem.layers_dims}, m = {problem.X.shape[1]}", fontsize=10, color=INK)
    axes.set_xlabel("iteration", color=INK)
    axes.set_xlim(0, problem.num_iterations)
    axes.set_ylim(0, 1.05 * max(reference.costs))
    axes.tick_params(colors=INK)
    axes.grid(color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, labelcolor=INK)
