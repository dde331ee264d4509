"""The pages show what docs/figures holds, and what differs is found."""

import copy
import shutil

import pytest

from scripts.drawing import command, pages
from scripts.measuring import records


def test_all_tables_and_pictures_show_what_docs_figures_holds():
    assert list(pages.differences(pages.read_all())) == [], "scripts/figures draws them"


@pytest.fixture
def clone(monkeypatch, tmp_path):
    """The pages and the data, to be changed."""
    shutil.copytree(records.FOLDER, tmp_path / "docs" / "figures")
    for page in pages.PAGES:
        shutil.copy(pages.ROOT / page, tmp_path / page)
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(records, "FOLDER", tmp_path / "docs" / "figures")
    return tmp_path


def check(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["figures", *arguments])
    return command.main(), capsys.readouterr().out


def test_a_number_that_changes_in_the_data_is_found_in_tables_and_pictures(clone, monkeypatch, capsys):
    assert check(monkeypatch, capsys, "--check") == (0, "all tables and pictures show what docs/figures holds\n")
    kept = (clone / "docs/figures/products.json").read_text()
    value = records.read("products")["rows"][0]["ratio"][0]
    assert kept.count(f"[{value}, ") >= 1
    (clone / "docs/figures/products.json").write_text(kept.replace(f"[{value}, ", "[7.77, ", 1))
    code, out = check(monkeypatch, capsys, "--check")
    assert code == 1
    assert "docs/figures.md: the figures products are not" in out
    assert "ratios.svg was not drawn" in out and "limits.svg was not drawn" in out
    assert "scaling" not in out


@pytest.mark.parametrize("page", pages.PAGES)
def test_a_number_that_is_typed_is_found_and_drawn_over(clone, monkeypatch, capsys, page):
    source = (clone / page).read_text()
    _, _, block, _ = next(pages.MARKED.finditer(source)).groups()
    line = next(line for line in reversed(block.splitlines()) if line.startswith("| "))
    (clone / page).write_text(source.replace(block, block.replace(line, line.replace(" 1", " 9", 1))))
    assert (clone / page).read_text() != source
    code, out = check(monkeypatch, capsys, "--check")
    assert code == 1 and f"{page}: the figures" in out
    pages.write_pages(pages.read_all())
    assert (clone / page).read_text() == source


def test_the_text_around_the_markers_stays():
    every = pages.read_all()
    for page in pages.PAGES:
        source = (pages.ROOT / page).read_text(encoding="utf-8")
        empty = pages.MARKED.sub(lambda match: match[1] + match[4], source)
        assert pages.drawn(page, "before\n" + empty + "after\n", every) == "before\n" + source + "after\n"


def test_a_block_that_is_lost_or_that_nothing_draws_is_found(clone):
    every = pages.read_all()
    source = (clone / "docs/figures.md").read_text()
    (clone / "docs/figures.md").write_text(source.replace("<!-- figures: limits -->", ""))
    assert (
        "README.md and docs/figures.md and docs/many_machines.md have 0 blocks of the figures limits, instead of one"
        in list(pages.differences(every))
    )
    with pytest.raises(LookupError, match=r"page.md: nothing draws figures: other; known are readme, trainings"):
        pages.drawn("page.md", "<!-- figures: other -->\n<!-- end -->\n", every)


def test_a_picture_that_is_missing_or_of_unknown_data_is_found(clone):
    (clone / "docs/figures/peers.svg").unlink()
    (clone / "docs/figures/scaling.svg").write_text("<svg/>")
    assert list(pages.differences(pages.read_all())) == [
        "docs/figures/peers.svg was not drawn from what docs/figures holds",
        "docs/figures/scaling.svg was not drawn from what docs/figures holds",
    ]


def test_the_identity_of_a_picture_is_that_of_its_own_data():
    every = pages.read_all()
    changed = copy.deepcopy(every)
    changed["scaling"]["rows"][0]["m"] += 1
    differ = [name for name in pages.PICTURES if pages.identity(name, changed) != pages.identity(name, every)]
    assert differ == ["scaling"]


def test_a_topic_that_was_never_measured_is_named(clone):
    (clone / "docs/figures/limits.json").unlink()
    with pytest.raises(SystemExit, match=r"not measured yet: .*limits\.json;"):
        pages.read_all()
