"""Machine code on disk: a file a function and dtype, taken whole or not at all.

The folder's name is a hash of all that the machine code depends on: the kernels' sources, sizes, settings, versions. Numba's
own cache looks at the file of the cached function alone, neither at callees in other files nor at globals or settings; it
raises at every call where an index is damaged or a folder can't be written, and it runs whatever bits a data file holds. Here a
file has a checksum, what is damaged or foreign is compiled again and replaced, and where nothing can be written nothing is.
"""

import contextlib
import functools
import hashlib
import importlib.resources
import linecache
import logging
import os
import pickle
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import compiler, serialize
from numba.core.runtime import rtsys

from fastbackprop.kernels import blocking
from fastbackprop.kernels.notice import notice

logger = logging.getLogger("fastbackprop")

MONTH = 30 * 24 * 3600  # seconds; a folder that no process used for so long goes
_MARK = b"machine code of fastbackprop\n"
# Settings that change no machine code.
_HARMLESS = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_DISABLE_JIT"}
said: dict[str, str] = {}  # what was logged, once a process and kind: "folder", "damaged", "unwritten"


def _say_once(kind: str, message: str, *details: object) -> None:
    if kind not in said:
        said[kind] = message % details
        logger.info(message, *details)


def _sources() -> str:
    """Hash of the kernels' sources, in a zip file too."""
    digest, folder = hashlib.sha256(), importlib.resources.files("fastbackprop.kernels")
    for source in sorted((file for file in folder.iterdir() if file.name.endswith(".py")), key=lambda file: file.name):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


# As they are now: what is compiled later in this process is what was imported, whatever has been installed over it meanwhile.
_SOURCES = _sources()


def _key(options: str) -> str:
    """Hash of all that the machine code of any kernel depends on, but for the processor."""
    digest = hashlib.sha256(_SOURCES.encode())
    facts = {name: value for name, value in vars(blocking).items() if name.isupper()}
    settings = {k: v for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in _HARMLESS}
    digest.update(repr((sorted(facts.items()), sorted(settings.items()), options)).encode())
    digest.update(f"{sys.implementation.cache_tag} {numba.__version__} {llvmlite.__version__} {np.__version__}".encode())
    return digest.hexdigest()[:16]


def _parent() -> Path | None:
    """NUMBA_CACHE_DIR, or the user's own cache folder; None where neither is known.

    Never beside the sources: a package that is uninstalled would leave a folder behind, which Python still imports.
    """
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR)
    home = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return None if home.startswith("~") else Path(home)  # neither HOME nor an entry for the user: no folder named "~"


def _drop_old(parent: Path, used: Path) -> None:
    """Remove folders of earlier keys that nobody used for a month; each process stamps the one that it uses."""
    for folder in parent.glob("fastbackprop-*"):
        with contextlib.suppress(OSError):
            if (
                folder != used
                and re.fullmatch("fastbackprop-[0-9a-f]{16}", folder.name)
                and time.time() - folder.stat().st_mtime > MONTH
            ):
                shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def folder(options: str) -> Path | None:
    """The folder for kernels compiled with these options, made if need be; None where none can be had."""
    parent = _parent()
    if parent is None:
        _say_once("folder", "no disk cache for compiled kernels: the user has no home folder; each process compiles")
        return None
    try:
        folder = parent / f"fastbackprop-{_key(options)}"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _say_once("folder", "no disk cache for compiled kernels in %s (%s); each process compiles", parent, error)
        return None
    with contextlib.suppress(OSError):  # one that is only read serves too
        os.utime(folder)
    _drop_old(parent, folder)
    return folder


def _checksum(path: Path, code: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + b"\0" + code).digest()  # a file that was copied to another name is foreign


class DiskCache:
    """What Numba asks for one function's machine code; `name` has its dtype in it."""

    def __init__(self, function: Callable[..., Any], name: str, options: str) -> None:
        self.folder, self.name = folder(options), f"{function.__module__}.{name}"
        # Kernels may be defined outside the package, whose sources the folder knows.
        self.source = "".join(linecache.getlines(function.__code__.co_filename, function.__globals__))

    @property
    def cache_path(self) -> str | None:
        return None if self.folder is None else str(self.folder)

    def _path(self, signature: Any, codegen: Any) -> Path | None:
        if self.folder is None:
            return None
        described = repr((signature, codegen.magic_tuple(), self.source))  # the processor and its features
        return self.folder / f"{self.name}-{hashlib.sha256(described.encode()).hexdigest()[:16]}.code"

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The compiled function, or None, upon which Numba compiles it."""
        loaded = self._load(signature, target)
        if loaded is None:
            notice.began(kept=self.folder is not None)
        return loaded

    def _load(self, signature: Any, target: Any) -> Any:
        rtsys.initialize(target)  # not all that Numba's compiler has to know, for which it would import SciPy too
        path = self._path(signature, target.codegen())
        if path is None:
            return None
        try:
            data = path.read_bytes()
            mark, checksum, code = data[: len(_MARK)], data[len(_MARK) : len(_MARK) + 32], data[len(_MARK) + 32 :]
            if mark != _MARK or _checksum(path, code) != checksum:
                raise ValueError("its checksum is wrong")
            return compiler.CompileResult._rebuild(target, *pickle.loads(code))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except Exception as error:  # whatever a damaged file leads to
            _say_once("damaged", "compiled kernel %s is damaged (%s); it is compiled again and replaced", path, error)
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Write the compiled function, or leave the folder as it is."""
        path = self._path(signature, compiled.codegen)
        if path is None or compiled.library.has_dynamic_globals:
            return
        try:
            code = serialize.dumps(compiled._reduce())
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
            try:
                with open(descriptor, "wb") as file:
                    file.write(_MARK + _checksum(path, code) + code)
                os.replace(temporary, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        except Exception as error:  # the function is compiled: that it cannot be kept is no reason to fail
            message = "compiled kernels cannot be kept in %s (%s); later processes compile again"
            _say_once("unwritten", message, path.parent, error)
