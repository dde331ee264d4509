"""The training loop in a user's model: the step that it repeats, and what else it does at which iterations."""

from __future__ import annotations

import ast
import copy
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop.takeover.names import LATER, assigned, read_after, read_names
from fastbackprop.takeover.observers import OF_NUMPY, tame, writes
from fastbackprop.takeover.roles import Role, value_of
from fastbackprop.takeover.step import NoStep, Step, find_step
from fastbackprop.takeover.terms import Term, Terms, Unknown

RoleOf = Callable[[Any], "Role | None"]  # of a value; raises NoStep for a function of the user's that computes something else

# Statements that leave a loop, suspend it or change names elsewhere.
ELSEWHERE = (
    *(ast.Break, ast.Continue, ast.Return, ast.Raise, ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr, ast.Delete),
    *(ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.AsyncFor, ast.AsyncWith),
    *(ast.AsyncFunctionDef, ast.Match),
)
_CONDITION = (
    *(ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Attribute, ast.Constant, ast.expr_context),
    *(ast.boolop, ast.unaryop, ast.operator, ast.cmpop),
)
COST = "__fastbackprop_cost__"


@dataclass(frozen=True)
class Loop:
    """A recognized loop.

    ``node`` is the statement, ``step`` what it repeats. ``condition`` holds at the iterations (of variable ``variable``) at
    which ``rest`` is to run: the statements besides the step, in which `COST` stands for the cost. ``reads_step`` says that
    these read what only the step's own statements assign, or call what may read or change anything; ``step_after`` and
    ``cost_after`` that something after the loop reads that, or the cost. ``reads`` are the names that these statements read,
    ``writes`` says that they write into something, ``deciding`` are the names and attributes in the condition. ``functions``
    holds by name those of the step, ``called`` what the other statements call.
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
    writes: bool
    reads: list[str]
    deciding: list[ast.expr]
    functions: dict[str, Any]
    called: dict[str, Any]


def find_loop(tree: ast.FunctionDef, function: types.FunctionType, role_of: RoleOf) -> Loop | None:
    """The loop of a function's definition that trains; None where no loop updates parameters. Raises NoStep."""
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and not _inner_loop(node, function) and _updates(node, function):
            check_place(tree, node)
            return _read(tree, node, function, role_of)
    return None


def check_place(tree: ast.FunctionDef, node: ast.For) -> None:
    """Raise NoStep where what surrounds the loop would see how far it came, or has other names."""
    around = [outer for outer in ast.walk(tree) if outer is not tree and any(inner is node for inner in ast.walk(outer))]
    for outer in around:
        if isinstance(outer, (*LATER, ast.ClassDef)):
            raise NoStep(f"line {outer.lineno}: it trains in a function within it")
        if isinstance(outer, ast.Try) or type(outer).__name__ == "TryStar":
            raise NoStep(f"line {outer.lineno}: its loop stands in a try")  # type: ignore[attr-defined]
        if isinstance(outer, ast.With) and any("suppress" in ast.unparse(item) for item in outer.items):
            raise NoStep(f"line {outer.lineno}: its loop stands where errors are suppressed")


def _updates(node: ast.AST, function: types.FunctionType) -> bool:
    calls = (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))
    return any(getattr(value_of(call.func, function), "__name__", "") == "update_parameters" for call in calls)


def _inner_loop(node: ast.For, function: types.FunctionType) -> bool:
    """Whether another loop within this one is the one that trains."""
    inner = (other for statement in node.body for other in ast.walk(statement) if isinstance(other, (ast.For, ast.While)))
    return any(_updates(other, function) for other in inner)


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
        if isinstance(inner, ELSEWHERE):
            raise NoStep(str(Unknown(inner)))
    return Reader(tree, node, function, role_of).loop()


class Reader:
    """Reads a loop's statements: which belong to the step, and what the others do."""

    def __init__(self, tree: ast.FunctionDef, node: ast.For, function: types.FunctionType, role_of: RoleOf) -> None:
        self.tree, self.node, self.function, self.role_of = tree, node, function, role_of
        self.assigned = set(assigned(node.body))
        variable = {node.target.id} if isinstance(node.target, ast.Name) else set()  # it changes as those that are carried do
        self.terms = Terms(self.assigned | variable, self._role, self._numpy_name)
        self.all_terms: list[Term] = []  # of each name that the step assigns
        self.costs_of: dict[tuple[int, ...], Term] = {}  # calls of compute_cost in other statements
        self.roles: dict[str, Role] = {}
        self.update: Role | None = None
        self.costs: Role | None = None
        self.of_step: set[str] = set()  # names that the step's statements assign
        self.of_cost: set[str] = set()  # and those that hold the cost

    def _value_of(self, node: ast.expr) -> Any:
        return value_of(node, self.function)

    def _role(self, node: ast.expr) -> Role | None:
        role = self.role_of(self._value_of(node))
        if role is not None:
            self.roles[ast.unparse(node)] = role
        if role is not None and role.name in ("update_parameters", "compute_cost"):
            kind = "update" if role.name == "update_parameters" else "costs"
            if (getattr(self, kind) or role) != role:
                raise NoStep(f"it calls two functions {role.name}")
            setattr(self, kind, role)
        return role

    def _numpy_name(self, node: ast.expr) -> str:
        """The name of a function of NumPy, "" for all else."""
        value = self._value_of(node)
        known = isinstance(node, ast.Attribute) and value is not None and getattr(np, node.attr, None) is value
        return node.attr if known and isinstance(node, ast.Attribute) else ""

    def loop(self) -> Loop:
        node, i = self.node, self._variable()
        rest: list[ast.stmt] = []
        early: dict[str, ast.stmt] = {}  # names that statements read before this iteration has bound them
        for statement in node.body:
            bound = self.of_step | self.of_cost
            self._note_costs(statement)
            if not self._is_step(statement):
                rest.append(statement)
                early |= {name: statement for name in set(read_names([statement])) & self.assigned - bound}
        step = find_step(self.terms)
        for name, statement in early.items():
            if name in self.of_step | self.of_cost and name not in {step.parameters, *step.entries}:
                raise NoStep(f"line {statement.lineno}: it reads {name} of the iteration before")
        self._check_carried(step)
        code = self.function.__code__
        if step.parameters not in {*self.assigned, *code.co_varnames, *code.co_cellvars}:
            raise NoStep(f"{step.parameters} is no variable of its own")
        assert self.update is not None  # find_step found one
        marked = [_Marked(self, step).visit(copy.deepcopy(statement)) for statement in rest]
        kept = [statement for statement in marked if not isinstance(statement, ast.Pass)]
        for statement in kept:
            self._check(statement, step)
        observers = [statement for statement in kept if not self._only_costs(statement)]
        condition = any_of([self._condition(statement) for statement in observers])
        read = set(read_names(kept))
        after = read_after(self.tree, node)
        of_step = self.of_step - {step.parameters, *step.entries}
        calls = tame(kept, self._value_of)
        stays = all(term[0] in ("before", "constant") for term in (step.X, step.Y, step.rate))
        reads_step = bool(read & (of_step | {step.parameters, *step.entries})) or calls is None or bool(calls and not stays)
        if reads_step and isinstance(condition, ast.Constant) and condition.value:
            raise NoStep("its other statements need each iteration as it stands")
        return Loop(
            node, i, step, condition, kept, self.costs, self.update, reads_step,
            step_after=bool(after & of_step) or self._fills(),
            cost_after=bool(after & self.of_cost),
            writes=writes(kept),
            reads=sorted(read - {i, COST} - self.of_cost - of_step - {name.partition(".")[0] for name in calls or ()}),
            deciding=[atom for statement in observers for atom in self._atoms(statement, i)],
            functions={name: role.function for name, role in self.roles.items()},
            called=calls or {},
        )  # fmt: skip

    def _note_costs(self, statement: ast.stmt) -> None:
        """Note the terms of the costs that a statement computes from what is assigned before it."""
        changed = set(assigned([statement]))
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and (role := _quiet(self.role_of, self._value_of(call.func))) is not None:
                names = {inner.id for inner in ast.walk(call) if isinstance(inner, ast.Name)}
                simple = isinstance(statement, ast.Assign) or not names & changed
                if role.name == "compute_cost" and simple:
                    try:
                        self.costs_of[_place(call)] = self.terms.of(call)
                    except (Unknown, NoStep):
                        continue

    def _check_carried(self, step: Step) -> None:
        """Raise NoStep where an iteration takes up more than parameters from the one before."""
        allowed = {step.parameters, *step.entries, self._variable()}
        for term in self.all_terms:
            if others := set(_carried(term)) - allowed:
                raise NoStep(f"it carries {', '.join(sorted(others))} from iteration to iteration")
        if both := self.of_step & self.of_cost:
            raise NoStep(f"it uses {', '.join(sorted(both))} for the cost and for something else")

    def _fills(self) -> bool:
        """Whether it sets entries of a dict from before the loop."""
        return any(entries and base[0] == "carried" for entries, base in map(_entries, self.terms.values.values()))

    def _atoms(self, statement: ast.AST, variable: str) -> Iterator[ast.expr]:
        """The names and attributes in a statement's conditions."""
        if isinstance(statement, ast.If):
            inner_most = {id(node.value) for node in ast.walk(statement.test) if isinstance(node, ast.Attribute)}
            for node in ast.walk(statement.test):
                is_variable = isinstance(node, ast.Name) and node.id == variable
                if isinstance(node, (ast.Name, ast.Attribute)) and id(node) not in inner_most and not is_variable:
                    yield copy.deepcopy(node)
            for inner in (*statement.body, *statement.orelse):
                yield from self._atoms(inner, variable)

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
        target = statement.targets[0]
        if isinstance(target, ast.Name) and self._is_of_cost(statement.value):
            self.of_cost.add(target.id)
            self.terms.values[target.id] = "made of the cost", statement.lineno
            return False  # it stays, with the cost that is known
        try:
            value = self.terms.of(statement.value)
            self.terms.assign(target, value)
        except Unknown as unknown:
            raise NoStep(str(unknown)) from None
        names = list(assigned([statement]))
        if value[0] == "cost":
            self.of_cost.update(names)
            return False
        self.of_step.update(names)
        self.all_terms += [self.terms.values[name] for name in names]
        return True

    def _in_place(self, call: ast.Call) -> bool:
        """``update_parameters(parameters, ...)`` as a statement: the dict itself is updated."""
        role = self._role(call.func)
        if role is None or role.name != "update_parameters":
            return False
        try:
            self.terms.of(call)
        except Unknown as unknown:
            raise NoStep(str(unknown)) from None
        return True

    def _is_of_cost(self, value: ast.expr) -> bool:
        """Whether an expression is a number made of the cost alone, without effects."""
        calls = [inner for inner in ast.walk(value) if isinstance(inner, ast.Call)]
        harmless = all(
            (self._numpy_name(call.func) in OF_NUMPY and not any(keyword.arg == "out" for keyword in call.keywords))
            or self._value_of(call.func) in (float, round, abs)
            or (isinstance(call.func, ast.Attribute) and call.func.attr == "item")
            for call in calls
        )
        names = {inner.id for inner in ast.walk(value) if isinstance(inner, ast.Name)}
        return harmless and not names.isdisjoint(self.of_cost) and names & self.assigned <= self.of_cost

    def _only_costs(self, statement: ast.stmt) -> bool:
        """Whether a statement only binds the cost, so that it is needed where others run."""
        names = set(assigned([statement]))
        return isinstance(statement, ast.Assign) and bool(names) and names <= self.of_cost

    def _check(self, statement: ast.stmt, step: Step) -> None:
        """Raise NoStep where a statement besides the step changes what the step reads."""
        for name in assigned([statement]):
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
        then = _both(test, any_of([self._condition(inner) for inner in statement.body]))
        otherwise = _both(ast.UnaryOp(ast.Not(), test), any_of([self._condition(inner) for inner in statement.orelse]))
        return any_of([then, otherwise])


class _Marked(ast.NodeTransformer):
    """Puts the known cost where the user's statements compute it."""

    def __init__(self, reader: Reader, step: Step) -> None:
        self.reader, self.step = reader, step

    def visit_Call(self, node: ast.Call) -> ast.expr:
        term = self.reader.costs_of.get(_place(node))
        if term is not None and self.step.is_cost(term):
            return ast.copy_location(ast.Name(COST, ast.Load()), node)
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        return node  # it may be called in another iteration

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.GeneratorExp:
        return node


def _place(node: ast.expr) -> tuple[int, ...]:
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _entries(term: Term) -> tuple[list[Term], Term]:
    """The entries that were set in a dict, and the dict before that."""
    entries = []
    while term[0] == "entry":
        entries.append(term[3])
        term = term[1]
    return entries, term


def _carried(term: Term) -> Iterator[str]:
    """The names that a term takes from the iteration before; not a dict whose entries are set."""
    if term[0] == "carried":
        yield term[1]
    elif term[0] == "entry":
        entries, base = _entries(term)
        for part in entries if base[0] == "carried" else [*entries, base]:
            yield from _carried(part)
    elif term[0] != "constant":
        for part in term[1:]:
            if isinstance(part, tuple):
                yield from _carried(part)


def any_of(conditions: list[ast.expr]) -> ast.expr:
    """Whether one of the conditions holds."""
    left = [c for c in conditions if not (isinstance(c, ast.Constant) and c.value is False)]
    if any(isinstance(c, ast.Constant) and c.value is True for c in left):
        return ast.Constant(True)
    return ast.BoolOp(ast.Or(), left) if len(left) > 1 else left[0] if left else ast.Constant(False)


def _both(a: ast.expr, b: ast.expr) -> ast.expr:
    if isinstance(b, ast.Constant):
        return a if b.value else b
    return ast.BoolOp(ast.And(), [a, b])
