"""Calls that update what they are passed, ``update_parameters(parameters, grads, rate)`` alone, read as assignments."""

from __future__ import annotations

import ast
import copy

from fastbackprop.takeover.names import assigned
from fastbackprop.takeover.nets.parts import kind_of, letter
from fastbackprop.takeover.nets.terms import AFTER

_UPDATES = "update_param"


def with_assignments(tree: ast.FunctionDef) -> ast.FunctionDef:
    """A copy of a definition in which such statements bind what they change, with the positions that they have."""
    tree = copy.deepcopy(tree)
    for loop in [node for node in ast.walk(tree) if isinstance(node, ast.For)]:
        bound = {*assigned(loop.body), *assigned([ast.copy_location(ast.Assign([loop.target], ast.Constant(None)), loop)])}
        _Assigning(bound).visit(loop)
    return tree


class _Assigning(ast.NodeTransformer):
    def __init__(self, bound: set[str]) -> None:
        self.bound = bound

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        call = node.value
        if not isinstance(call, ast.Call) or _UPDATES not in ast.unparse(call.func):
            return node
        names = [one.id for one in (*call.args, *(k.value for k in call.keywords)) if isinstance(one, ast.Name)]
        names = [name for name in names if not (name in self.bound or letter(name) or kind_of([name]))]
        if not names:
            return node
        values = [ast.Call(ast.Name(AFTER, ast.Load()), [call, ast.Name(name, ast.Load())], []) for name in names]
        made = ast.Assign(
            [ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())], ast.Tuple(list(values), ast.Load())
        )
        for inner in ast.walk(made):
            if "lineno" in inner._attributes and not hasattr(inner, "lineno"):
                ast.copy_location(inner, node)
        return made
