"""A user's own fourteen functions against the reference: which are the same, and how the others differ.

``examine`` returns a finding for each. Every function is judged with correct callees: a copy of it runs on small
probes, and in the copy's namespace the other names among the fourteen are the reference's. So a fault is found where
it is, not where it shows.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastbackprop import reference
from fastbackprop.examination import starts
from fastbackprop.examination.explain import explain
from fastbackprop.examination.forms import Forms, OtherArguments, call_form, canonical, parameters_of
from fastbackprop.examination.runs import DRAWS, DRAWS_NUMBERS, PRINTS, Run, arguments, probes, run
from fastbackprop.examination.sandbox import Copies, NotRun, is_ours, untouched
from fastbackprop.testing import CASES

SAME, OTHER_FORM, DIFFERS, NOT_JUDGED, ABSENT = "same", "same in another form", "differs", "not judged", "absent"
STATE = "state"
EFFECTS = {STATE, PRINTS, DRAWS, DRAWS_NUMBERS}  # details of what a function does besides
SEEDS = 271828, 314159  # set outside, and unusual: results that are equal after both were seeded inside

_START, _TRAINING = "initialize_parameters_deep", "L_layer_model"


@dataclass(frozen=True)
class Finding:
    """The verdict on one function.

    ``verdict`` is SAME, OTHER_FORM (the reference's numbers, taken or returned in another form), DIFFERS, NOT_JUDGED
    (read, not run) or ABSENT. ``explanation`` is a sentence on how or why; ``details`` names the differences of form.
    """

    name: str
    verdict: str
    explanation: str = ""
    details: tuple[str, ...] = ()


def examine(namespace: Mapping[str, Any]) -> list[Finding]:
    """A finding for each of the fourteen names, callees first. Nothing in the namespace, nor any state, is changed."""
    findings: dict[str, Finding] = {}
    with untouched():
        for name in CASES:
            findings[name] = judge(name, namespace, findings)
    return list(findings.values())


def judge(name: str, namespace: Mapping[str, Any], known: Mapping[str, Finding]) -> Finding:
    """The finding for one name. Where a function does not fit the reference's callees, it is tried with the callees of its
    own module that are ``known`` to differ in form alone (or to be another start)."""
    if name not in namespace:
        return Finding(name, ABSENT)
    function = namespace[name]
    if is_ours(function):
        return Finding(name, SAME, "is fastbackprop's own", ("own",))
    own = {callee for callee, finding in known.items() if finding.verdict == OTHER_FORM or "start" in finding.details}
    finding = _judge(name, namespace, set())
    if finding.verdict not in (SAME, NOT_JUDGED) and own:
        with_own = _judge(name, namespace, own)
        if _ORDER.index(with_own.verdict) < _ORDER.index(finding.verdict):
            return with_own
    return finding


_ORDER = (SAME, OTHER_FORM, DIFFERS, NOT_JUDGED)


def _judge(name: str, namespace: Mapping[str, Any], own: set[str]) -> Finding:
    function = namespace[name]
    if not isinstance(function, types.FunctionType):
        return Finding(name, NOT_JUDGED, f"is of type {type(function).__name__}, no Python function that can be read")
    stand_ins = {other: getattr(reference, other) for other in CASES if other != name and other not in own}
    copies = Copies(stand_ins, namespace, function)
    recorded: list[dict[str, np.ndarray]] = []
    try:
        if name == _TRAINING:
            start = copies.function(namespace[_START]) if _START in own else reference.initialize_parameters_deep
            stand_ins[_START] = _recorder(start, recorded)
        copy = copies.function(function)
        order, forms = call_form(name, function, len(arguments(name, *next(probes(name)))))
        runs = []
        for activation, number in probes(name):
            recorded.clear()
            done = run(name, copies, copy, order, activation, number, SEEDS[0])
            if name == _TRAINING:
                forms |= _set_start(done, recorded, _START in own)
            runs.append(done)
            if done.endless:
                break
        results = []
        for done in runs:
            result, found = (None, {}) if done.error else canonical(name, done)
            results.append(result)
            forms |= found
        if name == _TRAINING and not recorded and explain(name, runs, results):
            forms |= _find_seed(runs, results, copies)
        if name == _START:
            again = [run(name, copies, copy, order, *probe, SEEDS[1]) for probe in probes(name)]
            return _start_finding(runs, again, forms, copies)
    except NotRun as reason:
        return Finding(name, NOT_JUDGED, f"read, not run: it {reason}")
    except OtherArguments as error:
        return Finding(name, DIFFERS, str(error))
    return _finding(name, function, explain(name, runs, results), runs, forms, copies)


def _finding(name: str, function: Any, how: str, runs: list[Run], forms: Forms, copies: Copies) -> Finding:
    names = [p.name for p in parameters_of(function)]
    written = dict.fromkeys(where for done in runs for where in done.changed)
    if written:
        places = ", ".join(_place(where, names) for where in written)
        how = f"{how}; it also writes to its argument {places}" if how else f"writes to its argument {places}"
    if name != _TRAINING:  # the reference's prints and draws too
        effects = dict.fromkeys(effect for done in runs for effect in done.effects)
        forms = forms | {effect: f"{effect} as well" for effect in effects}
    return _with_forms(name, how, forms, copies)


def _with_forms(name: str, how: str, forms: Forms, copies: Copies) -> Finding:
    if changed := copies.changed():
        forms = forms | {STATE: f"changes {', '.join(changed)}, which outlives the call"}
    if how:
        return Finding(name, DIFFERS, how, tuple(forms))
    if forms:
        return Finding(name, OTHER_FORM, "; ".join(forms.values()), tuple(forms))
    return Finding(name, SAME)


def _place(where: str, names: list[str]) -> str:
    """ "0[1]" as a place in the first argument, by its name."""
    number = where.partition("[")[0]
    return (names[int(number)] if int(number) < len(names) else number) + where[len(number) :]


def _recorder(initialize: Any, recorded: list[dict[str, np.ndarray]]) -> Any:
    """``initialize``, recording the parameters that a training starts from."""

    def initialize_parameters_deep(*args: Any, **options: Any) -> Any:
        parameters = initialize(*args, **options)
        if isinstance(parameters, dict):
            recorded.append({key: np.array(value) for key, value in parameters.items()})
        return parameters

    return initialize_parameters_deep


def _expect_from(done: Run, start: dict[str, np.ndarray]) -> None:
    X, Y, layers, rate, iterations = done.args
    done.start = start
    done.expected = reference.L_layer_model(X, Y, layers, rate, iterations, parameters=start)


def _set_start(done: Run, recorded: list[dict[str, np.ndarray]], own_start: bool) -> Forms:
    """Expect from a training the reference's result of the same start; returns how that start differs in form."""
    of_seed = starts.drawn(done.args[2], SEEDS[0])
    _expect_from(done, recorded[-1] if recorded else of_seed)
    if recorded and own_start:
        return {"own start": "trains from its module's own start"}
    if recorded and not starts.equal(recorded[-1], of_seed):
        return {"seed": "seeds NumPy's generator itself before it draws the start"}
    return {}


def _find_seed(runs: list[Run], results: list[Any], copies: Copies) -> Forms:
    """Find the seed that a training sets before it draws its own start; expects the results that belong to it."""
    for seed in [*_seeds(copies), SEEDS[0]]:
        for done in runs:
            _expect_from(done, starts.drawn(done.args[2], seed))
        if not explain(_TRAINING, runs, results):
            return {"seed": f"calls np.random.seed({seed}) before it draws the start"}
    return {}


def _seeds(copies: Copies) -> list[int]:
    """Whole numbers in the code that may be seeds, and the usual seeds."""
    return sorted({seed for seed in copies.constants if 0 <= seed < 2**32} | {0, 1, 2, 3, 42})


def _start_finding(first: list[Run], second: list[Run], forms: Forms, copies: Copies) -> Finding:
    how = explain(_START, first, [done.actual for done in first])
    fits = not any(done.error for done in first + second) and all(
        isinstance(done.actual, dict)
        and {key: np.shape(value) for key, value in done.actual.items()}
        == {key: value.shape for key, value in done.expected.items()}
        for done in first + second
    )
    if how and fits:
        text, only_seed = starts.describe(first, second, SEEDS, _seeds(copies))
        return _with_forms(_START, "" if only_seed else text, forms | {"start": text}, copies)
    return _with_forms(_START, how, forms, copies)
