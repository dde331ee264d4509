"""The table of every function: it has the rows that asv follows, and the goals stand beside it."""

import argparse

import pytest

pytest.importorskip("threadpoolctl")
from fastbackprop.testing import CASES, TIMED
from scripts import ROOT
from scripts.benching import functions


def test_every_family_has_a_module_of_benchmarks():
    assert set(functions.FAMILIES) == {case.family for case in CASES.values()}
    for family in functions.FAMILIES:
        assert (ROOT / "asv_benches" / "benchmarks" / f"bench_{family}.py").is_file()


def test_each_function_and_size_is_a_row_with_its_goal(monkeypatch, capsys):
    def measure(cls, method, parameters, repeats):
        *function, size, dtype = parameters
        return functions.Row([", ".join(function), size, dtype, "2", "1", "2.00"], functions.FUNCTIONS.get((*function, size)))

    monkeypatch.setattr(functions, "_measure", measure)
    figures = functions.run(argparse.Namespace(families=["activations"], threads=1, repeats=9))
    assert len(figures) == 4 * len(TIMED) * 2
    assert figures[0]["benchmark"] == "sigmoid"
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines if line.endswith(" (wanted 5)")] == [
        *("sigmoid", "sigmoid"),
        *("sigmoid_backward", "sigmoid_backward"),
    ]


def test_an_unknown_family_is_refused():
    with pytest.raises(SystemExit, match="unknown family banana"):
        functions.run(argparse.Namespace(families=["banana"], threads=1, repeats=9))


def test_the_readmes_figures_are_replaced_and_nothing_else(monkeypatch, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n\n{functions.BEGIN}\n\nold figures\n\n{functions.END}\n\nafter\n")
    monkeypatch.setattr(functions, "README", readme)
    monkeypatch.setattr(functions, "facts", lambda: ["processor      one"])
    monkeypatch.setattr(functions, "rows", lambda family, dtypes: [functions.Row([family, *dtypes, "", "2", "1", "2.00"], 2.5)])
    functions.write_readme()
    before, _, rest = readme.read_text().partition(functions.BEGIN)
    figures, _, after = rest.partition(functions.END)
    assert (before, after) == ("before\n\n", "\n\nafter\n")
    assert "old figures" not in figures
    assert "processor      one" in figures
    row = figures.rstrip().splitlines()[-1]
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["training", "float64", "", "2", "1", "2.00"]


def test_a_readme_without_markers_is_left_alone(monkeypatch, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n")
    monkeypatch.setattr(functions, "README", readme)
    with pytest.raises(SystemExit, match="has no markers"):
        functions.write_readme()
    assert readme.read_text() == "before\n"
