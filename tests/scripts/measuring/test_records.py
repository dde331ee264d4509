"""The files of measured figures."""

import json

from scripts.measuring import records
from scripts.measuring.timing import Estimate


def test_a_file_holds_the_machine_and_a_row_on_each_line(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "FOLDER", tmp_path / "figures")
    measurement = records.Measurement("topic", "a command")
    rows: list[dict[str, object]] = [{"ratio": Estimate(2.0, 1.0, 3.0), "layers": (2, 1), "seconds": 0.123456789}]
    rows.append({"ratio": [4.0, None, None]})
    path = measurement.write(rows, {"Other": "1.2"})
    written = records.read("topic")
    assert path == tmp_path / "figures" / "topic.json"
    assert written["rows"] == [{"ratio": [2, 1, 3], "layers": [2, 1], "seconds": 0.12346}, {"ratio": [4, None, None]}]
    assert written["command"] == "a command"
    assert written["versions"].keys() >= {"NumPy", "Numba", "Other"}
    assert written["machine"].keys() >= {"processor", "LLVM name", "cores", "BLAS", "threads"}
    assert len(written["date"]) == 10
    assert sum('"ratio"' in line for line in path.read_text().splitlines()) == 2


def test_the_files_of_the_tree_are_as_they_would_be_written():
    for path in sorted(records.FOLDER.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        rows = record.pop("rows")
        assert path.read_text(encoding="utf-8") == records.as_text(record, rows), path
        assert record["topic"] == path.stem


def test_outside_a_clone_no_commit_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(records, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert records.commit() is None
