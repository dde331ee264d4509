"""The one decorator with every compiler option, and the disk cache's key; no other file calls njit.

Two spellings. `inner` marks a function that only kernels call: it is compiled into its callers. `entry` marks a function
that Python calls: one canonical signature a dtype, compiled or loaded on first use, so that layouts, read-only flags and
sizes never compile anything more.
"""

import contextlib
import hashlib
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import llvmlite
import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastbackprop.kernels import blocking

logger = logging.getLogger("fastbackprop")

JIT = not numba.config.DISABLE_JIT

# No fastmath: what may fuse is spelled `fma`, what may be re-ordered is spelled as vectors; nan and inf keep working.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False}

_DTYPES = {"d": types.float64, "f": types.float32}
# Settings that change no machine code.
_HARMLESS = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT"}


def _cache_key() -> str:
    """Hash of all that the machine code depends on and Numba's own index does not see.

    Numba stamps the file of the cached function only: neither callees in other files, nor module globals such as tile
    sizes, nor its own settings.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    facts = {name: value for name, value in vars(blocking).items() if name.isupper()}
    settings = {k: v for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in _HARMLESS}
    digest.update(repr((sorted(facts.items()), sorted(settings.items()), _OPTIONS)).encode())
    digest.update(f"{numba.__version__} {llvmlite.__version__}".encode())
    return digest.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _cache_folder() -> str | None:
    """The first writable one of: the user's NUMBA_CACHE_DIR, beside the source, the user's own cache; or None."""
    if numba.config.CACHE_DIR:
        parents = [Path(numba.config.CACHE_DIR)]
    else:
        home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        parents = [Path(__file__).parent / "__pycache__", Path(home)]
    try:
        name = f"fastbackprop-{_cache_key()}"
    except OSError as error:
        logger.info("no disk cache for compiled kernels: the sources cannot be read (%s)", error)
        return None
    for parent in parents:
        if _writable(parent / name):
            return str(parent / name)
    logger.info("no disk cache for compiled kernels: none of %s is writable; each process compiles anew", parents)
    return None


_CACHE_FOLDER = _cache_folder() if JIT else None


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only kernels call, into each caller. It has no Python wrapper, which halves compile time.

    Called from Python it would crash: what tests or users call is an `entry`.
    """
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_OPTIONS)(function) if JIT else function


def IN(T: Any) -> Any:
    """A matrix that is read: any strides, read-only or not, aligned or not."""
    return types.Array(T, 2, "A", readonly=True, aligned=False)


def OUT(T: Any) -> Any:
    """A matrix that is written: C order."""
    return types.Array(T, 2, "C")


def FLAT(T: Any) -> Any:
    """A vector in one piece, read or written."""
    return types.Array(T, 1, "C")


def TABLE(T: Any) -> Any:
    """A vector of whole numbers."""
    return types.Array(types.int64, 1, "C")


def COSTS(T: Any) -> Any:
    """A vector of float64 numbers, whatever the dtype of the arrays."""
    return types.Array(types.float64, 1, "C")


def INT(T: Any) -> Any:
    """A whole number."""
    return types.int64


def REAL(T: Any) -> Any:
    """A float64 number, whatever the dtype of the arrays."""
    return types.float64


def N(T: Any) -> Any:
    """A count, an index or a stride."""
    return types.intp


def NUMBER(T: Any) -> Any:
    """A number of the arrays' dtype."""
    return T


def POINTER(T: Any) -> Any:
    """The address of numbers of the dtype."""
    return types.CPointer(T)


def WORDS(T: Any) -> Any:
    """The address of whole numbers."""
    return types.CPointer(types.int64)


_decorating = threading.RLock()


@contextlib.contextmanager
def _disk_cache(T: Any) -> Iterator[dict[str, Any]]:
    """The options for caching; Numba reads the folder while it decorates, then the user's own setting is put back.

    A folder a dtype: two processes that at once add a signature each to the index of one function number them alike, and
    one's machine code is then loaded for the other's signature.
    """
    with _decorating:
        before = numba.config.CACHE_DIR
        if _CACHE_FOLDER is not None:
            numba.config.CACHE_DIR = str(Path(_CACHE_FOLDER) / str(T))
        try:
            yield {"cache": _CACHE_FOLDER is not None}
        finally:
            numba.config.CACHE_DIR = before


class Routine:
    """Vector code that entries call by its symbol, compiled once a dtype.

    An inner function is optimized anew in every function above it; for the micro-kernels that took 1 s a level.
    """

    loaded: ClassVar[dict[str, Any]] = {}
    all: ClassVar[list["Routine"]] = []

    def __init__(self, function: Callable[..., Any], arguments: tuple[Callable[[Any], Any], ...]) -> None:
        self.function, self.arguments = function, arguments
        Routine.all.append(self)

    def symbol(self, T: Any) -> str:
        return f"fastbackprop_{self.function.__name__}_{T}"

    def load(self, T: Any) -> None:
        """Compile it, or load it from the disk cache, and make its symbol known to the linker."""
        if self.symbol(T) not in Routine.loaded:
            signature = types.void(*(argument(T) for argument in self.arguments))
            with _disk_cache(T) as options:
                compiled = numba.cfunc(signature, error_model="numpy", **options)(self.function)
            llvm.add_symbol(self.symbol(T), compiled.address)
            Routine.loaded[self.symbol(T)] = compiled

    def address(self) -> Any:
        """An intrinsic that gives the routine's address as a whole number, for the dtype of its argument."""

        @intrinsic
        def symbol_address(typing_context, like):
            def emit(context, builder, signature, arguments):
                kind = ir.FunctionType(ir.VoidType(), [])
                function = cgutils.get_or_insert_function(builder.module, kind, self.symbol(like))
                return builder.ptrtoint(function, ir.IntType(64))

            return types.int64(like), emit

        return symbol_address

    def call(self, builder: Any, T: Any, values: list[Any]) -> None:
        """Emit a call."""
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, self.symbol(T)), values)


def routine(*arguments: Callable[[Any], Any]) -> Callable[[Callable[..., Any]], Routine]:
    """Mark vector code that entries call by its symbol."""
    return lambda function: Routine(function, arguments)


class Entry(dict[str, Callable[..., Any]]):
    """A kernel that Python calls: `kernel["d"](...)` for float64, `kernel["f"](...)` for float32.

    A look-up compiles (or loads from the disk cache) the canonical signature of that dtype the first time.
    """

    def __init__(self, function: Callable[..., Any], arguments: tuple[Callable[[Any], Any], ...], dtypes: str) -> None:
        super().__init__()
        self.dtypes = dtypes
        self.function, self.arguments, self.lock = function, arguments, threading.RLock()
        self.routines = tuple(Routine.all)  # all that were defined before it: it can't call others
        self.dispatchers: dict[str, Any] = {}

    def __missing__(self, char: str) -> Callable[..., Any]:
        if char not in self.dtypes:
            raise KeyError(char)
        with self.lock:
            if char not in self:
                self[char] = self._compile(char) if JIT else self.function
        return self[char]

    def _compile(self, char: str) -> Any:
        T = _DTYPES[char]
        for routine in self.routines:
            routine.load(T)
        signature = tuple(argument(T) for argument in self.arguments)
        with _disk_cache(T) as options:
            dispatcher = self.dispatchers[char] = numba.njit(**options, **_OPTIONS)(self.function)
        dispatcher.compile(signature)
        # Past the dispatcher, which takes 0.15 us to find the only signature that there is.
        return dispatcher.overloads[signature].entry_point


def entry(*arguments: Callable[[Any], Any], dtypes: str = "df") -> Callable[[Callable[..., Any]], Entry]:
    """Mark a kernel that Python calls; `arguments` are its canonical types as functions of the dtype."""
    return lambda function: Entry(function, arguments, dtypes)
