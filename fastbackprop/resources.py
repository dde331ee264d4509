"""The memory and the cores that the process may use, within the limits of a container.

Linux reports more than other systems. Where a report is missing the package takes a substitute:

| on Linux                                           | elsewhere                                                         |
| -------------------------------------------------- | ----------------------------------------------------------------- |
| cores by affinity (sched_getaffinity)              | all cores of the machine                                          |
| quotas and limits of a container (cgroups 1 and 2) | none                                                              |
| free memory (/proc/meminfo)                        | half of the memory by sysconf; without it unknown: the container's|
|                                                    | limit, else a training's choice of algorithm sees no limit        |
| cache and line sizes (/sys, kernels/blocking.py)   | what is usual: 32 KiB and 512 KiB, lines of 64 bytes (128 on      |
|                                                    | Apple's processors)                                               |
| helpers stay off the caller's core                 | the system places them                                            |
| (sched_setaffinity, sched_getcpu; team.py)         |                                                                   |
"""

import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory.max", "memory.current"),  # version 2
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),  # version 1
)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None


def _system_memory() -> int | None:
    """Free memory of the machine in bytes; None if the system does not report it."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        pages, page_bytes = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    return pages * page_bytes // 2 if pages > 0 and page_bytes > 0 else None  # -1: not known


def free_memory(cgroup: Path = _CGROUP) -> int | None:
    """Bytes that a process can still take: the machine's free memory, or less within a cgroup's limit; None if unknown."""
    found = [_system_memory()]
    for limit_name, usage_name in _LIMITS:
        limit, usage = _number(cgroup / limit_name), _number(cgroup / usage_name)
        if limit is not None and usage is not None:
            found.append(max(0, limit - usage))
    known = [free for free in found if free is not None]
    return min(known) if known else None


def usable_cores(cgroup: Path = _CGROUP) -> int:
    """Cores that the process may use: its affinity, or fewer within a cgroup's quota (rounded down, at least 1)."""
    try:
        cores = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # no such function, or a sandbox that forbids it
        cores = os.cpu_count() or 1
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()  # version 2
    except (OSError, ValueError):
        quota, period = str(_number(cgroup / "cpu/cpu.cfs_quota_us") or -1), str(_number(cgroup / "cpu/cpu.cfs_period_us") or 0)
    if quota.isdecimal() and period.isdecimal() and int(quota) > 0 and int(period) > 0:
        cores = min(cores, int(quota) // int(period))
    return max(1, cores)
