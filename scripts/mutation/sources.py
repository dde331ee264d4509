"""The analysis of a source file before a fault is planted in it: its syntax tree, and which of its parts only affect speed.

Everything here is found by structure: how a name is bound, where it came from, how a decorator is called. No name of a
function of the package stands here, so that the faults outlive its next shape.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

FunctionNode = ast.FunctionDef
TIMES = re.compile("SECONDS$|SPINS$|YIELDS$")
THRESHOLDS = "blocking"  # the module of sizes; a comparison with one of them chooses between ways that are all right


def names_in(node: ast.AST) -> set[str]:
    """Every name that is read or written below a node."""
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def callee(node: ast.AST) -> str:
    """The last part of the name of what is called; nothing if it is not a call by name."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""


def is_constant_name(name: str) -> bool:
    return name.isupper() and len(name) > 1


class Source:
    """One file: its text, its tree, and each node's parent."""

    def __init__(self, root: Path, path: Path) -> None:
        self.path = path.relative_to(root).as_posix()
        self.text = path.read_bytes()
        self.tree = ast.parse(self.text)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        starts = [0]
        for line in self.text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self._starts = starts

    @property
    def in_kernels(self) -> bool:
        return "kernels" in Path(self.path).parts

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")

    @cached_property
    def imported(self) -> set[str]:
        """Modules that this one imports, and names out of them, which may be modules too."""
        return {
            name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for name in [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        }

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        while (node := self.parents.get(node)) is not None:  # type: ignore[assignment]
            yield node

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where the text of a node begins and ends."""
        assert isinstance(node, (ast.expr, ast.stmt)) and node.end_lineno is not None and node.end_col_offset is not None
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset

    def segment(self, node: ast.AST) -> str:
        begin, end = self.span(node)
        return self.text[begin:end].decode()

    def functions_above(self, node: ast.AST) -> list[FunctionNode]:
        """The functions around a node, the innermost first."""
        return [above for above in self.above(node) if isinstance(above, FunctionNode)]

    def outermost(self, node: ast.AST) -> FunctionNode | None:
        """The outermost function around a node, or the node itself; None at module level."""
        functions = [*([node] if isinstance(node, FunctionNode) else []), *self.functions_above(node)]
        return functions[-1] if functions else None

    def place(self, node: ast.AST) -> str:
        """The qualified name of where a node stands."""
        names = [above.name for above in self.above(node) if isinstance(above, (FunctionNode, ast.ClassDef))]
        return ".".join(reversed(names)) or "<module>"

    @cached_property
    def functions(self) -> dict[str, FunctionNode]:
        """The functions of the module itself."""
        return {node.name: node for node in self.tree.body if isinstance(node, FunctionNode)}

    @cached_property
    def thresholds(self) -> set[str]:
        """Names that the module of sizes defines."""
        return {
            alias.asname or alias.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(THRESHOLDS)
            for alias in node.names
        }

    @cached_property
    def constants(self) -> set[str]:
        """Names in capitals that the module defines or imports."""
        imported = {
            alias.asname or alias.name for node in self.tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        defined = {
            name for node in self.tree.body if isinstance(node, ast.Assign) for t in node.targets for name in names_in(t)
        }
        return {name for name in imported | defined if is_constant_name(name)}

    @cached_property
    def twins(self) -> set[str]:
        """Stand-ins for machine code, passed to a decorator, and the functions and classes that only they use."""
        found = {
            argument.id
            for function in self.functions.values()
            for decorator in function.decorator_list
            if isinstance(decorator, ast.Call) and "twin" in callee(decorator)
            for argument in decorator.args
            if isinstance(argument, ast.Name)
        }
        while True:
            users: dict[str, set[str]] = {}
            for node in self.tree.body:
                owner = node.name if isinstance(node, (FunctionNode, ast.ClassDef)) else ""
                for name in names_in(node):
                    users.setdefault(name, set()).add(owner)
            defined = {n.name for n in self.tree.body if isinstance(n, (FunctionNode, ast.ClassDef))}
            more = {name for name in defined - found if (users.get(name, set()) - {name}) and users[name] - {name} <= found}
            if not more:
                return found
            found |= more

    @cached_property
    def _emitting(self) -> set[ast.AST]:
        """Functions and classes that take a builder of machine code."""
        return {
            node if isinstance(node, FunctionNode) and node.name != "__init__" else self.parents[node]
            for node in ast.walk(self.tree)
            if isinstance(node, FunctionNode) and any(argument.arg == "builder" for argument in node.args.args)
        }

    def emits(self, node: ast.AST) -> bool:
        """Whether a node stands in code that emits machine code: in a function or class that takes a builder."""
        return any(above in self._emitting for above in self.above(node))

    def decides_on_speed(self, test: ast.AST) -> bool:
        """Whether an expression compares something with a threshold, or limits how long something may take.

        Either only chooses between ways that are all right.
        """
        return any(
            (isinstance(node, ast.Compare) and names_in(node) & self.thresholds)
            or (isinstance(node, ast.Name) and TIMES.search(node.id))
            for node in ast.walk(test)
        )

    @cached_property
    def choosers(self) -> set[str]:
        """Functions that only choose a method: each return is of names in capitals, or a comparison with a threshold."""

        def names_a_way(value: ast.expr | None, ways: set[str]) -> bool:
            if value is None or not names_in(value):
                return False
            if isinstance(value, ast.IfExp):
                return names_a_way(value.body, ways) and names_a_way(value.orelse, ways)
            return self.decides_on_speed(value) or all(is_constant_name(name) or name in ways for name in names_in(value))

        found = set()
        for name, function in self.functions.items():
            ways = {
                target.id
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp)
                for target in node.targets
                if isinstance(target, ast.Name) and is_constant_name(ast.unparse(node.value.body))
            }
            returns = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
            if returns and all(names_a_way(value, ways) for value in returns):
                found.add(name)
        return found
