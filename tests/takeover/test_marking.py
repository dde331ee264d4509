"""Marked code: which functions are taken in, and that all else in it is as Python compiles it."""

import builtins
import sys
import types

import pytest

from fastbackprop.takeover import Takeover, original
from fastbackprop.takeover.marking import Marks, compiled, modules_in

from ..support.learner import OWN

EVERYWHERE = '''"""The docstring."""
from __future__ import annotations
import contextlib, functools

NUMBER: int = 3

def plain(Z, a=1, *, b=2):
    """Its own."""
    def inner():
        return Z
    return inner()

def decorator(f):
    @functools.wraps(f)
    def around(*args):
        return f(*args)
    return around

@decorator
@functools.lru_cache(
    maxsize=3,
)
def decorated(Z):
    return Z

async def coroutine():
    def inner_of_coroutine(): pass

class Class:
    def method(self):
        return 1
    if True:
        def conditional_method(self): return 2

if NUMBER > 2:
    def in_if(): return 1
else:
    def in_else(): return 1

try:
    def in_try(): return 1 / 0
    in_try()
except ZeroDivisionError as error:
    def in_except(): return 2
finally:
    def in_finally(): return 3

with contextlib.suppress(Exception):
    def in_with(): return 4

for i in range(2):
    def in_for(): return i

while NUMBER:
    NUMBER = 0
    def in_while(): pass

match NUMBER:
    case 0:
        def in_match(): pass

short = lambda Z: (lambda: Z)

if __name__ == "__main__":
    def in_main(): pass
'''
MARKED = [
    *("plain", "decorator", "decorated", "in_if", "in_try", "in_except", "in_finally", "in_with", "in_for", "in_for"),
    *("in_while", "in_match"),
]
SOURCES = [EVERYWHERE, OWN]


@pytest.fixture
def marked(monkeypatch):
    """Runs a source with a mark that notes what it is called with; returns the namespace and the notes."""

    def run(source, name="marked"):
        seen = []

        def mark(value):
            seen.append(value)
            return value

        monkeypatch.setattr(builtins, "__fastbackprop_mark__", mark, raising=False)
        namespace = {"__name__": name}
        exec(compiled(source, "marked.py"), namespace)
        return namespace, seen

    return run


def test_the_functions_of_the_top_level_are_marked_in_their_order(marked):
    namespace, seen = marked(EVERYWHERE)
    assert [value.__name__ for value in seen] == MARKED
    assert seen[2] is namespace["decorated"]  # with all its decorators
    assert marked(EVERYWHERE, "__main__")[1][-1].__name__ == "in_main"


def functions_in(code):
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from functions_in(constant)


@pytest.mark.parametrize("source", SOURCES)
def test_code_and_positions_of_all_functions_are_as_python_compiles_them(source):
    own = compile(source, "marked.py", "exec", dont_inherit=True)
    made = compiled(source, "marked.py")
    assert list(functions_in(made)) == list(functions_in(own))  # their lines and columns are part of that
    assert [code.co_firstlineno for code in functions_in(made)] == [code.co_firstlineno for code in functions_in(own)]
    if sys.version_info >= (3, 11):
        assert [[*code.co_positions()] for code in functions_in(made)] == [[*code.co_positions()] for code in functions_in(own)]
    assert {line for *_, line in made.co_lines()} == {line for *_, line in own.co_lines()}
    assert made.co_flags == own.co_flags


def test_the_namespace_holds_what_the_source_makes_and_nothing_else(marked):
    own: dict = {"__name__": "marked"}
    exec(compile(EVERYWHERE, "marked.py", "exec", dont_inherit=True), own)
    namespace, _ = marked(EVERYWHERE)
    assert list(namespace) == list(own)
    assert namespace["__doc__"] == "The docstring." and namespace["plain"].__doc__ == "Its own."
    assert namespace["__annotations__"] == {"NUMBER": "int"}  # from __future__ import annotations


@pytest.mark.parametrize(
    "source", ["def f(:\n", "def f():\n  return 1\n\treturn 2\n", "return 1\n", b"# coding: nonsense\n", b"\xff"]
)
def test_what_is_no_python_is_the_same_error(source):
    with pytest.raises(SyntaxError) as expected:
        compile(source, "wrong.py", "exec")
    with pytest.raises(SyntaxError) as error:
        compiled(source, "wrong.py")
    assert (str(error.value), error.value.args[1:]) == (str(expected.value), expected.value.args[1:])


def test_the_source_may_have_another_encoding(marked):
    namespace, _ = marked('# -*- coding: latin-1 -*-\ntext = "\xe9"\ndef relu(Z): pass\n'.encode("latin-1"))
    assert namespace["text"] == "\xe9"


# ------------------------------------------------------------------------------------------------------------ namespaces


@pytest.fixture
def own():
    namespace: dict = {"__name__": "own"}
    exec(compile(OWN, "own.py", "exec"), namespace)
    return namespace


def test_a_function_in_several_namespaces_is_one(own):
    other = {"activation": own["relu"], "number": 3, "nothing": None}
    start, marks = own["initialize_parameters_deep"], Marks(Takeover())
    marks.namespaces(own, other)
    assert other["activation"] is own["relu"] is not original(own["relu"])
    assert own["initialize_parameters_deep"] is start
    assert original(own["np"]) is own["np"]


def test_a_namespace_that_is_marked_again_changes_nothing(own):
    marks = Marks(Takeover())
    marks.namespaces(own)
    before = dict(own)
    decision = marks.takeover.decision(original(own["relu"]))
    marks.namespaces(own)
    marks.mark(own["relu"])
    assert own == before
    assert marks.takeover.decision(original(own["relu"])) is decision  # nothing was forgotten


def test_what_is_no_plain_function_is_in_the_report():
    space = {"__name__": "mine", "relu": type("relu", (), {}), "sigmoid": abs, "compute_cost": 3, "other": abs}
    marks = Marks(Takeover())
    marks.others(space)
    assert sorted(row.name for row in marks.takeover.report().rows) == ["relu", "sigmoid"]
    exec(compile("def relu(Z): pass", "own.py", "exec"), space)
    marks.namespaces(space)
    assert [row.how for row in marks.takeover.report().rows if row.name == "relu" and "a class" in row.how] == []


def test_modules_of_a_namespace():
    mine = types.ModuleType("mine")
    mine.__file__ = __file__
    assert modules_in({"a": mine, "b": mine, "c": types, "d": pytest, "e": 3}) == [vars(mine)]
    assert modules_in(vars(mine)) == []


def test_code_that_runs_after_the_end_keeps_its_functions():
    marks, namespace = Marks(Takeover()), {"__name__": "late"}
    marks.begin()
    code = compiled("def relu(Z): pass", "late.py")
    marks.end()
    exec(code, namespace)
    assert original(namespace["relu"]) is namespace["relu"]
