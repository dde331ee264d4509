"""What the names in a model's loop, and in the functions that it calls, stood for when these were judged."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterable, Mapping
from typing import Any

from fastbackprop.examination.original import original
from fastbackprop.takeover.reach import names_in, own_function, own_module, reached


class Callees:
    """The functions that a loop calls, by the names that it has for them, and whatever these reach.

    ``called`` holds by name (which may be dotted) what stands for the step's functions, and ``known`` what stands for others
    that are called in `function`.
    """

    def __init__(self, called: Mapping[str, Any], known: Mapping[str, Any], function: types.FunctionType) -> None:
        self._called = called
        self._seen: dict[tuple[int, str], tuple[Mapping[str, Any], str, Any]] = {}
        self._own: dict[str, Any] | None = None
        for dotted in (*called, *known):
            self._note(function.__globals__, dotted.split("."))
        for value in called.values():
            if (own := own_function(value)) is not None:
                for one in (own, *reached(own)):
                    self._note(one.__globals__, names_in(one))

    def _note(self, space: Mapping[str, Any], names: Iterable[str]) -> None:
        names = set(names)
        for name in names & space.keys():
            self._seen[id(space), name] = space, name, original(space[name])
            if (module := own_module(space[name])) is not None:
                for attribute in names & vars(module).keys():
                    self._seen[id(vars(module)), attribute] = vars(module), attribute, original(vars(module)[attribute])

    def unchanged(self) -> bool:
        """Whether all names still stand for the same."""
        return all(name in space and original(space[name]) is value for space, name, value in self._seen.values())

    def own(self) -> dict[str, Any]:
        """The step's functions as the user wrote them: what they call is the user's own too, whatever is bound to its name."""
        if self._own is None:
            copy = _Copies().function
            owns = ((name, value, own_function(value)) for name, value in self._called.items())
            self._own = {name: value if own is None else copy(own) for name, value, own in owns}
        return self._own


class _Copies:
    """Copies of functions of the user's own that call copies of each other."""

    def __init__(self) -> None:
        self.made: dict[int, Any] = {}
        self.spaces: dict[int, dict[str, Any]] = {}

    def function(self, function: types.FunctionType) -> types.FunctionType:
        if id(function) not in self.made:
            space = self.spaces.setdefault(id(function.__globals__), dict(function.__globals__))
            cells = tuple(types.CellType() for _ in function.__closure__ or ()) or None
            copy = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, cells)
            copy.__kwdefaults__, copy.__module__ = function.__kwdefaults__, function.__module__
            vars(copy).update(vars(function))
            self.made[id(function)] = copy
            names = names_in(function)
            for name in names & function.__globals__.keys():
                space[name] = self._value(function.__globals__[name], names)
            for cell, filled in zip(cells or (), function.__closure__ or (), strict=True):
                with contextlib.suppress(ValueError):  # not filled
                    cell.cell_contents = self._value(filled.cell_contents, names)
        return self.made[id(function)]

    def _value(self, value: Any, names: set[str]) -> Any:
        if (own := own_function(value)) is not None:
            return self.function(own)
        if (module := own_module(value)) is None:
            return value
        copy = self.made.setdefault(id(module), types.ModuleType(module.__name__))
        vars(copy).update({key: item for key, item in vars(module).items() if key not in vars(copy)})
        for name in names & vars(module).keys():
            vars(copy)[name] = self._value(vars(module)[name], names)
        return copy
