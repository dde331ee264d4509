"""The start of a training: how a user's own differs from ``0.01 * randn`` of NumPy's global generator."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fastbackprop import reference
from fastbackprop.examination.runs import Run

# Factors of W of shape (n, n_prev).
SCALES = {
    "1 / sqrt(n_prev)": lambda n, n_prev: n_prev**-0.5,
    "sqrt(2 / n_prev) (He)": lambda n, n_prev: (2 / n_prev) ** 0.5,
    "sqrt(2 / (n_prev + n)) (Glorot)": lambda n, n_prev: (2 / (n_prev + n)) ** 0.5,
    "1 / sqrt(n)": lambda n, n_prev: n**-0.5,
    "1": lambda n, n_prev: 1.0,
}


def drawn(layers: Iterable[int], seed: int) -> dict[str, np.ndarray]:
    """The reference's start from a seed."""
    np.random.seed(seed)
    return reference.initialize_parameters_deep(list(layers))


def equal(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


def scale(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> str | None:
    """The factor of ``randn``, "0.01" for the reference; None where other numbers were drawn."""
    weights = [key for key in expected if key.startswith("W")]
    ratios = [0.01 * actual[key] / expected[key] for key in weights]
    if any(np.ptp(ratio) > 1e-9 * np.max(np.abs(ratio)) for ratio in ratios):
        return None
    found = [float(ratio.flat[0]) for ratio in ratios]
    shapes = [expected[key].shape for key in weights]
    for how, factor in SCALES.items():
        if np.allclose(found, [factor(*shape) for shape in shapes], rtol=1e-9, atol=0):
            return how
    return f"{found[0]:.6g}" if np.ptp(found) <= 1e-9 * abs(found[0]) else f"{', '.join(f'{x:.6g}' for x in found)} by layer"


def describe(first: list[Run], second: list[Run], seeds: tuple[int, int], candidates: Iterable[int]) -> tuple[str, bool]:
    """How a start of the right shapes differs from the reference's ("" where it doesn't), and whether only in its seed.

    ``first`` and ``second`` are runs on equal probes after the two ``seeds``; ``candidates`` are seeds that the function
    may set itself.
    """
    if all(not np.any(run.actual[key]) for run in first for key in run.actual if key.startswith("W")):
        return "another start: every W is 0, so all units of a layer stay equal", False
    biases = any(np.any(run.actual[key]) for run in first for key in run.actual if key.startswith("b"))
    seeded = all(equal(a.actual, b.actual) for a, b in zip(first, second, strict=True))
    said, only_seed = [], not biases
    for seed in candidates if seeded else seeds[:1]:
        scales = {scale(run.actual, drawn(run.args[0], seed)) for run in first}
        if len(scales) == 1 and None not in scales:
            factor = scales.pop()
            if seeded:
                said.append(f"it calls np.random.seed({seed}) itself")
            if factor != "0.01":
                said.append(f"W is randn scaled by {factor}, not by 0.01")
                only_seed = False
            break
    else:
        said.append("W holds other numbers than 0.01 * randn" + (", the same in each call" if seeded else ""))
        only_seed = False
    if biases:
        said.append("b is not 0")
    return (f"another start: {'; '.join(said)}" if said else ""), only_seed
