"""What the names in a model's loop, and in the functions that it calls, stood for when these were judged."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastbackprop.examination.original import original
from fastbackprop.examination.sandbox import codes
from fastbackprop.takeover.reach import own_function, own_module, reached


def bindings(functions: Iterable[Any], known: Mapping[str, Any], function: types.FunctionType) -> Callable[[], bool]:
    """A function that says whether all these still stand for the same.

    ``functions`` are those that the loop calls, ``known`` holds values of names in `function`, which may be dotted.
    """
    seen: dict[tuple[int, str], tuple[Mapping[str, Any], str, Any]] = {}

    def note(space: Mapping[str, Any], name: str) -> None:
        if name in space:
            seen[id(space), name] = space, name, original(space[name])

    def note_all(space: Mapping[str, Any], names: Iterable[str]) -> None:
        names = set(names)
        for name in names & space.keys():
            note(space, name)
            if (module := own_module(space[name])) is not None:
                for attribute in names & vars(module).keys():
                    note(vars(module), attribute)

    for dotted in known:
        note_all(function.__globals__, dotted.split("."))
    for value in functions:
        if (called := own_function(value)) is not None:
            for code_of in (called, *reached(called)):
                note_all(code_of.__globals__, (name for code in codes(code_of.__code__) for name in code.co_names))
    places = list(seen.values())
    return lambda: all(name in space and original(space[name]) is value for space, name, value in places)
