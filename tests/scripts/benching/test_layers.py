"""The grid of layers: its cells, its samples, and its summary."""

import math
import re

import pytest

pytest.importorskip("threadpoolctl")
from fastbackprop.activations import ACTIVATIONS
from scripts.benching.layers import WORST, Cell, Measured, grid, sample, summary
from scripts.measuring.timing import Estimate

KINDS = 2 * 2 * len(ACTIVATIONS)  # dtypes, directions


def measured(ratio, n=64, low=None, high=None, m=19):
    cell = Cell(64, n, m, "float64", "linear_activation_forward", "relu")
    return Measured(
        cell,
        Estimate(1e-3, 1e-3, 1e-3),
        Estimate(1e-3 / ratio, 1e-3 / ratio, 1e-3 / ratio),
        Estimate(ratio, low or ratio, high or ratio),
    )


def test_every_shape_in_both_dtypes_directions_and_activations():
    cells = grid()
    assert len(set(cells)) == len(cells) == (6 * 6 * 5 + 6) * KINDS
    assert Cell(12288, 7, 209, "float32", "linear_activation_backward", "sigmoid") in cells
    assert Cell(1, 1024, 10_000, "float64", "linear_activation_forward", "relu") in cells


def test_backward_has_twice_the_operations():
    forward = Cell(30, 20, 10, "float64", "linear_activation_forward", "relu")
    assert forward.operations == 2 * 30 * 20 * 10
    assert forward._replace(function="linear_activation_backward").operations == 2 * forward.operations


@pytest.mark.parametrize("every", [1, 7, 100])
def test_a_sample_is_every_nth_cell_the_same_ones_each_time(every):
    cells = grid()
    few = sample(cells, every)
    assert few == sample(cells, every)
    assert len(few) == math.ceil(len(cells) / every)
    assert few == [cell for cell in cells if cell in set(few)]


def test_a_sample_has_all_kinds():
    few = sample(grid(), 20)
    assert len({(cell.dtype, cell.function, cell.activation) for cell in few}) == KINDS


def test_the_summary_has_the_geometric_mean_of_each_class():
    # 2 * 64 * 64 * m operations: below 10 MFLOP, between, and above 100.
    cells = [measured(1.0), measured(4.0), measured(1.5, m=2000), measured(3.0, m=20_000), measured(12.0, m=20_000)]
    lines = list(summary(cells))
    assert re.findall(r"(\d+) cells, geometric mean +([\d.]+)", "\n".join(lines)) == [
        ("2", "2.00"),
        ("1", "1.50"),
        ("2", "6.00"),
    ]


def test_summary_leaves_out_classes_without_cells():
    assert sum("geometric mean" in line for line in summary([measured(1.0)])) == 1


def test_a_cell_loses_unless_its_whole_interval_is_above_the_least():
    cells = [
        measured(2.0, low=1.9, high=2.1),
        measured(1.0, low=0.98, high=1.02),  # as fast
        measured(1.1, low=0.97, high=1.3),  # not known to be as fast
        measured(0.9, low=0.85, high=0.95),
    ]
    lines = "\n".join(summary(cells))
    assert "2 of 4 cells lose" in lines
    assert "1 have the upper end of the interval below 1, 3 the lower end" in lines


def test_summary_ends_with_the_worst_cells():
    cells = [measured(1 + n / 100, n=n) for n in range(1, 31)]
    worst = re.findall(r"^  forward.* n = +(\d+)", "\n".join(summary(cells[::-1])), re.MULTILINE)
    assert worst == [str(n) for n in range(1, WORST + 1)]
