"""What the statements of a training's loop compute, as terms: nested tuples, in which equal terms are equal values."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from fastbackprop.takeover.roles import Role

Term = tuple[Any, ...]

_OPERATIONS = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide",
}  # fmt: skip
_BY_NAME = {"add", "subtract", "multiply", "divide", "true_divide", "negative"}


class Unknown(Exception):
    """An expression or a statement that is no part of a training's step; the message says which, with its line."""

    def __init__(self, node: ast.AST) -> None:
        lines = ast.unparse(node).split("\n")
        super().__init__(f"line {getattr(node, 'lineno', '?')}: {lines[0]}{' ...' if lines[1:] else ''}")


class Terms:
    """The values of an iteration's variables. Names that the loop assigns and reads before that are carried over from the
    iteration before; all others are what they were before the loop."""

    def __init__(self, assigned: set[str], role_of: Callable[[ast.expr], Role | None], numpy_name: Callable[[ast.expr], str]):
        self.assigned, self.role_of, self.numpy_name = assigned, role_of, numpy_name
        self.values: dict[str, Term] = {}

    def name(self, name: str) -> Term:
        return self.values.get(name, ("carried" if name in self.assigned else "before", name))

    def of(self, node: ast.expr) -> Term:
        """The term of an expression; raises Unknown."""
        if isinstance(node, ast.Constant):
            return "constant", type(node.value).__name__, node.value
        if isinstance(node, ast.Name):
            return self.name(node.id)
        if isinstance(node, ast.Subscript):
            return _item(self.of(node.value), self.of(node.slice))
        if isinstance(node, ast.Attribute) and (owner := self.of(node.value))[0] in ("before", "attribute"):
            return "attribute", owner, node.attr
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return _negative(self.of(node.operand))
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
            return _operation(_OPERATIONS[type(node.op)], self.of(node.left), self.of(node.right))
        if isinstance(node, ast.Tuple):
            return "tuple", *(self.of(item) for item in node.elts)
        if isinstance(node, ast.Dict) and not node.keys:
            return ("dict",)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise Unknown(node)

    def _call(self, node: ast.Call) -> Term:
        role = self.role_of(node.func)
        if role is not None:
            given = role.arguments(node)
            if given is None:
                raise Unknown(node)
            arguments = [self.of(argument) for argument in given]
            result = _result(role.name, arguments, role.details)
            if role.name != "update_parameters" or "copy" in role.details:
                return result
            self._changed(arguments[0], result)
            return ("constant", "NoneType", None) if "nothing" in role.details else result
        name = self.numpy_name(node.func)
        if name in _BY_NAME and not node.keywords:
            operands = [self.of(operand) for operand in node.args]
            if name == "negative" and len(operands) == 1:
                return _negative(operands[0])
            if len(operands) == 2 and name != "negative":
                return _operation("divide" if name == "true_divide" else name, *operands)
        raise Unknown(node)

    def _changed(self, old: Term, new: Term) -> None:
        """What had one value has another: a function wrote into it."""
        names = [name for name, value in self.values.items() if value == old]
        if old[0] in ("carried", "before") and old[1] not in self.values:
            names.append(old[1])
        self.values |= dict.fromkeys(names, new)

    def assign(self, target: ast.expr, value: Term) -> None:
        """Bind a name, a tuple of names, or a dict's entry of constant key; raises Unknown."""
        if isinstance(target, ast.Name):
            self.values[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)) and value[0] == "tuple" and len(value) == 1 + len(target.elts):
            for item, part in zip(target.elts, value[1:], strict=True):
                self.assign(item, part)
        elif (
            isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and isinstance(target.slice, ast.Constant)
        ):
            base = self.name(target.value.id)
            self.values[target.value.id] = "entry", base, target.slice.value, value
        else:
            raise Unknown(target)


def _result(name: str, arguments: list[Term], details: tuple[str, ...]) -> Term:
    """The term of a function's result, as it returns it."""
    if name == "L_model_forward":
        return "tuple", ("AL", *arguments), ("caches", *arguments)
    if name == "linear_activation_forward":
        return "tuple", ("A", *arguments), ("cache", *arguments)
    if name == "linear_activation_backward":
        return "tuple", ("dA", *arguments), ("dW", *arguments), ("db", *arguments)
    return {"compute_cost": "cost", "L_model_backward": "grads", "update_parameters": "updated"}.get(name, name), *arguments


def _item(base: Term, key: Term) -> Term:
    """The term of ``base[key]``."""
    while base[0] == "entry" and key[0] == "constant":
        if base[2] == key[2]:
            return base[3]
        base = base[1]
    if base[0] == "tuple" and key[0] == "constant" and key[2] in range(len(base) - 1):
        return base[1 + key[2]]
    return "item", base, key


def _negative(term: Term) -> Term:
    if term[0] == "negative":
        return term[1]
    if term[0] == "add":
        return _operation("add", _negative(term[1]), _negative(term[2]))
    return "negative", term


def _operation(name: str, a: Term, b: Term) -> Term:
    """Arithmetic in one form wherever its signs stand: a - b is a + (-b), and -(a + b) is (-a) + (-b)."""
    if name == "subtract":
        return _operation("add", a, _negative(b))
    if name == "add":
        return "add", *sorted((a, b), key=repr)
    if a[0] == "negative":
        return _negative(_operation(name, a[1], b))
    if b[0] == "negative":
        return _negative(_operation(name, a, b[1]))
    return name, *(sorted((a, b), key=repr) if name == "multiply" else (a, b))


def gradient_of_output(AL: Term, Y: Term) -> Term:
    """The term of ``-(Y / AL - (1 - Y) / (1 - AL))``."""
    one = "constant", "int", 1
    second = _operation("divide", _operation("subtract", one, Y), _operation("subtract", one, AL))
    return _negative(_operation("subtract", _operation("divide", Y, AL), second))
