"""Which functions of the user's own a function calls, as far as its code names them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

from fastbackprop.examination.original import original
from fastbackprop.examination.sandbox import codes, in_library


def own_function(value: Any) -> types.FunctionType | None:
    """The user's function that a value is or stands for; None for all else, also for functions of installed packages."""
    value = original(value)
    if isinstance(value, types.FunctionType) and not in_library(value.__code__.co_filename):
        return None if str(value.__module__).partition(".")[0] == "fastbackprop" else value
    return None


def own_module(value: Any) -> types.ModuleType | None:
    """The user's module that a value is; None for all else."""
    if isinstance(value, types.ModuleType) and not in_library(getattr(value, "__file__", None)):
        return None if value.__name__.partition(".")[0] == "fastbackprop" else value
    return None


def reached(function: types.FunctionType) -> Iterator[types.FunctionType]:
    """Each function of the user's own that this one may call, directly or through others."""
    seen, waiting = {id(function)}, [function]
    while waiting:
        for value in _named(waiting.pop()):
            found = own_function(value)
            if found is not None and id(found) not in seen:
                seen.add(id(found))
                waiting.append(found)
                yield found


def _named(function: types.FunctionType) -> Iterator[Any]:
    """The values that the names in a function's code may stand for."""
    names = {name for code in codes(function.__code__) for name in code.co_names}
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        yield value
        if (module := own_module(value)) is not None:
            yield from (vars(module)[attribute] for attribute in names & vars(module).keys())
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
