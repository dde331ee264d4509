# ruff: noqa: SIM102  # a condition a line, as the docstrings say them
"""The kinds of faults, each a rule on the syntax tree: which nodes it changes, and what a slip would have put there.

A rule takes a node and yields replacements: pairs of a node and the text that takes its place. Python that emits machine
code calls a builder's methods, so that some slips look different there.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator

from scripts.mutation.sources import Source, callee, is_constant_name, names_in

Replacement = tuple[ast.AST, str]
Rule = Callable[[Source, ast.AST], Iterator[Replacement]]

RULES: dict[str, Rule] = {}

SCALES = re.compile(r"(?:mean|scale|factor|divisor|rate)$|^m$", re.I)  # the field's names for 1/m and its like
COUNTERS = re.compile(r"(?:chunk|member|strip|block|panel|tile|slab|layer)$", re.I)
PAIRS = {"row": "column", "column": "row", "rows": "columns", "columns": "rows", "n": "n_prev", "n_prev": "n"}


def rule(function: Rule) -> Rule:
    RULES[function.__name__.replace("_", " ")] = function
    return function


def text(node: ast.AST) -> str:
    return ast.unparse(node)


def changed(node: ast.AST, **fields: object) -> str:
    """The text of a node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return f"({text(new)})" if isinstance(new, (ast.BinOp, ast.BoolOp, ast.IfExp, ast.Compare)) else text(new)


def plus(node: ast.AST, what: str) -> str:
    return f"({text(node)}) {what}" if isinstance(node, ast.IfExp) else f"{text(node)} {what}"


def whole(node: ast.AST) -> bool:
    """Whether a node is a literal whole number."""
    return isinstance(node, ast.Constant) and type(node.value) is int


def with_argument(call: ast.Call, i: int, new: str) -> Replacement:
    return call.args[i], new


# ------------------------------------------------------------------------------------------------------------- bounds


@rule
def wrong_edge(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A range ends one early or begins one late; min or max forgets one of its bounds; a mask at an edge is forgotten."""
    name = callee(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if name == "range" and len(node.args) < 3:
            yield with_argument(node, len(node.args) - 1, plus(node.args[-1], "- 1"))
            if len(node.args) == 2:
                yield with_argument(node, 0, plus(node.args[0], "+ 1"))
        if name in ("min", "max") and len(node.args) == 2 and not node.keywords:
            for kept in node.args:
                if not isinstance(kept, ast.Constant):
                    yield node, f"({text(kept)})"
    if source.emits(node) and isinstance(node, ast.Call):
        for i, argument in enumerate(node.args):
            if callee(argument) == "mask" or (not isinstance(argument, ast.Call) and "mask" in text(argument)):
                yield with_argument(node, i, "None")


@rule
def wrong_comparison(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """`<` for `<=` and the like."""
    other = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in other:
        yield node, changed(node, ops=[other[type(node.ops[0])]()])
    if isinstance(node, ast.Call) and callee(node) == "icmp_signed" and isinstance(node.args[0], ast.Constant):
        swapped = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "<=", "!=": ">"}
        yield with_argument(node, 0, repr(swapped[str(node.args[0].value)]))


@rule
def inverted_condition(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A condition means its opposite, or `and` stands for `or`."""
    if isinstance(node, (ast.If, ast.IfExp)):
        yield node.test, f"(not ({text(node.test)}))"
    if isinstance(node, ast.BoolOp):
        yield node, changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


# --------------------------------------------------------------------------------------------------------- arithmetic


@rule
def dropped_factor(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A division by m, or a factor 1/m or learning rate, is forgotten."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield node, f"({text(node.left)})"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for factor, kept in ((node.left, node.right), (node.right, node.left)):
            if isinstance(factor, ast.Name) and SCALES.search(factor.id) and factor.id != "m":
                yield node, f"({text(kept)})"
    if isinstance(node, ast.Call) and source.in_kernels and not source.emits(node) and isinstance(node.func, ast.Name):
        for i, argument in enumerate(node.args):
            if isinstance(argument, ast.Name) and SCALES.search(argument.id) and argument.id != "m":
                yield with_argument(node, i, f"{argument.id} / {argument.id}")


@rule
def flipped_sign(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """Plus for minus, or minus for plus."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, (ast.Add, ast.Sub)):
        if not any(isinstance(child, (ast.Constant, ast.JoinedStr)) and not _number(child) for child in ast.walk(node)):
            yield node, changed(node, op=ast.Sub() if isinstance(node.op, ast.Add) else ast.Add())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not whole(node.operand):
        if not _is_ceiling(node) and not _is_ceiling(source.parents.get(source.parents[node])):
            yield node, f"({text(node.operand)})"
    if isinstance(node, ast.Call) and callee(node) in ("add", "sub", "fadd", "fsub") and source.emits(node):
        other = {"add": "sub", "sub": "add", "fadd": "fsub", "fsub": "fadd"}[callee(node)]
        assert isinstance(node.func, ast.Attribute)
        yield node.func, f"{text(node.func.value)}.{other}"


def _number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _is_ceiling(node: ast.AST | None) -> bool:
    """Whether a node is -(-a // b)."""
    return (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.BinOp)
        and isinstance(node.operand.op, ast.FloorDiv)
        and isinstance(node.operand.left, ast.UnaryOp)
        and isinstance(node.operand.left.op, ast.USub)
    )


@rule
def wrong_constant(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A number in a formula is another: a whole one by one, another one by a thousandth."""
    if not isinstance(node, ast.Constant) or isinstance(source.parents.get(node), (ast.Subscript, ast.keyword)):
        return
    if callee(source.parents[node]) == "IntType":  # LLVM refuses most widths
        return
    if type(node.value) is float and node.value and source.in_kernels:
        yield node, repr(node.value * 1.001)
    if type(node.value) is int and source.functions_above(node) and node.value > 1:
        yield node, repr(node.value + 1)


# ------------------------------------------------------------------------------------------------- what a kernel does


@rule
def missing_epilogue(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """The bias or the activation is not applied: another start, a formula left out of a store, a pass left out."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id == "BIAS" and "ZERO" in source.constants:
        if not isinstance(source.parents[node], ast.Compare):
            yield node, "ZERO"
    if isinstance(node, ast.Call) and callee(node) == "store" and len(node.args) == 3:
        value = node.args[2]
        if isinstance(value, ast.Call) and value.args and callee(value) not in ("load", "place_of"):
            yield value, text(value.args[0])
        if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub, ast.Mult)):
            yield value, f"({text(value.left)})"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and "bias" in text(node.right):
        yield node, f"({text(node.left)})"
    if isinstance(node, ast.Expr) and re.search("activat|gradient|bias|fill", callee(node.value)):
        yield node, "pass"


@rule
def dropped_step(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A step is left out: a call that stands for what it does, or a sum or another value that is not written."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield node, "pass"
    if isinstance(node, ast.AugAssign):
        yield node, "pass"
    if isinstance(node, ast.Assign) and any(isinstance(t, (ast.Subscript, ast.Attribute)) for t in node.targets):
        yield node, "pass"


@rule
def dropped_check(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A check that refuses something, or stops early, does not: an `if` whose body only raises or returns."""
    if isinstance(node, ast.If) and not node.orelse and isinstance(node.body[-1], (ast.Raise, ast.Return)):
        if len(node.body) <= 2:
            yield node.test, "False"


@rule
def stale_workspace(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A sum that should begin from zero continues from what the memory held, or a beginning is skipped."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in ("ZERO", "ADD"):
        if {"ZERO", "ADD"} <= source.constants and not isinstance(source.parents[node], ast.Compare):
            yield node, "ADD" if node.id == "ZERO" else "ZERO"
    if isinstance(node, ast.Attribute) and node.attr in ("zeros", "zeros_like"):
        yield node, f"{text(node.value)}.{node.attr.replace('zeros', 'ones')}"
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value in (0, 0.0):
        if isinstance(node.targets[0], ast.Subscript):
            yield node, "pass"
        elif source.functions_above(node) and type(node.value.value) in (int, float):
            yield node.value, repr(node.value.value + 1)
    if isinstance(node, ast.For) and len(node.body) == 1 and callee(getattr(node.body[0], "value", node)) == "store":
        statement = node.body[0]
        assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        if isinstance(statement.value.args[-1], (ast.Constant, ast.Name)):
            yield statement, "pass"
    if isinstance(node, ast.IfExp) and "ZERO" in names_in(node) and "ADD" in names_in(node):
        yield node, text(node.body)


# --------------------------------------------------------------------------------------------------- places and sizes


@rule
def wrong_split(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A loop over pieces skips the first, or steps too far; the last piece, a part, is lost; a piece is another's."""
    if callee(node) == "range" and isinstance(node, ast.Call) and len(node.args) == 3:
        first, _, step = node.args
        if not whole(step) and not isinstance(step, ast.UnaryOp):
            yield with_argument(node, 2, plus(step, "+ 1"))
            yield with_argument(node, 0, f"{text(first)} + {text(step)}")
            yield with_argument(node, 1, plus(node.args[1], f"- {text(step)}"))
    if _is_ceiling(node):
        assert isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.BinOp)
        assert isinstance(node.operand.left, ast.UnaryOp)
        yield node, f"({text(node.operand.left.operand)} // {text(node.operand.right)})"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for counter in (node.left, node.right):
            if isinstance(counter, ast.Name) and COUNTERS.search(counter.id):
                yield counter, f"({counter.id} + 1)"
    if isinstance(node, ast.Slice) and node.step is None and source.functions_above(node):
        if isinstance(node.upper, ast.BinOp):
            yield node.upper, plus(node.upper, "- 1")


@rule
def off_by_one_panel(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """A place in a packed panel, a workspace or a matrix is one too far on."""
    if isinstance(node, ast.Call) and source.in_kernels and callee(node) != "range":
        emits = source.emits(node)
        for i, argument in enumerate(node.args):
            if isinstance(argument, ast.BinOp) and isinstance(argument.op, (ast.Add, ast.Mult)) and not emits:
                if any(isinstance(child, ast.Attribute) and child.attr == "at" for child in ast.walk(argument)) or i == 1:
                    yield with_argument(node, i, plus(argument, "+ 1"))
            if emits and callee(argument) == "whole" and isinstance(argument, ast.Call) and len(argument.args) == 1:
                if not whole(argument.args[0]):
                    yield argument.args[0], plus(argument.args[0], "+ 1")
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.BinOp) and isinstance(node.slice.op, ast.Add):
        yield node.slice, plus(node.slice, "+ 1")


@rule
def wrong_stride(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """Rows for columns: a stride, a size, a shape, or a transpose left out."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in PAIRS:
        yield node, f"{text(node.value)}.{PAIRS[node.attr]}"
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value in (0, 1):
        if isinstance(node.value, ast.Attribute) and node.value.attr in ("shape", "strides"):
            yield node.slice, str(1 - node.slice.value)
    if isinstance(node, ast.Call) and callee(node) == "transposed" and len(node.args) == 1:
        yield node, text(node.args[0])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and not source.emits(node):
        for side in (node.left, node.right):
            if isinstance(side, ast.Name) and side.id in PAIRS and PAIRS[side.id] in _locals(source, node):
                yield side, PAIRS[side.id]


def _locals(source: Source, node: ast.AST) -> set[str]:
    functions = source.functions_above(node)
    if not functions:
        return set()
    return {argument.arg for argument in functions[0].args.args} | names_in(functions[0])


@rule
def wrong_order(source: Source, node: ast.AST) -> Iterator[Replacement]:
    """Two neighbouring arguments of one kind are swapped: both matrices by their capital letter, or both numbers."""
    commutes = ("min", "max", "isinstance", "range", "and_", "or_", "add", "mul", "fadd", "fmul")
    if not isinstance(node, ast.Call) or callee(node) in commutes or not callee(node):
        return
    for left, right in zip(node.args, node.args[1:], strict=False):
        if callee(node) == "fma" and left is node.args[0]:  # a b + c
            continue
        names = [argument for argument in (left, right) if isinstance(argument, ast.Name)]
        if len(names) == 2 and _kind(names[0].id) == _kind(names[1].id) and names[0].id != names[1].id:
            i = node.args.index(left)
            arguments = [*node.args[:i], right, left, *node.args[i + 2 :]]
            yield node, changed(node, args=arguments)


def _kind(name: str) -> str:
    return "constant" if is_constant_name(name) else "matrix" if re.search("[A-Z]", name) else "number"
