"""The one decorator: an import compiles nothing, the disk cache never serves old code, layouts cost nothing.

Most of it shows in other processes only, on a copy of the kernels with a small one beside them. The copy of the package
is empty but for its kernels, so that nothing large is compiled.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastbackprop
from fastbackprop.kernels import activations, descent, gram_descent, jit, layer
from fastbackprop.testing import CASES, Size, assert_same_bits

from .probes import LAYOUTS, hands
from .trainings import ALGORITHMS, Training

PACKAGE = Path(fastbackprop.__file__).parent

# A kernel that tells what it was compiled with: a tile, and what a function in another file says.
PROBE = """
from fastbackprop.kernels.activations import told
from fastbackprop.kernels.blocking import MR
from fastbackprop.kernels.jit import OUT, entry

@entry(OUT)
def tell(x):
    x[0, 0] = MR
    x[0, 1] = told(x[0, 1])
"""
TOLD = """
@inner
def told(x):
    return {}.0
"""

TELL = """
import json, sys
import numba, numpy as np
from fastbackprop.kernels import jit
from fastbackprop.kernels.probe import tell

x = np.zeros((1, 2))
tell["d"](x)
stats = [dispatcher.stats for dispatcher in tell.dispatchers.values()]
compiled, loaded = (sum(getattr(s, name).total() for s in stats) for name in ("cache_misses", "cache_hits"))
json.dump({"MR": x[0, 0], "told": x[0, 1], "compiled": compiled, "loaded": loaded}, sys.stdout)
"""


class Copy:
    """The kernels in a folder of their own, run in other processes with a disk cache of their own."""

    def __init__(self, folder: Path) -> None:
        self.site, self.cache = folder / "site", folder / "cache"
        self.kernels = self.site / "fastbackprop" / "kernels"
        shutil.copytree(PACKAGE / "kernels", self.kernels, ignore=shutil.ignore_patterns("__pycache__"))
        (self.site / "fastbackprop" / "__init__.py").touch()
        (self.kernels / "probe.py").write_text(PROBE)
        self.append("activations.py", TOLD.format(1))

    def append(self, file: str, text: str) -> None:
        with open(self.kernels / file, "a") as end:
            end.write(text)

    def run(self, program: str, before: str = "", where: Path | None = None, **environment: str) -> Any:
        """What the program prints as JSON; it imports the copy, or what lies `where`, and its warnings are errors."""
        settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
        settings |= {"PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": str(self.cache), **environment}
        command = [sys.executable, "-W", "error", "-c", before + program]
        done = subprocess.run(command, cwd=where or self.site, env=settings, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


# ------------------------------------------------------------------------------------------------------- the disk cache


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_second_process_compiles_nothing(copy):
    first, second = copy.run(TELL), copy.run(TELL)
    assert (first["compiled"], first["loaded"]) == (1, 0)
    assert (second["compiled"], second["loaded"]) == (0, 1)
    assert (second["MR"], second["told"]) == (first["MR"], 1)
    assert {path.suffix for path in files(copy.cache)} == {".nbi", ".nbc"}


def test_an_edited_callee_in_another_file_runs(copy):
    assert copy.run(TELL)["told"] == 1
    copy.append("activations.py", TOLD.format(2))
    assert copy.run(TELL)["told"] == 2


def test_a_changed_tile_is_the_one_that_runs(copy):
    before = copy.run(TELL)["MR"]
    copy.append("blocking.py", f"MR = {int(before) + 1}\n")
    assert copy.run(TELL)["MR"] == before + 1


def test_tiles_of_another_processor_are_not_mixed_up(copy):
    """The same sources, and the same disk cache in a home that two machines share."""
    change = "from fastbackprop.kernels import blocking\nblocking.MR = 99\n"
    before = copy.run(TELL)["MR"]
    assert copy.run(TELL, change)["MR"] == 99
    again = copy.run(TELL)
    assert (again["MR"], again["compiled"]) == (before, 0)


def test_another_version_over_it_runs_its_own_code(copy):
    """Files of the same names, sizes and times, in the same place, and the disk cache of the old ones still there."""
    assert copy.run(TELL)["told"] == 1
    for path in sorted(copy.kernels.glob("*.py")):
        text, stamp = path.read_text(), path.stat()
        path.unlink()
        path.write_text(text.replace(TOLD.format(1), TOLD.format(3)))
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        assert path.stat().st_size == stamp.st_size
    assert copy.run(TELL)["told"] == 3


FOLDER = """
import json, sys
from fastbackprop.kernels import jit
json.dump(jit._CACHE_FOLDER, sys.stdout)
"""


def test_settings_of_numba_have_folders_of_their_own(copy):
    """Those that change machine code; the number of threads doesn't."""
    usual = copy.run(FOLDER)
    assert Path(usual).parent == copy.cache
    assert copy.run(FOLDER, NUMBA_NUM_THREADS="1") == usual
    assert copy.run(FOLDER, NUMBA_OPT="1") != usual


LISTEN = """
import logging
messages = []
handler = logging.Handler()
handler.emit = lambda record: messages.append((record.name, record.levelname, record.getMessage()))
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel(logging.INFO)
"""
TELL_AND_LOG = TELL.replace("json.dump({", 'json.dump({"messages": messages, ')


def test_without_a_writable_folder_each_process_compiles_and_says_so_once(copy, tmp_path):
    occupied = tmp_path / "a file"
    occupied.touch()
    for _ in range(2):
        result = copy.run(TELL_AND_LOG, LISTEN, NUMBA_CACHE_DIR=str(occupied / "cache"))
        assert result["told"] == 1
        ((name, level, message),) = result["messages"]
        assert (name, level) == ("fastbackprop", "INFO")
        assert str(occupied) in message
    assert occupied.read_bytes() == b""


def test_beside_the_source_then_in_the_users_cache(copy, tmp_path):
    home, pycache = tmp_path / "home", copy.kernels / "__pycache__"
    no_wish = {"NUMBA_CACHE_DIR": "", "XDG_CACHE_HOME": str(home)}
    result = copy.run(TELL_AND_LOG, LISTEN, **no_wish)
    assert (result["told"], result["messages"]) == (1, [])
    assert {path.suffix for path in files(pycache)} == {".nbi", ".nbc"}
    assert not home.exists()

    shutil.rmtree(pycache)
    pycache.touch()  # no folder can be made there now
    assert copy.run(TELL_AND_LOG, LISTEN, **no_wish)["compiled"] == 1
    assert {path.suffix for path in files(home)} == {".nbi", ".nbc"}
    result = copy.run(TELL_AND_LOG, LISTEN, **no_wish)
    assert (result["loaded"], result["messages"]) == (1, [])

    home_too = {**no_wish, "XDG_CACHE_HOME": str(pycache / "cache")}
    result = copy.run(TELL_AND_LOG, LISTEN, **home_too)
    assert (result["told"], result["compiled"], len(result["messages"])) == (1, 1, 1)


def test_the_users_own_cache_setting_is_left_as_it_was(copy):
    """It is the parent of our folder, and the user's functions go where they would have gone."""
    (copy.site / "own.py").write_text(
        "import numba\n\n@numba.njit(cache=True)\ndef double(x):\n    return 2 * x\n",
    )
    use = """
import os
from own import double
assert numba.config.CACHE_DIR == os.environ["NUMBA_CACHE_DIR"]
assert double(3) == 6
assert numba.config.CACHE_DIR == os.environ["NUMBA_CACHE_DIR"]
"""
    copy.run(TELL + use)
    places = {path.name.split("-")[0]: path for path in files(copy.cache)}
    assert set(places) == {"own.double", "probe.tell"}
    ours = [path for path in copy.cache.iterdir() if path.name.startswith("fastbackprop-")]
    assert len(ours) == 1
    assert ours[0] in places["probe.tell"].parents
    assert ours[0] not in places["own.double"].parents


def test_threads_that_look_a_kernel_up_at_once_compile_it_once(copy):
    lookups = """
import threading
barrier = threading.Barrier(6)
def look_up():
    barrier.wait()
    tell["f"](np.zeros((1, 2), "f"))
threads = [threading.Thread(target=look_up) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
x = np.zeros((1, 2))
"""
    result = copy.run(TELL.replace("x = np.zeros((1, 2))\n", lookups))
    assert (result["told"], result["compiled"]) == (1, 2)  # one a dtype


def test_each_dtype_has_an_index_of_its_own(copy):
    """Else two processes that compile one each at once may load each other's."""
    copy.run(TELL.replace('tell["d"](x)\n', 'tell["d"](x)\ntell["f"](x.astype("f"))\n'))
    indices = [path for path in files(copy.cache) if str(path).endswith(".nbi") and "tell" in str(path)]
    assert len(indices) == 2


# ----------------------------------------------------------------------------------------------------------- the import

EVERYTHING = """
import importlib, json, pkgutil, sys
import fastbackprop
from numba.core.dispatcher import Dispatcher
from fastbackprop.kernels import jit

names = [m.name for m in pkgutil.walk_packages(fastbackprop.__path__, "fastbackprop.") if "__main__" not in m.name]
values = [value for name in names for value in vars(importlib.import_module(name)).values()]
entries = [value for value in values if isinstance(value, jit.Entry)]
dispatchers = [value for value in values if isinstance(value, Dispatcher)]
dispatchers += [dispatcher for entry in entries for dispatcher in entry.dispatchers.values()]
compiled = sorted({d.py_func.__name__ for d in dispatchers if d.signatures} | set(jit.Routine.loaded))
json.dump({"dispatchers": len(dispatchers), "routines": len(jit.Routine.all), "compiled": compiled}, sys.stdout)
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
        layer.activation_forward,
        layer.activation_backward,
        layer.descend,
    )
    forward, backward, activate, mask, descend = (entry[char] for entry in entries)
    before, alone = compiles(*entries), hands(1)
    for size in (Size((1, 1), 1), Size((7, 5), 9), Size((70, 50), 40)):
        A_prev, W, b = CASES["linear_forward"].make(size, char)
        dA, Z = CASES["relu_backward"].make(size, char)
        results = []
        for layout in LAYOUTS.values():
            a_prev, w, beta, da, z = (layout(x) for x in (A_prev, W, b, dA, Z))
            outputs = [np.empty(x.shape, x.dtype) for x in (Z, Z, A_prev, W, b, Z, Z, W)]
            forward(a_prev, w, beta, *outputs[:2], activations.RELU, *alone)
            backward(da, z, a_prev, w, *outputs[2:5], activations.SIGMOID, *alone)
            activate(z, outputs[5], activations.SIGMOID, *alone)
            mask(da, z, outputs[6], activations.RELU, *alone)
            descend(w, w, 0.5, outputs[7])
            results.append(outputs)
        # Products may take another way in another layout; elementwise results are the same in each bit.
        for others in results[1:]:
            assert_same_bits(others[5:], results[0][5:])
    assert compiles(*entries) == before


@pytest.mark.parametrize("char", "df")
def test_depths_of_a_network_compile_nothing_more(char):
    entries = [entry for module in (descent, gram_descent) for entry in vars(module).values() if isinstance(entry, jit.Entry)]
    for entry in entries:
        for covered in entry.dtypes:
            assert callable(entry[covered])
    before = compiles(*entries)
    for layers, m in (((3, 1), 1), ((3, 4, 1), 7), ((5, 4, 3, 2, 2, 1), 9)):
        X, start = CASES["L_model_forward"].make(Size(layers, m), char)
        Y = (np.arange(m).reshape(1, m) % 2).astype(char)
        for algorithm in ALGORITHMS:
            training = Training(algorithm, X, Y, start, 0.1)
            training.advance(3)
            assert all(np.isfinite(value).all() for value in training.parameters().values())
    assert compiles(*entries) == before


# ---------------------------------------------------------------------------------------------------------- the sources

COMPILERS = {"njit", "cfunc", "vectorize", "guvectorize", "stencil", "jit_module", "generated_jit"}
PROMISES = {"nnan", "ninf", "fast"}  # that nothing is nan or infinite; LLVM may do anything where something is


def nodes():
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            yield path.relative_to(PACKAGE).as_posix(), node


def test_one_file_compiles():
    def says_jit(node):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            return names & (COMPILERS | ({"jit"} if (node.module or "").startswith("numba") else set()))
        if isinstance(node, ast.Attribute):
            of_numba = isinstance(node.value, ast.Name) and node.value.id in ("numba", "nb")
            return node.attr in COMPILERS or (of_numba and node.attr == "jit")
        return False

    assert {path for path, node in nodes() if says_jit(node)} == {"kernels/jit.py"}


def test_nothing_promises_that_numbers_are_finite():
    flags = []
    for path, node in nodes():
        if isinstance(node, ast.keyword) and node.arg == "fastmath":
            flags.append((path, ast.literal_eval(node.value)))
        if isinstance(node, ast.Constant):
            assert node.value not in PROMISES, path
    assert all(isinstance(value, (tuple, set)) for _, value in flags), flags  # True is all of them
