"""The one decorator: an import compiles nothing, layouts cost nothing, kernels introduce themselves."""

import ast
import functools
import inspect
import pydoc
import subprocess
import sys

import numpy as np
import pytest

from fastbackprop.activations import ACTIVATIONS, HIDDEN, OUTPUT, layer_functions
from fastbackprop.kernels import cost, descent, elementwise, gram_descent, jit, kinds, layer, update
from fastbackprop.testing import CASES, Size, assert_same_bits

from .support.copies import PACKAGE, Copy, files
from .support.probes import LAYOUTS, mailboxes
from .support.trainings import ALGORITHMS, Training


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


# ----------------------------------------------------------------------------------------------------------- the import

EVERYTHING = """
import importlib, json, pkgutil, sys
import fastbackprop
from numba.core.dispatcher import Dispatcher
from fastbackprop.kernels import jit

names = [m.name for m in pkgutil.walk_packages(fastbackprop.__path__, "fastbackprop.") if "__main__" not in m.name]
values = []
for name in names:
    try:
        values += vars(importlib.import_module(name)).values()
    except ImportError as error:
        if "in a clone of fastbackprop" not in str(error):  # it names an extra that is not installed
            raise
entries = [value for value in values if isinstance(value, jit.Entry)]
dispatchers = [value for value in values if isinstance(value, Dispatcher)]
dispatchers += [dispatcher for entry in entries for dispatcher in entry.dispatchers.values()]
compiled = sorted({d.py_func.__name__ for d in dispatchers if d.signatures} | set(jit.Routine.loaded))
routines = sum(isinstance(value, jit.Routine) for value in values)
json.dump({"dispatchers": len(dispatchers), "routines": routines, "compiled": compiled}, sys.stdout)
"""


def test_importing_compiles_nothing(copy):
    result = copy.run(EVERYTHING, where=PACKAGE.parent)
    assert result["compiled"] == []
    assert result["dispatchers"] > 20
    assert result["routines"] > 2
    assert files(copy.cache) == []


# -------------------------------------------------------------------------------------------- one signature for a dtype


def compiles(*entries):
    """Signatures, compiles and loads of each so far, and routines."""
    dispatchers = [dispatcher for entry in entries for dispatcher in entry.dispatchers.values()]
    counts = [(len(d.signatures), d.stats.cache_misses.total(), d.stats.cache_hits.total()) for d in dispatchers]
    return counts, len(jit.Routine.loaded)


@pytest.mark.parametrize("char", "df")
def test_layouts_and_sizes_of_a_layer_compile_nothing_more(char):
    entries = (
        layer.layer_forward,
        layer.layer_backward,
        elementwise.activation_forward,
        elementwise.activation_backward,
        update.descend,
    )
    forward, backward, activate, mask, descend = (entry[char] for entry in entries)
    relu, sigmoid, alone = ACTIVATIONS["relu"], ACTIVATIONS["sigmoid"], mailboxes(1)
    functions = relu.at[char], sigmoid.gradient_at[char], sigmoid.at[char], relu.gradient_at[char]
    before = compiles(*entries)
    for size in (Size((1, 1), 1), Size((7, 5), 9), Size((70, 50), 40)):
        A_prev, W, b = CASES["linear_forward"].make(size, char)
        dA, Z = CASES["relu_backward"].make(size, char)
        results = []
        for layout in LAYOUTS.values():
            a_prev, w, beta, da, z = (layout(x) for x in (A_prev, W, b, dA, Z))
            outputs = [np.empty(x.shape, x.dtype) for x in (Z, Z, A_prev, W, b, Z, Z, W)]
            forward(a_prev, w, beta, *outputs[:2], functions[0], *alone)
            backward(da, z, a_prev, w, *outputs[2:5], functions[1], *alone)
            activate(z, outputs[5], functions[2], *alone)
            mask(da, z, outputs[6], functions[3], *alone)
            descend(w, w, 0.5, outputs[7])
            results.append(outputs)
        # Products may take another method in another layout; elementwise results have the same bits.
        for others in results[1:]:
            assert_same_bits(others[5:], results[0][5:])
    assert compiles(*entries) == before


@pytest.mark.parametrize("char", "df")
def test_depths_of_a_network_compile_nothing_more(char):
    entries = [entry for module in (descent, gram_descent) for entry in vars(module).values() if isinstance(entry, jit.Entry)]
    for entry in entries:
        for covered in entry.dtypes:
            assert callable(entry[covered])
    assert layer_functions(HIDDEN["relu"], OUTPUT, char).all()
    before = compiles(*entries)
    for layers, m in (((3, 1), 1), ((3, 4, 1), 7), ((5, 4, 3, 2, 2, 1), 9)):
        X, start = CASES["L_model_forward"].make(Size(layers, m), char)
        Y = (np.arange(m).reshape(1, m) % 2).astype(char)
        for algorithm in ALGORITHMS:
            training = Training(algorithm, X, Y, start, 0.1)
            training.advance(3)
            assert all(np.isfinite(value).all() for value in training.parameters().values())
    assert compiles(*entries) == before


def test_an_entry_loads_the_routines_that_it_reaches_and_no_others():
    """test_processors.py checks that its machine code asks the linker for exactly these."""
    assert jit.routines_of(cost.cross_entropy.function) == []
    assert jit.routines_of(elementwise.activation_forward.function) == []  # it is handed the address of one
    names = [routine.function.__name__ for routine in jit.routines_of(layer.layer_forward.function)]
    assert names == ["inner_routine", "outer_routine", "product_chunk", "forward_chunk"]
    names = [routine.function.__name__ for routine in jit.routines_of(descent.direct_descent.function)]
    assert "blocks_chunk" in names
    assert names.index("outer_routine") < names.index("product_chunk") < names.index("blocks_chunk")


# ------------------------------------------------------------------------------------------------------- introspection


def _scaled(X, factor, rows, columns):
    """X times factor."""
    X[0, 0] *= factor


def _doubled(X):
    X[0, 0] *= 2


@pytest.mark.parametrize("introduced", [jit.entry(kinds.OUT, kinds.NUMBER, kinds.INT, kinds.INT), jit.routine(kinds.POINTER)])
def test_kernels_introduce_themselves_as_their_functions(introduced):
    kernel = introduced(_scaled)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(kernel, name) == getattr(_scaled, name)
    assert inspect.unwrap(kernel) is kernel.function is _scaled
    assert str(inspect.signature(kernel)) == "(X, factor, rows, columns)"
    assert inspect.getsource(kernel) == inspect.getsource(_scaled)
    shown = pydoc.plain(pydoc.render_doc(kernel)).splitlines()
    assert shown[2:] == ["_scaled(X, factor, rows, columns)", "    X times factor."]


def test_every_entry_and_routine_of_a_module_is_listed_by_its_help():
    shown = pydoc.plain(pydoc.render_doc(layer)).split("\nFUNCTIONS\n")[1].splitlines()
    names = [
        name for name, value in vars(layer).items() if isinstance(value, jit.Introduced) and value.__module__ == layer.__name__
    ]
    assert len(names) == 4
    for name in names:
        assert any(line.startswith(f"    {name}(") for line in shown), name


def test_the_repr_of_an_entry_says_for_which_dtypes_it_is_compiled():
    kernel = jit.entry(kinds.OUT, kinds.NUMBER, kinds.INT, kinds.INT)(_scaled)
    assert repr(kernel) == str(kernel) == "<entry _scaled(X, factor, rows, ...), not compiled>"
    for chars, dtypes in (("d", "float64"), ("fd", "float64 and float32")):
        for char in chars:
            assert callable(kernel[char])
        assert repr(kernel) == f"<entry _scaled(X, factor, rows, ...), {dtypes} compiled>"
    assert repr(jit.entry(kinds.OUT)(_doubled)) == "<entry _doubled(X), not compiled>"
    three = jit.entry(kinds.OUT, kinds.OUT, kinds.OUT)(lambda X, Y, Z: None)
    assert "(X, Y, Z), not compiled" in repr(three)


def test_the_repr_of_a_routine_says_it_too(monkeypatch):
    kernel = jit.routine(kinds.POINTER)(_doubled)
    monkeypatch.setattr(jit.Routine, "loaded", {})
    assert repr(kernel) == "<routine _doubled(X), not compiled>"
    jit.Routine.loaded[kernel.symbol(jit.DTYPES["f"])] = None
    assert repr(kernel) == "<routine _doubled(X), float32 compiled>"


@pytest.mark.plain
def test_calling_an_entry_itself_raises_an_error_that_shows_how():
    with pytest.raises(TypeError, match=r'layer_forward is not called as it is: look up \["d"\]'):
        layer.layer_forward(1, 2)
    state = "compiled" if jit.JIT else "plain Python"
    assert repr(layer.layer_forward).endswith(f"{state}>")


# ---------------------------------------------------------------------------------------------------------- the sources

COMPILERS = {"njit", "cfunc", "vectorize", "guvectorize", "stencil", "jit_module", "generated_jit", "CFunc"}
PROMISES = {"nnan", "ninf", "fast"}  # that nothing is nan or infinite; LLVM may do anything where something is


@functools.cache
def nodes():
    """Each file of the package, and a node of its tree."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return [(path.relative_to(PACKAGE).as_posix(), node) for path in paths for node in ast.walk(ast.parse(path.read_text()))]


def test_one_file_compiles():
    def says_jit(node):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            return names & (COMPILERS | ({"jit"} if (node.module or "").startswith("numba") else set()))
        if isinstance(node, ast.Attribute):
            of = node.value.id if isinstance(node.value, ast.Name) else ""
            return (node.attr in COMPILERS and of != "np") or (of in ("numba", "nb") and node.attr == "jit")
        return False

    assert {path for path, node in nodes() if says_jit(node)} == {"kernels/jit.py"}


def test_nothing_promises_that_numbers_are_finite():
    flags = []
    for path, node in nodes():
        if isinstance(node, ast.keyword) and node.arg == "fastmath":
            flags.append((path, ast.literal_eval(node.value)))
        if isinstance(node, ast.Constant) and path.startswith("kernels/"):
            assert node.value not in PROMISES, path
    assert all(isinstance(value, (tuple, set)) for _, value in flags), flags  # True is all of them


def test_no_two_inner_functions_have_one_name():
    """Kept on disk by two processes, the code of one would be run for the other's, without a word."""

    def closure_over(x):
        def constant():
            return x

        return jit.inner(constant)

    closure_over(1)
    with pytest.raises(ValueError, match="already"):
        closure_over(2)


MIXED = """
import numpy as np
import fastbackprop as bp
from fastbackprop.kernels import elementwise
from fastbackprop.team import in_team
Z = np.linspace(-2, 2, 12).reshape(3, 4)
A = np.empty_like(Z)
assert in_team(elementwise.activation_forward["d"], Z, A, elementwise.tanh_chunk.at["d"])
found = {"relu": bp.relu(Z)[0], "sigmoid": bp.sigmoid(Z)[0], "tanh": A}
expected = {"relu": np.maximum(Z, 0), "sigmoid": 1 / (1 + np.exp(-Z)), "tanh": np.tanh(Z)}
for name in found:
    assert np.allclose(found[name], expected[name]), name
"""


def test_machine_code_of_several_processes_is_not_mixed_up(tmp_path, monkeypatch):
    """Each compiles another routine first, so that the numbers that Numba gives to functions are the same for others."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    load = "import sys\nfrom fastbackprop.kernels import elementwise, jit\n"
    load += "[getattr(elementwise, name).load(jit.DTYPES['d']) for name in sys.argv[1:]]"
    for name in ("relu", "sigmoid", "tanh"):
        subprocess.run([sys.executable, "-c", load, f"{name}_chunk"], check=True, timeout=300)
    run = subprocess.run([sys.executable, "-c", MIXED], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
