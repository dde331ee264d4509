"""The tables: each row of the data is a row, and what lacks an interval says so."""

import pytest

from scripts.drawing import pages, tables
from scripts.drawing.tables import Table

EVERY = pages.read_all()


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("topic", tables.DRAWN)
def test_each_row_of_the_data_is_a_row_of_the_table(topic):
    table = tables.DRAWN[topic](EVERY[topic]["rows"])
    assert len(table.rows) == len(EVERY[topic]["rows"]) > 0
    assert len(set(map(tuple, table.rows))) == len(table.rows), "two rows that nothing tells apart"


def test_columns_are_aligned_and_numbers_stand_at_the_right():
    lines = Table(("a", "long head"), [("text", "1"), ("t", "22")], 1).lines()
    assert lines == ["| a    | long head |", "| ---- | --------: |", "| text |         1 |", "| t    |        22 |"]


def test_the_readme_has_five_of_the_rows_in_their_order():
    rows = EVERY["trainings"]["rows"]
    chosen = [(cells[0], cells[1]) for cells in tables.of_readme(rows).rows]
    assert len(chosen) == len(tables.README_ROWS) == 5
    everything = [(cells[0], cells[1]) for cells in tables.trainings(rows).rows]
    assert sorted(chosen, key=everything.index) == chosen


def test_where_it_is_slower_or_equal_is_in_the_tables():
    one = {(row["n_prev"], row["n"]) for row in EVERY["layers"]["rows"]}
    assert (1, 1) in one
    assert max(row["n"] for row in EVERY["products"]["rows"]) == 2048
    for topic in ("trainings", "layers", "products"):
        assert "fast is" in tables.DRAWN[topic](EVERY[topic]["rows"]).head


def row(net, **ratios):
    sides = {"fastbackprop": {"seconds": [0.5, 0.4, 0.6]}} | {side: {"ratio": ratio} for side, ratio in ratios.items()}
    return {"net": net, "layers": [2, 1], "m": 3, "iterations": 1000, "sides": sides}


def test_a_library_that_was_missing_is_not_a_number():
    table = tables.peers([row("a", reference=[2, 1, 3], other=[4, 3, 5]), row("b", reference=[2, 1, 3])])
    assert table.head == ["net, m, iterations", "fastbackprop, ms", "other", "reference"]
    assert [list(cells) for cells in table.rows] == [
        ["[2, 1], 3, 1,000", "500", "4.00 [3.00, 5.00]", "2.00 [1.00, 3.00]"],
        ["[2, 1], 3, 1,000", "500", "not installed", "2.00 [1.00, 3.00]"],
    ]


def test_a_row_of_libraries_without_intervals_says_so():
    table = tables.peers([row("a", reference=[2, 1, 3]), row("b", reference=[2, None, None])])
    assert table.head[-1] == "intervals"
    assert [cells[-2:] for cells in table.rows] == [["2.00 [1.00, 3.00]", "95 %"], ["2", "none kept"]]


def test_fits_stand_beside_fits_and_loops_beside_loops():
    seconds = {"fastbackprop": 0.25, "fastbackprop, fit": 0.5}
    sides = {side: {"seconds": [s, s, s], "ratio": [1, 1, 1]} for side, s in seconds.items()}
    sides |= {"scikit-learn": {"ratio": [8, 7, 9]}, "reference": {"ratio": [3, 2, 4]}}
    measured = {"layers": [20, 16, 1], "m": 1000, "epochs": 2, "batches": 10}
    table = tables.batches([measured | {"sides": sides}, measured | {"sides": {"fastbackprop": sides["fastbackprop"]}}])
    first, second = (dict(zip(table.head, cells, strict=True)) for cells in table.rows)
    assert first["net, m, epochs (batches)"] == "[20, 16, 1], 1,000, 2 (10)"
    assert (first["our fit, ms"], first["scikit-learn"]) == ("500", "8.00 [7.00, 9.00]")
    assert (first["our loop, ms"], first["reference"]) == ("250", "3.00 [2.00, 4.00]")
    assert first["JAX jit + scan"] == second["our fit, ms"] == second["scikit-learn"] == "not measured"


def test_a_published_figure_names_whose_it_is():
    row = {"layers": [2, 1], "m": 3, "dtype": "float64", "reference": [1e-5] * 3, "fast": [5e-6] * 3, "ratio": [2, 1.9, 2.1]}
    published = {"library": "Other.jl", "seconds": 4e-6, "source": "its README"}
    table = tables.gradients([row | {"published": published}, row | {"published": None}])
    assert [cells[-1] for cells in table.rows] == ["4 (Other.jl)", ""]
