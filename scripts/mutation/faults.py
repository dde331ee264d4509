"""Finds every place where a rule applies, and draws a sample that stays the same while the rest of the package changes."""

from __future__ import annotations

import ast
import difflib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scripts.mutation.rules import RULES
from scripts.mutation.sources import FunctionNode, Source, callee

PACKAGE = "fastbackprop"
# Modules that are no kernels and no callers of one: the yardstick, its cases, and those that only show, set sizes or talk to
# people.
ASIDE = ("verify", "cli", "__main__", "__init__", "blocking", "notebook")
FOLDERS_ASIDE = ("reference", "extras", "compat", "testing")
# Text for people, and settings: a change there is no fault of the arithmetic.
QUIET = ("debug", "info", "warning", "warn", "getLogger", "namedtuple")


class Fault(NamedTuple):
    """One fault: its place, the text before, and the text now."""

    rule: str
    path: str
    place: str
    begin: int
    end: int
    before: str
    after: str
    statement: str
    becomes: str
    line: int

    @property
    def key(self) -> str:
        """A key that stays the same while the statement, the fault in it and the function's name do."""
        parts = (self.rule, self.path, self.place, self.statement, self.becomes)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    @property
    def shown_before(self) -> str:
        """The statement in one line."""
        return " ".join(self.statement.split())

    @property
    def shown_after(self) -> str:
        """The statement with the fault, in one line."""
        return " ".join(self.becomes.split())

    @property
    def shown(self) -> str:
        """As explanations name it."""
        return f"{self.path}: {self.rule}\n- {self.shown_before}\n+ {self.shown_after}"

    def planted(self, text: bytes) -> bytes:
        """The file with the fault."""
        return text[: self.begin] + self.after.encode() + text[self.end :]

    def diff(self, text: bytes) -> str:
        before, after = (lines.decode().splitlines() for lines in (text, self.planted(text)))
        lines = difflib.unified_diff(before, after, self.path, f"{self.path}, {self.rule}", n=1, lineterm="")
        return "\n".join(lines)


def sources(root: Path) -> list[Source]:
    """The kernels and their callers, direct and indirect ones."""
    paths = sorted((root / PACKAGE).rglob("*.py"))
    files = [
        Source(root, path)
        for path in paths
        if path.stem not in ASIDE and not set(path.relative_to(root).parts) & set(FOLDERS_ASIDE)
    ]
    chosen = {source.module for source in files if source.in_kernels}
    while True:
        more = {source.module for source in files if source.imported & chosen} - chosen
        if not more:
            return [source for source in files if source.module in chosen]
        chosen |= more


def idle_callees(files: list[Source]) -> set[str]:
    """Functions that do nothing where nothing is compiled, or only call such: promises to the compiler and to other threads."""

    def is_idle(function: FunctionNode, known: set[str]) -> bool:
        body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        return all(isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and callee(s.value) in known) for s in body)

    found: set[str] = set()
    for source in files:
        for function in source.functions.values():
            for decorator in function.decorator_list:
                if isinstance(decorator, ast.Call) and "twin" in callee(decorator) and decorator.args:
                    twin = source.functions.get(ast.unparse(decorator.args[0]))
                    if twin is not None and is_idle(twin, set()):
                        found.add(function.name)
    for source in files:
        found |= {name for name, function in source.functions.items() if is_idle(function, found) and function.body[1:]}
    return found


def _visited(source: Source, idle: set[str]) -> Iterator[ast.AST]:
    """The nodes in which a change is a fault: none of text for people, of types, of choices that only affect speed."""
    aside = source.twins | source.choosers
    waiting: list[ast.AST] = [source.tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Import, ast.ImportFrom, ast.AnnAssign, ast.Assert)):
            continue
        if isinstance(node, ast.Call) and callee(node) in QUIET:
            continue
        if isinstance(node, ast.Expr) and (isinstance(node.value, ast.Constant) or callee(node.value) in {*QUIET, *idle}):
            continue
        if isinstance(node, (FunctionNode, ast.ClassDef)) and node in source.tree.body and node.name in aside:
            continue
        if isinstance(node, (ast.Assign, ast.Return, ast.BoolOp, ast.IfExp)) and source.decides_on_speed(node):
            continue
        if isinstance(node, ast.If) and source.decides_on_speed(node.test):
            waiting += [*node.body, *node.orelse]
            continue
        yield node
        waiting += node.body if isinstance(node, (FunctionNode, ast.ClassDef)) else ast.iter_child_nodes(node)


def _statement(source: Source, node: ast.AST) -> ast.AST:
    return node if isinstance(node, ast.stmt) else next(above for above in source.above(node) if isinstance(above, ast.stmt))


def _heads(source: Source, node: ast.AST, after: str) -> tuple[str, str]:
    """The text of the statement around a node, up to the colon where it has a body; and what a replacement makes of it."""
    statement = _statement(source, node)
    begin, end = source.span(statement)
    body = getattr(statement, "body", None)
    if body and node is not statement:
        end = source.span(body[0])[0]
    first, last = source.span(node)
    head, tail = source.text[begin:first].decode(), source.text[last:end].decode()
    return source.text[begin:end].decode().strip(), (head + after + tail).strip()


def candidates(root: Path) -> list[Fault]:
    """Every fault that the rules make."""
    files = sources(root)
    idle = idle_callees(files)
    found: dict[tuple[str, int, int, str], Fault] = {}
    for source in files:
        for node in _visited(source, idle):
            for name, rule in RULES.items():
                for old, after in rule(source, node):
                    begin, end = source.span(old)
                    before = source.segment(old)
                    if after != before and (source.path, begin, end, after) not in found:
                        heads, line = _heads(source, old, after), getattr(old, "lineno", 0)
                        found[source.path, begin, end, after] = Fault(
                            name, source.path, source.place(old), begin, end, before, after, *heads, line
                        )
    ordered = sorted(found.values(), key=lambda fault: (fault.path, fault.begin, fault.after))
    return list({fault.key: fault for fault in reversed(ordered)}.values())[::-1]


def sample(faults: list[Fault], each: int, seed: int) -> list[Fault]:
    """A number of faults of each rule, over as many files as there are: drawn by the hash of the fault, not by its place.

    After a change elsewhere the same ones are drawn again.
    """

    def lot(*parts: object) -> str:
        return hashlib.sha256(repr((seed, *parts)).encode()).hexdigest()

    drawn = []
    for rule in RULES:
        files: dict[str, list[Fault]] = {}
        for fault in sorted((f for f in faults if f.rule == rule), key=lambda fault: lot(fault.key)):
            files.setdefault(fault.path, []).append(fault)
        order = sorted(files, key=lambda path: lot(rule, path))
        rounds = [fault for turn in range(each) for path in order for fault in files[path][turn : turn + 1]]
        drawn += rounds[:each]
    return drawn
