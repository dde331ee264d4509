"""What the machine has to give: memory, within the limits of a container."""

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
    """Free memory of the machine in bytes, where the system tells."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return None


def free_memory(cgroup: Path = _CGROUP) -> int | None:
    """Bytes that a process can still take: what the machine has free, or less where a cgroup says so; None if unknown."""
    found = [_system_memory()]
    for limit_name, usage_name in _LIMITS:
        limit, usage = _number(cgroup / limit_name), _number(cgroup / usage_name)
        if limit is not None and usage is not None:
            found.append(max(0, limit - usage))
    known = [free for free in found if free is not None]
    return min(known) if known else None
