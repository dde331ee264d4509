"""Running the programs of tests/programs: by themselves, under `patch`, in IPython with the extension, and by ``run``."""

from __future__ import annotations

import ast
import atexit
import contextlib
import copy
import io
import linecache
import os
import pickle
import random
import re
import shutil
import subprocess
import sys
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import fastbackprop

from . import forked
from .outcomes import Outcome, drawn
from .program_table import FOLDER, Program

ROOT = Path(__file__).parents[2]
SEED = 2024  # of the generators before a program starts
COMMANDS: dict[str | None, tuple[str, ...]] = {"python": (), "run in a new process": ("-m", "fastbackprop", "run")}


def run_program(program: Program, takeover: str | None = None) -> Outcome:
    """Run a copy of a program and return what it leaves behind.

    ``takeover`` is None (the program's own code alone), "patch" (`fastbackprop.patch` of its namespace, and of its helper
    modules, once what it calls is defined; after each cell that defines something), "patch itself" (the program calls
    ``fastbackprop.patch()`` there), "load_ext" (its cells, or all of it as one, in IPython with the extension), "run"
    (``fastbackprop run`` in a process that has imported all it needs, where processes fork) or "run in a new process";
    "python" is a process of its own without a takeover.
    """
    with tempfile.TemporaryDirectory() as name:
        path = _copied(program, Path(name).resolve())
        if takeover == "run" and not hasattr(os, "fork"):
            takeover = "run in a new process"
        if takeover == "run" or takeover in COMMANDS:
            return _in_a_process(program, path, COMMANDS.get(takeover))
        with _session(program, path) as session:
            if takeover == "load_ext":
                _in_ipython(session)
            else:
                _in_cells(session, {None: None, "patch": _patch, "patch itself": _patch_itself}[takeover])
        return session.outcome()


def _copied(program: Program, folder: Path) -> Path:
    source = program.path.parent
    if source == FOLDER:
        shutil.copy(program.path, folder)
    else:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for file, old, new in program.replaced:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, f"{program.name}: not in {file}: {old}"
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder / program.path.name


class _Session:
    """One run in this process: the main module, and what is recorded."""

    def __init__(self, program: Program, path: Path) -> None:
        self.program, self.path = program, path
        self.module = types.ModuleType("__main__")
        self.module.__file__ = str(path)
        self.stdout = io.StringIO()
        self.figures: list[list[dict[str, Any]]] = []
        self.warnings: list[str] = []
        self.exit_code: int | None = None
        self.report: dict[str, tuple[str, str]] = {}
        self.results: dict[str, Any] = {}
        self.random_state: Any = None

    @property
    def helpers(self) -> list[types.ModuleType]:
        """The program's own modules besides the main one."""
        return [sys.modules[file.stem] for file in self.path.parent.glob("*.py") if file.stem in sys.modules]

    def add(self, report: Any) -> None:
        for row in report.rows:
            self.report[row.name] = row.verdict, row.how

    def show(self, *args: Any, **options: Any) -> None:
        """In the place of ``plt.show``: as a notebook does, it shows the figures and closes them."""
        import matplotlib.pyplot as plt

        self.figures += [drawn(plt.figure(number)) for number in plt.get_fignums()]
        plt.close("all")

    def finish(self) -> None:
        self.show()
        self.results = copy.deepcopy({name: vars(self.module)[name] for name in self.program.results})
        self.random_state = np.random.get_state(), random.getstate()

    def outcome(self) -> Outcome:
        return Outcome(
            self.results, self.stdout.getvalue(), self.figures, self.random_state, self.warnings, self.exit_code, self.report
        )


@contextlib.contextmanager
def _session(program: Program, path: Path) -> Iterator[_Session]:
    """This process as a program finds it that has just begun; afterwards as it was."""
    import matplotlib.pyplot as plt

    session = _Session(program, path)
    kept = np.random.get_state(), random.getstate(), np.geterr(), os.getcwd(), list(sys.path), list(sys.argv)
    modules, main, show, style = set(sys.modules), sys.modules["__main__"], plt.show, dict(plt.rcParams)
    plt.close("all")
    plt.switch_backend("agg")
    plt.show = session.show
    os.chdir(path.parent)
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path), *program.args]
    sys.modules["__main__"] = session.module
    np.random.seed(SEED)
    random.seed(SEED)
    try:
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(session.stdout):
            warnings.simplefilter("always")
            yield session
            session.finish()
        session.warnings = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    finally:
        plt.close("all")
        plt.show = show
        plt.rcParams.update(style)
        sys.modules["__main__"] = main
        for helper in session.helpers:
            if helper.__name__ not in modules:
                del sys.modules[helper.__name__]
        linecache.clearcache()
        np.random.set_state(kept[0])
        random.setstate(kept[1])
        np.seterr(**kept[2])
        os.chdir(kept[3])
        sys.path[:], sys.argv = kept[4], kept[5]


# By cells: a program with "# %%" lines is a notebook; all others are one file, with one place between definitions and calls.

_DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def _is_notebook(text: str) -> bool:
    return re.search(r"^# %%", text, re.MULTILINE) is not None


def cells(text: str) -> list[str]:
    return re.split(r"^(?=# %%)", text, flags=re.MULTILINE)


def _parts(path: Path) -> Iterator[tuple[types.CodeType, bool]]:
    """The parts of a program in order, and whether each one defines something; a cell is a file of its own, as in IPython."""
    text = path.read_text(encoding="utf-8")
    if _is_notebook(text):
        for i, cell in enumerate(cells(text)):
            file = f"<cell {i} of {path.stem}>"
            linecache.cache[file] = len(cell), None, cell.splitlines(keepends=True), file
            yield _compiled(cell, file), any(isinstance(statement, _DEFINITIONS) for statement in ast.parse(cell).body)
        return
    body = ast.parse(text).body
    last = max(i for i, statement in enumerate(body) if isinstance(statement, _DEFINITIONS))
    yield _compiled(ast.Module(body[: last + 1], []), str(path)), True
    yield _compiled(ast.Module(body[last + 1 :], []), str(path)), False


def _compiled(source: str | ast.Module, file: str) -> types.CodeType:
    return compile(source, file, "exec", dont_inherit=True)


def _in_cells(session: _Session, takeover: Callable[[_Session], None] | None) -> None:
    try:
        for code, defines in _parts(session.path):
            exec(code, vars(session.module))
            if defines and takeover:
                takeover(session)
    except SystemExit as end:
        session.exit_code = end.code  # type: ignore[assignment]


def _patch(session: _Session) -> None:
    for helper in session.helpers:
        session.add(fastbackprop.patch(helper))
    session.add(fastbackprop.patch(vars(session.module)))


def _patch_itself(session: _Session) -> None:
    namespace: dict[str, Any] = vars(session.module)
    exec("import fastbackprop\n__report = fastbackprop.patch()\n", namespace)
    session.add(namespace.pop("__report"))
    del namespace["fastbackprop"]


# In IPython.


def _in_ipython(session: _Session) -> None:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    text = session.path.read_text(encoding="utf-8")
    shell = InteractiveShell.instance(config=config, user_module=session.module)
    shell.showtraceback = lambda *args, **options: None  # type: ignore[method-assign]  # of a SystemExit; all others are raised below
    warnings.filterwarnings("ignore", "To exit: use")  # IPython's own, of a SystemExit
    try:
        shell.run_line_magic("load_ext", "fastbackprop")
        for cell in cells(text) if _is_notebook(text) else [text]:
            result = shell.run_cell(cell, store_history=True)  # else a semicolon at a cell's end is not seen
            error = result.error_before_exec or result.error_in_exec
            if isinstance(error, SystemExit):
                session.exit_code = error.code  # type: ignore[assignment]
            elif error is not None:
                raise error
        session.add(shell.run_line_magic("fastbackprop", "report"))
    finally:
        shell.run_line_magic("unload_ext", "fastbackprop")
        InteractiveShell.clear_instance()
        atexit.unregister(shell.atexit_operations)  # they would clear the namespace


# In a process: a module that Python imports as it starts seeds the generators as here, and keeps what the program leaves.

_RECORDER = f"""
import atexit, os, pickle, random, sys

def leave():
    import numpy as np
    show()
    main = vars(sys.modules["__main__"])
    names = os.environ["PROGRAM_RESULTS"].split()
    results = {{name: main[name] for name in names if name in main}}
    with open(os.environ["PROGRAM_OUTCOME"], "wb") as file:
        pickle.dump((results, figures, (np.random.get_state(), random.getstate())), file)

def show(*args, **options):
    import matplotlib.pyplot as plt
    from tests.support.outcomes import drawn
    figures.extend(drawn(plt.figure(number)) for number in plt.get_fignums())
    plt.close("all")

figures = []
if "PROGRAM_OUTCOME" in os.environ:
    import numpy as np
    import matplotlib.pyplot
    matplotlib.pyplot.show = show
    np.random.seed({SEED})
    random.seed({SEED})
    atexit.register(leave)
"""

_ROW = re.compile(r"^  (?:\S+\.)?(\w+) +(replaced|adapted|taken over|left) *(.*)$", re.MULTILINE)  # of the report


def _in_a_process(program: Program, path: Path, command: tuple[str, ...] | None) -> Outcome:
    """By the command of Python, or forked where there is none."""
    with tempfile.TemporaryDirectory() as name:
        recorder = Path(name)
        left = recorder / "outcome.pickle"
        asked = {"PROGRAM_OUTCOME": str(left), "PROGRAM_RESULTS": " ".join(program.results)}
        if command is None:
            ended = forked.command(["run", path.name, *program.args], path.parent, recorder, _RECORDER, **asked)
        else:
            (recorder / "sitecustomize.py").write_text(_RECORDER, encoding="utf-8")
            folders = os.pathsep.join([str(recorder), str(ROOT), os.environ.get("PYTHONPATH", "")])
            ended = subprocess.run(
                [sys.executable, *command, path.name, *program.args],
                cwd=path.parent,
                env=dict(os.environ) | asked | {"PYTHONPATH": folders, "MPLBACKEND": "agg"},
                capture_output=True,
                text=True,
                timeout=300,
            )
        assert left.exists(), f"{program.name} left nothing behind\n{ended.stdout}\n{ended.stderr}"
        results, figures, random_state = pickle.loads(left.read_bytes())
    assert "Traceback" not in ended.stderr, ended.stderr
    issued = re.findall(r"^\S+:\d+: (\w*Warning: .*)$", ended.stderr, re.MULTILINE)
    exit_code = None if ended.returncode == 0 and program.exit_code is None else ended.returncode
    report = {name: (verdict, how) for name, verdict, how in _ROW.findall(ended.stderr)}
    return Outcome(results, ended.stdout, figures, random_state, issued, exit_code, report)
