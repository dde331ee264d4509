"""Measured values as text. An estimate is a median and the ends of its interval, which are None where none was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Estimated = Sequence[Any]


def has_interval(estimate: Estimated) -> bool:
    return None not in estimate


def estimate(value: Estimated) -> str:
    median, low, high = value
    return f"{median:.2f} [{low:.2f}, {high:.2f}]" if has_interval(value) else f"{median:.4g} (no interval)"


def milliseconds(value: Estimated) -> str:
    return f"{1e3 * value[0]:,.4g}" if value[0] < 1 else f"{1e3 * value[0]:,.0f}"


def microseconds(value: Estimated) -> str:
    return f"{1e6 * value[0]:,.4g}" if value[0] < 1e-3 else f"{1e6 * value[0]:,.0f}"


def verdict(ratio: Estimated) -> str:
    """Of the other side's time over ours: faster or slower only where the whole interval is on that side of 1."""
    median, low, high = ratio
    if not has_interval(ratio):
        return "faster?" if median > 1 else "slower?"
    return "faster" if low > 1 else "slower" if high < 1 else "equal"


def layers_dims(layers: Sequence[int]) -> str:
    return str(list(layers))


def net(row: Mapping[str, Any]) -> str:
    return f"{layers_dims(row['layers'])}, {row['m']:,}"


def in_words(layers: Sequence[int]) -> str:
    """Without brackets, which mean a link in Markdown."""
    return "-".join(map(str, layers))
