"""Rounds of two revisions' processes: who is first takes turns, what does not fit into the time, what a process answers."""

import sys

import pytest

from scripts.revisions import sides
from scripts.revisions.decision import FIRST
from scripts.revisions.installed import CannotCompare, Installed
from scripts.revisions.sides import Failed, Side, compile_all, measure, one_round

NAMES = [f"b{i}" for i in range(10)]


class Clock:
    """Shows the seconds that rounds of a second a benchmark have taken."""

    def __init__(self):
        self.now, self.rounds = 0.0, []

    def one_round(self, calls, swapped):
        self.now += len(calls)
        self.rounds.append((swapped, [*calls]))
        return {name: (1.0, 2.0) for name in calls}

    def measure(self, rule, until):
        return measure(self.one_round, dict.fromkeys(NAMES, 1), rule, until, lambda line: None, lambda: self.now)


def test_the_first_side_takes_turns_by_rounds():
    clock = Clock()
    measured = clock.measure(FIRST, 1000)
    assert [swapped for swapped, _ in clock.rounds] == [False, True] * 3
    assert measured == dict.fromkeys(NAMES, ([1.0] * 6, [2.0] * 6))


@pytest.mark.parametrize(
    ("until", "rounds", "kept"), [(60, 6, NAMES), (59, 5, NAMES), (30, 3, NAMES), (29, 3, NAMES[:-1]), (20, 3, NAMES[::2])]
)
def test_rounds_end_in_time(until, rounds, kept):
    clock = Clock()
    measured = clock.measure(FIRST, until)
    assert [*measured] == kept
    assert all(len(one.before) == len(one.after) == rounds for one in measured.values())
    assert clock.now <= until


def test_what_a_slow_first_round_left_out_follows_where_time_is_left():
    clock = Clock()

    def slow_at_first(calls, swapped):
        clock.now += 0 if clock.rounds else 90
        return clock.one_round(calls, swapped)

    measured = measure(slow_at_first, dict.fromkeys(NAMES, 1), FIRST, 150, lambda line: None, lambda: clock.now)
    kept = clock.rounds[1][1]
    assert 0 < len(kept) < len(NAMES), "a round of a hundred seconds is the first guess"
    assert [*measured] == NAMES and all(len(rounds.before) >= 3 for rounds in measured.values())
    assert clock.now <= 150


def test_where_nothing_fits_nothing_is_measured():
    clock = Clock()
    assert clock.measure(FIRST, 11) == {}
    assert len(clock.rounds) == 1


def test_both_sides_are_prepared_before_either_is_timed(monkeypatch, tmp_path):
    told = []

    class Fake:
        def __init__(self, installed):
            self.name = installed.name

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def send(self, name, *arguments):
            told.append(f"{self.name} {name}")

        def answer(self):
            told.append(f"{self.name} ready")

        def ask(self, name, *arguments):
            told.append(f"{self.name} {name}")
            return 1.0

    monkeypatch.setattr(sides, "Side", Fake)
    one_round((Installed("a", tmp_path, ""), Installed("b", tmp_path, "")), {"x": 1}, False)
    assert told[:6] == ["a prepare", "b prepare", "a ready", "b ready", "a sample", "b sample"]


def test_a_round_keeps_each_sides_best_whoever_is_first(monkeypatch, tmp_path):
    class Fake:
        def __init__(self, installed):
            self.seconds = iter(map(float, installed.name.split()))

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def ask(self, name, *arguments):
            return next(self.seconds) if name == "sample" else None

        def send(self, name, *arguments):
            pass

        def answer(self):
            pass

    monkeypatch.setattr(sides, "Side", Fake)
    before, after = (Installed(samples, tmp_path, "") for samples in ("8 4 6", "10 14 12"))
    for swapped in (False, True):
        assert one_round((before, after), {"b": 2}, swapped) == {"b": (2.0, 5.0)}


SUITE = """
import os, time
class Calls:
    params = (["fast", "missing", "broken", "dead"], [1, 2])
    def setup(self, kind, n):
        print("noise on the standard output")
        assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & set(os.environ)
        if kind == "missing":
            raise NotImplementedError
        if kind == "dead":
            os._exit(3)
    def time_call(self, kind, n):
        if kind == "broken":
            raise ValueError("no " + str(n))
    def timeraw_start(self, kind, n):
        return ""
    def track_number(self, kind, n):
        return 1
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    pytest.importorskip("asv_runner")
    folder, suite = tmp_path / "commit", tmp_path / "benchmarks"
    (folder / "fastbackprop").mkdir(parents=True)
    (folder / "fastbackprop" / "__init__.py").write_text("def get_num_threads():\n    return 3\n")
    suite.mkdir()
    (suite / "__init__.py").touch()
    (suite / "bench.py").write_text(SUITE)
    monkeypatch.setattr(sides, "SUITE", tmp_path)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    return Installed("0123", folder, sys.executable)


def test_a_process_describes_its_revision(installed):
    with Side(installed) as side:
        described = side.ask("describe")
    kinds = ("fast", "missing", "broken", "dead")
    assert described["package"] == str(installed.folder / "fastbackprop")
    assert described["threads"] == 3
    assert described["benchmarks"] == [f"bench.Calls.time_call('{kind}', {n})" for kind in kinds for n in (1, 2)]


def test_a_process_times_what_it_can(installed):
    names = [f"bench.Calls.time_call('{kind}', {n})" for kind in ("fast", "missing", "broken") for n in (1, 2)]
    calls, failed = compile_all(installed, names)
    assert [*calls] == names[:2] and all(n >= 1 for n in calls.values())
    assert failed == {name: f"fails at 0123: ValueError: no {n}" for n, name in enumerate(names[4:], start=1)}


def test_what_a_process_raises_is_passed_on_and_it_goes_on(installed):
    with Side(installed) as side:
        with pytest.raises(Failed, match="ValueError: no 1"):
            side.ask("prepare", "bench.Calls.time_call('broken', 1)", 0)
        assert side.ask("prepare", "bench.Calls.time_call('fast', 1)", 0)


def test_a_process_that_ends_is_named(installed):
    with (
        Side(installed) as side,
        pytest.raises(CannotCompare, match="of 0123 ended with 3, asked for: prepare bench"),
    ):
        side.ask("prepare", "bench.Calls.time_call('dead', 1)", 0)


def test_a_process_that_cannot_begin_says_why(installed):
    (sides.SUITE / "benchmarks" / "__init__.py").write_text("import os, sys\nsys.stderr.write('not here')\nos._exit(1)")
    with (
        Side(installed) as side,
        pytest.raises(CannotCompare, match="of 0123 ended with 1, asked for: describe; it said last: not here"),
    ):
        side.ask("describe")


def test_benchmarks_that_cannot_be_imported_say_why(installed):
    (sides.SUITE / "benchmarks" / "__init__.py").write_text("import nowhere")
    with Side(installed) as side:
        assert side.ask("describe")["benchmarks"] == []
        assert side.last() == "ModuleNotFoundError: No module named 'nowhere'"
