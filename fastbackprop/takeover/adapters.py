"""A fast function in the form of a user's own: its arguments, its result, and what it changes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

import fastbackprop
from fastbackprop import reference
from fastbackprop.examination.forms import (
    ALL_MISSING,
    COST_ARRAYS,
    COST_FLOAT,
    COST_SCALAR,
    FIRST_MISSING,
    call_form,
    parameters_of,
)

Function = Callable[..., Any]

# Differences of form that lie in the arguments alone.
_ARGUMENTS = {"argument names", "argument order", "more arguments", "defaults"}
_ACTIVATIONS = {"no cache"}
_COSTS = {COST_FLOAT, COST_SCALAR, *COST_ARRAYS.values()}
_GRADIENTS = {"old keys", ALL_MISSING, FIRST_MISSING}
_UPDATES = {"arrays", "nothing", "copy"}
_RESULTS = {
    "sigmoid": _ACTIVATIONS,
    "relu": _ACTIVATIONS,
    "compute_cost": _COSTS,
    "L_model_backward": _GRADIENTS,
    "update_parameters": _UPDATES,
}


class NotTaken(Exception):
    """A call that the fast function does not take as the user's own does."""


def uncovered(name: str, details: Collection[str]) -> list[str]:
    """The differences of form for which there is no adapter."""
    return [detail for detail in details if detail not in _ARGUMENTS | _RESULTS.get(name, set())]


def order_of(name: str, function: Function) -> list[str]:
    """The names that a user's function has for the reference's arguments, in the reference's order."""
    own = [p.name for p in parameters_of(function)]
    needed = len(inspect.signature(getattr(reference, name)).parameters)
    order, _ = call_form(name, function, needed)
    return [own[order.index(i)] for i in range(needed)]


def arguments_of(name: str, function: Function) -> Callable[[tuple, Mapping[str, Any]], tuple]:
    """How the arguments of a user's function become the reference's, by position.

    The result raises NotTaken where an argument that the reference lacks is not at its default, and TypeError as a call would.
    """
    signature = inspect.signature(function)
    if not parameters_of(function):  # *args
        return lambda args, options: args
    names = order_of(name, function)
    direct = names == [p.name for p in parameters_of(function)[: len(names)]]

    def arguments(args: tuple, options: Mapping[str, Any]) -> tuple:
        if direct and len(args) == len(names) and not options:
            return args
        bound = signature.bind(*args, **options)
        for parameter, value in bound.arguments.items():
            if parameter not in names and value is not signature.parameters[parameter].default:
                raise NotTaken(f"{parameter} is given")
        bound.apply_defaults()
        return tuple(bound.arguments[name] for name in names)

    return arguments


def cost_in_form(details: Collection[str]) -> Callable[[np.ndarray], Any]:
    """How a 0-d cost becomes the user's."""
    if COST_FLOAT in details:
        return float
    if COST_SCALAR in details:
        return lambda cost: cost[()]
    shape = next((shape for shape, detail in COST_ARRAYS.items() if detail in details), ())
    return lambda cost: cost.reshape(shape)


def update_in_form(parameters: dict[str, Any], new: Mapping[str, Any], details: Collection[str]) -> dict[str, Any]:
    """The new entries put where the user's update puts them; returns the dict that holds them then."""
    target = dict(parameters) if "copy" in details else parameters
    for key, value in new.items():
        if "arrays" in details:
            target[key][...] = value
        else:
            target[key] = value
    return target


def adapter(name: str, function: Function, details: Collection[str]) -> Function:
    """The fast function as a function of the user's form."""
    fast, arguments = getattr(fastbackprop, name), arguments_of(name, function)
    result = _result(name, details)
    if name == "update_parameters" and not _UPDATES.isdisjoint(details):

        def update(*args: Any, **options: Any) -> Any:
            parameters, grads, rate = arguments(args, options)
            new = fast(dict(parameters), grads, rate)
            changed = {key: value for key, value in new.items() if value is not parameters[key]}
            updated = update_in_form(parameters, changed, details)
            return None if "nothing" in details else updated

        return update

    def adapted(*args: Any, **options: Any) -> Any:
        taken = arguments(args, options)
        return result(fast(*taken))

    return adapted


def _result(name: str, details: Collection[str]) -> Function:
    """How the fast function's result becomes the user's."""
    if "no cache" in details:
        return lambda result: result[0]
    if name == "compute_cost":
        return cost_in_form(details)
    if not _GRADIENTS.isdisjoint(details):
        return lambda grads: _gradients(grads, details)
    return lambda result: result


def _gradients(grads: dict[str, Any], details: Collection[str]) -> dict[str, Any]:
    if ALL_MISSING in details:
        grads = {key: value for key, value in grads.items() if not key.startswith("dA")}
    if FIRST_MISSING in details:
        grads = {key: value for key, value in grads.items() if key != "dA0"}
    if "old keys" in details:
        grads = {f"dA{int(key[2:]) + 1}" if key.startswith("dA") else key: value for key, value in grads.items()}
    return grads
