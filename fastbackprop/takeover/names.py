"""Which names statements bind, and which they read, before and after a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from fastbackprop.takeover.step import NoStep

# What stands in these is evaluated later.
LATER = (ast.FunctionDef, ast.Lambda, ast.AsyncFunctionDef, ast.GeneratorExp)


def assigned(statements: Iterable[ast.stmt]) -> Iterable[str]:
    """Names that statements bind, or of which they set an entry or an attribute."""
    for inner in (inner for statement in statements for inner in ast.walk(statement)):
        if isinstance(inner, (ast.Name, ast.Subscript, ast.Attribute)) and isinstance(inner.ctx, ast.Store):
            owner: ast.expr = inner
            while isinstance(owner, (ast.Subscript, ast.Attribute)):
                owner = owner.value
            if isinstance(owner, ast.Name):
                yield owner.id
        elif isinstance(inner, ast.ExceptHandler) and inner.name:
            yield inner.name


def read_names(statements: Iterable[ast.AST]) -> Iterable[str]:
    for inner in (inner for statement in statements for inner in ast.walk(statement)):
        if isinstance(inner, ast.Name) and not isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, (ast.Subscript, ast.Attribute)) and not isinstance(inner.ctx, ast.Load):
            yield from read_names([inner.value])
        elif isinstance(inner, ast.AugAssign):
            yield from (name.id for name in ast.walk(inner.target) if isinstance(name, ast.Name))


def read_after(tree: ast.FunctionDef, node: ast.For) -> set[str]:
    """Names that the function may read once the loop is done."""
    loops = [loop for loop in ast.walk(tree) if isinstance(loop, (ast.For, ast.While)) and loop is not node]
    again = any(node is inner for loop in loops for inner in ast.walk(loop))
    within = {id(inner) for inner in ast.walk(node)}
    nested = [inner for inner in ast.walk(tree) if isinstance(inner, LATER) and inner is not tree]
    delayed = {id(inner) for function in nested for inner in ast.walk(function)}
    found = {name for inner in ast.walk(tree) if isinstance(inner, ast.Global) for name in inner.names}
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Name) and inner.id in ("locals", "vars", "eval", "exec", "dir", "globals"):
            raise NoStep(f"line {inner.lineno}: it reaches its own variables by {inner.id}")
        if isinstance(inner, (ast.Name, ast.AugAssign)):
            follows = inner.lineno > (node.end_lineno or node.lineno)
            if id(inner) in delayed or (id(inner) not in within and (again or follows)):
                found.update(read_names([inner]))
    return found
