"""``%load_ext fastbackprop``: cells and the modules that they import run on the fast functions."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

from fastbackprop.takeover import Report, Takeover
from fastbackprop.takeover.autoreload import Autoreload
from fastbackprop.takeover.decide import THEIRS
from fastbackprop.takeover.importing import Hook
from fastbackprop.takeover.marking import Marking, Marks, loaded_modules, modules_in
from fastbackprop.takeover.reach import own_function, own_module
from fastbackprop.takeover.report import LEFT, Row

_MAGIC = "fastbackprop"
_COMMANDS = "on|off|status|report"


class Extension:
    """What ``%load_ext`` puts into a shell, and ``%unload_ext`` takes out of it."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.marks, self.hook = Marks(Takeover()), Hook()
        self._bound: set[str] = set()  # names that the cell binds, and modules of which it imports all names
        self._reload = Autoreload(self.marks, self.hook)
        self._told: dict[tuple[str, str], str] = {}

    @property
    def takeover(self) -> Takeover:
        return self.marks.takeover

    def load(self) -> None:
        """Act on cells and imports from now on, and on what the namespace and the user's modules hold already."""
        self.marks.begin()
        self.hook.install()
        self.shell.ast_transformers.append(self)
        self.shell.events.register("pre_execute", self._reload.before)
        self.shell.events.register("post_run_cell", self.after)
        self.shell.register_magic_function(self.magic, "line", _MAGIC)
        self.marks.namespaces(*self._spaces())
        self._reload.note()

    def unload(self) -> None:
        """Leave everything as it would be without the extension."""
        self.takeover.active = False
        self.marks.end()
        self.hook.remove()
        if self in self.shell.ast_transformers:
            self.shell.ast_transformers.remove(self)
        self.shell.events.unregister("pre_execute", self._reload.before)
        self.shell.events.unregister("post_run_cell", self.after)
        self.shell.magics_manager.magics["line"].pop(_MAGIC, None)
        self.marks.restore(*self._all_spaces())

    def _spaces(self) -> list[MutableMapping[str, Any]]:
        """The namespace of cells, and those of the user's modules that it reaches, by name or by what it imported from them."""
        found: list[MutableMapping[str, Any]] = [self.shell.user_ns]
        for space in found:
            found += [other for other in modules_in(space) if not any(other is known for known in found)]
        return found

    def _all_spaces(self) -> list[MutableMapping[str, Any]]:
        return [self.shell.user_ns, *(space for space in loaded_modules() if space is not self.shell.user_ns)]

    def visit(self, tree: ast.AST) -> ast.AST:
        """Mark the functions of a cell before it runs: the interface of IPython's transformers."""
        self._reload.after()
        return _Cell(self._bound).visit(tree)

    def after(self, result: Any = None) -> None:
        """After a cell: mark what it bound otherwise (by %run, by a decorator), and show what became of its functions."""
        bound = set(self._bound)
        self._bound.clear()
        self._reload.after()  # where the cell was no Python, and `visit` was not called
        spaces = self._spaces()
        self.marks.namespaces(*spaces)
        self.marks.others(*spaces)
        self._reload.note()
        if not self.takeover.active:
            return
        try:
            line = self._line(bound)
        except KeyboardInterrupt:  # while functions are judged: they are at their first call
            return
        if line:
            print(line, file=sys.stderr)

    def _line(self, bound: set[str]) -> str:
        """What became of the functions that a cell binds, and of those whose verdict it changes; "" where there are none."""
        cell = {(function.__module__, function.__name__) for function in self._functions(bound)}
        parts: dict[str, dict[str, None]] = {}
        for row in self.takeover.report().rows:
            key = row.module, row.name
            if key in cell or self._told.get(key) != row.verdict:
                parts.setdefault(_in_a_word(row), {})[row.name] = None
            self._told[key] = row.verdict
        return "fastbackprop: " + "; ".join(f"{', '.join(names)}: {word}" for word, names in parts.items()) if parts else ""

    def _functions(self, bound: set[str]) -> Iterator[Any]:
        for name in bound:
            module = own_module(self.shell.user_ns.get(name, sys.modules.get(name)))
            values = list(vars(module).values()) if module is not None else [self.shell.user_ns.get(name)]
            yield from (function for function in map(own_function, values) if function is not None)

    def magic(self, line: str) -> Report | None:
        """``%fastbackprop on|off|status|report``: whether the fast functions serve yours, and what became of each.

        ``off`` lets all functions run their own code, until ``on``.
        """
        command = line.strip() or "status"
        if command == "report":
            return self.takeover.report()
        if command in ("on", "off"):
            self.takeover.active = command == "on"
        elif command != "status":
            from IPython.core.error import UsageError

            raise UsageError(f"%{_MAGIC} {command}: expected {_COMMANDS}")
        print(self._status())
        return None

    def _status(self) -> str:
        if not self.takeover.active:
            return "fastbackprop is off: all functions run their own code"
        report = self.takeover.report()
        return f"fastbackprop is on: {len(report.replaced)} of {len(report.rows)} functions run on its kernels"


class _Cell(Marking):
    """Marks the functions of a cell, and collects the names that it binds."""

    def __init__(self, bound: set[str]) -> None:
        self.bound = bound

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.bound.add(node.name)
        return super().visit_FunctionDef(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if isinstance(node.ctx, ast.Store):
            self.bound.add(node.id)
        return node

    def visit_alias(self, node: ast.alias) -> ast.alias:
        self.bound.add(node.asname or node.name)
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.names[0].name == "*" and node.module:
            self.bound.add(node.module)
        return self.generic_visit(node)


def _in_a_word(row: Row) -> str:
    if row.verdict != LEFT:
        return row.verdict
    return "yours" if row.name in THEIRS else f"left (%{_MAGIC} report says why)"


_loaded: list[Extension] = []


def load(shell: Any) -> None:
    unload(shell)
    _loaded.append(Extension(shell))
    _loaded[-1].load()


def unload(shell: Any) -> None:
    while _loaded:
        _loaded.pop().unload()
