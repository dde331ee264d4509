"""What is said of figures."""

import pytest

from scripts.drawing import captions, pages

EVERY = pages.read_all()
RECORD = {
    "date": "2026-01-02",
    "commit": "abc",
    "command": "a command",
    "machine": {"processor": "P", "LLVM name": "znver9", "cores": 2, "BLAS": None, "vector bytes": 64, "threads": 2},
    "versions": {"NumPy": "2"},
    "cores busy with other work": 0.02,
}


def test_the_lines_about_the_machine_leave_out_what_is_not_known():
    assert captions.machine_lines(RECORD) == [
        "processor      P (znver9), 2 cores to use",
        "versions       NumPy 2",
        "fastbackprop   vectors of 64 bytes (8 of float64), 2 threads",
        "measured       2026-01-02, commit abc, a command",
    ]


def test_what_ran_meanwhile_is_said_where_it_disturbs():
    assert captions.caution(RECORD) is None
    assert captions.caution(RECORD | {"cores busy with other work": None}) is None
    busy = captions.caution(RECORD | {"cores busy with other work": 1.26, "note": "A note."})
    assert busy == "A note. Other work kept 1.3 of the 2 cores busy meanwhile: these figures are rough."


@pytest.mark.parametrize("name", pages.PICTURES)
def test_a_picture_is_described_in_words_that_markdown_takes(name):
    text = getattr(captions, name)(EVERY)
    assert len(text) > 100
    assert not set('[]\n"') & set(text)


def compared(*ratios):
    rows = [{"benchmark": f"B{i}", "iterations": None, "layers": [i, 1], "ratio": ratio} for i, ratio in enumerate(ratios)]
    return {"trainings": {"rows": rows}, "layers": {"rows": []}, "products": {"rows": []}}


def test_what_is_not_faster_is_counted_and_the_slowest_named():
    slower = captions.not_faster(compared([2, 1.5, 3], [0.9, 0.8, 1.1], [0.7, 0.6, 0.8]))
    assert slower == "2 of 3 timed calls are equal or slower; the slowest is B2 of 2-1, at 0.70 x."
    assert captions.not_faster(compared([2, 1.5, 3])) == "All 1 timed calls are faster."
