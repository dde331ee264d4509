"""A user's own functions, taken up by the fast ones where these compute the same.

`Takeover` holds the functions of a program. A function that is marked is judged when it is first called, or when `decide` is
called: replaced by the fast one, adapted to its form, taken over (a model whose training loop then runs compiled), or left.
"""

from __future__ import annotations

import threading
import types
from collections import Counter
from collections.abc import Callable
from typing import Any

from fastbackprop.examination.original import original, stands_for
from fastbackprop.takeover.bindings import Bindings
from fastbackprop.takeover.decide import MODELS, STEPS, THEIRS, Decision, Judge
from fastbackprop.takeover.reach import kind, of_another_kind, own_function
from fastbackprop.takeover.report import LEFT, Report, Row

__all__ = ["Report", "Row", "Takeover", "original"]

CHANGES = 10  # after which a function is left: judging it at each call would take longer than its own code
_NAMES = {*STEPS, *THEIRS, *MODELS}


def _is_of_interest(function: types.FunctionType) -> bool:
    """Whether a function has one of the names, or may be a model under another name: it calls functions of these names."""
    names = function.__code__.co_names
    return function.__name__ in _NAMES or any(name.startswith("update_parameters") for name in names)


class Takeover:
    """The functions of a program that are marked, and the decisions on them."""

    def __init__(self) -> None:
        self.active = True
        self._marked: dict[tuple[str, str], Any] = {}
        self._others: dict[tuple[str, str], Any] = {}  # what has a name of interest and cannot be judged
        self._judge = Judge()
        self._serving: dict[types.FunctionType, tuple[Callable[..., Any], Bindings | None]] = {}  # as this judge decided
        self._changes: Counter[types.FunctionType] = Counter()  # of what the names that a function reads stand for
        self._lock = threading.RLock()

    def add(self, value: Any, name: str = "", module: str = "") -> types.FunctionType | None:
        """Take in a function of the user's own, for `decide` and `report`; returns it, or None where a value is of no interest.

        ``name`` is the name that it is bound to in ``module``: what has a name of interest and is no plain function is in the
        report, in place of a function that had the name before.
        """
        function = own_function(value)
        name, module = name or getattr(value, "__name__", ""), module or str(getattr(value, "__module__", ""))
        if name in _NAMES and of_another_kind(value, name) and (function is None or name not in THEIRS):
            self._others[module, name] = value
            self._marked.pop((module, name), None)
            return None
        if function is None or not _is_of_interest(function):
            return None
        self._marked[function.__module__, function.__name__] = function
        self._others.pop((function.__module__, function.__name__), None)
        self.forget()
        return function

    def mark(self, value: Any, name: str = "") -> Any:
        """What to bind in the place of a function of the user's own, which is judged at its first call; all else is returned as
        it is."""
        function = self.add(value, name)
        return value if function is None or function.__name__ in THEIRS else self._wrapper(function)

    def substitute(self, function: types.FunctionType) -> Callable[..., Any]:
        """What serves in the place of a function, which is judged now; itself where it is left."""
        return self.decision(function).serve or function

    def _served(self, function: types.FunctionType) -> tuple[Callable[..., Any], Bindings | None]:
        serving, bindings = self._serving, Bindings(function, STEPS)
        serve = self.substitute(function)
        serving[function] = serve, None if serve is function else bindings  # what is left needs no decision to hold
        return serving[function]

    def forget(self) -> None:
        """Let all decisions be made again: a name is bound to another function now."""
        self._judge, self._serving = Judge(), {}

    def modules(self) -> set[str]:
        """The names of the modules whose functions are marked."""
        return {module for module, _ in self._marked}

    def decide(self) -> None:
        """Judge every function that is marked and not judged yet."""
        for function in list(self._marked.values()):
            self.decision(function)

    def report(self) -> Report:
        """What became of each function that is marked."""
        self.decide()
        rows = []
        for function in self._marked.values():
            decision = self.decision(function)
            rows.append(Row(function.__name__, function.__module__, decision.verdict, decision.how))
        for (module, name), value in self._others.items():
            rows.append(Row(name, module, LEFT, f"it is {kind(value)}, not a plain function"))
        return Report(rows)

    def decision(self, function: types.FunctionType) -> Decision:
        """The decision on a function, which is made now where it is not made yet."""
        with self._lock:
            if self._changes[function] > CHANGES:
                return Decision(LEFT, f"what the names that it reads stand for has changed {CHANGES + 1} times")
            try:
                return self._judge.decide(function)
            except Exception as error:  # a fault of ours is no reason for the user's program to fail
                left = Decision(LEFT, f"it could not be judged: {type(error).__name__}: {error}")
                return self._judge.decisions.setdefault(function, left)

    def _wrapper(self, function: types.FunctionType) -> Callable[..., Any]:
        def wrapper(*args: Any, **options: Any) -> Any:
            __tracebackhide__ = True  # IPython, pdb and pytest show no line of this
            if not self.active:
                return function(*args, **options)
            serve, bindings = self._serving.get(function) or self._served(function)
            if bindings is not None and not bindings.hold():
                self._changes[function] += 1
                self.forget()
                serve, _ = self._served(function)
            return serve(*args, **options)

        stands_for(wrapper, function)
        vars(wrapper)["__numba__"] = "__wrapped__"  # where numba.njit(wrapper) finds the function to compile
        return wrapper

    def __reduce__(self) -> tuple[type[Takeover], tuple[()]]:
        """In another process (cloudpickle sends a script's functions with all that they hold) functions are judged there."""
        return Takeover, ()
