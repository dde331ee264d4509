"""Imports of the user's own modules, whose functions are marked, and of helper modules that are missing."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from typing import Any

from fastbackprop import compat
from fastbackprop.examination.sandbox import in_library
from fastbackprop.takeover.marking import compiled


class Loader(SourceFileLoader):
    """Loads a module of the user's from its source, marked; no bytecode is read or written."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        return compiled(self.get_data(path), path)


class Own:
    """Finds what other finders find; modules of the user's own are loaded marked."""

    active = True

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        if not self.active or name.partition(".")[0] == "fastbackprop":
            return None
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                if type(spec.loader) is SourceFileLoader and not in_library(spec.origin):
                    spec.loader = Loader(spec.loader.name, spec.loader.path)
                return spec
        return None


class StandIns:
    """Serves helper modules that nobody else finds from `fastbackprop.compat`, and says so on stderr."""

    def __init__(self) -> None:
        self.served: list[str] = []

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        return spec_from_loader(name, self) if path is None and name in compat.__all__ else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        stand_in = importlib.import_module(f"{compat.__name__}.{module.__name__}")
        vars(module).update({name: getattr(stand_in, name) for name in ("__doc__", "__all__", *stand_in.__all__)})
        self.served.append(module.__name__)
        print(f"fastbackprop: there is no {module.__name__}; {stand_in.__name__} serves in its place", file=sys.stderr)


class Hook:
    """Both finders, while they are installed."""

    def __init__(self) -> None:
        self._own, self._stand_ins = Own(), StandIns()

    @property
    def served(self) -> list[str]:
        """The helper modules that were served in the place of missing ones."""
        return self._stand_ins.served

    def pause(self, paused: bool) -> None:
        """Let modules of the user's be loaded as they are, or marked again."""
        self._own.active = not paused

    def install(self) -> None:
        sys.meta_path.insert(0, self._own)
        sys.meta_path.append(self._stand_ins)

    def remove(self) -> None:
        for finder in (self._own, self._stand_ins):
            if finder in sys.meta_path:
                sys.meta_path.remove(finder)
