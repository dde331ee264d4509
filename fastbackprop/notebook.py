"""patch and unpatch: a user's own functions, in a namespace or a module, replaced by the fast ones where they are the same."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from fastbackprop.importing import importing

if TYPE_CHECKING:  # what judges functions is imported when it is used: most programs need none of it
    from fastbackprop.takeover import Report

Namespace = MutableMapping[str, Any]


def patch(where: Namespace | types.ModuleType | None = None) -> Report:
    """Replace the functions of a namespace that are the user's own by fast ones, where these compute the same.

    Parameters
    ----------
    where : dict or module, optional
        A namespace (``globals()``) or a module. Without it: the caller's namespace, and the modules of the user's own that it
        imported, or imported names from.

    Returns
    -------
    Report
        A row for each function that has one of the fourteen names, or trains with them; printed, it is a table. "replaced": the
        function computes what the fast one does, in the same form. "adapted": in another form, which an adapter keeps. "taken
        over": its training loop runs compiled, all else in it as it stands. "left": it is another function, it calls one, or it
        was not run, since its names reach files, input, the network or state; the row says which.

    Raises
    ------
    TypeError
        ``where`` is neither a namespace nor a module.

    Notes
    -----
    Each function is judged on small probes, as a copy whose callees are right, never on the user's data; random numbers,
    streams, figures and warnings stay as they are. ``initialize_parameters_deep`` and ``predict`` are never replaced. A call
    that a fast function refuses is answered by the user's own. Calling it again judges all again; `unpatch` takes it back.
    """
    with importing:
        from fastbackprop.takeover import Takeover
    namespaces = list(_namespaces(where, sys._getframe(1).f_globals))
    takeover = Takeover()
    named = [(space, str(space.get("__name__", ""))) for space in namespaces]
    found = [(space, key, takeover.add(value, key, name)) for space, name in named for key, value in space.items()]
    report = takeover.report()
    for space, name, function in found:
        if function is not None:
            space[name] = takeover.substitute(function)
    return report


def unpatch(where: Namespace | types.ModuleType | None = None) -> None:
    """Bind the user's own functions again, where `patch` bound others.

    Parameters
    ----------
    where : dict or module, optional
        As for `patch`.
    """
    with importing:
        from fastbackprop.takeover import original
    for space in _namespaces(where, sys._getframe(1).f_globals):
        for name, value in list(space.items()):
            if original(value) is not value:
                space[name] = original(value)


def _namespaces(where: Any, caller: Namespace) -> Iterator[Namespace]:
    if isinstance(where, types.ModuleType):
        yield vars(where)
    elif isinstance(where, MutableMapping):
        yield where
    elif where is None:
        with importing:
            from fastbackprop.takeover.marking import modules_in
        yield caller
        yield from modules_in(caller)
    else:
        raise TypeError(f"where is of type {type(where).__name__}; expected a namespace such as globals(), or a module")
