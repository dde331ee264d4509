"""Which part each variable of a loop has in a training: data, parameters, averages, and the numbers of the rule."""

from __future__ import annotations

import inspect
import itertools
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastbackprop.takeover.nets.reader import NetStep
from fastbackprop.takeover.nets.terms import parts
from fastbackprop.takeover.observers import is_constant
from fastbackprop.takeover.step import NoStep
from fastbackprop.takeover.terms import Term

X, Y, M, L2 = "X", "Y", "m", "l2"
PARAMETERS, FIRST, SECOND, COUNT = "parameters", "first average", "second average", "count"

# Names that numbers go by, without underscores and in small letters.
_KINDS = {
    "rate": {"learningrate", "lr", "alpha", "eta", "rate", "stepsize", "learnrate"},
    L2: {"lambd", "lambda", "lam", "lmbda", "lamda", "l2", "reg", "regularization", "l2lambda", "lambdreg", "weightdecay"},
    "momentum": {"beta", "momentum", "mu", "gamma"},
    "beta1": {"beta1", "b1", "rho1"},
    "beta2": {"beta2", "b2", "rho2"},
    "epsilon": {"epsilon", "eps"},
    M: {"m", "nexamples", "numexamples", "nsamples"},
}
_PARAMETERS = {"parameters", "params", "theta", "weights", "p"}
_ARRAYS = 2  # X and Y
UNKNOWN = object()
BATCH = ("batch",)  # the term of the batch in a loop over batches


@dataclass(frozen=True)
class Parts:
    """``kinds`` maps what a step takes from outside to its part, ``fixed`` to a value that it always has, and ``roles`` the
    variables that it carries on to theirs."""

    kinds: dict[Term, str]
    fixed: dict[Term, Any]
    roles: dict[str, str]

    def leaf(self, kind: str) -> Term | None:
        return next((leaf for leaf, found in self.kinds.items() if found == kind), None)

    def name(self, role: str) -> str:
        return next(name for name, found in self.roles.items() if found == role)


def assignments(step: NetStep, function: types.FunctionType, variable: str) -> Iterator[Parts]:
    """The parts that may be, likely ones first. Raises NoStep."""
    names = _names(step)
    kinds: dict[Term, str] = {}
    fixed: dict[Term, Any] = {}
    arrays = []
    for leaf in names:
        kind = kind_of(names[leaf])
        value = known(leaf, function)
        if kind and kind not in kinds.values() and (value is UNKNOWN or _is_number(value)):
            kinds[leaf] = kind
        elif is_constant(value):
            fixed[leaf] = value
        else:
            arrays.append(leaf)
    for leaf, kind in kinds.items():
        if leaf[0] == "outer" and kind != "rate":
            raise NoStep(f"{leaf[1]} changes from epoch to epoch")
    if len(arrays) > _ARRAYS:
        arrays = [leaf for leaf in arrays if letter(names[leaf][0])] or arrays
    if len(arrays) != _ARRAYS:
        said = ", ".join(names[leaf][0] for leaf in arrays) or "nothing"
        raise NoStep(f"which of its names are X and Y is not known: {said}")
    if letter(names[arrays[0]][0]) == "y":
        arrays.reverse()
    counts = [name for name, term in step.state.items() if _counts(name, term)]
    for name, term in step.state.items():
        if name not in counts and not any(part[0] == "call" for part in parts(term)):
            raise NoStep(f"{name} changes from iteration to iteration")
    dicts = sorted((name for name in step.state if name not in counts), key=lambda name: (name not in _PARAMETERS, name))
    if len(dicts) > 3 or len(counts) > 1:
        raise NoStep(f"it carries {', '.join(sorted(step.state))} from iteration to iteration")
    averages = [FIRST, SECOND][: len(dicts) - 1]
    if averages != [FIRST, SECOND]:  # of one beta
        kinds = {
            leaf: "momentum" if kind == "beta1" and "momentum" not in kinds.values() else kind for leaf, kind in kinds.items()
        }
    for order in itertools.permutations(dicts):
        roles = dict(zip(order, [PARAMETERS, *averages], strict=True)) | dict.fromkeys(counts, COUNT)
        for pair in (arrays, arrays[::-1]):
            yield Parts(kinds | dict(zip(pair, (X, Y), strict=True)), fixed, roles)


def _names(step: NetStep) -> dict[Term, list[str]]:
    """What a step takes from outside, with the names that it goes by: its own, and those of the arguments that it is."""
    found = {leaf: [leaf[1].rpartition(".")[2]] if leaf[0] == "number" else _own_names(leaf) for leaf in step.leaves()}
    for term in (part for one in step.terms for part in parts(one)):
        if term[0] == "call":
            for name, argument in zip(term[2], term[3:], strict=True):
                if argument in found:
                    found[argument].append(name)
    return found


def _own_names(leaf: Term) -> list[str]:
    if leaf[0] in ("before", "outer"):
        return [leaf[1]]
    if leaf[0] == "item" and leaf[1] == BATCH:
        return ["xy"[leaf[2][2]]] if leaf[2][2] in (0, 1) else [""]
    if leaf[0] == "attribute":
        return [leaf[2]]
    return [str(leaf[2][2])] if leaf[2][0] == "constant" else [""]


def letter(name: str) -> str:
    """Whether a name is one of X or of Y, such as train_x or X_batch: "x", "y", or ""."""
    words = [word for word in name.lower().split("_") if word]
    likely = [word for word in words if word in ("x", "y")] + words[:1]
    return next((word[0] for word in likely if word[0] in "xy"), "")


def kind_of(names: Iterable[str]) -> str:
    """The kind of number that goes by one of these names; "" where there is none."""
    return next((kind for name in names for kind in _KINDS if _plain(name) in _KINDS[kind]), "")


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _is_number(value: Any) -> bool:
    return is_constant(value) and not isinstance(value, (bool, str, bytes)) and value is not None


def _counts(name: str, term: Term) -> bool:
    return term[0] == "add" and set(term[1:]) == {("carried", name), ("constant", "int", 1)}


def known(leaf: Term, function: types.FunctionType) -> Any:
    """The value that a leaf is known to have before the call: a number's, a default, a global number's."""
    if leaf[0] == "number":
        return leaf[2]
    if leaf[0] == "before":
        if leaf[1] in function.__code__.co_varnames:
            found = inspect.signature(function).parameters.get(leaf[1])
            return UNKNOWN if found is None or found.default is found.empty else found.default
        return function.__globals__.get(leaf[1], UNKNOWN)
    if leaf[0] == "attribute":
        owner = known(leaf[1], function)
        return UNKNOWN if owner is UNKNOWN else getattr(owner, leaf[2], UNKNOWN)
    return UNKNOWN
