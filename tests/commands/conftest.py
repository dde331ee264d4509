"""A folder to work in, with a table, and commands that run in this process."""

import json
from types import SimpleNamespace

import pytest

from fastbackprop.cli import main

from ..support.tables import NAMES, WORDS, csv_text, write


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A temporary current folder with ``table.csv``: a header and the labels yes and no."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "table.csv", csv_text(WORDS, [*NAMES, "ill"]))
    return tmp_path


@pytest.fixture
def command(here, capsys):
    """Run a command; its exit code and what it printed. With --json stdout is one object."""

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        record = json.loads(out) if "--json" in arguments and code == 0 else None
        return SimpleNamespace(code=code, out=out, err=err, json=record)

    return run


@pytest.fixture
def refused(command, here):
    """Run a command that has to be refused: one line with these words, exit code 2, and no file touched."""

    def run(*arguments, words):
        before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
        result = command(*arguments)
        assert (result.code, result.out) == (2, ""), result.err
        assert result.err.count("\n") == 1
        assert result.err.startswith(f"fastbackprop {arguments[0]}: ")
        for word in words:
            assert word in result.err
        assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before

    return run
