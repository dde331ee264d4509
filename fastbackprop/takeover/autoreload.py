"""IPython's autoreload beside marked modules."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from typing import Any

from fastbackprop.takeover.importing import Hook
from fastbackprop.takeover.marking import Marks
from fastbackprop.takeover.reach import own_module


class Autoreload:
    """Autoreload puts new code into the functions that it finds in a module whose file has changed: they have to be the user's
    own. It acts between `before` and `after`."""

    def __init__(self, marks: Marks, hook: Hook) -> None:
        self.marks, self.hook = marks, hook
        self._times: dict[str, float] = {}
        self._changed: list[MutableMapping[str, Any]] = []

    def note(self) -> None:
        """Note when the files of marked modules were changed last."""
        for name in self.marks.takeover.modules() - self._times.keys():
            self._times[name] = _time(name)

    def before(self) -> None:
        """Put the user's functions back into modules whose files have changed."""
        for name, time in self._times.items():
            if (now := _time(name)) != time:
                self._times[name] = now
                self._changed.append(vars(sys.modules[name]))
        self.marks.restore(*self._changed)
        self.hook.pause(bool(self._changed))

    def after(self) -> None:
        """Mark them again."""
        self.hook.pause(False)
        self.marks.namespaces(*self._changed)
        self._changed.clear()


def _time(name: str) -> float:
    """When a module's file was changed; 0 where there is none."""
    module = own_module(sys.modules.get(name))
    try:
        return 0 if module is None else os.stat(str(module.__file__)).st_mtime
    except OSError:
        return 0
