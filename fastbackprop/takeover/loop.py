"""The training loop in a user's model: the step that it repeats, and what else it does at which iterations."""

from __future__ import annotations

import ast
import copy
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop.takeover.roles import Role, value_of
from fastbackprop.takeover.step import NoStep, Step, find_step
from fastbackprop.takeover.terms import Terms, Unknown

RoleOf = Callable[[Any], "Role | None"]  # of a value; raises NoStep for a function of the user's that computes something else

# Statements that leave a loop, suspend it or change names elsewhere.
_ELSEWHERE = (
    *(ast.Break, ast.Continue, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr, ast.Delete),
    *(ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.AsyncFor, ast.AsyncWith),
)
_CONDITION = (
    *(ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Attribute, ast.Constant, ast.expr_context),
    *(ast.boolop, ast.unaryop, ast.operator, ast.cmpop),
)
_OF_COST = {"squeeze", "float64", "asarray", "array", "round", "abs", "mean", "sum", "asscalar"}  # of NumPy, without effects
COST = "__fastbackprop_cost__"


@dataclass(frozen=True)
class Loop:
    """A recognized loop.

    ``node`` is the statement, ``step`` what it repeats. ``condition`` holds at the iterations (of variable ``variable``) at
    which ``rest`` is to run: the statements besides the step, in which `COST` stands for the cost. ``reads_step`` says that
    these read what only the step's own statements assign; ``step_after`` and ``cost_after`` that something after the loop
    reads that, or the cost.
    """

    node: ast.For
    variable: str
    step: Step
    condition: ast.expr
    rest: list[ast.stmt]
    costs: Role | None
    update: Role
    reads_step: bool
    step_after: bool
    cost_after: bool


def find_loop(tree: ast.FunctionDef, function: types.FunctionType, role_of: RoleOf) -> Loop | None:
    """The loop of a function's definition that trains; None where no loop updates parameters. Raises NoStep."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and not _inner_loop(node, function, role_of) and _updates(node, function, role_of):
            return _read(tree, node, function, role_of)
    return None


def _updates(node: ast.AST, function: types.FunctionType, role_of: RoleOf) -> bool:
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            role = _quiet(role_of, value_of(call.func, function))
            if role is not None and role.name == "update_parameters":
                return True
    return False


def _inner_loop(node: ast.For, function: types.FunctionType, role_of: RoleOf) -> bool:
    """Whether another loop within this one is the one that trains."""
    inner = (other for statement in node.body for other in ast.walk(statement) if isinstance(other, (ast.For, ast.While)))
    return any(_updates(other, function, role_of) for other in inner)


def _quiet(role_of: RoleOf, value: Any) -> Role | None:
    try:
        return role_of(value)
    except NoStep:
        return None


def _read(tree: ast.FunctionDef, node: ast.For, function: types.FunctionType, role_of: RoleOf) -> Loop:
    if node.orelse or not isinstance(node.target, ast.Name):
        raise NoStep(f"line {node.lineno}: its loop has an else, or more than one variable")
    if not (isinstance(node.iter, ast.Call) and value_of(node.iter.func, function) is range):
        raise NoStep(f"line {node.lineno}: it loops over {ast.unparse(node.iter)}, not over a range")
    for inner in (inner for statement in node.body for inner in ast.walk(statement)):
        if isinstance(inner, _ELSEWHERE):
            raise NoStep(str(Unknown(inner)))
    return _Reader(tree, node, function, role_of).loop()


class _Reader:
    def __init__(self, tree: ast.FunctionDef, node: ast.For, function: types.FunctionType, role_of: RoleOf) -> None:
        self.tree, self.node, self.function, self.role_of = tree, node, function, role_of
        self.assigned = set(_assigned(node.body))
        self.terms = Terms(self.assigned, self._role, self._numpy_name)
        self.update: Role | None = None
        self.costs: Role | None = None
        self.of_step: set[str] = set()  # names that the step's statements assign
        self.of_cost: set[str] = set()  # and those that hold the cost

    def _role(self, node: ast.expr) -> Role | None:
        role = self.role_of(value_of(node, self.function))
        if role is not None and role.name == "update_parameters":
            self.update = role
        if role is not None and role.name == "compute_cost":
            self.costs = role
        return role

    def _numpy_name(self, node: ast.expr) -> str:
        """The name of a function of NumPy, "" for all else."""
        value = value_of(node, self.function)
        known = isinstance(node, ast.Attribute) and value is not None and getattr(np, node.attr, None) is value
        return node.attr if known and isinstance(node, ast.Attribute) else ""

    def loop(self) -> Loop:
        node, i = self.node, self._variable()
        rest: list[ast.stmt] = []
        early: dict[str, ast.stmt] = {}  # names that statements read before this iteration has bound them
        for statement in node.body:
            bound = self.of_step | self.of_cost
            if not self._is_step(statement):
                rest.append(statement)
                early |= {name: statement for name in set(_read_names([statement])) & self.assigned - bound}
        step = find_step(self.terms)
        for name, statement in early.items():
            if name in self.of_step | self.of_cost and name not in {step.parameters, *step.entries, *_assigned([statement])}:
                raise NoStep(f"line {statement.lineno}: it reads {name} of the iteration before")
        assert self.update is not None  # find_step found one
        marked = [_Marked(self, step).visit(copy.deepcopy(statement)) for statement in rest]
        kept = [statement for statement in marked if not isinstance(statement, ast.Pass)]
        for statement in kept:
            self._check(statement, step)
        always = {name for statement in kept if self._only_costs(statement) for name in _assigned([statement])}
        condition = _any([self._condition(statement) for statement in kept if not self._only_costs(statement)])
        read = set(_read_names(kept)) - always
        after = _read_after(self.tree, node)
        of_step = self.of_step - self.of_cost - {step.parameters, *step.entries}
        return Loop(
            node, i, step, condition, kept, self.costs, self.update,
            reads_step=bool(read & (of_step | {step.parameters, *step.entries})),
            step_after=bool(after & of_step),
            cost_after=bool(after & self.of_cost),
        )  # fmt: skip

    def _variable(self) -> str:
        assert isinstance(self.node.target, ast.Name)
        if self.node.target.id in self.assigned:
            raise NoStep(f"line {self.node.lineno}: its loop changes {self.node.target.id}")
        return self.node.target.id

    def _is_step(self, statement: ast.stmt) -> bool:
        """Whether a statement belongs to the step; its terms are known then."""
        if isinstance(statement, ast.Pass) or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            return True
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            return self._in_place(statement.value)
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return False
        try:
            value = self.terms.of(statement.value)
            self.terms.assign(statement.targets[0], value)
        except Unknown as unknown:
            if isinstance(statement.targets[0], ast.Name) and self._is_of_cost(statement.value):
                self.of_cost.add(statement.targets[0].id)
                return False
            raise NoStep(str(unknown)) from None
        names = _assigned([statement])
        if value[0] == "cost":
            self.of_cost.update(names)
            return False  # it stays, with the cost that is known
        self.of_step.update(names)
        return True

    def _in_place(self, call: ast.Call) -> bool:
        """``update_parameters(parameters, ...)`` as a statement: the dict itself is updated."""
        role = self._role(call.func)
        if role is None or role.name != "update_parameters":
            return False
        arguments = role.arguments(call)
        if arguments is None or not isinstance(arguments[0], ast.Name) or "copy" in role.details:
            raise NoStep(str(Unknown(call)))
        self.terms.values[arguments[0].id] = "updated", *(self.terms.of(argument) for argument in arguments)
        return True

    def _is_of_cost(self, value: ast.expr) -> bool:
        """Whether an expression is a number made of the cost alone, without effects."""
        calls = [inner for inner in ast.walk(value) if isinstance(inner, ast.Call)]
        harmless = all(
            self._numpy_name(call.func) in _OF_COST
            or value_of(call.func, self.function) in (float, round, abs)
            or (isinstance(call.func, ast.Attribute) and call.func.attr == "item")
            for call in calls
        )
        names = {inner.id for inner in ast.walk(value) if isinstance(inner, ast.Name)}
        return harmless and not names.isdisjoint(self.of_cost) and not names & self.of_step

    def _only_costs(self, statement: ast.stmt) -> bool:
        """Whether a statement only binds the cost, so that it is needed where others run."""
        names = set(_assigned([statement]))
        return isinstance(statement, ast.Assign) and bool(names) and names <= self.of_cost

    def _check(self, statement: ast.stmt, step: Step) -> None:
        """Raise NoStep where a statement besides the step changes what the step reads."""
        for name in _assigned([statement]):
            if name in self.of_step | {step.parameters, *step.entries}:
                raise NoStep(f"line {statement.lineno}: it changes {name} besides")

    def _condition(self, statement: ast.stmt) -> ast.expr:
        """A condition on the loop's variable that holds wherever a statement does something."""
        if isinstance(statement, ast.Pass):
            return ast.Constant(False)
        if not isinstance(statement, ast.If):
            return ast.Constant(True)
        for inner in ast.walk(statement.test):
            if not isinstance(inner, _CONDITION) or (isinstance(inner, ast.Name) and inner.id in self.assigned):
                raise NoStep(f"line {statement.lineno}: what it does depends on {ast.unparse(statement.test)}")
        test = copy.deepcopy(statement.test)
        then = _both(test, _any([self._condition(inner) for inner in statement.body]))
        otherwise = _both(ast.UnaryOp(ast.Not(), test), _any([self._condition(inner) for inner in statement.orelse]))
        return _any([then, otherwise])


class _Marked(ast.NodeTransformer):
    """Puts the known cost where the user's statements compute it."""

    def __init__(self, reader: _Reader, step: Step) -> None:
        self.reader, self.step = reader, step

    def visit_Call(self, node: ast.Call) -> ast.expr:
        role = _quiet(self.reader.role_of, value_of(node.func, self.reader.function))
        if role is not None and role.name == "compute_cost":
            try:
                if self.step.is_cost(self.reader.terms.of(node)):
                    return ast.copy_location(ast.Name(COST, ast.Load()), node)
            except (Unknown, NoStep):
                pass
        return self.generic_visit(node)  # type: ignore[return-value]


def _any(conditions: list[ast.expr]) -> ast.expr:
    """Whether one of the conditions holds."""
    left = [c for c in conditions if not (isinstance(c, ast.Constant) and c.value is False)]
    if any(isinstance(c, ast.Constant) and c.value is True for c in left):
        return ast.Constant(True)
    return ast.BoolOp(ast.Or(), left) if len(left) > 1 else left[0] if left else ast.Constant(False)


def _both(a: ast.expr, b: ast.expr) -> ast.expr:
    if isinstance(b, ast.Constant):
        return a if b.value else b
    return ast.BoolOp(ast.And(), [a, b])


def _assigned(statements: Iterable[ast.stmt]) -> Iterable[str]:
    """Names that statements bind, or of which they set an entry or an attribute."""
    for inner in (inner for statement in statements for inner in ast.walk(statement)):
        if isinstance(inner, (ast.Name, ast.Subscript, ast.Attribute)) and isinstance(inner.ctx, ast.Store):
            owner: ast.expr = inner
            while isinstance(owner, (ast.Subscript, ast.Attribute)):
                owner = owner.value
            if isinstance(owner, ast.Name):
                yield owner.id


def _read_names(statements: Iterable[ast.stmt]) -> Iterable[str]:
    for inner in (inner for statement in statements for inner in ast.walk(statement)):
        if isinstance(inner, ast.Name) and (isinstance(inner.ctx, ast.Load)):
            yield inner.id


def _read_after(tree: ast.FunctionDef, node: ast.For) -> set[str]:
    """Names that the function may read once the loop is done."""
    loops = [loop for loop in ast.walk(tree) if isinstance(loop, (ast.For, ast.While)) and loop is not node]
    again = any(node is inner for loop in loops for inner in ast.walk(loop))
    within = {id(inner) for inner in ast.walk(node)}
    later = (ast.FunctionDef, ast.Lambda, ast.AsyncFunctionDef)
    nested = [inner for inner in ast.walk(tree) if isinstance(inner, later) and inner is not tree]
    delayed = {id(inner) for function in nested for inner in ast.walk(function)}
    found = set()
    for inner in ast.walk(tree):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
            if inner.id in ("locals", "vars", "eval", "exec", "dir"):
                raise NoStep(f"line {inner.lineno}: it reaches its own variables by {inner.id}")
            follows = inner.lineno > (node.end_lineno or node.lineno)
            if id(inner) in delayed or (id(inner) not in within and (again or follows)):
                found.add(inner.id)
    return found
