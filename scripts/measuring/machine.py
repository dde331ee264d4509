"""The machine of a measurement, and what else may have disturbed it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from fastbackprop import machine
from fastbackprop.team import num_threads
from scripts.measuring.fairness import OPENBLAS_OVERRIDES


def facts() -> list[str]:
    """Lines that name the machine of the figures below them."""
    lines = machine.facts()
    if hasattr(os, "getloadavg"):
        lines.append(f"load before    {os.getloadavg()[0]:.1f}: what else runs slows NumPy's threads most of all")
    forced = [f"{name}={os.environ[name]}" for name in OPENBLAS_OVERRIDES if name in os.environ]
    if forced:
        lines.append(f"BEWARE         NumPy's BLAS is forced by {' '.join(forced)}: its own choice may be faster")
    return lines


@contextmanager
def same_threads(n: int) -> Iterator[None]:
    """NumPy's BLAS and fastbackprop may use ``n`` threads each."""
    from threadpoolctl import threadpool_limits  # the benchmarks of asv do without: they set the threads before NumPy is loaded

    with num_threads(n), threadpool_limits(limits=n, user_api="blas"):
        yield
