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


PAGE = f"before\n\n{functions.BEGIN}\n\nold figures\n\n{functions.END}\n\nafter\n"


@pytest.fixture
def pages(monkeypatch, tmp_path):
    """Both pages, as copies, and measurements of no benchmark."""
    monkeypatch.setattr(functions, "FIGURES", tmp_path / "figures.md")
    monkeypatch.setattr(functions, "README", tmp_path / "README.md")
    monkeypatch.setattr(functions, "facts", lambda: ["processor      one", "versions       two", "load before    0.1"])
    names = [(f"{benchmark}, 10 iterations", size) for benchmark, size in functions.README_ROWS] + [("Training", "[7, 1], 1")]
    measured = [functions.Row([*name, "float64", "2", "1", "2.00"], 2.5) for name in names]
    monkeypatch.setattr(functions, "rows", lambda family, dtypes: measured)
    for page in (functions.FIGURES, functions.README):
        page.write_text(PAGE)
    return functions.FIGURES, functions.README


def test_the_figures_are_replaced_and_nothing_else(pages):
    functions.write_figures()
    counts = []
    for page in pages:
        before, _, rest = page.read_text().partition(functions.BEGIN)
        figures, _, after = rest.partition(functions.END)
        assert (before, after) == ("before\n\n", "\n\nafter\n")
        assert "old figures" not in figures
        assert "processor      one" in figures
        counts.append(figures.count("float64"))
        row = next(line for line in figures.splitlines() if "float64" in line)
        assert [cell.strip() for cell in row.strip("|").split("|")] == [
            *("Training, 10 iterations", "[2, 4, 1], 400", "float64", "2", "1", "2.00")
        ]
    assert counts == [6, 5]
    assert "load before" in pages[0].read_text()


@pytest.mark.parametrize("without", [0, 1])
def test_a_page_without_markers_leaves_both_alone(pages, without, monkeypatch):
    pages[without].write_text("before\n")
    monkeypatch.setattr(functions, "rows", None)
    with pytest.raises(SystemExit, match="has no markers"):
        functions.write_figures()
    assert [page.read_text() for page in pages] == (["before\n", PAGE] if without == 0 else [PAGE, "before\n"])


def test_the_pages_have_their_markers_and_the_readme_its_rows():
    for page in (functions.FIGURES, functions.README):
        functions._around_the_figures(page)
    readme = functions.README.read_text()
    assert all(f"| {size} " in readme for _, size in functions.README_ROWS)
