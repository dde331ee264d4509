"""``python -m fastbackprop run script.py``: a script on the fast functions, as ``python script.py`` runs it otherwise."""

from __future__ import annotations

import atexit
import builtins
import contextlib
import os
import sys
import types
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from typing import Any

from fastbackprop.takeover import Takeover
from fastbackprop.takeover.importing import Hook
from fastbackprop.takeover.marking import Marks, compiled, loaded_modules
from fastbackprop.takeover.tracebacks import strip


def run_script(script: str, arguments: Sequence[str]) -> int:
    """Run a script as Python would; returns the exit code, or raises what the script raises."""
    path = os.path.join(os.getcwd(), script)  # as Python makes __file__
    if os.path.isdir(path):
        path = os.path.join(path, "__main__.py")
        if not os.path.isfile(path):
            return _refused(f"can't find '__main__' module in {script!r}", 1)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        return _refused(f"can't open file {path!r}: [Errno {error.errno}] {error.strerror}", 2)
    sys.argv = [script, *arguments]
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    main = _main_module(path)
    marks, hook = Marks(Takeover()), Hook()
    marks.begin()
    hook.install()
    atexit.register(_say, marks, hook, os.getpid())  # the last of all, after the threads and the functions of the script
    try:
        exec(compiled(source, path), vars(main))
    except SystemExit:
        raise
    except BaseException:
        sys.excepthook = _Uncaught(sys.excepthook)
        raise
    return 0


def _refused(why: str, code: int) -> int:
    print(f"fastbackprop run: {why}", file=sys.stderr)
    return code


def _main_module(path: str) -> types.ModuleType:
    """A new ``__main__`` in the place of ours, as Python makes it for a script."""
    main = types.ModuleType("__main__")
    vars(main).update(
        __loader__=SourceFileLoader("__main__", path), __package__=None, __annotations__={}, __builtins__=builtins,
        __file__=path, __cached__=None,
    )  # fmt: skip
    sys.modules["__main__"] = main
    return main


class _Uncaught:
    """The hook that the script has for exceptions that nobody catches, called with a traceback of the script's frames."""

    def __init__(self, hook: Any) -> None:
        self.hook = hook

    def __call__(self, kind: type[BaseException], error: BaseException, traceback: types.TracebackType | None) -> None:
        strip(error, run_script.__code__)
        sys.last_traceback = error.__traceback__
        self.hook(kind, error, error.__traceback__)


def _say(marks: Marks, hook: Hook, process: int) -> None:
    """The report, on stderr; a forked child that comes here has none."""
    if os.getpid() != process:
        return
    with contextlib.suppress(Exception):  # a pipe that nobody reads any more: Python says so itself
        sys.stdout.flush()
    try:
        marks.others(*loaded_modules())
        report = marks.takeover.report()
        if report.rows:
            print(report, file=sys.stderr)
        if hook.served:
            print(f"fastbackprop: {', '.join(hook.served)} ran on its kernels", file=sys.stderr)
        elif not report.replaced:
            print("fastbackprop: warning: nothing was replaced, the script ran on its own code alone", file=sys.stderr)
    except (KeyboardInterrupt, OSError, ValueError):  # Ctrl-C, or a stream that is closed
        pass
