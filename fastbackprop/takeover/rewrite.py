"""A user's model with its training loop replaced: the rest of its code, and the positions in it, stay theirs."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastbackprop.examination.original import stands_for
from fastbackprop.examination.sandbox import codes
from fastbackprop.takeover.callees import Callees
from fastbackprop.takeover.loop import COST, Loop, RoleOf, find_loop
from fastbackprop.takeover.step import NoStep
from fastbackprop.takeover.terms import Term
from fastbackprop.takeover.training import Form, Training

TRAINING, _OUTER, BEGIN = "__fastbackprop_training__", "__fastbackprop_outer__", "__fastbackprop_begin__"

OBSERVED = f"""\
    for VARIABLE in {TRAINING}.observed:
        {COST} = {TRAINING}.cost
        REST
"""


def ending(hand_over: str) -> str:
    """The end of any plan: iterations as they stand, before and after which the names are those of a loop without a plan."""
    return f"""\
    if {TRAINING}.plain:
        if {TRAINING}.ahead:
            {hand_over}
            BIND
        if {TRAINING}.own is None:
            for VARIABLE in {TRAINING}.plain:
                BODY
        else:
            for VARIABLE in {TRAINING}.plain:
                OWN
if {TRAINING}.ahead:
    {hand_over}
    BIND
for VARIABLE in {TRAINING}.last:
    pass
"""


_PLAN = f"""
{TRAINING} = {BEGIN}(
    RANGE, lambda: (PARAMETERS, X, Y, RATE, ENTRIES), lambda VARIABLE: CONDITION, DECIDING, READS
)
while {TRAINING}.advance():
{OBSERVED}{ending(f"PARAMETERS = {TRAINING}.parameters")}"""


def taken_over(function: types.FunctionType, role_of: RoleOf) -> tuple[Callable[..., Any], Loop] | None:
    """The function with a compiled training, and the loop that was replaced; None where it has no such loop.

    Raises NoStep where its loop holds something else, or its code cannot be read.
    """
    tree = definition(function)
    loop = find_loop(tree, function, role_of)
    if loop is None:
        return None
    begin = functools.partial(Training, Form.of(loop), Callees(loop.functions, loop.called, function))
    new = _Replace(loop).visit(tree)
    return compiled(function, new, begin), loop


def definition(function: types.FunctionType) -> ast.FunctionDef:
    """The definition of a function, of which it is certain that it is the code that runs; raises NoStep."""
    code = function.__code__
    if function.__closure__:
        raise NoStep("it is decorated, or defined within another function")
    try:
        lines, _ = inspect.findsource(code)
        whole = ast.parse("".join(lines))
    except Exception:  # whatever reads a file that has become another
        raise NoStep("its source is not to be had") from None
    found = [node for node in ast.walk(whole) if isinstance(node, ast.FunctionDef) and _begins(node) == code.co_firstlineno]
    if len(found) != 1 or found[0].decorator_list or getattr(found[0], "type_params", None):
        raise NoStep("it is decorated, or no plain def")
    # A module's imports change the code of its functions; a cell's statements are compiled one by one.
    made = (inner for tree in (whole, ast.Module([found[0]], [])) for inner in codes(_compile(tree, function)))
    if not any(_same_code(inner, code) for inner in made):
        raise NoStep("its source has changed since it was defined")
    return found[0]


def _begins(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _compile(tree: ast.Module, function: types.FunctionType) -> types.CodeType:
    future = function.__code__.co_flags & sum(1 << bit for bit in range(17, 25))  # from __future__ import ...
    return compile(tree, function.__code__.co_filename, "exec", flags=future, dont_inherit=True)


def _same_code(a: types.CodeType, b: types.CodeType) -> bool:
    if (a.co_code, a.co_names, a.co_varnames, len(a.co_consts)) != (b.co_code, b.co_names, b.co_varnames, len(b.co_consts)):
        return False
    return all(
        _same_code(x, y) if isinstance(x, types.CodeType) and isinstance(y, types.CodeType) else repr(x) == repr(y)
        for x, y in zip(a.co_consts, b.co_consts, strict=True)
    )


def compiled(function: types.FunctionType, tree: ast.FunctionDef, begin: Callable[..., Any]) -> Callable[..., Any]:
    """The new function, in the globals of the old one; what begins the training is in a closure."""
    outer = ast.parse(f"def {_OUTER}({BEGIN}): pass").body[0]
    assert isinstance(outer, ast.FunctionDef)
    ast.increment_lineno(outer, tree.lineno - 1)
    outer.body = [ast.Global([tree.name]), tree]  # it may call itself, by its name in the module
    code = _compile(ast.fix_missing_locations(ast.Module([outer], [])), function)
    for name in (_OUTER, function.__code__.co_name):
        code = next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)
    made = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, (types.CellType(begin),)
    )  # fmt: skip
    made.__kwdefaults__ = function.__kwdefaults__
    stands_for(made, function)
    return made


class _Replace(ast.NodeTransformer):
    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    def visit_For(self, node: ast.For) -> Any:
        if node is not self.loop.node:
            return self.generic_visit(node)
        step = self.loop.step
        entries = ast.Dict([ast.Constant(key) for key in step.entries.values()], [load(name) for name in step.entries])
        assert isinstance(node.iter, ast.expr)
        expressions = {
            "RANGE": node.iter, "X": expression(step.X), "Y": expression(step.Y), "RATE": expression(step.rate),
            "ENTRIES": entries, "CONDITION": self.loop.condition,
            "DECIDING": each(self.loop.deciding), "READS": each([load(name) for name in self.loop.reads]),
        }  # fmt: skip
        bind: list[ast.stmt] = [
            ast.Assign([ast.Name(name, ast.Store())], ast.Subscript(load(step.parameters), ast.Constant(key), ast.Load()))
            for name, key in step.entries.items()
        ]
        statements = {"REST": self.loop.rest, "BIND": bind}
        return planned(_PLAN, node, self.loop.functions, expressions, statements, {"PARAMETERS": step.parameters})


def planned(
    text: str,
    node: ast.For,
    functions: Collection[str],
    expressions: dict[str, ast.expr],
    statements: Mapping[str, Sequence[ast.stmt]],
    names: Mapping[str, str] = MappingProxyType({}),
) -> list[ast.stmt]:
    """A plan, filled, for a loop whose iterations call these functions as their step."""
    assert isinstance(node.target, ast.Name)
    plan, own = ast.parse(text), _Own(functions)
    for inner in ast.walk(plan):  # what the plan adds has the position of the loop; the user's own nodes keep theirs
        if "lineno" in inner._attributes:
            ast.copy_location(inner, node)
            inner.end_lineno, inner.end_col_offset = node.lineno, node.col_offset  # type: ignore[attr-defined]
    filling = {name: list(found) or [ast.Pass()] for name, found in statements.items()}
    filling |= {"BODY": node.body, "OWN": [own.visit(copy.deepcopy(statement)) for statement in node.body]}
    filled: list[ast.stmt] = _Filled(expressions, filling, {"VARIABLE": node.target.id, **names}).visit(plan).body
    return filled


class _Own(ast.NodeTransformer):
    """Has the step's functions called as the user wrote them."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = ast.unparse(node.func)
        self.generic_visit(node)
        if name in self.names:
            own = ast.Attribute(load(TRAINING), "own", ast.Load())
            node.func = ast.copy_location(ast.Subscript(own, ast.Constant(name), ast.Load()), node.func)
        return node


class _Filled(ast.NodeTransformer):
    """Fills the plan."""

    def __init__(self, expressions: dict[str, ast.expr], statements: dict[str, list[ast.stmt]], names: dict[str, str]) -> None:
        self.expressions, self.statements, self.names = expressions, statements, names

    def visit_Expr(self, node: ast.Expr) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id in self.statements:
            return self.statements[node.value.id]
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id in self.expressions:
            return self.expressions[node.id]
        return ast.copy_location(ast.Name(self.names.get(node.id, node.id), node.ctx), node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.copy_location(ast.arg(self.names.get(node.arg, node.arg)), node)


def each(expressions: Iterable[ast.expr]) -> ast.expr:
    """A tuple of functions, one for the value of each expression: it may have none yet."""
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Tuple([ast.Lambda(nothing, expression) for expression in expressions], ast.Load())


def load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def expression(term: Term) -> ast.expr:
    """The expression of a term that stays the same in all iterations."""
    if term[0] == "before":
        return load(term[1])
    if term[0] == "constant":
        return ast.Constant(term[2])
    if term[0] == "attribute":
        return ast.Attribute(expression(term[1]), term[2], ast.Load())
    return ast.Subscript(expression(term[1]), expression(term[2]), ast.Load())
