"""Running the functions of a user's module on small probes, without side effects on it.

A function is read first. One that reaches files, the network, the screen's input or state that outlives its call is not
run at all: `NotRun` carries the reason. Any other is rebuilt on copies of the globals, closures and defaults that it reaches,
and executes a limited number of instructions. This keeps honest code from side effects; it does not stop hostile code,
which has been executed already when its module was imported.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import dis
import functools
import io
import pickle
import random
import sys
import sysconfig
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fastbackprop.examination.original import original

INSTRUCTIONS = 500_000  # of one call; a correct one executes some thousands on a probe
COPIED_BYTES = 2**20  # of a global array

# Modules whose functions may run, except anything that has one of the names below.
HARMLESS = {
    *("builtins", "numpy", "math", "cmath", "scipy", "copy", "random", "time", "datetime", "functools", "operator"),
    *("collections", "typing", "warnings", "numbers", "string"),
}
OUTSIDE = {
    *("open", "input", "exec", "eval", "compile", "__import__", "breakpoint", "exit", "quit", "help", "globals", "vars"),
    *("getattr", "setattr", "delattr", "BaseException", "KeyboardInterrupt", "SystemExit", "GeneratorExit"),
    *("save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "genfromtxt", "fromfile", "tofile", "dump"),
    *("savemat", "loadmat", "memmap", "DataSource", "ctypes", "ctypeslib", "seterr", "seterrcall", "set_printoptions"),
    *("sleep", "__globals__", "__builtins__", "__subclasses__", "__code__", "__closure__", "__dict__"),
}
# Modules that only draw: a stand-in takes their place, so that no figure appears or waits for a click.
DISPLAYS = {"matplotlib", "pylab", "seaborn", "IPython"}

_PLAIN = (int, float, complex, str, bytes, type(None), type(Ellipsis), np.generic, np.dtype, slice, range)
_STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib")).resolve()
_NAMED = {"LOAD_GLOBAL", "LOAD_NAME"}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"}


class NotRun(Exception):
    """The reason why a function is read, and not run."""


class Endless(BaseException):
    """A call executed more than its budget of instructions; no `except Exception` catches it."""


class _Display:
    """A stand-in for a module that draws, and for all that it returns."""

    calls = 0  # of all its functions, by anyone

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return (lambda *args, **options: (self(), self)) if name == "subplots" else self

    def __call__(self, *args: Any, **options: Any) -> _Display:
        type(self).calls += 1
        return self

    def __getitem__(self, key: Any) -> _Display:
        if key == 0 or not isinstance(key, int):
            return self
        raise IndexError(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *error: Any) -> None:
        pass


_DISPLAY = _Display()


def drawings() -> int:
    """The number of calls to modules that draw, until now."""
    return _Display.calls


def _root(name: object) -> str:
    return str(name or "").partition(".")[0]


def _import(name: str, *rest: Any) -> Any:
    return _DISPLAY if _root(name) in DISPLAYS else builtins.__import__(name, *rest)


_BUILTINS = {name: value for name, value in vars(builtins).items() if name not in OUTSIDE} | {"__import__": _import}


def codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A code and those nested in it: lambdas, comprehensions, inner functions."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def _catches_everything(instructions: list[dis.Instruction]) -> bool:
    """Whether there is a bare `except:`, or a `finally:` that drops the exception: it would catch `Endless`."""
    for i, instruction in enumerate(instructions):
        if instruction.opname == "PUSH_EXC_INFO":  # from Python 3.11: a handler's start
            handler = i + 1
        elif instruction.opname == "SETUP_FINALLY":  # before it: points to the handler
            handler = next(j for j, other in enumerate(instructions) if other.offset >= instruction.argval)
        else:
            continue
        if instructions[handler].opname == "POP_TOP":  # the exception is dropped before its type is examined
            return True
    return False


class Copies:
    """Copies of functions, in which other functions take the place of some.

    ``stand_ins`` holds the stand-in for each name, ``originals`` the functions that have these names in the module, so that
    they are recognized under other names too. ``constants`` collects the whole numbers in the code that was read.
    """

    def __init__(self, stand_ins: Mapping[str, Callable], originals: Mapping[str, Any], subject: Any) -> None:
        self.stand_ins = stand_ins
        self.originals = originals
        self.names = {id(value): name for name, value in originals.items() if name in stand_ins and callable(value)}
        self.subject = subject
        self.constants: set[int] = set()
        self.codes: set[types.CodeType] = set()
        self._copied: dict[int, Any] = {}
        self._kept: list[tuple[str, Any, Any]] = []  # names, originals (so that no other object takes their id), copies

    def function(self, original: types.FunctionType) -> types.FunctionType:
        """The copy of a Python function; raises NotRun where something that it reaches may not run."""
        if id(original) in self._copied:
            return self._copied[id(original)]
        if original.__closure__ and any(not _filled(cell) for cell in original.__closure__):
            raise NotRun(f"{original.__name__} has a closure that is not filled")
        cells = tuple(types.CellType() for _ in original.__closure__ or ())
        namespace: dict[str, Any] = {"__builtins__": _BUILTINS, "__name__": original.__module__}
        made = types.FunctionType(original.__code__, namespace, original.__name__, None, cells or None)
        self._remember(original.__name__, original, made)
        for code in codes(original.__code__):
            self.codes.add(code)
            self.constants |= {x for x in code.co_consts if type(x) is int}
            self._read(original, code, namespace)
        for name, cell, filled in zip(original.__code__.co_freevars, cells, original.__closure__ or (), strict=True):
            cell.cell_contents = self.value(name, filled.cell_contents)
        if original.__defaults__ is not None:
            made.__defaults__ = self.value("a default", original.__defaults__)
            self.constants |= {x for x in original.__defaults__ if type(x) is int}
        if original.__kwdefaults__ is not None:
            made.__kwdefaults__ = self.value("a default", original.__kwdefaults__)
        for name, value in vars(original).items():
            with contextlib.suppress(NotRun):  # most are marks for others; __wrapped__ is in the closure too
                setattr(made, name, self.value(f"{original.__name__}.{name}", value))
        return made

    def _remember(self, name: str, original: Any, made: Any) -> None:
        self._copied[id(original)] = made
        self._kept.append((name, original, made))

    def changed(self) -> list[str]:
        """Names of data outside of the functions (globals, closures, defaults) that a run has changed: in the copy."""
        return sorted({name for name, original, made in self._kept if _holds(original) != _holds(made)})

    def _read(self, original: types.FunctionType, code: types.CodeType, namespace: dict[str, Any]) -> None:
        """Refuse what may not run; copy the globals that the code names into the namespace."""
        who, found = original.__name__, original.__globals__
        instructions = [i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "EXTENDED_ARG", "NOP")]
        attributes = {i.argval for i in instructions if i.opname in _ATTRIBUTES}
        if _catches_everything(instructions):
            raise NotRun(f"{who} catches every exception, so that it could not be stopped")
        for i, instruction in enumerate(instructions):
            operation, name = instruction.opname, instruction.argval
            if operation in ("STORE_GLOBAL", "DELETE_GLOBAL"):
                raise NotRun(f"{who} changes the global {name}")
            if operation == "LOAD_BUILD_CLASS":
                raise NotRun(f"{who} defines a class")
            if operation == "IMPORT_NAME" and _root(name) not in HARMLESS | DISPLAYS:
                raise NotRun(f"{who} imports {name}")
            if operation in ("STORE_ATTR", "DELETE_ATTR"):
                start = i - 1
                while instructions[start].opname == "LOAD_ATTR":
                    start -= 1
                owner = instructions[start].argval
                if instructions[start].opname == "LOAD_GLOBAL" and isinstance(found.get(owner), types.ModuleType):
                    raise NotRun(f"{who} changes {owner}.{name}")
            if (operation in _ATTRIBUTES or (operation in _NAMED and name not in found)) and name in OUTSIDE:
                raise NotRun(f"{who} reaches {name}")
            if operation in _NAMED and name in found:
                if isinstance(found[name], types.ModuleType):
                    namespace[name] = self._module(name, found[name], attributes)
                else:
                    namespace[name] = self.value(name, found[name])

    def _module(self, name: str, module: types.ModuleType, attributes: set[str]) -> Any:
        """The module itself, its stand-in, or for one of the user's own a module of copies."""
        root = _root(module.__name__)
        if root in DISPLAYS:
            return _DISPLAY
        if root in HARMLESS:
            return module
        if in_library(getattr(module, "__file__", None)):
            raise NotRun(f"reaches the module {module.__name__}")
        made = self._copied.get(id(module))
        if made is None:
            made = types.ModuleType(module.__name__)
            self._remember(name, module, made)
        for attribute in attributes & vars(module).keys():
            value = vars(module)[attribute]
            if isinstance(value, types.ModuleType):
                setattr(made, attribute, self._module(f"{name}.{attribute}", value, attributes))
            else:
                setattr(made, attribute, self.value(attribute, value))
        return made

    def value(self, name: str, value: Any) -> Any:
        """The substitute for a value: a function's stand-in or copy, a copy of data, or itself; raises NotRun."""
        value = original(value)
        if value is not self.subject and (callable(value) or value is self.originals.get(name)):
            known = self.names.get(id(value), name)
            if known in self.stand_ins:
                return self.stand_ins[known]
        if id(value) in self._copied:
            return self._copied[id(value)]
        if isinstance(value, types.ModuleType):
            raise NotRun(f"passes on the module {value.__name__} as {name}")
        root = _root(getattr(value, "__module__", None) if callable(value) else type(value).__module__)
        if root in DISPLAYS:
            return _DISPLAY
        if isinstance(value, types.FunctionType) and root not in HARMLESS | {"fastbackprop"}:
            if in_library(value.__code__.co_filename):
                raise NotRun(f"reaches {value.__module__}.{value.__qualname__}")
            return self.function(value)
        if callable(value):
            return self._callable(name, value, root)
        return self._data(name, value)

    def _callable(self, name: str, value: Any, root: str) -> Any:
        named, owner = getattr(value, "__name__", name), getattr(value, "__self__", None)
        if named in OUTSIDE:
            raise NotRun(f"reaches {named}")
        if isinstance(owner, (np.random.Generator, np.random.RandomState)):
            legacy = owner is getattr(np.random.randn, "__self__", None)  # its state is put back by `untouched`
            return value if legacy else getattr(self._data(name, owner), named)
        wraps = type(value).__module__ == "functools" or isinstance(value, np.vectorize)  # these call other code
        wraps |= isinstance(value, np.ufunc) and all("O" in types for types in value.types)
        if root in HARMLESS | {"fastbackprop"} and not wraps:
            return value
        raise NotRun(f"reaches {name}, a {type(value).__module__}.{type(value).__name__} that cannot be read")

    def _data(self, name: str, value: Any) -> Any:
        if isinstance(value, _PLAIN):
            return value
        made: Any
        if isinstance(value, np.ndarray) and value.dtype.hasobject is False:
            if value.nbytes > COPIED_BYTES:
                raise NotRun(f"reads the global array {name} of {value.nbytes} bytes")
            made = value.copy()
        elif type(value) in (np.random.Generator, np.random.RandomState, random.Random):
            made = copy.deepcopy(value)
        elif type(value) in (list, dict, set):
            made = type(value)()
            self._remember(name, value, made)
            if isinstance(value, dict):
                made.update((key, self.value(f"{name}[{key!r}]", item)) for key, item in value.items())
            else:
                (made.extend if isinstance(value, list) else made.update)(self.value(f"{name}[...]", item) for item in value)
            return made
        elif type(value) in (tuple, frozenset):
            made = type(value)(self.value(f"{name}[...]", item) for item in value)
        else:
            raise NotRun(f"reaches {name}, a {type(value).__module__}.{type(value).__name__}")
        self._remember(name, value, made)
        return made

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """The function's result; raises Endless where it executes more instructions than its budget, in code read here."""
        left = INSTRUCTIONS

        def trace(frame: types.FrameType, event: str, arg: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Endless(f"does not end: stopped after {INSTRUCTIONS:,} instructions")
            if frame.f_code not in self.codes:
                return None
            # Before Python 3.12 an empty loop on one line has no events of lines; since then some have none of instructions.
            frame.f_trace_opcodes = frame.f_trace_lines = True
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            return function(*args)
        finally:
            sys.settrace(before)


def _holds(value: Any) -> Any:
    """The contents of a list, dict, set or array, to compare; None for everything else and for those that hold functions."""
    if not isinstance(value, (list, dict, set, np.ndarray)):
        return None
    try:
        return pickle.dumps(value)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None


def _filled(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def is_ours(value: Any) -> bool:
    """Whether a function or a class is one of this package's."""
    return _root(getattr(value, "__module__", None)) == "fastbackprop"


@functools.cache  # of each function of a namespace, again and again
def in_library(file: str | None) -> bool:
    """Whether a file is Python's or an installed package's, or there is none."""
    if file is None:
        return True
    path = Path(file).resolve()
    return path.is_relative_to(_STANDARD_LIBRARY) or not {"site-packages", "dist-packages"}.isdisjoint(path.parts)


@contextlib.contextmanager
def untouched() -> Iterator[None]:
    """Restore random numbers, warnings, NumPy's error handling and the standard streams at the end."""
    with contextlib.ExitStack() as stack:
        stack.callback(np.random.set_state, np.random.get_state())
        stack.callback(random.setstate, random.getstate())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        yield
