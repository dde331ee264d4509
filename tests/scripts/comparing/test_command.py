"""The conclusions from the comparison with other libraries."""

import pytest

pytest.importorskip("threadpoolctl")
from scripts.comparing.command import apart, lines, parsed, require
from scripts.comparing.one_net import rows
from scripts.comparing.runs import better
from scripts.drawing.tables import peers


def run(threads, seconds, difference=1e-15):
    """A run of one process in which the sides take the given seconds."""
    return {
        "net": "table",
        "threads": threads,
        "algorithm": "direct",
        "sides": {
            side: {"seconds": [time, time, time], "measured iterations": 100, "ratio": [time, 0.9 * time, 1.1 * time]}
            for side, time in seconds.items()
        },
        "skipped": {"JAX jit": "No module named 'jax'"},
        "differences": {side: difference for side in seconds if side != "fastbackprop"},
        "after iterations": 300,
        "tolerance": 1e-12,
    }


RUNS = [
    run(1, {"fastbackprop": 1.0, "reference": 5.0, "PyTorch eager": 2.0, "scikit-learn": 4.0}),
    run(2, {"fastbackprop": 1.1, "reference": 6.0, "PyTorch eager": 3.0, "scikit-learn": 3.5}),
]


def test_each_side_but_ours_counts_by_its_better_number_of_threads():
    chosen = {side: (figures["threads"], figures["seconds"][0]) for side, figures in better(RUNS).items()}
    assert chosen == {
        "fastbackprop": (2, 1.1),
        "reference": (1, 5.0),
        "PyTorch eager": (1, 2.0),
        "scikit-learn": (2, 3.5),
    }


def test_the_best_peer_and_what_is_skipped_are_named():
    text = "\n".join(lines(RUNS))
    assert "the best peer, PyTorch eager, takes 2.00 x as long (wanted 2)" in text
    assert "skipped: No module named 'jax'" in text


def test_parameters_that_differ_are_reported():
    assert apart(RUNS) == []
    assert apart([RUNS[0], run(2, {"fastbackprop": 1.0, "scikit-learn": 2.0}, difference=1e-3)]) == [
        "table: scikit-learn, 2 threads: 1.0e-03"
    ]
    assert len(apart([run(1, {"fastbackprop": 1.0, "reference": 2.0}, difference=float("nan"))])) == 1


def test_a_nets_runs_are_a_row_of_the_table():
    (made,) = rows(RUNS)
    assert (made["net"], made["m"], made["algorithm"]) == ("table", 569, "direct")
    assert made["sides"]["reference"]["seconds"] == [5.0, 5.0, 5.0]
    (cells,) = peers([made]).rows
    assert cells[:2] == ["[30, 16, 8, 1], 569, 10,000", "1,100"]
    assert cells[2:] == ["2.00 [1.80, 2.20]", "3.50 [3.15, 3.85]", "5.00 [4.50, 5.50]"]


def test_nets_and_sides_are_those_of_the_topic(capsys):
    assert parsed([]).topic == "peers" and parsed([]).nets[-2:] == ["many", "products"]
    assert parsed(["batches"]).nets[:2] == ["cancer-100", "cancer-16"]
    assert parsed(["batches", "--nets", "long-16", "--sides", "reference"]).sides == ["reference"]
    with pytest.raises(SystemExit):  # argparse says why on stderr
        parsed(["batches", "--nets", "million"])
    assert "--nets: unknown million; known of batches are cancer-100" in capsys.readouterr().err


def test_tables_are_scikit_learns(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    require("peers")
    with pytest.raises(SystemExit, match=r"batches takes the tables of scikit-learn: pip install"):
        require("batches")
