"""Memory and cores: the machine's, or what a container's limit leaves of them; on Linux and where nothing is reported."""

import os
from pathlib import Path

import pytest

from fastbackprop import resources
from fastbackprop.resources import free_memory, usable_cores

MACHINE = 8 * 2**30
VERSION_2 = ("memory.max", "memory.current")
VERSION_1 = ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")
UNLIMITED_1 = str(2**63 - 4096)  # what version 1 reports where there is no limit


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


def test_a_limit_is_known_where_the_machine_reports_nothing(tmp_path, monkeypatch):
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
        (None, {"SC_PHYS_PAGES": -1, "SC_PAGE_SIZE": 4096}, None),  # not known
        (None, {}, None),
    ],
)
def test_the_machine_as_the_system_reports_it(meminfo, sizes, free, monkeypatch):
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


def test_a_system_without_sysconf(monkeypatch, tmp_path):
    """Windows is such a system: then only a container's limit is known."""

    def read_text(path, *args, **kwargs):
        raise FileNotFoundError(path)

    monkeypatch.delattr(os, "sysconf", raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", read_text)
        assert resources._system_memory() is None
        assert free_memory(tmp_path) is None
    monkeypatch.setattr(resources, "_system_memory", lambda: None)
    assert free_memory(group(tmp_path, VERSION_2, 2**30, 0)) == 2**30


# --------------------------------------------------------------------------------------------------------------- cores


def forbidden(pid):
    raise PermissionError(pid)


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000", 8),
        ("400000 100000", 4),
        ("450000 100000", 4),
        ("50000 100000", 1),
        ("1600000 100000", 8),
        ("0 100000", 8),
        ("400000 0", 8),
        ("400000", 8),
        ("none at all", 8),
        ("", 8),
    ],
)
def test_cores_within_a_quota_of_version_2(quota, cores, tmp_path, eight_cores):
    (tmp_path / "cpu.max").write_text(f"{quota}\n")
    assert usable_cores(tmp_path) == cores


@pytest.mark.parametrize(
    ("quota", "period", "cores"),
    [
        (-1, 100_000, 8),
        (400_000, 100_000, 4),
        (50_000, 100_000, 1),
        (1_600_000, 100_000, 8),
        (400_000, 0, 8),
        (400_000, None, 8),
        (None, 100_000, 8),
        ("", "", 8),
    ],
)
def test_cores_within_a_quota_of_version_1(quota, period, cores, tmp_path, eight_cores):
    assert usable_cores(group(tmp_path, ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"), quota, period)) == cores


def test_cores_without_a_container(tmp_path, eight_cores):
    assert usable_cores(tmp_path / "none") == 8


@pytest.mark.parametrize("count, cores", [(6, 6), (None, 1)])
@pytest.mark.parametrize("affinity", ["missing", "forbidden"])
def test_cores_where_affinity_is_not_to_be_had(affinity, count, cores, tmp_path, monkeypatch):
    if affinity == "missing":
        monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    else:
        monkeypatch.setattr(os, "sched_getaffinity", forbidden, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    assert usable_cores(tmp_path) == cores
    (tmp_path / "cpu.max").write_text("200000 100000\n")
    assert usable_cores(tmp_path) == min(cores, 2)


def test_cores_of_this_machine():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
