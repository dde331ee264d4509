"""The one decorator with every compiler option, and the disk cache's key; no other file calls njit.

Two spellings. `inner` marks a function that only kernels call: it is compiled into its callers. `entry` marks a function
that Python calls: one canonical signature a dtype, compiled or loaded on first use, so that layouts, read-only flags and
sizes never compile anything more.
"""

import atexit
import gc
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, ClassVar

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numpy.typing import NDArray

from fastbackprop.kernels.disk_cache import DiskCache, folder
from fastbackprop.kernels.inlined import INTO_CALLERS, INTO_CODE, give_up, once_for_all_constants
from fastbackprop.kernels.introspection import Introduced
from fastbackprop.kernels.notice import notice
from fastbackprop.kernels.tasks import Task

JIT = not numba.config.DISABLE_JIT

# No fastmath: what may fuse is spelled `fma`, what may be re-ordered is spelled as vectors; nan and inf keep working.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}

_DESCRIBED = repr(sorted(_OPTIONS.items()))


def cache_folder() -> Path | None:
    """The folder in which machine code is kept, made if need be; None where none can be had."""
    return folder(_DESCRIBED)


DTYPES = {"d": types.float64, "f": types.float32}


# Inner functions by their names, which are the symbols in machine code. Of two with one name the linker takes the first that is
# loaded: beside a number that counts up within a process, nothing else keeps them apart in what other processes left on disk.
_named: dict[str, Callable[..., Any]] = {}


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only kernels call, into each caller.

    Called from Python it would crash: what tests or users call is an `entry`.
    """
    name = f"{function.__module__}.{function.__qualname__}"
    known = _named.setdefault(name, function)
    if known is not function and (function.__closure__ or known.__closure__):  # else it is defined once more
        raise ValueError(f"there is an inner function {name} already")
    return once_for_all_constants(numba.njit(**INTO_CALLERS, **_OPTIONS)(function)) if JIT else function


# Held by the thread that compiles or loads one function, and by a fork, which waits for that function.
_compiling = threading.RLock()


def _locks_of_compilers() -> list[Any]:
    """Numba's and llvmlite's lock: a child that is forked while another thread holds one would wait for it for ever.

    Renewed in the child they are no help: LLVM has locks of its own, which hang it then. Source: their sources; where these
    names are gone, a fork waits for our own compiles alone.
    """
    llvmlite_lock = getattr(getattr(llvm.ffi, "lib", None), "_lock", None)
    found = [getattr(global_compiler_lock, "_lock", None), getattr(llvmlite_lock, "_lock", None)]
    return [lock for lock in found if hasattr(lock, "acquire") and hasattr(lock, "release")]


# The end of a process waits for the LLVM call that another thread has begun, and lets it begin no other: where LLVM is taken
# down under one, the process crashes.
for _lock in _locks_of_compilers()[-1:]:
    atexit.register(_lock.acquire)


def _after_fork_in_child() -> None:
    """Nobody compiles in a child: what a thread of the parent had begun is to be begun again."""
    for lock in (_compiling, *_locks_of_compilers()):
        if not lock._is_owned():
            lock._at_fork_reinit()  # its owner is no more, where an interrupt kept the fork from waiting for it
    for entry in Entry.all:
        entry.tasks.clear()


if hasattr(os, "register_at_fork"):
    # The hooks run last to first before a fork, first to last after it: our lock is taken first, as who compiles does. They are
    # methods in C, which no handler's exception can leave half done.
    for _lock in (*reversed(_locks_of_compilers()), _compiling):
        os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _named_in(code: CodeType, function: Any) -> Iterator[Any]:
    """The globals that a function's code names, that of functions within it too."""
    for name in code.co_names:
        if name in function.__globals__:
            yield function.__globals__[name]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _named_in(constant, function)


def routines_of(function: Any) -> list["Routine"]:
    """The routines that a kernel reaches through the functions and intrinsics that its code names; callees come first."""
    found: list[Routine] = []
    seen: set[int] = set()

    def visit(thing: Any) -> None:
        if id(thing) in seen:
            return
        seen.add(id(thing))
        inside = thing.function if isinstance(thing, Routine) else thing
        inside = getattr(inside, "py_func", None) or getattr(inside, "_defn", None) or inside  # jitted; an intrinsic
        if isinstance(inside, FunctionType) and not inside.__module__.startswith(("numba", "numpy", "llvmlite")):
            for value in _named_in(inside.__code__, inside):
                visit(value)
            for cell in inside.__closure__ or ():
                visit(cell.cell_contents)
        if isinstance(thing, Routine):
            found.append(thing)

    visit(function)
    return found


@contextmanager
def _no_collections() -> Iterator[None]:
    """Compiling makes a million objects and hardly a circle; looking for circles took a tenth of the time."""
    thresholds = gc.get_threshold()
    gc.set_threshold(0)  # whether it is on stays the user's, who may turn it off meanwhile
    try:
        yield
    finally:
        if gc.get_threshold()[0] == 0:
            gc.set_threshold(*thresholds)


def _compiled(function: Callable[..., Any], signature: Any, T: Any, passes: dict[str, Any], **options: Any) -> Any:
    """The dispatcher of a function that is compiled, or loaded from the disk cache, for a signature."""
    dispatcher = numba.njit(**passes, **_OPTIONS, **options)(function)
    dispatcher._cache = DiskCache(function, f"{function.__name__}-{T}", _DESCRIBED)
    try:
        dispatcher.compile(signature)
    except Exception as error:
        if isinstance(error, TypingError) or not give_up(error):  # the first is a fault of the function
            raise
        return _compiled(function, signature, T, passes, **options)
    return dispatcher


class Routine(Introduced):
    """Vector code that entries call by its symbol, compiled once a dtype.

    An inner function is optimized again in every function above it; for the micro-kernels that took 1 s a level.
    """

    all: ClassVar[list["Routine"]] = []
    loaded: ClassVar[dict[str, Any]] = {}
    usage = "kernels call it by its symbol"

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Callable[[Any], Any], ...], passes: dict[str, Any]
    ) -> None:
        self.introduce(function)
        self.arguments, self.passes = arguments, passes
        self.at = _Addresses(self)
        Routine.all.append(self)

    def __repr__(self) -> str:
        return self.described((str(T) for T in DTYPES.values() if self.symbol(T) in Routine.loaded), not JIT)

    def symbol(self, T: Any) -> str:
        return f"fastbackprop_{self.function.__name__}_{T}"

    def load(self, T: Any) -> None:
        """Compile it, or load it from the disk cache, and make its symbol known to the linker."""
        with _compiling, notice, _no_collections():
            if self.symbol(T) in Routine.loaded:
                return
            signature = tuple(argument(T) for argument in self.arguments)
            compiled = _compiled(self.function, signature, T, self.passes, no_cpython_wrapper=True, no_cfunc_wrapper=True)
            result = compiled.overloads[signature]
            # Past the wrapper for C, which passes all arguments on once more: by pairs, for which a processor waits until each
            # has left its store buffer.
            llvm.add_symbol(self.symbol(T), result.library.get_pointer_to_function(result.fndesc.llvm_func_name))
            Routine.loaded[self.symbol(T)] = compiled

    def address(self, builder: Any, T: Any) -> Any:
        """Emit its address."""
        if self.symbol(T) not in Routine.loaded:  # the linker would end the process
            raise RuntimeError(f"{self.symbol(T)} is called, but not named where `routines_of` looks")
        return cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.IntType(32), []), self.symbol(T))

    def call(self, builder: Any, T: Any, values: list[Any]) -> None:
        """Emit a call."""
        call_routine(builder, self.address(builder, T), values)


class _Addresses(dict[str, Any]):
    """Where a routine begins, by dtype; in plain Python the routine itself.

    A look-up compiles or loads it the first time, as that of an entry does.
    """

    dtypes = "df"

    def __init__(self, routine: Routine) -> None:
        super().__init__()
        self._routine = routine

    def __missing__(self, char: str) -> Any:
        routine, T = self._routine, DTYPES[char]
        if not JIT:
            return self.setdefault(char, routine)
        if routine.symbol(T) not in Routine.loaded:
            task = Task(_load, routine, T)
            task.start()
            task.wait(notice.look)
        return self.setdefault(char, llvm.address_of_symbol(routine.symbol(T)))


_BYTES = ir.IntType(8).as_pointer()


def call_routine(builder: Any, function: Any, values: list[Any]) -> None:
    """Emit the call of a routine's address, as Numba's functions call each other: with room for a result and an exception."""
    room = [cgutils.alloca_once_value(builder, ir.Constant(_BYTES, None)) for _ in range(2)]
    values = [builder.bitcast(pointer, _BYTES) for pointer in room] + values
    kind = ir.FunctionType(ir.IntType(32), [value.type for value in values])
    builder.call(builder.bitcast(function, kind.as_pointer()), values)


def routine(*arguments: Callable[[Any], Any], passes: dict[str, Any] = INTO_CODE) -> Callable[[Callable[..., Any]], Routine]:
    """Mark vector code that entries call by its symbol; `passes` are INTO_VECTORS where nothing is left to vectorize."""
    return lambda function: Routine(function, arguments, passes)


def _load(kernel: Any, T: Any) -> None:
    """Load all routines that a routine or function reaches: a symbol that is missing ends the process."""
    for each in routines_of(kernel):
        each.load(T)


def addresses(routines: Sequence[Routine | None], char: str) -> NDArray[Any]:
    """Where routines begin, for kernels that call those they are handed; 0 for None."""
    return np.array([0 if each is None else each.at[char] for each in routines], np.int64 if JIT else object)


class Entry(Introduced, dict[str, Callable[..., Any]]):
    """A kernel that Python calls: `kernel["d"](...)` for float64, `kernel["f"](...)` for float32.

    A look-up compiles (or loads from the disk cache) the canonical signature of that dtype the first time. A thread of its own
    does it: an exception within Numba's compiler leaves its lock held or its registry broken for good. Who is interrupted while
    waiting finds it done, or further on, at the next look-up.
    """

    all: ClassVar[list["Entry"]] = []
    usage = 'look up ["d"] of it for float64, ["f"] for float32, and call what that returns'

    def __init__(self, function: Callable[..., Any], arguments: tuple[Callable[[Any], Any], ...], dtypes: str) -> None:
        super().__init__()
        self.introduce(function)
        self.arguments, self.dtypes = arguments, dtypes
        self.dispatchers: dict[str, Any] = {}
        self.tasks: dict[str, Task] = {}
        Entry.all.append(self)

    def __repr__(self) -> str:
        return self.described((str(DTYPES[char]) for char in self.dtypes if char in self), not JIT)

    def __missing__(self, char: str) -> Callable[..., Any]:
        if char not in self.dtypes:
            raise KeyError(char)
        if not JIT:
            return self.setdefault(char, self.function)
        task = self.tasks.setdefault(char, Task(self._compile, char))
        task.start()
        try:
            task.wait(notice.look)
        finally:
            if task.done and char not in self and self.tasks.get(char) is task:  # it failed: the next look-up tries again
                self.tasks.pop(char, None)
        return self[char]

    def _compile(self, char: str) -> None:
        T = DTYPES[char]
        _load(self.function, T)
        with _compiling, notice, _no_collections():
            signature = tuple(argument(T) for argument in self.arguments)
            dispatcher = self.dispatchers[char] = _compiled(self.function, signature, T, INTO_CODE, no_cfunc_wrapper=True)
            # Past the dispatcher, which takes 0.15 us to find the only signature that there is.
            self[char] = dispatcher.overloads[signature].entry_point


def entry(*arguments: Callable[[Any], Any], dtypes: str = "df") -> Callable[[Callable[..., Any]], Entry]:
    """Mark a kernel that Python calls; `arguments` are its canonical types as functions of the dtype."""
    return lambda function: Entry(function, arguments, dtypes)


def with_twin(twin: Callable[..., Any]) -> Callable[[Any], Any]:
    """The decorator of an intrinsic: it is what kernels call, or its NumPy twin where nothing is compiled."""
    return lambda typing: intrinsic(typing) if JIT else twin
