"""The user's functions whose part in a training is known: which of the fourteen each one is, and in which form."""

from __future__ import annotations

import ast
import builtins
import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastbackprop.takeover.adapters import order_of


@dataclass(frozen=True)
class Role:
    """A function that computes what one of the fourteen does: its name there, itself, and its differences of form."""

    name: str
    function: Callable[..., Any]
    details: tuple[str, ...] = ()

    def arguments(self, call: ast.Call) -> list[ast.expr] | None:
        """The arguments of a call, in the reference's order; None where it passes others."""
        if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
            return None
        signature = inspect.signature(self.function)
        try:
            bound = signature.bind(*call.args, **{str(k.arg): k.value for k in call.keywords})
        except TypeError:
            return None
        names = order_of(self.name, self.function)
        if set(bound.arguments) != set(names):
            return None
        return [bound.arguments[name] for name in names]


def value_of(node: ast.expr, function: types.FunctionType) -> Any:
    """The value of a global name, or of an attribute of a module; None where it is not known before the call."""
    if isinstance(node, ast.Attribute):
        owner = value_of(node.value, function)
        return getattr(owner, node.attr, None) if isinstance(owner, types.ModuleType) else None
    if not isinstance(node, ast.Name) or node.id in function.__code__.co_varnames + function.__code__.co_cellvars:
        return None
    return function.__globals__.get(node.id, getattr(builtins, node.id, None))
