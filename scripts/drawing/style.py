"""How the pictures look. They have a light ground of their own, so that they read on a dark page; shapes and how dark a mark is
tell sides apart, so that they read in grey.
"""

from __future__ import annotations

import math
from typing import Any

import matplotlib
from matplotlib import ticker

matplotlib.use("Agg")  # draws to files; no display is needed


INK, FAINT, GROUND = "#262626", "#d0d0d0", "#ffffff"
OURS = {"color": "#003f6b", "marker": "o"}
REFERENCE = {"color": "#262626", "marker": "o", "markerfacecolor": GROUND}
# Of other sides, in the order of a picture's legend: dark and light by turns.
SIDES: tuple[dict[str, Any], ...] = (
    {"color": "#003f6b", "marker": "s"},
    {"color": "#d98200", "marker": "^"},
    {"color": "#6b2f6b", "marker": "D"},
    {"color": "#4fa3d9", "marker": "v"},
    {"color": "#7a7a7a", "marker": "P"},
    {"color": "#b5543c", "marker": "X"},
)
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: a third of the size, and it can be searched and read aloud
    "svg.hashsalt": "fastbackprop",  # the same picture has the same bytes
    "font.size": 9,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": GROUND,
    "axes.facecolor": GROUND,
    "legend.frameon": False,
}


def estimated(axes, estimates, positions, *, label: str | None = None, across: bool = True, **look: Any) -> None:
    """Marks at the medians, with their intervals where they have them; across: along x, the positions being along y."""
    medians = [median for median, _, _ in estimates]
    low = [math.nan if end is None else median - end for median, end, _ in estimates]
    high = [math.nan if end is None else end - median for median, _, end in estimates]
    x, y, bars = (medians, positions, "xerr") if across else (positions, medians, "yerr")
    axes.errorbar(x, y, **{bars: [low, high]}, label=label, linestyle="none", markersize=5.5, elinewidth=1.2, capsize=2, **look)


def plain_ticks(axis) -> None:
    """Numbers as people write them, on a logarithmic axis."""
    axis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:,.10g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def signed(figure, text: str) -> None:
    """The machine and the date, at the lower end."""
    figure.supxlabel(text, x=0.995, ha="right", fontsize=7, color="#595959")
