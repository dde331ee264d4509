"""What a loop's statements compute, where it calls functions of which nothing is known: terms of their calls."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from fastbackprop.takeover.terms import Term, Terms, Unknown

AFTER = "__fastbackprop_after__"  # AFTER(call, name): what a name stands for once the call is made


class CallTerms(Terms):
    """Terms of an iteration's variables.

    A call of a function of the user's own is ``("call", name, names of its arguments, *arguments)``. A number that is passed,
    or is the default of an argument, is ``("number", "name.argument", its value)``. ``("after", call, term)`` is
    what a term stands for once the call is made.
    """

    def __init__(
        self, assigned: set[str], function_of: Callable[[ast.expr], Any], numpy_name: Callable[[ast.expr], str]
    ) -> None:
        super().__init__(assigned, lambda node: None, numpy_name)
        self.function_of = function_of
        self.functions: dict[str, Any] = {}

    def of(self, node: ast.expr) -> Term:
        if isinstance(node, ast.Dict) and node.keys and all(isinstance(key, ast.Constant) for key in node.keys):
            made: Term = ("dict",)
            for key, value in zip(node.keys, node.values, strict=True):
                assert isinstance(key, ast.Constant)
                made = "entry", made, key.value, self.of(value)
            return made
        return super().of(node)

    def assign(self, target: ast.expr, value: Term) -> None:
        if isinstance(target, (ast.Tuple, ast.List)) and value[0] != "tuple":
            value = "tuple", *(("item", value, ("constant", "int", i)) for i in range(len(target.elts)))
        super().assign(target, value)

    def _call(self, node: ast.Call) -> Term:
        if isinstance(node.func, ast.Name) and node.func.id == AFTER:
            call, argument = (self.of(one) for one in node.args)
            return "after", call, argument
        function = self.function_of(node.func)
        if function is None:
            return super()._call(node)
        dotted = ast.unparse(node.func)
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            raise Unknown(node)
        try:
            bound = inspect.signature(function).bind(*node.args, **{str(k.arg): k.value for k in node.keywords})
        except (TypeError, ValueError):
            raise Unknown(node) from None
        given = set(bound.arguments)
        bound.apply_defaults()
        arguments = []
        for name, value in bound.arguments.items():
            if bound.signature.parameters[name].kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
                raise Unknown(node)
            if name not in given:
                term = _number(dotted, name, value) or ("constant", type(value).__name__, value)
            else:
                term = self.of(value)
                term = (_number(dotted, name, term[2]) if term[0] == "constant" else None) or term
            arguments.append((name, term))
        self.functions[dotted] = function
        return "call", dotted, tuple(name for name, _ in arguments), *(term for _, term in arguments)


def _number(dotted: str, name: str, value: Any) -> Term | None:
    return ("number", f"{dotted}.{name}", value) if type(value) in (int, float) else None


def parts(term: Term) -> Iterator[Term]:
    """A term and those within it."""
    yield term
    for part in inner(term):
        yield from parts(part)


def inner(term: Term) -> tuple[Term, ...]:
    """The terms that a term is made of."""
    kind = term[0]
    if kind == "call":
        return term[3:]
    if kind == "entry":
        return term[1], term[3]
    if kind == "attribute":
        return (term[1],)
    if kind in ("constant", "number", "before", "outer", "carried", "unknown", "batch"):
        return ()
    return tuple(part for part in term[1:] if isinstance(part, tuple))


def stays(term: Term) -> bool:
    """Whether a term is a name from before the loop, or outside of that over batches, a batch, or an attribute or an entry of
    one of these."""
    if term[0] in ("before", "outer", "batch"):
        return True
    if term[0] in ("attribute", "item"):
        return stays(term[1]) and all(part[0] == "constant" or stays(part) for part in inner(term)[1:])
    return False
