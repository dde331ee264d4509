"""What is measured for docs/figures, and where it is written."""

import pytest

pytest.importorskip("threadpoolctl")
from scripts.benching import command, figures
from scripts.comparing import command as compared
from scripts.comparing import products
from scripts.drawing import tables
from scripts.measuring import records


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """Which topics were measured, with the repeats; the files go elsewhere."""
    calls = []

    def topic(name):
        def rows(repeats):
            calls.append((name, repeats))
            return [{"row of": name}]

        return rows

    monkeypatch.setattr(figures, "TOPICS", {name: topic(name) for name in figures.TOPICS})
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    return calls


@pytest.mark.parametrize("named", [[], ["scaling"], ["layers", "limits"]])
def test_each_topic_that_is_named_writes_its_file(monkeypatch, tmp_path, measured, named):
    monkeypatch.setattr("sys.argv", ["bench", "--figures", *named])
    command.main()
    assert measured == [(name, 9) for name in named or figures.TOPICS]
    for name, _ in measured:
        assert records.read(name)["rows"] == [{"row of": name}]
    assert {path.stem for path in tmp_path.iterdir()} == {name for name, _ in measured}


def test_all_topics_but_those_of_other_libraries_are_measured_by_bench():
    assert {*figures.TOPICS, *compared.TOPICS, products.TOPIC} == set(tables.DRAWN)


def test_a_small_layer_is_a_row_that_the_table_takes(monkeypatch):
    monkeypatch.setattr(figures, "LAYERS", ((1, 1, 1),))
    monkeypatch.setattr(figures, "usable_cores", lambda: 1)
    rows = list(figures.single_layers(2))
    assert [(row["function"], row["n"]) for row in rows] == [(function, 1) for function in figures.layers.FUNCTIONS]
    assert len(tables.layers(rows).rows) == 2


def test_a_small_product_is_a_row_that_the_table_takes(monkeypatch):
    monkeypatch.setattr(figures, "PRODUCTS", (8,))
    monkeypatch.setattr(figures, "usable_cores", lambda: 1)
    rows = list(figures.products(2))
    assert [(row["n"], row["dtype"]) for row in rows] == [(8, "float64"), (8, "float32")]
    assert len(tables.products(rows).rows) == 2
