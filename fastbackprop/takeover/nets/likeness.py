"""Which training an iteration is a step of: what it makes of probes is compared with what the reference makes of them."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from fastbackprop.activations import HIDDEN, OUTPUTS, SOFTMAX, SQUARED, Hidden, LeakyRelu, Output
from fastbackprop.examination.forms import COST_ARRAYS, COST_FLOAT, COST_SCALAR
from fastbackprop.examination.sandbox import Copies, NotRun, is_ours, untouched
from fastbackprop.reference.general import cost_and_gradients, forward
from fastbackprop.takeover.nets.parts import COUNT, FIRST, L2, PARAMETERS, SECOND, Parts, assignments
from fastbackprop.takeover.nets.probes import UNITS, Failed, Iteration, Probe, probe
from fastbackprop.takeover.nets.reader import NetStep
from fastbackprop.takeover.nets.updates import UPDATES, USUAL, Update
from fastbackprop.takeover.step import NoStep
from fastbackprop.takeover.terms import Term

# Of the largest change of an array: of ordinary outputs, and of such as are close to 0 and 1.
_TOLERANCE, _OF_ENDS = 1e-12, 1e-9
_END = 12.0  # the largest logit of these
_LARGE = 1e4  # by which X is larger then, and so are gradients: where these are limited, it shows
# The largest Z of hidden layers, where a limit of it shows: of bounded activations, whose formulas may overflow further out.
_FAR, _FAR_BOUNDED = 1e4, 30.0
_SURE = 12.0, 25.0  # logits of outputs that are right and all but certain, of softmax and of sigmoid
_OF_SURE = 1e-12  # in which case changes are far below 1, and rounding is not: how far these may differ
_PREFIXES = "d", ""  # of the keys of averages: dW1, W1
_MOST_TRIES = 64
DEEP = 4  # layers: what computes the same for 2, 3 and as many is taken to do so for more

_LEAKY = tuple(Hidden("leaky_relu", HIDDEN["leaky_relu"].activation, HIDDEN["leaky_relu"].gradient, slope)
               for slope in (0.01, 0.1, 0.2, 0.3, 0.05, 0.001))  # fmt: skip
_HIDDEN = (*(row for row in HIDDEN.values() if row.name != "leaky_relu"), *_LEAKY)


@dataclass(frozen=True)
class Likeness:
    """The training that an iteration is a step of.

    ``nets`` holds hidden activation and output by number of layers (4 stands for more), and whether there is one output unit;
    ``costs`` the differences of form of the cost, None where it is none of these. ``shift`` is what the number of the step
    exceeds the count by that an iteration begins with.
    """

    nets: Mapping[tuple[int, bool], tuple[Hidden, Output]]
    costs: Mapping[tuple[int, bool], tuple[str, ...] | None]
    update: Update
    parts: Parts
    prefix: str
    shift: int

    def words(self) -> str:
        """The training in a few words, for the report."""
        hidden, output = next(iter(self.nets.values()))  # of two layers, if it may have as many
        l2 = ["l2"] if L2 in self.parts.kinds.values() else []
        return ", ".join([f"hidden {hidden.name}", f"{output.name} output", self.update.words, *l2])

    @staticmethod
    def key(layers: int, units: int) -> tuple[int, bool]:
        """Of ``nets`` and ``costs``."""
        return min(layers, DEEP), units == 1

    def numbers(self, values: Mapping[Term, Any]) -> dict[str, float]:
        """The numbers of the rule by kind, of the values that a step takes from outside."""
        return USUAL | {kind: values[leaf] for leaf, kind in self.parts.kinds.items() if kind in (*self.update.kinds, L2)}


def iteration_of(step: NetStep, variable: str) -> Iteration:
    """An iteration, with copies of the functions that it calls; raises NoStep."""
    copies = Copies({}, {}, None)
    try:
        own = {name: one if is_ours(one) else copies.function(one) for name, one in step.functions.items()}
    except NotRun as reason:
        raise NoStep(f"what it calls was read, not run: it {reason}") from None
    return Iteration(step, copies, own, variable)


def likeness(iteration: Iteration, function: types.FunctionType, variable: str) -> Likeness:
    """The training that an iteration is a step of; raises NoStep."""
    with untouched():
        causes: list[str] = []
        for parts in islice(assignments(iteration.step, function, variable), _MOST_TRIES):
            for prefix in _PREFIXES if FIRST in parts.roles.values() else ("",):
                found = _Search(iteration, parts, prefix, causes).found()
                if changed := iteration.copies.changed():
                    raise NoStep(f"what it calls changes {', '.join(changed)}, which outlives the call")
                if found is not None:
                    return found
    said = [*(cause for cause in causes if cause.startswith("it ")), *([] if "" in causes else causes), ""]
    raise NoStep("what an iteration makes of small probes is no step that train knows" + (f" ({said[0]})" if said[0] else ""))


class _Search:
    """The search for a training, with the variables taken for certain parts of it.

    ``causes`` takes up why each run of the iteration failed, "" where it did not.
    """

    def __init__(self, iteration: Iteration, parts: Parts, prefix: str, causes: list[str]) -> None:
        self.iteration, self.parts, self.prefix, self.causes = iteration, parts, prefix, causes
        self.averages = sum(role in (FIRST, SECOND) for role in parts.roles.values())
        self.updates = [update for update in UPDATES if update.averages == self.averages]

    def found(self) -> Likeness | None:
        nets: dict[tuple[int, bool], tuple[Hidden, Output]] = {}
        rules: set[tuple[int, int]] | None = None  # which updates, by number, with which shifts, fit all of them
        costs: dict[tuple[int, bool], tuple[str, ...] | None] = {}
        for depth in (2, 3, DEEP, 1):
            for units in UNITS:
                net, fitting, form = self._of(depth, units)
                if net is None or not (fitting if rules is None else rules & fitting):
                    continue
                rules = fitting if rules is None else rules & fitting
                nets[depth, units == 1], costs[depth, units == 1] = net, form
        if not rules or all(layers == 1 for layers, _ in nets):  # without hidden layers much is alike
            return None
        number, shift = min(rules)
        if not self.updates[number].counts and (COUNT in self.parts.roles.values() or self.iteration.counts()):
            raise NoStep("what it computes depends on the number of the iteration")
        return Likeness(nets, costs, self.updates[number], self.parts, self.prefix, shift)

    def _of(self, depth: int, units: int) -> tuple[Any, set[tuple[int, int]], tuple[str, ...] | None]:
        """Hidden activation and output of nets of this kind, the updates that fit, and the form of the cost."""
        nets = [(hidden, output) for output in OUTPUTS.values() for hidden in (_HIDDEN if depth > 1 else _HIDDEN[:1])
                if units > 1 or output is not SOFTMAX]  # fmt: skip
        rules = {(i, shift) for i, update in enumerate(self.updates) for shift in ((0, 1) if update.counts else (0,))}
        forms = []
        for m, seed in ((7, 0), (5, 1), (1, 2)):
            given = probe(depth, units, m, seed, self.prefix)
            result = self._run(given)
            if result is None:
                return None, set(), None
            fitting = {(net, rule) for net in nets for rule in self._fitting(net, given, result, rules, _TOLERANCE)}
            nets, rules = [net for net in nets if any(net is one for one, _ in fitting)], {rule for _, rule in fitting}
            if not nets:
                return None, set(), None
            forms.append(self._form(nets[0], given, result, _TOLERANCE))
        net = nets[0]
        ends = _with_ends(probe(depth, units, 6, 3, self.prefix), *net)
        result = self._run(ends)
        if result is None or not (rules := self._fitting(net, ends, result, rules, _OF_ENDS)):
            return None, set(), None
        forms.append(self._form(net, ends, result, _OF_ENDS))
        for more, slack in ((_far, 0.0), (_sure, _OF_SURE)):
            given = more(probe(depth, units, 1, 4, self.prefix), *net)
            result = self._run(given)
            if result is None or not (rules := self._fitting(net, given, result, rules, _TOLERANCE, slack)):
                return None, set(), None
        forms.append(self._form_of_outputs(net, ends, forms[0]))
        return net, rules, forms[0] if len(set(forms)) == 1 else None

    def _run(self, given: Probe) -> dict[str, Any] | None:
        try:
            result = self.iteration.run(given, self.parts)
        except Failed as cause:
            self.causes.append(str(cause))
            return None
        self.causes.append("")
        return result

    def _numbers(self, given: Probe) -> dict[str, float]:
        taken = {kind: value for kind, value in given.numbers.items() if kind in self.parts.kinds.values()}
        fixed = {L2: 0.0} | USUAL
        return fixed | taken

    def _fitting(
        self,
        net: tuple[Hidden, Output],
        given: Probe,
        result: dict[str, Any],
        rules: set[tuple[int, int]],
        tolerance: float,
        slack: float = 0.0,
    ) -> set[tuple[int, int]]:
        """The updates by which the reference makes of a probe what the iteration made, but for `slack`."""
        numbers = self._numbers(given)
        if "rate" not in self.parts.kinds.values():
            return set()
        grads = _gradients(net, given, numbers[L2])
        if COUNT in self.parts.roles.values() and result[COUNT] != given.count + 1:
            return set()
        found = set()
        for number, shift in rules:
            update = self.updates[number]
            made: list[dict[str, Any]] = [{} for _ in range(1 + self.averages)]
            for key, W in given.parameters.items():
                before = [average[self.prefix + key] for average in given.averages[: self.averages]]
                made[0][key], after = update.step(W, grads[f"d{key}"], before, numbers, given.count + shift)
                for one, value in zip(made[1:], after, strict=True):
                    one[self.prefix + key] = value
            theirs = [result[role] for role in (PARAMETERS, FIRST, SECOND)[: 1 + self.averages]]
            befores = [given.parameters, *given.averages[: self.averages]]
            if all(_same(*three, tolerance, slack) for three in zip(theirs, made, befores, strict=True)):
                found.add((number, shift))
        return found

    def _form(
        self, net: tuple[Hidden, Output], given: Probe, result: dict[str, Any], tolerance: float
    ) -> tuple[str, ...] | None:
        """The form of a cost that has the number of the reference; None for another one."""
        l2 = self._numbers(given)[L2]
        cost, penalty, _ = _reference(net, given, l2)
        return _form_of(result.get("cost"), float(cost + penalty), tolerance)

    def _form_of_outputs(
        self, net: tuple[Hidden, Output], given: Probe, form: tuple[str, ...] | None
    ) -> tuple[str, ...] | None:
        """The form of the cost of outputs next to 0 and 1, where a limit shows, or a number that is added in a logarithm."""
        if form is None or net[1] is SQUARED:
            return form
        AL = np.full(given.Y.shape, 1.0 / max(2, len(given.Y)))
        AL[:, 0] = np.where(given.Y[:, 0] == 1, 1e-20, 1 - 2.0**-53 if net[1] is not SOFTMAX else 1 / (len(given.Y) - 1))
        Y, terms = given.Y, np.log(AL)
        losses = -Y * terms if net[1] is SOFTMAX else -(Y * terms + (1 - Y) * np.log1p(-AL))
        _, penalty, _ = _reference(net, given, self._numbers(given)[L2])
        try:
            result = self.iteration.run(given, self.parts, AL)
        except Failed:
            return None
        return _form_of(result["cost"], float(np.sum(losses) / Y.shape[1] + penalty), _TOLERANCE)


def _named(hidden: Hidden) -> Any:
    return LeakyRelu(hidden.slope) if hidden.slope else hidden.name


def _reference(net: tuple[Hidden, Output], given: Probe, l2: float) -> Any:
    hidden, output = net
    return cost_and_gradients(given.X, given.Y, given.parameters, hidden=_named(hidden), output=output.name, l2=l2)


def _gradients(net: tuple[Hidden, Output], given: Probe, l2: float) -> dict[str, np.ndarray]:
    return _reference(net, given, l2)[2]


def _with_ends(given: Probe, hidden: Hidden, output: Output) -> Probe:
    """The probe with weights of the last layer such that outputs are close to 0 and 1."""
    L = len(given.parameters) // 2
    _, Z = forward(given.X, given.parameters, hidden=_named(hidden))
    for key in (f"W{L}", f"b{L}"):
        given.parameters[key] = given.parameters[key] * (_END / np.max(np.abs(Z)))
    given.X *= _LARGE
    given.parameters["W1"] = given.parameters["W1"] / _LARGE
    return given


def _far(given: Probe, hidden: Hidden, output: Output) -> Probe:
    """The probe with large Z in the hidden layers, and ordinary outputs."""
    far = _FAR_BOUNDED if hidden.name in ("sigmoid", "tanh") else _FAR
    L = len(given.parameters) // 2
    for l in range(1, L + 1):
        net = {f"{letter}{i}": given.parameters[f"{letter}{i}"] for i in range(1, l + 1) for letter in "Wb"}
        _, Z = forward(given.X, net, hidden=_named(hidden))
        for key in (f"W{l}", f"b{l}"):
            given.parameters[key] = given.parameters[key] * ((far if l < L else 1.0) / np.max(np.abs(Z)))
    return given


def _sure(given: Probe, hidden: Hidden, output: Output) -> Probe:
    """The probe, of one example, with outputs that are right and all but certain: a limit of these shows."""
    L = len(given.parameters) // 2
    _, Z = forward(given.X, given.parameters, hidden=_named(hidden))
    logits = (2 * given.Y - 1) * _SURE[output is not SOFTMAX]
    for key in (f"W{L}", f"b{L}"):
        given.parameters[key] = given.parameters[key] * (logits / Z)
    return given


def _same(theirs: Any, ours: dict[str, Any], before: dict[str, Any], tolerance: float, slack: float) -> bool:
    if not isinstance(theirs, dict) or theirs.keys() != ours.keys():
        return False
    for key, value in ours.items():
        their = theirs[key]
        if type(their) is not np.ndarray or (their.shape, their.dtype) != (value.shape, value.dtype):
            return False
        room = tolerance * np.max(np.abs(value - before[key])) + 8 * np.finfo(float).eps * np.max(np.abs(value)) + slack
        if not np.all(np.abs(their - value) <= room):  # nan is no agreement
            return False
    return True


def _form_of(cost: Any, expected: float, tolerance: float) -> tuple[str, ...] | None:
    if isinstance(cost, float) and type(cost) is float:
        form: tuple[str, ...] = (COST_FLOAT,)
    elif isinstance(cost, np.floating):
        form = (COST_SCALAR,)
    elif type(cost) is np.ndarray and cost.dtype == float and (cost.shape == () or cost.shape in COST_ARRAYS):
        form = () if cost.shape == () else (COST_ARRAYS[cost.shape],)
    else:
        return None
    return form if abs(float(np.reshape(cost, ())) - expected) <= tolerance * max(1.0, abs(expected)) else None
