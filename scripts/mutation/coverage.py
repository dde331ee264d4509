"""Which tests cover a fault: recorded once, by running all tests of the unchanged package and noting what they reach.

Plain (NUMBA_DISABLE_JIT=1), where every kernel is Python, a profile sees all of them; compiled, it sees what calls them. What
only runs compiled (code that emits machine code, and jobs of a team) is covered by the tests that reach something of the same
file, and by all whose modules import it.
"""

from __future__ import annotations

import ast
import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Any

from mutation.faults import PACKAGE, Fault
from mutation.sources import FunctionNode
from mutation.workplace import Workplace

PLAIN_SECONDS = 0.5  # a test that takes longer as plain Python is not run so
COMPILED_SECONDS = 240.0  # a first test compiles
AGAIN = ("test_plain", "test_mutate")  # runs others once more; tests this
Record = dict[str, dict[str, Any]]


class Coverage:
    """The recorded runs of all test files, kept on disk until a file that matters changes."""

    def __init__(self, workplace: Workplace, folder: Path) -> None:
        self.workplace, self.folder, self.root = workplace, folder, workplace.folder
        folder.mkdir(parents=True, exist_ok=True)
        self.records: dict[bool, Record] = {}

    @cached_property
    def test_files(self) -> list[Path]:
        """Test files that import the package and nothing of the scripts, whose tests are about other things."""
        scripts = {path.stem for path in (self.root / "scripts").glob("*.py")}
        return [
            path
            for path in sorted((self.root / "tests").rglob("test_*.py"))
            if path.stem not in AGAIN and not self._imports(path) & scripts and f"{PACKAGE}" in path.read_text()
        ]

    @cached_property
    def tests_digest(self) -> str:
        """The same as long as the tests are."""
        digest = hashlib.sha256()
        for path in sorted((self.root / "tests").rglob("*.py")):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    @staticmethod
    def _imports(path: Path) -> set[str]:
        """Names that a file imports: of modules, and what comes out of them."""
        found = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        return found

    def _digest(self, test_file: Path) -> str:
        helpers = [path for path in (self.root / "tests").rglob("*.py") if not path.name.startswith("test_")]
        digest = hashlib.sha256()
        for path in [test_file, *sorted(helpers), *sorted((self.root / PACKAGE).rglob("*.py"))]:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    def record(self, say: Any) -> None:
        """Record what is not recorded yet."""
        for plain in (True, False):
            total: Record = {}
            for path in self.test_files:
                name = f"{path.relative_to(self.root).as_posix().replace('/', '-')}-{'plain' if plain else 'compiled'}"
                kept = self.folder / f"{name}-{self._digest(path)}.json"
                if not kept.is_file():
                    for old in self.folder.glob(f"{name}-*.json"):
                        old.unlink()
                    say(f"recording what {path.name} reaches, {'plain' if plain else 'compiled'}")
                    self.workplace.pytest(
                        [path.relative_to(self.root).as_posix()],
                        plain=plain,
                        limit=PLAIN_SECONDS if plain else COMPILED_SECONDS,
                        timeout=900,
                        record=kept,
                        first_failure=False,
                    )
                if kept.is_file():
                    total |= json.loads(kept.read_text())
            self.records[plain] = total

    @cached_property
    def _functions(self) -> dict[str, list[tuple[int, int, int]]]:
        """Of each file, the first line, last line and number of each outermost function."""
        table = {}
        for path in (self.root / PACKAGE).rglob("*.py"):
            spans: list[tuple[int, int, int]] = []
            waiting: list[ast.AST] = [ast.parse(path.read_text())]
            while waiting:
                node = waiting.pop()
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, FunctionNode):
                        first = min([child.lineno, *(d.lineno for d in child.decorator_list)])
                        spans.append((first, child.end_lineno or first, len(spans)))
                    else:
                        waiting.append(child)
            table[path.relative_to(self.root).as_posix()] = spans
        return table

    def _function(self, path: str, line: int) -> str:
        for first, last, number in self._functions[path]:
            if first <= line <= last:
                return f"{path}:{number}"
        return path

    @cached_property
    def _reached(self) -> dict[bool, dict[str, set[str]]]:
        """Of each test that passes, the functions that it reaches."""
        found: dict[bool, dict[str, set[str]]] = {}
        for plain, record in self.records.items():
            found[plain] = {
                test: {self._function(place.rpartition(":")[0], int(place.rpartition(":")[2])) for place in what["reached"]}
                for test, what in record.items()
                if what["passed"]
            }
        return found

    def _covering(self, plain: bool, fault: Fault) -> list[str]:
        here = self._function(fault.path, fault.line)
        return [
            test
            for test, places in self._reached[plain].items()
            if (here in places if here != fault.path else any(place.startswith(fault.path + ":") for place in places))
        ]

    def plain_tests(self, fault: Fault, seconds: float = 25.0) -> list[str]:
        """Quick tests that reach the function as plain Python: of each file in turn, the most specific and quickest first."""
        record, reached = self.records[True], self._reached[True]
        of_file: dict[str, list[str]] = {}
        for test in sorted(self._covering(True, fault), key=lambda t: (len(reached[t]) // 8, record[t]["seconds"])):
            of_file.setdefault(test.split("::")[0], []).append(test)
        files = sorted(of_file, key=lambda name: not self._is_named_after(name, fault))
        chosen, spent = [], 0.0
        for turn in range(max(map(len, of_file.values()), default=0)):
            for name in files:
                for test in of_file[name][turn : turn + 1]:
                    if spent + record[test]["seconds"] <= seconds:
                        spent += record[test]["seconds"]
                        chosen.append(test)
        return chosen

    @staticmethod
    def _is_named_after(test_file: str, fault: Fault) -> bool:
        return Path(test_file).stem == f"test_{Path(fault.path).stem}"

    def compiled_tests(self, fault: Fault) -> list[str]:
        """Tests that cover it compiled, the likeliest first, those of one file together."""
        record = self.records[False]
        if "kernels" not in Path(fault.path).parts:
            covering = self._covering(False, fault)
            return sorted(covering, key=lambda t: (not self._is_named_after(t.split("::")[0], fault), record[t]["seconds"]))
        near: dict[str, float] = {}
        for test, places in self._reached[True].items():
            if any(place.startswith(fault.path) for place in places):
                name = test.split("::")[0]
                # The less else a test reaches, the more it is about this file.
                near[name] = max(near.get(name, 0.0), 1 / len(places))
        files: dict[str, list[str]] = {}
        for test, what in record.items():
            if what["passed"]:
                files.setdefault(test.split("::")[0], []).append(test)
        order = sorted(files, key=lambda name: (not self._is_named_after(name, fault), -near.get(name, 0.0), name))
        return [test for name in order for test in files[name]]
