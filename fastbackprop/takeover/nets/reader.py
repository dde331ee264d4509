"""One way through a training loop: what it carries from iteration to iteration, and what else it does at which of them."""

from __future__ import annotations

import ast
import copy
import dis
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fastbackprop.examination.sandbox import is_ours
from fastbackprop.takeover.loop import COST, ELSEWHERE, Reader, any_of
from fastbackprop.takeover.names import assigned, read_after, read_names
from fastbackprop.takeover.nets.paths import Way
from fastbackprop.takeover.nets.terms import CallTerms, parts, stays
from fastbackprop.takeover.observers import tame, writes
from fastbackprop.takeover.reach import kind, of_another_kind, own_function, reached
from fastbackprop.takeover.step import NoStep
from fastbackprop.takeover.terms import Term, Unknown


@dataclass(frozen=True)
class NetStep:
    """What an iteration computes.

    ``state`` maps the variables that it carries on to their new values. ``terms`` are the values that its statements bind, in
    their order; ``cost`` is that of them which may be the cost. ``functions`` are those that it calls.
    """

    state: dict[str, Term]
    terms: tuple[Term, ...]
    cost: Term | None
    functions: dict[str, Any]

    def leaves(self) -> dict[Term, None]:
        """What it takes from outside of the loop: names from before it, and numbers in its calls."""
        found: dict[Term, None] = {}
        waiting = [*self.terms][::-1]
        while waiting:
            term = waiting.pop()
            if stays(term) or term[0] == "number":
                found[term] = None
            else:
                waiting += [part for part in parts(term) if part is not term and (stays(part) or part[0] == "number")]
        inside = {part for term in found for part in parts(term) if part is not term}
        return {term: None for term in found if term not in inside}


@dataclass(frozen=True)
class Batches:
    """How an epoch draws its batches: ``before`` the loop over ``drawn``, and ``after`` it, statements run that bind ``names``.

    ``term`` is the term of what is drawn, ``calls`` are those of the other names for which functions are called.
    """

    before: list[ast.stmt]
    drawn: ast.expr
    after: list[ast.stmt]
    names: list[str]
    term: Term
    calls: list[Term]


@dataclass(frozen=True)
class NetLoop:
    """A loop read along one way; its fields are those of `Loop` where they have the same name.

    ``condition`` is None where all that is left besides the step runs in each iteration, and reads the step.
    """

    tests: list[ast.expr]
    step: NetStep
    condition: ast.expr
    rest: list[ast.stmt]
    cost_name: str
    reads_step: bool
    step_after: bool
    cost_after: bool
    writes: bool
    reads: list[str]
    deciding: list[ast.expr]
    called: dict[str, Any]
    batches: Batches | None = None

    @property
    def always(self) -> bool:
        """Whether other statements run in each iteration."""
        return isinstance(self.condition, ast.Constant) and bool(self.condition.value)


class WayReader(Reader):
    """Reads the statements of one way."""

    def __init__(self, tree: ast.FunctionDef, node: ast.For, function: types.FunctionType, way: Way) -> None:
        super().__init__(tree, node, function, lambda value: None)
        self.way = way
        self.calls = CallTerms(self.assigned | {self._variable()}, self._callee, self._numpy_name)
        self.bound: list[tuple[ast.stmt, set[str], Term]] = []  # assignments of which the terms are known
        self.others: list[ast.stmt] = []
        self.early: dict[str, ast.stmt] = {}
        self.taken_up: set[str] = set()  # names besides the state that may be carried on
        self.seen: set[str] = set()  # names that the statements so far have bound

    def _callee(self, node: ast.expr) -> Any:
        value = self._value_of(node)
        own = own_function(value)
        if own is None:
            return value if callable(value) and is_ours(value) else None
        for one in (own, *reached(own)):
            if of_another_kind(one, one.__name__):
                raise NoStep(f"it calls {one.__name__}, which is {kind(one)}")
            if any(i.opname == "STORE_DEREF" and i.argval in one.__code__.co_freevars for i in dis.get_instructions(one)):
                raise NoStep(f"it calls {one.__name__}, which keeps what outlives the call")
        return own

    def note(self, statements: Iterable[ast.stmt]) -> None:
        """Note what statements bind."""
        for statement in statements:
            if any(isinstance(inner, ELSEWHERE) for inner in ast.walk(statement)):
                raise NoStep(str(Unknown(statement)))
            self._note(statement)
            self.seen |= set(assigned([statement]))

    def net_step(self) -> tuple[NetStep, str]:
        """The step among the statements that are noted, and the name of what may be its cost; raises NoStep."""
        state = self._state()
        needed = {part for name in state for part in parts(self.calls.values[name])}
        for _, names, term in self.bound:
            if term in needed or not names.isdisjoint(state):
                self.of_step |= names
        cost_name, cost = self._cost()
        self._check_names(state, cost_name)
        terms: list[Term] = []
        for _, names, term in self.bound:
            calls = [part for part in parts(term) if part[0] == "call"]
            if calls and (unknown := next((part[1] for part in parts(term) if part[0] == "unknown"), "")):
                raise NoStep(unknown)
            terms += [term] if names <= self.of_step or names == {cost_name} else calls  # these may print, for example
        return NetStep(
            {name: self.calls.values[name] for name in sorted(state)}, tuple(terms), cost, self.calls.functions
        ), cost_name

    def net_loop(self) -> NetLoop:
        """The loop; raises NoStep."""
        self.note(self.way.statements)
        step, cost_name = self.net_step()
        state = step.state.keys()
        extra = {name for _, names, _ in self.bound for name in names} - self.of_step - {cost_name}
        kept = self._kept(cost_name)
        observers = [statement for statement in kept if not (self._only_costs(statement) or self.only_binds(statement))]
        condition = any_of([self._condition(statement) for statement in observers])
        read, after = set(read_names(kept)), read_after(self.tree, self.node)
        called = tame(kept, self._value_of)
        whole = bool(read & (self.of_step | extra)) or called is None
        whole |= bool(called) and any(leaf[0] in ("attribute", "item") for leaf in step.leaves())
        names = read - {self._variable(), COST} - self.of_cost - self.of_step - extra
        return NetLoop(
            self.way.tests, step, condition, kept, cost_name, whole,
            step_after=bool(after & (self.assigned - state - self.of_cost)),
            cost_after=bool(after & self.of_cost),
            writes=writes(kept),
            reads=sorted(names - {name.partition(".")[0] for name in called or ()}),
            deciding=[atom for statement in observers for atom in self._atoms(statement, self._variable())],
            called=called or {},
        )  # fmt: skip

    def _note(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Pass) or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            return
        target, value = _assignment(statement)
        if target is not None and value is not None:
            try:
                term = self.calls.of(value)
                self.calls.assign(target, term)
                self.bound.append((statement, set(assigned([statement])), term))
                return
            except Unknown:
                pass
        self.others.append(statement)
        self.early |= {name: statement for name in set(read_names([statement])) & self.assigned - self.seen}
        self.calls.values |= {name: ("unknown", str(Unknown(statement))) for name in assigned([statement])}

    def _state(self) -> set[str]:
        """The names whose values an update makes from those of the iteration before."""
        values, variable = self.calls.values, self._variable()
        reasons, found = [], []
        for name in values:
            closure, waiting, called = {name}, [name], False
            unknown = ""
            while waiting:
                for part in parts(values.get(waiting.pop(), ("constant", "NoneType", None))):
                    called |= part[0] == "call"
                    unknown = unknown or (part[1] if part[0] == "unknown" else "")
                    if part[0] == "carried" and part[1] not in closure and part[1] != variable:
                        closure.add(part[1])
                        waiting.append(part[1])
            itself = any(part == ("carried", name) for one in closure for part in parts(values.get(one, ("dict",))))
            if called and itself and unknown:
                reasons.append(unknown)
            elif called and itself:
                found.append(closure)
        if not found:
            raise NoStep(reasons[0] if reasons else "no variable takes the parameters that an update makes from it")
        state = min(found, key=len)
        if missing := sorted(state - values.keys()):
            raise NoStep(f"it carries {', '.join(missing)} from iteration to iteration")
        return state

    def _cost(self) -> tuple[str, Term | None]:
        """The name and the term of what may be the cost."""
        for _, names, term in self.bound:
            made = {part[0] for part in parts(term)}
            if len(names) == 1 and not names <= self.of_step and "call" in made and not self._carried(term) - self.of_step:
                (name,) = names
                self.of_cost.add(name)
                return name, term
        return "", None

    def only_binds(self, statement: ast.stmt) -> bool:
        """Whether a statement only binds names, which nothing reads that runs in another iteration."""
        names = set(assigned([statement]))
        stores = [inner for inner in ast.walk(statement) if isinstance(inner, (ast.Subscript, ast.Attribute))]
        plain = isinstance(statement, ast.Assign) and all(isinstance(inner.ctx, ast.Load) for inner in stores)
        return plain and not names & self.early.keys() and tame([statement], self._value_of) is not None

    def _carried(self, term: Term) -> set[str]:
        """The names that a term takes from the iteration before."""
        return {part[1] for part in parts(term) if part[0] == "carried"} - {self._variable()}

    def _check_names(self, state: set[str], cost_name: str) -> None:
        code = self.function.__code__
        for name in sorted(state):
            if name not in {*code.co_varnames, *code.co_cellvars}:
                raise NoStep(f"{name} is no variable of its own")
        for _, names, term in self.bound:
            carried = self._carried(term) - state - self.taken_up
            if carried and not names <= self.of_step:
                raise NoStep(f"it carries {', '.join(sorted(carried))} from iteration to iteration")
        for name, statement in self.early.items():
            if any(name in names for _, names, _ in self.bound) and name not in state:
                raise NoStep(f"line {statement.lineno}: it reads {name} of the iteration before")
        for statement in self.others:
            for name in assigned([statement]):
                if name in self.of_step:
                    raise NoStep(f"line {statement.lineno}: it changes {name} besides")
        if sum(cost_name in names for _, names, _ in self.bound) > 1:
            self.of_cost.discard(cost_name)

    def _kept(self, cost_name: str) -> list[ast.stmt]:
        """The statements besides the step, in their order, with the known cost in the place of its own."""
        of_others = {id(statement) for statement in self.others}
        kept = []
        for statement in self.way.statements:
            if id(statement) in of_others:
                target, value = _assignment(statement)
                if isinstance(target, ast.Name) and value is not None and self._is_of_cost(value):
                    self.of_cost.add(target.id)
                kept.append(copy.deepcopy(statement))
            elif (
                cost_name
                and cost_name in self.of_cost
                and any(statement is one and names == {cost_name} for one, names, _ in self.bound)
            ):
                name = ast.copy_location(ast.Name(COST, ast.Load()), statement)
                target = ast.copy_location(ast.Name(cost_name, ast.Store()), statement)
                kept.append(ast.copy_location(ast.Assign([target], name), statement))
        return kept


def _assignment(statement: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    """What a statement binds to which value; ``t += 1`` is ``t = t + 1``."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement.targets[0], statement.value
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        read = ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement)
        return statement.target, ast.copy_location(ast.BinOp(read, statement.op, statement.value), statement)
    return None, None
