"""Whether something else kept the machine busy: ratios measured then have been several times those of a quiet machine."""

from __future__ import annotations

import os


def load_average() -> float | None:
    """Processes that ran or waited for a core, averaged over the last minute; None where the system keeps no such number."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def warning(load: float | None, own: int, cores: int) -> str | None:
    """What to say where the load was high, beyond the ``own`` threads that were kept busy.

    A load of 1 is let pass, or of half the cores: an installation that has just ended leaves nearly as much.
    """
    if load is None or load - own <= max(1.0, cores / 2):
        return None
    made = f", of which this program made up to {own}" if own else ""
    return (
        f"BEWARE: something else keeps the machine busy (load {load:.1f}{made}). These ratios say little; run it again later."
    )
