"""What becomes of a user's function: replaced, adapted, taken over, or left, and why."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import fastbackprop
from fastbackprop.examination import DIFFERS, EFFECTS, NOT_JUDGED, OTHER_FORM, SAME, STATE, Finding, judge
from fastbackprop.examination.original import original, stands_for
from fastbackprop.examination.sandbox import is_ours, untouched
from fastbackprop.takeover.adapters import adapter, uncovered
from fastbackprop.takeover.nets.rewrite import net_taken_over
from fastbackprop.takeover.reach import called, called_of_another_kind, kind, of_another_kind, own_function, reached
from fastbackprop.takeover.report import ADAPTED, LEFT, REPLACED, TAKEN_OVER
from fastbackprop.takeover.rewrite import taken_over
from fastbackprop.takeover.roles import Role
from fastbackprop.takeover.step import NoStep
from fastbackprop.testing import CASES

START, MODEL = "initialize_parameters_deep", "L_layer_model"
THEIRS = {START, "initialize_parameters", "predict"}  # whose numbers decide what a training learns, or are its results
STEPS = tuple(name for name in CASES if name not in (START, MODEL))
MODELS = (MODEL, "two_layer_model")
_REST = "all else in it as it stands"


@dataclass(frozen=True)
class Decision:
    """What becomes of a function. ``serve`` is what is called in its place, None where it is left."""

    verdict: str
    how: str = ""
    serve: Callable[..., Any] | None = None


class Judge:
    """Decisions on functions of the user's own as they are now; each is judged once."""

    def __init__(self) -> None:
        self.findings: dict[tuple[str, types.FunctionType], Finding] = {}
        self.decisions: dict[types.FunctionType, Decision] = {}

    def decide(self, function: types.FunctionType) -> Decision:
        """The decision on a function; random numbers, streams and warnings are as they were."""
        if function not in self.decisions:
            name = function.__name__
            if name in THEIRS:
                decision = Decision(LEFT, "yours: it stays as it is")
            elif of_another_kind(function, name):
                decision = Decision(LEFT, f"it is {kind(function)}")
            elif name in STEPS:
                decision = self._step(name, function)
            else:
                decision = self._model(function)
            self.decisions[function] = decision
        return self.decisions[function]

    def _finding(self, name: str, function: types.FunctionType) -> Finding:
        """The finding of a function, by the other functions of its module; those before it in the table are judged first."""
        if (name, function) not in self.findings:
            namespace = {**function.__globals__, name: function}
            known = {}
            for other in CASES:
                if other == name:
                    break
                callee = own_function(namespace.get(other))
                if callee is not None:
                    known[other] = self._finding(other, callee)
            unwrapped: Mapping[str, Any] = {key: original(value) for key, value in namespace.items()}
            with untouched():
                self.findings[name, function] = judge(name, unwrapped, known)
        return self.findings[name, function]

    def _step(self, name: str, function: types.FunctionType) -> Decision:
        finding = self._finding(name, function)
        if finding.verdict == NOT_JUDGED:
            return Decision(LEFT, finding.explanation)
        if finding.verdict == DIFFERS:
            return Decision(LEFT, f"another function: {finding.explanation}")
        if odd := next(called_of_another_kind(function, STEPS), ""):
            return Decision(LEFT, f"it calls {odd}")
        for name_there, callee in called(function):
            step = name_there if name_there in STEPS else callee.__name__  # what is bound to a step's name has to compute it
            if cause := self._another(step, callee):
                return Decision(LEFT, f"it calls {step}, which {cause}")
        if finding.verdict == SAME:
            return Decision(REPLACED, "", guarded(getattr(fastbackprop, name), function))
        if missing := uncovered(name, finding.details):
            return Decision(LEFT, f"the same numbers, but it {finding.explanation} ({', '.join(missing)} has no adapter)")
        return Decision(ADAPTED, finding.explanation, guarded(adapter(name, function, finding.details), function))

    def _another(self, name: str, function: types.FunctionType) -> str:
        """What makes a function's numbers its own; "" where they are the reference's, or nothing is known of it."""
        if name not in STEPS:
            return ""
        finding = self._finding(name, function)
        if effects := sorted(EFFECTS.intersection(finding.details)):
            return "changes what outlives the call" if effects == [STATE] else effects[0]
        return {DIFFERS: "is another function", NOT_JUDGED: "was not run"}.get(finding.verdict, "")

    def role_of(self, value: Any) -> Role | None:
        """The part of a function in a training; raises NoStep where it is one of the user's that computes something else."""
        function = own_function(value)
        if function is None:
            name = getattr(value, "__name__", "")
            if name in STEPS and of_another_kind(value, name):
                raise NoStep(f"it calls {name}, which is {kind(value)}")
            return Role(name, value) if name in STEPS and is_ours(value) else None
        name = function.__name__
        if name not in STEPS:
            return None
        decision, finding = self.decide(function), self._finding(name, function)
        if decision.verdict == LEFT and (finding.verdict not in (SAME, OTHER_FORM) or uncovered(name, finding.details)):
            raise NoStep(f"it calls {name}, which is left")
        if decision.verdict == LEFT:
            raise NoStep(f"it calls {name}: {decision.how}")
        return Role(name, function, finding.details)

    def _model(self, function: types.FunctionType) -> Decision:
        cause = "no training loop of the functions that it calls was found in it"
        try:
            if (found := taken_over(function, self.role_of)) is not None:
                serve, loop = found
                return Decision(TAKEN_OVER, f"its loop (line {loop.node.lineno}) runs compiled, {_REST}", serve)
        except NoStep as reason:
            cause = str(reason)
        try:
            if (other := net_taken_over(function)) is not None:
                serve, node, nets = other
                return Decision(TAKEN_OVER, f"its loop (line {node.lineno}) runs compiled ({nets}), {_REST}", serve)
        except NoStep as reason:
            cause += f"; {reason}" if str(reason) not in cause else ""
        return Decision(LEFT, f"{cause}{self._steps(function)}")

    def _steps(self, function: types.FunctionType) -> str:
        """What a model that is left has from the functions that it calls."""
        steps = [callee for callee in reached(function) if callee.__name__ in STEPS]
        fast = sum(self.decide(callee).verdict != LEFT for callee in steps)
        return f"; {fast} of the {len(steps)} functions that it calls are fast ones, at up to twice the speed" if fast else ""


def guarded(fast: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """The fast function; what it does not take, the user's own answers, or raises its own error."""

    def call(*args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        try:
            return fast(*args, **options)
        except Exception:
            pass
        return function(*args, **options)

    stands_for(call, function)
    return call
