"""The command: what it refuses in one line, and its exit codes."""

from typing import ClassVar

import pytest

pytest.importorskip("threadpoolctl")
from scripts import ROOT
from scripts.benching import command
from scripts.revisions import compare
from scripts.revisions.decision import Rounds
from scripts.revisions.installed import Installed, commit

needs_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no repository here")
NAMES = ["bench_layers.Layers.time_call('fast', 'linear_forward', 'table', 'float64')", "bench_x.X.time_x('fast')"]


def run(*arguments):
    return compare.run(command.parser().parse_args(["compare", *arguments]))


@needs_git
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no revision 'nowhere'"),
        (["HEAD", "nowhere"], "there is no revision 'nowhere'"),
        (["HEAD:README.md"], "there is no revision 'HEAD:README.md'"),
        (["HEAD", "HEAD", "HEAD"], "two revisions, not 3"),
        (["HEAD", "--bench", "("], "--bench '(' is no regular expression"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(arguments, message, capsys):
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("scripts/bench compare: ")
    assert message in captured.err and captured.err.count("\n") == 1


@needs_git
def test_a_revision_is_its_commit():
    assert commit("HEAD") == commit(commit("HEAD")[:12])


class Process:
    """Stands in for a revision's process."""

    threads: ClassVar = {"a": 2, "b": 2}

    def __init__(self, installed):
        self.installed = installed

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def ask(self, name):
        package = str(self.installed.folder / "fastbackprop")
        return {"package": package, "threads": self.threads[self.installed.name], "benchmarks": NAMES}


@pytest.fixture
def revisions(monkeypatch, tmp_path):
    """Both revisions installed, and a function that sets the ratio of their seconds."""
    ratios: dict[str, float] = {}
    pair = [Installed("a", tmp_path / "a", ""), Installed("b", tmp_path / "b", "")]
    monkeypatch.setattr(compare, "commit", lambda name: 8 * name[:1])
    monkeypatch.setattr(compare, "git", lambda *arguments: "")
    monkeypatch.setattr(compare, "install", lambda commits: pair)
    monkeypatch.setattr(compare, "Side", Process)
    monkeypatch.setattr(compare, "compile_all", lambda installed, names: (dict.fromkeys(names, 1), {}))

    def measure(one_round, calls, rule, until, tick):
        return {name: Rounds([1.0] * rule.rounds, [ratios.get(name, 1.0)] * rule.rounds) for name in calls}

    monkeypatch.setattr(compare, "measure", measure)
    return ratios.update


@pytest.mark.parametrize(
    ("ratio", "code", "said"), [(1.0, 0, "nothing changed"), (1.5, 1, "slower  bench_l"), (0.5, 0, "faster  bench_l")]
)
def test_the_exit_code_says_whether_something_became_slower(revisions, ratio, code, said, capsys):
    revisions({NAMES[0]: ratio})
    assert run("a") == code
    assert said in capsys.readouterr().out


def test_the_default_list_leaves_others_out(revisions, capsys):
    revisions({NAMES[1]: 1.5})
    assert run("a") == 0
    assert run("a", "--bench", "time_x") == 1
    assert "bench_x.X.time_x('fast')" in capsys.readouterr().out


def test_a_time_in_which_nothing_fits_is_refused(revisions, capsys, monkeypatch):
    monkeypatch.setattr(compare, "measure", lambda one_round, calls, rule, until, tick: {})
    assert run("a") == 2
    assert "3 rounds do not fit into the time" in capsys.readouterr().err


def test_help_names_the_default_list(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    assert compare.DEFAULT_HELP in " ".join(capsys.readouterr().out.split())


def test_nothing_to_compare_is_refused(revisions, capsys):
    assert run("a", "--bench", "nothing like this") == 2
    assert "no timed benchmark" in capsys.readouterr().err


def test_unequal_threads_are_refused(revisions, capsys, monkeypatch):
    monkeypatch.setattr(Process, "threads", {"a": 1, "b": 2})
    assert run("a") == 2
    assert "take 1 and 2 threads" in capsys.readouterr().err


def test_a_process_that_took_another_package_is_refused(revisions, capsys, monkeypatch):
    monkeypatch.setattr(Process, "ask", lambda self, name: {"package": "/elsewhere", "threads": 1, "benchmarks": NAMES})
    assert run("a") == 2
    assert "took the package in /elsewhere" in capsys.readouterr().err


def test_what_fails_at_one_revision_is_said_and_left_out(revisions, capsys, monkeypatch):
    def compile_all(installed, names):
        broken = {NAMES[0]: f"fails at {installed.name}: no"} if installed.name == "b" else {}
        return {name: 1 for name in names if name not in broken}, broken

    monkeypatch.setattr(compare, "compile_all", compile_all)
    revisions({NAMES[0]: 1.5})
    assert run("a", "--bench", "fast") == 0
    assert f"not compared: {NAMES[0]} fails at b: no" in capsys.readouterr().out


def test_a_revision_without_benchmarks_is_refused_with_the_reason(revisions, capsys, monkeypatch):
    def ask(self, name):
        return {"package": str(self.installed.folder / "fastbackprop"), "threads": 1, "benchmarks": []}

    monkeypatch.setattr(Process, "ask", ask)
    monkeypatch.setattr(Process, "last", lambda self: "ImportError: no", raising=False)
    assert run("a") == 2
    assert "no benchmark can be imported at a; its process said last: ImportError: no" in capsys.readouterr().err
