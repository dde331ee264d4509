"""The same numbers in another form: a user's function's arguments and results, brought into the reference's form."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fastbackprop import reference
from fastbackprop.examination.runs import Run

Forms = dict[str, str]  # a name for each difference of form, and a sentence about it

COST_FLOAT, COST_SCALAR = "cost as a float", "cost as a NumPy scalar"
ALL_MISSING, FIRST_MISSING = "no dA", "no dA0"  # gradients that are not returned
COST_ARRAYS = {(1,): "cost of shape (1,)", (1, 1): "cost of shape (1, 1)"}


class OtherArguments(Exception):
    """A function that cannot be called with the reference's arguments, by position."""


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in inspect.signature(function).parameters.values() if p.kind in kinds]


def call_form(name: str, function: Callable[..., Any], needed: int) -> tuple[list[int], Forms]:
    """The order in which a function takes the reference's first ``needed`` arguments, and what differs in its signature.

    Raises OtherArguments where it cannot be called with them.
    """
    of_reference, own = parameters_of(getattr(reference, name)), parameters_of(function)
    kinds = {p.kind for p in inspect.signature(function).parameters.values()}
    if not own and inspect.Parameter.VAR_POSITIONAL in kinds:
        return list(range(needed)), {}
    names, own_names = [p.name for p in of_reference], [p.name for p in own]
    required = [p.name for p in own if p.default is p.empty]
    if len(own) < needed or len(required) > needed:
        raise OtherArguments(f"takes ({', '.join(own_names)}), the reference ({', '.join(names)})")
    forms: Forms = {}
    order = list(range(needed))
    if set(own_names[:needed]) == set(names[:needed]):
        order = [names.index(own_name) for own_name in own_names[:needed]]
        if order != sorted(order):
            forms["argument order"] = f"takes its arguments in the order ({', '.join(own_names)})"
    else:
        pairs = [f"{theirs} for {ours}" for ours, theirs in zip(names, own_names, strict=False) if ours != theirs]
        forms["argument names"] = f"names its arguments otherwise: {', '.join(pairs)}"
    if more := [own_name for own_name in own_names[needed:] if own_name not in names]:
        forms["more arguments"] = f"takes {', '.join(more)} as well"
    defaults = {p.name: p.default for p in own}
    others = [
        f"{p.name}={defaults[p.name]!r}" if p.name in defaults and defaults[p.name] is not p.empty else f"no {p.name}"
        for p in of_reference
        if p.default is not p.empty and p.name in defaults and not _equal(defaults[p.name], p.default)
    ]
    if others:
        forms["defaults"] = f"has other defaults: {', '.join(others)}"
    return order, forms


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def canonical(name: str, run: Run) -> tuple[Any, Forms]:
    """The result of a call, in the reference's form where the difference is a known one, and these differences."""
    return _FORMS.get(name, lambda run: (run.actual, {}))(run)


def _activation(run: Run) -> tuple[Any, Forms]:
    if isinstance(run.actual, np.ndarray):
        return (run.actual, run.passed[0]), {"no cache": "returns A alone, without a cache"}
    return run.actual, {}


def _cost(run: Run) -> tuple[Any, Forms]:
    cost = run.actual
    if isinstance(cost, np.ndarray) and cost.shape == ():
        return cost, {}
    if isinstance(cost, np.ndarray) and cost.size == 1:
        form = f"an array of shape {cost.shape}"
        detail = COST_ARRAYS.get(cost.shape, "other cost")
    elif isinstance(cost, (float, np.floating)):
        form = f"a {type(cost).__name__}"
        detail = COST_SCALAR if isinstance(cost, np.floating) else COST_FLOAT
    else:
        return cost, {}
    return np.asarray(cost).reshape(()), {detail: f"returns the cost as {form}, not as a 0-d array"}


def _gradients(run: Run) -> tuple[Any, Forms]:
    grads, expected, forms = run.actual, run.expected, {}
    if not isinstance(grads, dict):
        return grads, {}
    L = len(expected) // 3
    grads = dict(grads)
    if "dA0" not in grads and f"dA{L}" in grads:
        for l in range(1, L + 1):
            if f"dA{l}" in grads:
                grads[f"dA{l - 1}"] = grads.pop(f"dA{l}")
        forms["old keys"] = "names the gradients of the activations dA1 .. dAL, where the reference has dA0 .. dA{L-1}"
    if more := [key for key in grads if key not in expected]:
        forms["more keys"] = f"returns {_letters(more)} as well"
        grads = {key: value for key, value in grads.items() if key in expected}
    missing = [key for key in expected if key not in grads]
    if missing and all(key.startswith("dA") for key in missing):
        every = sum(key.startswith("dA") for key in expected)
        detail = ALL_MISSING if len(missing) == every else FIRST_MISSING if missing == ["dA0"] else "fewer keys"
        forms[detail] = f"does not return {_letters(missing)}"
        grads |= {key: expected[key] for key in missing}
    return grads, forms


def _letters(keys: list[str]) -> str:
    return ", ".join(sorted({str(key) for key in keys}))


def _update(run: Run) -> tuple[Any, Forms]:
    passed, result, forms = run.passed[0], run.actual, {}
    if any(where.startswith("0[") for where in run.changed):
        forms["arrays"] = "writes into the arrays of parameters, where the reference binds new ones"
        run.changed = [where for where in run.changed if not where.startswith("0[")]
    if result is None and (forms or "0" in run.changed):
        result = passed
        forms["nothing"] = "returns nothing: it updates the dict that is passed"
    elif result is not passed and isinstance(result, dict) and "0" not in run.changed:
        forms["copy"] = "updates a copy: the dict that is passed stays as it was"
    run.changed = [where for where in run.changed if where != "0"]
    return result, forms


def _training(run: Run) -> tuple[Any, Forms]:
    result = run.actual
    if not isinstance(result, (tuple, list)):
        return result, {}
    found = [i for i, part in enumerate(result) if isinstance(part, dict) and part.keys() == run.expected.keys()]
    if len(found) != 1:
        return result, {}
    if found == [0] and len(result) == 2 and isinstance(result[1], (list, np.ndarray)):
        return result[0], {"costs": "returns (parameters, costs)"}
    form = f"returns a {type(result).__name__} of {len(result)}, with parameters at {found[0]}"
    return result[found[0]], {"other results": form}


_FORMS: dict[str, Callable[[Run], tuple[Any, Forms]]] = {
    "sigmoid": _activation,
    "relu": _activation,
    "compute_cost": _cost,
    "L_model_backward": _gradients,
    "update_parameters": _update,
    "L_layer_model": _training,
}
