"""A user's model with the loop replaced that trains any net; the rest of its code, and the positions in it, stay theirs."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fastbackprop.takeover.callees import Callees
from fastbackprop.takeover.loop import check_place
from fastbackprop.takeover.names import assigned
from fastbackprop.takeover.nets.batch_training import BatchTraining
from fastbackprop.takeover.nets.draws import Draw, Seeded, draw_of
from fastbackprop.takeover.nets.epochs import EpochReader
from fastbackprop.takeover.nets.in_place import with_assignments
from fastbackprop.takeover.nets.likeness import Likeness, iteration_of, likeness
from fastbackprop.takeover.nets.parts import BATCH
from fastbackprop.takeover.nets.paths import ways
from fastbackprop.takeover.nets.reader import NetLoop
from fastbackprop.takeover.nets.terms import parts
from fastbackprop.takeover.nets.training import Course, NetTraining
from fastbackprop.takeover.rewrite import (
    BEGIN,
    OBSERVED,
    TRAINING,
    compiled,
    definition,
    each,
    ending,
    expression,
    load,
    planned,
)
from fastbackprop.takeover.roles import value_of
from fastbackprop.takeover.step import NoStep
from fastbackprop.takeover.terms import Term

_END = ending(f"{TRAINING}.hand_over()")

_PLAN = f"""
{TRAINING} = {BEGIN}(RANGE, TESTS, STATE, LEAVES, COSTS, CONDITIONS, DECIDING, READS)
while {TRAINING}.advance():
{OBSERVED}{_END}"""

_EPOCHS = f"""
{TRAINING} = {BEGIN}(RANGE, TESTS, STATE, LEAVES, COSTS, CONDITIONS, DECIDING, READS, drawn=DRAWN)
while {TRAINING}.advance():
    for VARIABLE in {TRAINING}.drawing:
        BEFORE
        {TRAINING}.draw(BATCHES, RATE)
        AFTER
    {TRAINING}.train()
    if {TRAINING}.undone:
        REBIND
{_END}"""


def net_taken_over(function: types.FunctionType) -> tuple[Callable[..., Any], ast.For, str] | None:
    """The function with a compiled training, its loop, and what this trains, in words; None where no loop is found in it.

    Raises NoStep.
    """
    tree = definition(function)
    reasons: list[NoStep] = []
    read = with_assignments(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.For) and isinstance(node.iter, ast.Call) and value_of(node.iter.func, function) is range):
            continue
        if node.orelse or not isinstance(node.target, ast.Name):
            continue
        try:
            check_place(tree, node)
            (same,) = (one for one in ast.walk(read) if isinstance(one, ast.For) and _place(one) == _place(node))
            courses = _courses(read, same, function)
        except NoStep as reason:
            reasons.append(reason)
            continue
        leaves = [*(leaf for course in courses for leaf in course.loop.step.leaves()), *(courses[0].data or ())]
        terms = [term for term in dict.fromkeys(leaves) if all(part != BATCH for part in parts(term))]
        begin = functools.partial(BatchTraining if courses[0].data else NetTraining, courses, terms)
        new = _Replace(node, courses, terms).visit(tree)
        return compiled(function, new, begin), node, "; or ".join(dict.fromkeys(course.likeness.words() for course in courses))
    if reasons:
        raise reasons[0]
    return None


def _place(node: ast.For) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _courses(tree: ast.FunctionDef, node: ast.For, function: types.FunctionType) -> list[Course]:
    """What a loop trains, along each way on which this is known; raises NoStep where it is on none."""
    assert isinstance(node.target, ast.Name)
    variable = node.target.id
    if variable in set(assigned(node.body)):
        raise NoStep(f"line {node.lineno}: its loop changes {variable}")
    read: list[tuple[NetLoop, Likeness, bool]] = []
    data: tuple[Term, Term] | None = None
    draw: Draw | None = None
    reasons: list[NoStep] = []
    for way in ways(node.body, {*assigned(node.body), variable}):
        try:
            loop = EpochReader(tree, node, function, way).net_loop()
            iteration = iteration_of(loop.step, variable)
            found = likeness(iteration, function, variable)
            drawn: tuple[Term, Term] | None = None
            if loop.batches is not None:
                draw = draw_of(iteration, loop.batches, function)
                drawn = ("before", draw.x), ("before", draw.y)
            if read and (drawn != data or not _drawn_alike(loop, read[0][0])):
                raise NoStep("it draws batches in more than one way")
            known = any(form is not None for form in found.costs.values())
            same = all(_same_code(loop.rest, other.rest) for other, _, observed in read if observed)
            observed = not loop.reads_step and known and same
            if loop.always and not observed:
                raise NoStep("its other statements need each iteration as it stands")
        except NoStep as reason:
            reasons.append(reason)
            continue
        data = drawn
        read.append((loop, found, observed))
    if not read:
        raise reasons[0]
    functions = {name: one for loop, _, _ in read for name, one in loop.step.functions.items()}
    callees = Callees(functions, {name: one for loop, _, _ in read for name, one in loop.called.items()}, function)
    return [Course(*one, callees, data, None if draw is None else draw.seeded) for one in read]


def _drawn_alike(loop: NetLoop, other: NetLoop) -> bool:
    """Whether epochs are drawn by the same code."""
    a, b = loop.batches, other.batches
    if a is None or b is None:
        return a is b
    codes = [[ast.dump(node) for node in (*one.before, one.drawn, *one.after)] for one in (a, b)]
    return codes[0] == codes[1] and a.names == b.names


def _same_code(a: list[ast.stmt], b: list[ast.stmt]) -> bool:
    return [ast.dump(statement) for statement in a] == [ast.dump(statement) for statement in b]


class _Replace(ast.NodeTransformer):
    def __init__(self, node: ast.For, courses: Sequence[Course], terms: Sequence[Term]) -> None:
        self.node, self.courses, self.terms = node, courses, terms
        self.state = list(dict.fromkeys(name for course in courses for name in course.loop.step.state))

    def visit_For(self, node: ast.For) -> Any:
        if node is not self.node:
            return self.generic_visit(node)
        assert isinstance(node.iter, ast.expr) and isinstance(node.target, ast.Name)
        loops = [course.loop for course in self.courses]
        cost_names = {loop.cost_name for loop in loops if loop.cost_name}
        parameter = ast.arguments([], [ast.arg(node.target.id)], None, [], [], None, [])
        expressions: dict[str, ast.expr] = {
            "RANGE": node.iter,
            "TESTS": each(_both(loop.tests) for loop in loops),
            "STATE": _by_name({name: load(name) for name in self.state}),
            "LEAVES": each(_leaf(term) for term in self.terms),
            "COSTS": _by_name({name: load(name) for name in sorted(cost_names)}),
            "CONDITIONS": _tuple(ast.Lambda(parameter, loop.condition) for loop in loops),
            "DECIDING": _tuple(each(loop.deciding) for loop in loops),
            "READS": _tuple(each(load(name) for name in loop.reads) for loop in loops),
        }
        observed = [course.loop.rest for course in self.courses if course.observed]
        statements = {
            "REST": observed[0] if observed else [],
            "BIND": [statement for name in self.state for statement in _bind(name)],
        }
        batches = loops[0].batches
        if batches is not None:
            data = _Data([term[1] for term in self.courses[0].data or ()], self.courses[0].seeded, loops[0].step.functions)
            copied = copy.deepcopy(batches)
            rates = {leaf for course in self.courses if (leaf := course.likeness.parts.leaf("rate")) and leaf[0] == "outer"}
            expressions |= {
                "DRAWN": _by_name({name: load(name) for name in batches.names}),
                "BATCHES": data.visit(copied.drawn),
                "RATE": load(rates.pop()[1]) if rates else ast.Constant(None),
            }
            statements |= {
                "BEFORE": [data.visit(statement) for statement in copied.before],
                "AFTER": [data.visit(statement) for statement in copied.after],
                "REBIND": [statement for name in batches.names for statement in _bind(name, "drawn")],
            }
        functions = {name for loop in loops for name in loop.step.functions}
        return planned(_PLAN if batches is None else _EPOCHS, node, functions, expressions, statements)


class _Data(ast.NodeTransformer):
    """Has batches drawn of the numbers of the examples, in the place of X and Y."""

    def __init__(self, names: Sequence[str], seeded: Seeded | None, functions: Mapping[str, Any]) -> None:
        self.names, self.seeded, self.functions = names, seeded, functions

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if self.seeded is None or ast.unparse(node.func) != self.seeded.function:
            return self.generic_visit(node)
        bound = inspect.signature(self.functions[self.seeded.function]).bind(
            *node.args, **{str(keyword.arg): keyword.value for keyword in node.keywords}
        )
        bound.apply_defaults()
        given = [bound.arguments[name] for name in (self.seeded.size, self.seeded.seed)]
        passed = [one if isinstance(one, ast.expr) else ast.Constant(one) for one in given]
        return ast.copy_location(ast.Call(ast.Attribute(load(TRAINING), "seeded", ast.Load()), passed, []), node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.names or not isinstance(node.ctx, ast.Load):
            return node
        attribute = ("examples", "labels")[self.names.index(node.id)]
        return ast.copy_location(ast.Attribute(load(TRAINING), attribute, ast.Load()), node)


def _bind(name: str, where: str = "values") -> list[ast.stmt]:
    return ast.parse(f"if {name!r} in {TRAINING}.{where}:\n    {name} = {TRAINING}.{where}[{name!r}]").body


def _both(tests: Sequence[ast.expr]) -> ast.expr:
    """Whether all tests hold."""
    return ast.BoolOp(ast.And(), list(tests)) if len(tests) > 1 else tests[0] if tests else ast.Constant(True)


def _leaf(term: Term) -> ast.expr:
    return ast.Constant(term[2]) if term[0] == "number" else load(term[1]) if term[0] == "outer" else expression(term)


def _tuple(expressions: Iterable[ast.expr]) -> ast.expr:
    return ast.Tuple(list(expressions), ast.Load())


def _by_name(expressions: Mapping[str, ast.expr]) -> ast.expr:
    """A dict of functions, one for the value of each expression."""
    values = each(expressions.values())
    assert isinstance(values, ast.Tuple)
    return ast.Dict([ast.Constant(name) for name in expressions], values.elts)
