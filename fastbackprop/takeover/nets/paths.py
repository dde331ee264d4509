"""The ways through a loop's body where conditions that stay the same choose among its statements."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from fastbackprop.takeover.names import assigned
from fastbackprop.takeover.step import NoStep

MOST = 32  # ways that are looked at

_TEST = (
    *(ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Attribute, ast.Constant, ast.Tuple, ast.List),
    *(ast.expr_context, ast.boolop, ast.unaryop, ast.operator, ast.cmpop),
)


@dataclass(frozen=True)
class Way:
    """One way: the conditions that hold, and the statements that run then."""

    tests: list[ast.expr]
    statements: list[ast.stmt]


def ways(body: Sequence[ast.stmt], changing: Collection[str]) -> list[Way]:
    """The ways through a body; raises NoStep where there are too many. ``changing`` are the names that the loop binds."""
    found = list(itertools.islice(_through(body, changing), MOST + 1))
    if len(found) > MOST:
        raise NoStep(f"line {body[0].lineno}: there are more than {MOST} ways through its loop")
    return found


def _through(body: Sequence[ast.stmt], changing: Collection[str]) -> Iterator[Way]:
    if not body:
        yield Way([], [])
        return
    for first in _one(body[0], changing):
        for rest in _through(body[1:], changing):
            yield Way([*first.tests, *rest.tests], [*first.statements, *rest.statements])


def _one(statement: ast.stmt, changing: Collection[str]) -> Iterator[Way]:
    if isinstance(statement, ast.Assert) and _stays(statement.test, changing):
        yield Way([statement.test], [])
    elif isinstance(statement, ast.If) and _stays(statement.test, changing) and _chooses(statement):
        denied = ast.copy_location(ast.UnaryOp(ast.Not(), statement.test), statement.test)
        for test, branch in ((statement.test, statement.body), (denied, statement.orelse)):
            yield from (Way([test, *way.tests], way.statements) for way in _through(branch, changing))
    elif isinstance(statement, ast.For):
        for way in _through(statement.body, changing):
            inner = ast.For(statement.target, statement.iter, way.statements, statement.orelse)
            yield Way(way.tests, [ast.copy_location(inner, statement)])
    else:
        yield Way([], [statement])


def _stays(test: ast.expr, changing: Collection[str]) -> bool:
    """Whether a condition is the same in every iteration."""
    nodes = list(ast.walk(test))
    return all(isinstance(node, _TEST) for node in nodes) and not any(
        isinstance(node, ast.Name) and node.id in changing for node in nodes
    )


def _chooses(statement: ast.If) -> bool:
    """Whether a statement decides what names stand for, rather than what is printed or kept."""
    return any(True for _ in assigned([statement]))
