"""What a loop's statements besides the step may reach: whether they can run after the iterations that follow them."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np

# Of NumPy and of Python: they read their arguments and change nothing, except what is printed.
OF_NUMPY = {"squeeze", "float64", "asarray", "array", "round", "abs", "mean", "sum", "asscalar"}
_OF_PYTHON = {
    *(print, float, int, str, bool, repr, format, round, abs, len, min, max, sum, range, enumerate, zip, list, tuple, sorted),
    *(time.time, time.perf_counter, time.monotonic, time.process_time),
}
# Methods of lists, dicts, strings and numbers; of NumPy's arrays none that writes has such a name.
_METHODS = {
    *("append", "extend", "item", "tolist", "format", "join"),
    *("ljust", "rjust", "center", "keys", "values", "items"),
}
_ATTRIBUTES = {"shape", "size", "ndim", "dtype", "T"}
_SCALARS = (int, float, complex, str, bytes, bool, type(None))
_MOST_ITEMS = 10_000  # of the containers that are looked through

ValueOf = Callable[[ast.expr], Any]  # of a global name or a module's attribute, None where it is not known


def tame(statements: Iterable[ast.stmt], value_of: ValueOf) -> dict[str, Any] | None:
    """The global names that statements call, with their values, where these calls change nothing else; else None."""
    found: dict[str, Any] = {}
    called: set[int] = set()
    for node in (inner for statement in statements for inner in ast.walk(statement)):
        if isinstance(node, (ast.With, ast.Starred, ast.Await)):
            return None
        if isinstance(node, ast.Call):
            called.add(id(node.func))
            value = value_of(node.func)
            if value is not None:
                if not _is_harmless(value) or any(keyword.arg in ("out", None) for keyword in node.keywords):
                    return None
                found[ast.unparse(node.func)] = value
            elif not (isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS):
                return None
        if isinstance(node, ast.Attribute) and id(node) not in called and node.attr not in _ATTRIBUTES:
            return None
    return found


def _is_harmless(value: Any) -> bool:
    try:
        return value in _OF_PYTHON or any(getattr(np, name, None) is value for name in OF_NUMPY)
    except TypeError:  # of no hash
        return False


def is_constant(value: Any) -> bool:
    """Whether a value is a number or a text, which nothing can change."""
    return type(value) in _SCALARS or isinstance(value, np.generic)


def writes(statements: Iterable[ast.stmt]) -> bool:
    """Whether statements write into something, an array perhaps."""
    for node in (inner for statement in statements for inner in ast.walk(statement)):
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.AugAssign):
            return True
    return False


def is_apart(value: Any, parameters: dict[str, Any], arrays: Collection[np.ndarray]) -> bool:
    """Whether a value holds neither the parameters nor an array that shares memory with one of ``arrays``."""
    left, waiting = _MOST_ITEMS, [value]
    while waiting:
        value = waiting.pop()
        left -= 1
        if left < 0 or value is parameters:
            return False
        if type(value) in (list, tuple, set, frozenset):
            waiting.extend(value if len(value) <= left else [parameters])
        elif type(value) is dict:
            waiting.extend(value.values() if len(value) <= left else [parameters])
        elif type(value) is np.ndarray:
            if value.dtype.hasobject or any(np.may_share_memory(value, array) for array in arrays):
                return False
        elif not is_constant(value) and type(value) is not range:
            return False
    return True
