"""The tests that cover a fault: recorded once, by running all tests of the unchanged package and noting what they reach.

They run with NUMBA_DISABLE_JIT=1, where every kernel is Python that a profile sees, each with a time limit. Code that only runs
compiled (it emits machine code, or is a job of a team) is covered by the tests that reach something else of the same file. The
test file that is named after a module covers it as a whole: what programs reach that a test starts is not recorded, nor is
a test that is skipped where nothing is compiled.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

from scripts.mutation.faults import PACKAGE, Fault
from scripts.mutation.sources import FunctionNode
from scripts.mutation.workplace import Workplace

PLAIN_SECONDS = 0.3  # a test that takes longer as plain Python is not run so
OF_COMPILER = "tests/kernels/test_inlined.py", "tests/test_tiny.py"
MOST_PLAIN_FILES, MOST_PLAIN_TESTS, MOST_PLAIN_SECONDS = 8, 150, 8.0  # of all quick tests of a fault
AGAIN = "test_plain"  # runs others once more


class Coverage:
    """The recorded runs of all test files, kept on disk until a file that matters changes."""

    def __init__(self, workplace: Workplace, folder: Path) -> None:
        self.workplace, self.folder, self.root = workplace, folder, workplace.folder
        folder.mkdir(parents=True, exist_ok=True)
        self.tests: dict[str, dict[str, Any]] = {}

    @cached_property
    def test_files(self) -> list[Path]:
        """All test files but those of the scripts, which test other things."""
        tests = self.root / "tests"
        files = [path for path in sorted(tests.rglob("test_*.py")) if not path.is_relative_to(tests / "scripts")]
        return [path for path in files if path.stem != AGAIN]

    @cached_property
    def tests_digest(self) -> str:
        """The same as long as the tests are."""
        digest = hashlib.sha256()
        for path in sorted((self.root / "tests").rglob("*.py")):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]

    @staticmethod
    def _imports(path: Path) -> set[str]:
        """Names that a file imports: of modules, and of their contents."""
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

    def record(self, say: Callable[[str], None]) -> None:
        """Record the test files that are not recorded yet."""
        for path in self.test_files:
            name = path.relative_to(self.root).as_posix()
            kept = self.folder / f"{name.replace('/', '-')}-{self._digest(path)}.json"
            if not kept.is_file():
                for old in self.folder.glob(f"{name.replace('/', '-')}-*.json"):
                    old.unlink()
                say(f"recording what {name} reaches")
                self.workplace.pytest([name], plain=True, limit=PLAIN_SECONDS, timeout=1800, record=kept, first_failure=False)
            if kept.is_file():
                self.tests |= json.loads(kept.read_text())
        assert self._reached, "no test reaches anything"  # here, and not first while a fault is planted

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
    def _reached(self) -> dict[str, set[str]]:
        """Of each test, the functions that it reaches."""
        return {
            test: {self._function(place.rpartition(":")[0], int(place.rpartition(":")[2])) for place in what["reached"]}
            for test, what in self.tests.items()
        }

    def _covering(self, fault: Fault) -> tuple[list[str], bool]:
        """The tests that reach the function of a fault, and True; if it only runs compiled, those about its file, and False.

        These reach something else of the file, or of one that imports it.
        """
        here = self._function(fault.path, fault.line)
        exact = [test for test, places in self._reached.items() if here in places]
        if any(self.tests[test]["passed"] for test in exact):
            return exact, True
        module = fault.path.removesuffix(".py").replace("/", ".")
        near = {fault.path} | {path for path in self._functions if module in self._imports(self.root / path)}
        return [test for test, places in self._reached.items() if near & {place.partition(":")[0] for place in places}], False

    @staticmethod
    def _is_named_after(test_file: str, fault: Fault) -> bool:
        return Path(test_file).stem == f"test_{Path(fault.path).stem}"

    def _by_file(self, tests: list[str], fault: Fault) -> list[list[str]]:
        """Tests of one file together: first those named after the fault's or that reach its function, then the less else."""
        here = self._function(fault.path, fault.line)
        files: dict[str, list[str]] = {}
        for test in sorted(tests, key=lambda test: here not in self._reached[test]):
            files.setdefault(test.partition("::")[0], []).append(test)

        def rank(name: str) -> tuple[bool, bool, int, str]:
            reached = [self._reached[test] for test in files[name]]
            return not self._is_named_after(name, fault), here not in reached[0], min(map(len, reached)), name

        return [files[name] for name in sorted(files, key=rank)]

    def plain_tests(self, fault: Fault) -> list[str]:
        """Quick tests that reach the function as plain Python, of each file in turn; none if it only runs compiled."""
        tests, exact = self._covering(fault)
        if not exact and fault.place != "<module>":
            return []
        passing = [test for test in tests if self.tests[test]["passed"]]
        passing.sort(key=lambda test: (len(self._reached[test]) // 8, self.tests[test]["seconds"]))
        turns = zip_longest(*self._by_file(passing, fault)[:MOST_PLAIN_FILES])
        chosen: list[str] = []
        spent = 0.0
        for test in (test for turn in turns for test in turn if test is not None):
            if spent + self.tests[test]["seconds"] <= MOST_PLAIN_SECONDS and len(chosen) < MOST_PLAIN_TESTS:
                spent += self.tests[test]["seconds"]
                chosen.append(test)
        return chosen

    def compiled_tests(self, fault: Fault) -> list[str]:
        """All tests that reach it, and the whole of a test file that is named after its own, the likeliest to find it first.

        What runs in a compile alone no test reaches: then those of how kernels are compiled.
        """
        tests, _ = self._covering(fault)
        by_file = {of_file[0].partition("::")[0]: of_file for of_file in self._by_file(tests, fault)}
        named = [path.relative_to(self.root).as_posix() for path in self.test_files]
        named = [name for name in named if self._is_named_after(name, fault)]
        first = [test for name in named for test in (*by_file.pop(name, ()), name)]
        return first + [test for of_file in by_file.values() for test in of_file] or list(OF_COMPILER)
