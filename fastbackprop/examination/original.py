"""The user's own function behind one that was bound in its place."""

from __future__ import annotations

import functools
import types
from typing import Any

_MARK = "__fastbackprop_original__"


def original(value: Any) -> Any:
    """The user's function behind its substitute, or the value itself."""
    if not isinstance(value, types.FunctionType):
        return value
    code, function = vars(value).get(_MARK, (None, None))
    return function if code is value.__code__ else value


def stands_for(substitute: Any, function: Any) -> None:
    """Mark a function as the substitute of a user's own, with its name, signature, docstring and source.

    The mark names the substitute's code: a wrapper of the user's around it copies its attributes (functools.wraps), and is
    another function.
    """
    functools.update_wrapper(substitute, function)
    vars(substitute)[_MARK] = substitute.__code__, function
