"""``info``."""

import re
import sys
from pathlib import Path

import fastbackprop as bp
from fastbackprop.commands import info
from fastbackprop.extras import EXTRAS
from fastbackprop.kernels import jit


def test_what_is_printed(command):
    result = command("info")
    assert result.code == 0
    for word in ("processor", "versions", "BLAS", "threads", "disk cache", str(jit.cache_folder()), "extras", *EXTRAS.values()):
        assert word in result.out


def test_the_record(command):
    record = command("info", "--json").json
    assert record["versions"]["fastbackprop"] == bp.__version__
    assert record["threads"] == bp.get_num_threads()
    assert record["disk_cache"] == {"folder": str(jit.cache_folder()), "writable": True, "reason": None}
    assert set(record["extras"]) == set(EXTRAS)


def test_a_library_that_is_missing(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert command("info", "--json").json["extras"]["progress"] is None
    assert "progress (tqdm is not installed)" in command("info").out


def test_a_cache_folder_that_cannot_be_written(command, monkeypatch, tmp_path):
    monkeypatch.setattr(jit, "cache_folder", lambda: tmp_path / "none")
    record = command("info", "--json").json["disk_cache"]
    assert (record["folder"], record["writable"]) == (str(tmp_path / "none"), False)
    assert "not writable: No such file" in command("info").out
    monkeypatch.setattr(jit, "cache_folder", lambda: None)
    monkeypatch.setitem(info.disk_cache.said, "folder", "the user has no home folder")
    assert "disk cache     none, not writable: the user has no home folder" in command("info").out


def test_the_extras_are_those_of_the_package():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for extra, library in EXTRAS.items():
        assert re.search(rf'^{extra} = \["{library}(>=[\d.]+)?"\]( #.*)?$', text, re.MULTILINE)
