"""One way through a loop over epochs, each of which draws batches and loops over these."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from fastbackprop.takeover.loop import any_of
from fastbackprop.takeover.names import assigned, read_after, read_names
from fastbackprop.takeover.nets.parts import BATCH, letter
from fastbackprop.takeover.nets.paths import Way
from fastbackprop.takeover.nets.reader import Batches, NetLoop, NetStep, WayReader
from fastbackprop.takeover.nets.terms import CallTerms, parts, stays
from fastbackprop.takeover.step import NoStep
from fastbackprop.takeover.terms import Term, Unknown


class EpochReader(WayReader):
    """Reads a loop over epochs. Epochs at which other statements run are whole."""

    def net_loop(self) -> NetLoop:
        loops = [statement for statement in self.way.statements if isinstance(statement, ast.For)]
        if len(loops) != 1:
            return super().net_loop()
        (inner,) = loops
        at = self.way.statements.index(inner)
        before, after = self.way.statements[:at], self.way.statements[at + 1 :]
        self.note(before)
        drawn, target = self._drawn(inner)
        try:
            term = self.calls.of(drawn)
        except Unknown as unknown:
            raise NoStep(str(unknown)) from None
        step, within = self._inner(inner, target, {*assigned([*before, *after])})
        made = set(assigned([inner]))
        self.calls.values |= {name: ("unknown", str(Unknown(inner))) for name in made}
        self.seen |= made
        self.note(after)
        names = self._of_epoch(read_names([drawn]), step, made)
        data = {part for part in parts(term) if part[0] == "before" and letter(part[1])}
        made_of = {name for _, bound, made_of in self.bound if not data.isdisjoint(parts(made_of)) for name in bound}
        of_names = [made_of for _, bound, made_of in self.bound if not names.isdisjoint(bound)]
        called = [one for one in of_names if one != term and any(part[0] == "call" for part in parts(one))]
        draw = [[one for one in part if not names.isdisjoint(assigned([one]))] for part in (before, after)]
        self._check_epochs(set(step.state), made, names - made_of, inner, within)
        others = [one for one in self.others if not self.only_binds(one)]
        calls = [
            one for one, bound, term in self.bound if bound.isdisjoint(names) and any(part[0] == "call" for part in parts(term))
        ]
        others += calls  # what they do besides is not known
        condition = any_of([self._condition(one) for one in others])
        found = read_after(self.tree, self.node)
        return NetLoop(
            self.way.tests, step, condition, [], "", True,
            step_after=bool(found & (self.assigned - set(step.state) - names | made_of)),
            cost_after=False, writes=True, reads=[],
            deciding=[atom for one in others for atom in self._atoms(one, self._variable())], called={},
            batches=Batches(draw[0], drawn, draw[1], sorted(names), term, called),
        )  # fmt: skip

    def _drawn(self, inner: ast.For) -> tuple[ast.expr, ast.expr]:
        """What the inner loop is over, and what it binds a batch to."""
        drawn, target = inner.iter, inner.target
        if inner.orelse:
            raise NoStep(str(Unknown(inner)))
        if isinstance(drawn, ast.Call) and self._value_of(drawn.func) is builtins.enumerate:
            if len(drawn.args) != 1 or drawn.keywords or not isinstance(target, ast.Tuple) or len(target.elts) != 2:
                raise NoStep(str(Unknown(inner)))
            return drawn.args[0], target.elts[1]
        return drawn, target

    def _inner(self, inner: ast.For, target: ast.expr, outer: set[str]) -> tuple[NetStep, WayReader]:
        """The step that is done for each batch, and its reader."""
        names = set(assigned([inner]))
        reader = WayReader(self.tree, self.node, self.function, Way([], inner.body))
        reader.calls = CallTerms(names, self._callee, self._numpy_name)
        reader.calls.functions = self.calls.functions
        for name in outer | {self._variable()}:
            term = self.calls.name(name)
            if name not in names:
                reader.calls.values[name] = term if stays(term) or term[0] == "constant" else ("outer", name)
        for name in assigned([ast.copy_location(ast.Assign([inner.target], ast.Constant(None)), inner)]):
            reader.calls.values[name] = "unknown", str(Unknown(inner))
        try:
            reader.calls.assign(target, BATCH)
        except Unknown as unknown:
            raise NoStep(str(unknown)) from None
        reader.taken_up = names
        reader.note(inner.body)
        step, _ = reader.net_step()
        for statement in reader.others:
            if not reader.only_binds(statement):
                raise NoStep(f"line {statement.lineno}: its other statements need each batch as it stands")
        return step, reader

    def _of_epoch(self, wanted: Iterable[str], step: NetStep, made: set[str]) -> set[str]:
        """The names that statements of an epoch bind for its batches, or take up from the epoch before."""
        names = set(wanted) & self.assigned
        names |= {leaf[1] for leaf in step.leaves() if leaf[0] == "outer"} & self.assigned
        names |= {name for _, bound, term in self.bound for name in bound if _takes_up(name, term)}
        size = -1
        while len(names) > size:
            size = len(names)
            for statement, bound, _ in self.bound:
                if not names.isdisjoint(bound):
                    names |= bound | (set(read_names([statement])) & self.assigned)
        if both := names & made:
            raise NoStep(f"it carries {', '.join(sorted(both))} from epoch to epoch")
        return names

    def _check_epochs(self, state: set[str], made: set[str], names: set[str], inner: ast.For, within: WayReader) -> None:
        """Raise NoStep where an epoch takes up from the one before what is not known after compiled ones."""
        for statement in self.others:
            if not names.isdisjoint(assigned([statement])):
                raise NoStep(
                    f"line {statement.lineno}: it changes {', '.join(sorted(names & set(assigned([statement]))))} besides"
                )
            if not state.isdisjoint(assigned([statement])):
                raise NoStep(
                    f"line {statement.lineno}: it changes {', '.join(sorted(state & set(assigned([statement]))))} besides"
                )
        for statement, bound, _ in self.bound:
            if not state.isdisjoint(bound):
                raise NoStep(f"line {statement.lineno}: it changes {', '.join(sorted(state & bound))} besides")
        reset = {name for statement, bound, _ in self.bound if statement.lineno < inner.lineno for name in bound}
        carried = {part for _, bound, term in within.bound for part in _carried(term)} - state
        if left := carried - reset - names:
            raise NoStep(f"it carries {', '.join(sorted(left))} from epoch to epoch")
        for name, statement in self.early.items():
            if name in made - state or (name in self.assigned - names - state and name in reset):
                raise NoStep(f"line {statement.lineno}: it reads {name} of the epoch before")


def _takes_up(name: str, term: Term) -> bool:
    return name in set(_carried(term))


def _carried(term: Term) -> list[str]:
    return [part[1] for part in parts(term) if part[0] == "carried"]
