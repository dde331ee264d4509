"""Arrays in nested tuples, lists and dicts: what is done to each, and what counts as the same."""

from __future__ import annotations

import numpy as np


def map_arrays(function, tree):
    """``tree`` (arrays in nested tuples, lists and dicts) with ``function`` applied to each array."""
    if isinstance(tree, np.ndarray):
        return function(tree)
    if isinstance(tree, dict):
        return {key: map_arrays(function, value) for key, value in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(map_arrays(function, value) for value in tree)
    return tree


def leaves(actual, expected, bound=0.0, where="result"):
    """Yield ``(where, actual, expected, bound)`` for each leaf of two trees; AssertionError if they differ in build."""
    if not isinstance(expected, (dict, tuple, list)):
        yield where, actual, expected, bound
        return
    kind = dict if isinstance(expected, dict) else (tuple, list)
    if not isinstance(actual, kind):
        raise AssertionError(f"{where} is of type {type(actual).__name__}, expected {type(expected).__name__}")
    keys, expected_keys = (set(tree) if isinstance(tree, dict) else set(range(len(tree))) for tree in (actual, expected))
    if keys != expected_keys:
        raise AssertionError(f"{where} has entries {sorted(keys)}, expected {sorted(expected_keys)}")
    for key in expected if kind is dict else range(len(expected)):
        part = bound[key] if isinstance(bound, (dict, tuple, list)) else bound
        yield from leaves(actual[key], expected[key], part, f"{where}[{key!r}]")


def _distances(a, e, limit):
    """Where two arrays are the same (equal or both nan); their distances, and the bound, both in extended precision."""
    limit = np.broadcast_to(np.asarray(limit, dtype=np.longdouble), e.shape)
    a, e = a.astype(np.longdouble), e.astype(np.longdouble)
    with np.errstate(invalid="ignore"):
        return (a == e) | (np.isnan(a) & np.isnan(e)), np.abs(a - e), limit


def assert_within_bound(actual, expected, bound):
    """Assert that each entry of ``actual`` is within ``bound`` of ``expected``: nan where that is, and the same infinities.

    All three may be nested tuples, lists and dicts of arrays; one number may stand for a whole part of ``bound``.
    Shapes have to agree, dtypes need not.
    """
    for where, a, e, limit in leaves(actual, expected, bound):
        a, e = np.asarray(a), np.asarray(e)
        if a.shape != e.shape:
            raise AssertionError(f"{where} has shape {a.shape}, expected {e.shape}")
        if e.dtype.kind not in "biuf":
            if not np.array_equal(a, e):
                raise AssertionError(f"{where} is {a}, expected {e}")
            continue
        same, distance, limit = _distances(a, e, limit)
        wrong = ~(same | (np.isfinite(limit) & (distance <= limit)))
        if np.any(wrong):
            with np.errstate(divide="ignore", invalid="ignore"):
                excess = np.where(wrong, distance / limit, -1)
            excess[np.isnan(excess)] = np.inf
            i = np.unravel_index(np.argmax(excess), e.shape)
            raise AssertionError(
                f"{where}: {np.count_nonzero(wrong)} of {e.size} entries are out of bounds; the worst is "
                f"{tuple(map(int, i))}: {a[i]!r}, expected {e[i]!r}, distance {distance[i]!r}, bound {limit[i]!r}"
            )


def worst_fraction(actual, expected, bound) -> float:
    """The largest distance of an entry from the expected one, as a fraction of its bound: 1 is the bound itself.

    It is 0 where everything is equal, inf where no bound could hold. It takes the trees that ``assert_within_bound`` takes.
    """
    worst = 0.0
    for _, a, e, limit in leaves(actual, expected, bound):
        a, e = np.asarray(a), np.asarray(e)
        if e.dtype.kind in "biuf":
            same, distance, limit = _distances(a, e, limit)
            with np.errstate(divide="ignore", invalid="ignore"):
                fraction = np.where(same, 0, distance / limit)
            fraction[np.isnan(fraction)] = np.inf
            worst = max(worst, float(np.max(fraction, initial=0)))
    return worst


def assert_same_bits(actual, expected):
    """Assert that ``actual`` and ``expected`` (nested alike) have equal dtypes, shapes and bits: -0 is not 0, nan is nan."""
    for where, a, e, _ in leaves(actual, expected):
        a, e = np.asarray(a), np.asarray(e)
        if (a.dtype, a.shape) != (e.dtype, e.shape):
            raise AssertionError(f"{where} is {a.dtype} {a.shape}, expected {e.dtype} {e.shape}")
        # An 80-bit longdouble is stored in 16 bytes: those beyond the tenth hold nothing.
        used = 10 if e.dtype.char == "g" and np.finfo(e.dtype).nmant == 63 else e.itemsize
        a_bits, e_bits = (np.frombuffer(x.tobytes(), np.uint8).reshape(x.size, x.itemsize)[:, :used] for x in (a, e))
        different = np.flatnonzero(np.any(a_bits != e_bits, axis=1))
        if different.size:
            i = tuple(map(int, np.unravel_index(different[0], e.shape)))
            raise AssertionError(
                f"{where}: {different.size} of {e.size} entries differ in bits; the first is {i}: {a[i]!r}, expected {e[i]!r}"
            )


def assert_same_form(actual, expected):
    """Assert that ``actual`` and ``expected`` have the same types, shapes and dtypes (in any byte order).

    They are nested alike, where a list may stand for a tuple and the other way round.
    """
    for where, a, e, _ in leaves(actual, expected):
        if type(a) is not type(e):
            raise AssertionError(f"{where} is of type {type(a).__name__}, expected {type(e).__name__}")
        if isinstance(e, (np.ndarray, np.generic)):
            form, expected_form = ((x.dtype.newbyteorder("="), x.shape) for x in (a, e))
            if form != expected_form:
                raise AssertionError(f"{where} is {form[0]} {form[1]}, expected {expected_form[0]} {expected_form[1]}")
