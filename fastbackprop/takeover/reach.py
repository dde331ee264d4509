"""Which functions of the user's own a function calls, as far as its code names them."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Collection, Iterator
from typing import Any

from fastbackprop.examination.original import original
from fastbackprop.examination.sandbox import codes, in_library, is_ours


def own_function(value: Any) -> types.FunctionType | None:
    """The user's function that a value is or stands for; None for all else, also for functions of installed packages."""
    value = original(value)
    if isinstance(value, types.FunctionType) and not in_library(value.__code__.co_filename):
        return None if is_ours(value) else value
    return None


def own_module(value: Any) -> types.ModuleType | None:
    """The user's module that a value is; None for all else."""
    if isinstance(value, types.ModuleType) and not in_library(getattr(value, "__file__", None)):
        return None if value.__name__.partition(".")[0] == "fastbackprop" else value
    return None


def of_another_kind(value: Any, name: str) -> bool:
    """Whether what is bound to a name may be called and cannot be judged: a class, a partial, jitted or decorated code, a
    package's function."""
    function = own_function(value)
    if function is not None:
        return _is_decorated(function, name)
    return callable(value) and not is_ours(value)


def _is_decorated(function: types.FunctionType, name: str) -> bool:
    """Whether a function holds another of its name: what a decorator does beside the call need not show on probes."""
    held = map(own_function, _contents(function).values())
    return "__wrapped__" in vars(function) or any(one is not None and one.__name__ == name for one in held)


def kind(value: Any) -> str:
    """What a value is, for the report."""
    if own_function(value) is not None:
        return "decorated"
    if isinstance(value, types.FunctionType):
        return f"a function of {value.__module__}"
    return "a class" if isinstance(value, type) else f"of type {type(value).__name__}"


def called_of_another_kind(function: types.FunctionType, names: Collection[str]) -> Iterator[str]:
    """Those of the names that a function calls, or one that it reaches, and that cannot be judged; each with what it is."""
    for caller in (function, *reached(function)):
        for name in names_in(caller) & set(names):
            if of_another_kind(value := caller.__globals__.get(name), name):
                yield f"{name}, which is {kind(value)}"


def called(function: types.FunctionType) -> dict[tuple[str, types.FunctionType], None]:
    """The names that a function's code, and that of all it reaches, has for functions of the user's own, with these."""
    pairs = [pair for one in (function, *reached(function)) for pair in _named(one)]
    return {(name, found): None for name, value in pairs if (found := own_function(value)) is not None}


def reached(function: types.FunctionType) -> Iterator[types.FunctionType]:
    """Each function of the user's own that this one may call, directly or through others."""
    seen, waiting = {id(function)}, [function]
    while waiting:
        for _, value in _named(waiting.pop()):
            found = own_function(value)
            if found is not None and id(found) not in seen:
                seen.add(id(found))
                waiting.append(found)
                yield found


def names_in(function: types.FunctionType) -> set[str]:
    """The global names and attributes in a function's code, and in that of functions within it."""
    return {name for code in codes(function.__code__) for name in code.co_names}


def _named(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """The names in a function's code, with the values that they may stand for."""
    names = names_in(function)
    for name in names & function.__globals__.keys():
        value = function.__globals__[name]
        yield name, value
        if (module := own_module(value)) is not None:
            yield from ((attribute, vars(module)[attribute]) for attribute in names & vars(module).keys())
    yield from _contents(function).items()
    yield from (("", value) for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()))


def _contents(function: types.FunctionType) -> dict[str, Any]:
    """What a function's closure holds, by name."""
    contents = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with contextlib.suppress(ValueError):  # not filled yet
            contents[name] = cell.cell_contents
    return contents
