"""The model of docs/many_machines.md: what an iteration on several ranks takes, and what follows for many machines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from fastbackprop.shares import GATHERED_BYTES

Row = Mapping[str, Any]
ITEMSIZE = 8


class Network(NamedTuple):
    """Seconds that a message takes however short, and bytes a second beyond."""

    latency: float
    bytes_a_second: float


# Usual ones: 100 Gbit/s between machines of one rack, 10 Gbit/s Ethernet, machines of a cloud.
NETWORKS = {
    "2 µs, 12 GB/s": Network(2e-6, 12e9),
    "20 µs, 1.2 GB/s": Network(20e-6, 1.2e9),
    "200 µs, 1.2 GB/s": Network(200e-6, 1.2e9),
}


def weights(layers: Sequence[int]) -> int:
    """All numbers in W1, b1, ..., WL, bL."""
    return sum(layers[l] * (layers[l - 1] + 1) for l in range(1, len(layers)))


def steps(n: int, ranks: int) -> int:
    """Collective calls of a sum of n numbers: everybody's numbers to all, or pieces to their ranks and the sums back."""
    if ranks == 1:
        return 0
    return 1 if ranks * n * ITEMSIZE <= GATHERED_BYTES else 2


def reduction(n: int, ranks: int, network: Network) -> float:
    """Seconds of a sum of n numbers: log2 p messages a step, one after the other, and the bytes that a rank receives."""
    rounds, sent = math.ceil(math.log2(ranks)) if ranks > 1 else 0, n * ITEMSIZE
    received = (ranks - 1) * sent if steps(n, ranks) == 1 else 2 * (ranks - 1) / ranks * sent
    return steps(n, ranks) * rounds * network.latency + received / network.bytes_a_second


def of_machine(rows: Iterable[Row]) -> Network:
    """The latency and bandwidth between two ranks of the measured machine, from the sums of fewest and of most numbers."""
    two = sorted((row["numbers"], row["seconds"][0]) for row in rows if row["kind"] == "sum" and row["ranks"] == 2)
    (few, short), (many, long) = two[0], two[-1]
    bandwidth = ITEMSIZE * (many - few) / max(long - short, 1e-9)
    return Network(max(short - ITEMSIZE * few / bandwidth, 0.0), bandwidth)


def iteration(alone: float, n: int, ranks: int, cores: int, network: Network, added: float = 0.0) -> float:
    """Seconds of an iteration: one rank's time over what computes at once, and the sum of n numbers with `added` a step."""
    return alone / min(ranks, cores) + reduction(n, ranks, network) + steps(n, ranks) * added
