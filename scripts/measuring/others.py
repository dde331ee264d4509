"""What else ran on the cores that this process may use, while it measured."""

from __future__ import annotations

import os
import time
from pathlib import Path

STATISTICS = Path("/proc/stat")
# Fields of a core's line: user, nice, system, then idle and waiting for a disk, then interrupts, their second halves, and what
# the host took for other machines.
IDLE = (3, 4)
FIELDS = 8


def busy_seconds(text: str, cores: set[int], ticks: int) -> float:
    """Seconds for which these cores were not idle, of the text of /proc/stat."""
    total = 0
    for line in text.splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            total += sum(int(field) for i, field in enumerate(fields[:FIELDS]) if i not in IDLE)
    return total / ticks


class Others:
    """Counts from where it is made: `cores()` is how many cores other work kept busy on average since then."""

    def __init__(self) -> None:
        self._begin = self._now()

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """The time, all work, and that of this process and of its children that have ended."""
        try:
            text, cores, ticks = STATISTICS.read_text(), os.sched_getaffinity(0), os.sysconf("SC_CLK_TCK")
        except (OSError, AttributeError, ValueError):  # not Linux
            return None
        return time.monotonic(), busy_seconds(text, cores, ticks), sum(os.times()[:4])

    def cores(self) -> float | None:
        """None where the system does not count."""
        end = self._now()
        if self._begin is None or end is None:
            return None
        elapsed, busy, own = (after - before for before, after in zip(self._begin, end, strict=True))
        return max(0.0, busy - own) / elapsed if elapsed > 0 else 0.0
