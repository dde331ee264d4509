"""What the names in a user's functions stand for when a decision is made: it holds for as long as they stand for the same."""

from __future__ import annotations

import dis
import types
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fastbackprop.examination.sandbox import codes
from fastbackprop.takeover.reach import own_module, reached

_ABSENT = object()


class Bindings:
    """The global names that a function reads, and each function that it reaches, with their values now.

    Data count where a function was judged by what it returns: one of ``steps``, and all that these reach. All other code runs
    as it stands, on the data as they are.
    """

    def __init__(self, function: types.FunctionType, steps: Collection[str]) -> None:
        every = [function, *reached(function)]
        judged: set[types.FunctionType] = set()
        for one in every:
            if one.__name__ in steps:
                judged |= {one, *reached(one)}
        self._held = {
            (id(space), name): (space, name, value)
            for one in every
            for space, name in _read(one, steps)
            if callable(value := space.get(name, _ABSENT)) or isinstance(value, types.ModuleType) or one in judged
        }.values()
        self._codes = [(one, one.__code__) for one in every]  # which IPython's autoreload replaces

    def hold(self) -> bool:
        """Whether all names stand for the same values as then, and the functions have the same code."""
        for space, name, value in self._held:  # half the time of all(...): this is part of each call
            if space.get(name, _ABSENT) is not value:
                return False
        for one, code in self._codes:  # noqa: SIM110
            if one.__code__ is not code:
                return False
        return True


def _read(function: types.FunctionType, steps: Collection[str]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The namespaces and names that a function's code reads."""
    own = function.__globals__
    for code in codes(function.__code__):
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and (
                instruction.argval in own or instruction.argval in steps
            ):
                yield own, instruction.argval
                if (module := own_module(own.get(instruction.argval))) is not None:
                    yield from ((vars(module), name) for name in code.co_names if name in vars(module))
