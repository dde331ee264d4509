"""How busy other work kept the cores."""

from scripts.measuring import others
from scripts.measuring.others import Others, busy_seconds

TEXT = """cpu  9999 0 0 0 0 0 0 0 0 0
cpu0 100 20 30 5000 700 1 2 47 40 0
cpu1 10 0 0 9000 0 0 0 0 0 0
cpu12 700 0 0 0 0 0 0 0 0 0
intr 1 2 3
"""


def test_all_but_idle_time_of_the_named_cores_counts():
    assert busy_seconds(TEXT, {0}, 100) == 2.0  # guests' time is in the users' already
    assert busy_seconds(TEXT, {0, 1}, 100) == 2.1
    assert busy_seconds(TEXT, {12}, 100) == 7.0


def test_own_work_is_not_that_of_others(monkeypatch):
    moments = iter([(10.0, 100.0, 5.0), (20.0, 117.0, 10.0)])
    monkeypatch.setattr(Others, "_now", staticmethod(lambda: next(moments)))
    assert Others().cores() == 1.2


def test_where_the_system_does_not_count_nothing_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(others, "STATISTICS", tmp_path / "missing")
    assert Others().cores() is None
