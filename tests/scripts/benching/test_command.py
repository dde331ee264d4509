"""The options of scripts/bench, and the output of its figures."""

import json

import pytest

pytest.importorskip("threadpoolctl")
from scripts.benching import command, layers
from scripts.measuring.timing import Estimate


@pytest.mark.parametrize("group", command.GROUPS)
def test_every_group_has_its_defaults(group):
    options = command.parser().parse_args([group])
    assert options.group == group
    assert options.repeats >= 9, "fewer pairs leave the extremes in the interval"
    assert options.threads is None or options.threads >= 1


def test_options_reach_the_group():
    options = command.parser().parse_args(["layers", "--threads", "3", "--repeats", "2", "--sample", "50"])
    assert (options.threads, options.repeats, options.sample, options.all) == (3, 2, 50, False)


@pytest.mark.parametrize("arguments", [[], ["unheard-of"]])
def test_without_a_known_group_it_lists_the_groups(arguments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    with pytest.raises(SystemExit) as error:
        command.main()
    assert error.value.code == 2
    assert "layers" in capsys.readouterr().err


def test_figures_are_written_with_the_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(layers, "run", lambda options: [{"ratio": Estimate(2.0, 1.0, 3.0)}])
    monkeypatch.setattr("sys.argv", ["bench", "layers", "--json", str(tmp_path / "figures.json")])
    command.main()
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written["group"] == "layers"
    assert written["figures"] == [{"ratio": [2.0, 1.0, 3.0]}]
    assert any("NumPy's BLAS" in line for line in written["machine"])
