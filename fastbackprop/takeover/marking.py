"""Marking: the functions of the user's code are taken in where they are defined, and served through what is bound instead.

The code of a script, a module or a cell is compiled with one more decorator on each function of its top level. No node of the
user's moves, so that tracebacks, `inspect` and debuggers show the user's lines.
"""

from __future__ import annotations

import ast
import builtins
import sys
import types
import weakref
from collections.abc import MutableMapping
from typing import Any

from fastbackprop.takeover import Takeover, original
from fastbackprop.takeover.reach import of_another_kind, own_function, own_module

_NAME = "__fastbackprop_mark__"  # among the built-in names, so that it is in no namespace of the user's


class Marking(ast.NodeTransformer):
    """Decorates each function that is defined outside of functions and classes."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        place = node.decorator_list[0] if node.decorator_list else node
        mark = ast.Name(_NAME, ast.Load(), lineno=place.lineno, col_offset=place.col_offset)
        mark.end_lineno, mark.end_col_offset = place.lineno, place.col_offset
        node.decorator_list.insert(0, mark)  # the code begins at the line of the first decorator
        return node

    def _as_it_is(self, node: ast.AST) -> ast.AST:
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _as_it_is


def compiled(source: bytes | str, file: str) -> types.CodeType:
    """The code of a module with its functions marked."""
    tree = Marking().visit(ast.parse(source, file))
    return compile(tree, file, "exec", dont_inherit=True)


class Marks:
    """What was bound in the place of the user's functions, for a takeover."""

    def __init__(self, takeover: Takeover) -> None:
        self.takeover = takeover
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def begin(self) -> None:
        """Let marked code find `mark`."""
        setattr(builtins, _NAME, self.mark)

    def end(self) -> None:
        """Marked code that runs from now on keeps its functions."""
        setattr(builtins, _NAME, _same)

    def mark(self, value: Any, name: str = "") -> Any:
        """What to bind in the place of a value: itself where it is of no interest, or bound in place of another already."""
        if self.knows(value):
            return value
        bound = self.takeover.mark(value, name)
        if isinstance(bound, types.FunctionType):
            self._known.add(bound)
        return bound

    def knows(self, value: Any) -> bool:
        """Whether a value is a function that `mark` returned."""
        return isinstance(value, types.FunctionType) and value in self._known

    def namespaces(self, *spaces: MutableMapping[str, Any]) -> None:
        """Mark what namespaces hold; a function in several of them is the same in all."""
        known: dict[int, tuple[Any, Any]] = {}
        for space in spaces:
            for name, value in list(space.items()):
                if own_function(value) is None or self.knows(value):
                    continue
                _, bound = known.setdefault(id(value), (value, None))
                if bound is None:
                    bound = self.mark(value)
                    known[id(value)] = value, bound
                if bound is not value:
                    space[name] = bound

    def restore(self, *spaces: MutableMapping[str, Any]) -> None:
        """Bind the user's own functions again."""
        for space in spaces:
            for name, value in list(space.items()):
                if self.knows(value):
                    space[name] = original(value)

    def others(self, *spaces: MutableMapping[str, Any]) -> None:
        """Let the report name what has a name of interest in a namespace and is no plain function."""
        for space in spaces:
            for name, value in list(space.items()):
                if of_another_kind(value, name):
                    self.takeover.add(value, name, str(space.get("__name__", "")))


def _same(value: Any) -> Any:
    return value


def modules_in(space: MutableMapping[str, Any]) -> list[MutableMapping[str, Any]]:
    """The namespaces of the user's modules that the values of a namespace are, or are functions of."""
    found: dict[int, MutableMapping[str, Any]] = {}
    for value in list(space.values()):
        function = own_function(value)
        module = own_module(value if function is None else sys.modules.get(function.__module__))
        if module is not None and vars(module) is not space:
            found[id(module)] = vars(module)
    return list(found.values())


def loaded_modules() -> list[MutableMapping[str, Any]]:
    """The namespaces of all modules of the user's that are loaded."""
    return [vars(module) for module in list(sys.modules.values()) if own_module(module) is not None]
