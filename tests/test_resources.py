"""Free memory: what the machine has, or what a container's limit leaves of it."""

import os
from pathlib import Path

import pytest

from fastbackprop import resources
from fastbackprop.resources import free_memory

MACHINE = 8 * 2**30
VERSION_2 = ("memory.max", "memory.current")
VERSION_1 = ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")
UNLIMITED_1 = str(2**63 - 4096)  # what version 1 says where there is no limit


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.setattr(resources, "_system_memory", lambda: MACHINE)


def group(folder, names, limit, usage):
    """A folder as the system shows a container its limits."""
    for name, text in zip(names, (limit, usage), strict=True):
        if text is not None:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(f"{text}\n")
    return folder


@pytest.mark.parametrize("names", [VERSION_1, VERSION_2])
@pytest.mark.parametrize(
    ("limit", "usage", "free"),
    [
        (2**30, 2**28, 2**30 - 2**28),
        (2**30, 0, 2**30),
        (2**30, 2**30, 0),
        (2**30, 2**30 + 1, 0),  # reclaimable pages may count as used
        (2 * MACHINE, 2**28, MACHINE),
        ("max", 2**28, MACHINE),
        (UNLIMITED_1, 2**28, MACHINE),
        (2**30, None, MACHINE),
        (None, 2**28, MACHINE),
        ("", "", MACHINE),
        (None, None, MACHINE),
    ],
)
def test_limits_of_a_container(names, limit, usage, free, tmp_path, machine):
    assert free_memory(group(tmp_path, names, limit, usage)) == free


def test_the_tighter_of_two_limits(tmp_path, machine):
    group(tmp_path, VERSION_1, 2**30, 0)
    assert free_memory(group(tmp_path, VERSION_2, 2**29, 2**20)) == 2**29 - 2**20


def test_no_container(tmp_path, machine):
    assert free_memory(tmp_path / "none") == MACHINE


def test_a_limit_is_known_where_the_machine_says_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_system_memory", lambda: None)
    assert free_memory(tmp_path) is None
    assert free_memory(group(tmp_path, VERSION_2, 2**30, 2**20)) == 2**30 - 2**20


def test_this_machine():
    free = free_memory()
    if free is None:
        assert not hasattr(os, "sysconf")
    else:
        assert 0 <= free < 2**60


MEMINFO = "MemTotal:       16384 kB\nMemFree:         1024 kB\nMemAvailable:    4096 kB\n"


@pytest.mark.parametrize(
    ("meminfo", "sizes", "free"),
    [
        (MEMINFO, {}, 4096 * 1024),
        ("MemTotal:  16384 kB\n", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}, 1000 * 4096 // 2),
        ("MemAvailable:\n", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}, 1000 * 4096 // 2),
        (None, {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}, 1000 * 4096 // 2),
        (None, {}, None),
    ],
)
def test_the_machine_as_it_tells_of_itself(meminfo, sizes, free, monkeypatch):
    """By /proc/meminfo, else half of its memory, else not at all."""

    def read_text(path, *args, **kwargs):
        if path != Path("/proc/meminfo") or meminfo is None:
            raise FileNotFoundError(path)
        return meminfo

    def sysconf(name):
        if name not in sizes:
            raise ValueError(name)
        return sizes[name]

    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr(os, "sysconf", sysconf, raising=False)
    assert resources._system_memory() == free
