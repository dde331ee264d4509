"""The pictures: the same data are the same bytes, and the marks stand where the data are."""

import xml.etree.ElementTree as ElementTree

import pytest

pytest.importorskip("matplotlib")
from scripts.drawing import pages, pictures
from scripts.drawing.captions import processor
from scripts.drawing.tables import other_sides
from scripts.drawing.values import net

EVERY = pages.read_all()


@pytest.mark.parametrize("name", pages.PICTURES)
def test_a_picture_is_drawn_twice_with_the_same_bytes(name, tmp_path):
    for file in ("one.svg", "two.svg"):
        pictures.write(name, EVERY, tmp_path / file, pages.identity(name, EVERY))
    drawn = (tmp_path / "one.svg").read_bytes()
    assert drawn == (tmp_path / "two.svg").read_bytes()
    assert len(drawn) < 150_000
    ElementTree.fromstring(drawn)
    assert pages.identity(name, EVERY).encode() in drawn


@pytest.fixture
def figure(request):
    figure = pictures.DRAWN[request.param](EVERY)
    yield figure
    pictures.plt.close(figure)


@pytest.mark.parametrize("figure", ["peers"], indirect=True)
def test_each_library_has_a_mark_for_each_training(figure):
    (axes,) = figure.axes
    rows = EVERY["peers"]["rows"]
    assert [label.get_text().splitlines()[0] for label in axes.get_yticklabels()] == [net(row) for row in rows]
    marks = {container.get_label(): list(container.lines[0].get_xdata()) for container in axes.containers}
    for side in set(other_sides(rows)) - {"reference"}:
        assert marks[side] == [row["sides"][side]["ratio"][0] for row in rows if side in row["sides"]]
    assert "NumPy (the reference)" in marks
    looks = {(c.lines[0].get_marker(), c.lines[0].get_markerfacecolor()) for c in axes.containers}
    assert len(looks) == len(marks), "two sides that only their names tell apart"


@pytest.mark.parametrize("figure", pages.PICTURES, indirect=True)
def test_the_legend_is_within_the_picture(figure):
    figure.draw_without_rendering()
    for legend in figure.legends:
        box = legend.get_window_extent()
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1


@pytest.mark.parametrize("figure", ["scaling"], indirect=True)
def test_each_varied_value_has_a_point_and_the_model_a_line(figure):
    *varied, threads = figure.axes
    assert [axes.get_xlabel() for axes in varied] == ["n_0", "width", "m"]
    rows = EVERY["scaling"]["rows"]
    for axes in varied:
        values = sorted({row[axes.get_xlabel()] for row in rows})
        for container in axes.containers:
            assert list(container.lines[0].get_xdata()) == values
        models = [line for line in axes.lines if str(line.get_label()).startswith("model")]
        assert [list(line.get_xdata()) for line in models] == [values] * len({row["threads"] for row in rows})
    assert len(threads.lines[0].get_xdata()) == len({(row["n_0"], row["width"], row["m"]) for row in rows})


@pytest.mark.parametrize("figure", ["limits"], indirect=True)
def test_bars_are_as_long_as_the_parts_of_the_limit(figure):
    (axes,) = figure.axes
    parts = [row["of limit"][0] for row in EVERY["limits"]["rows"]] + [row["of peak"][0] for row in EVERY["products"]["rows"]]
    assert sorted(bar.get_width() for bar in axes.patches) == sorted(parts)


def test_a_picture_says_where_one_of_its_topics_was_disturbed():
    quiet = EVERY["peers"] | {"cores busy with other work": 0.02, "date": "2026-01-02"}
    assert pictures._origin(quiet) == f"{processor(quiet)}, 2026-01-02"
    said = pictures._origin(quiet, quiet | {"cores busy with other work": 0.84})
    assert said == f"{processor(quiet)}, 2026-01-02; rough: other work kept up to 0.8 of the cores busy"
