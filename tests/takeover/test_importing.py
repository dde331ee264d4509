"""Imports while the hook is installed: the user's modules are marked, all others are as they were, no bytecode is left."""

import importlib
import inspect
import sys
import traceback
import types

import pytest

from fastbackprop import compat
from fastbackprop.takeover import Takeover, original
from fastbackprop.takeover.importing import Hook, Loader
from fastbackprop.takeover.marking import Marks

RELU = "import numpy as np\n\n\ndef relu(Z):\n    return np.maximum(0, Z), Z\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that is searched for modules; what a test imports is forgotten."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {path.stem for path in tmp_path.iterdir()} | set(compat.__all__):
            del sys.modules[name]


@pytest.fixture
def hook(folder):
    marks, hook = Marks(Takeover()), Hook()
    marks.begin()
    hook.install()
    yield hook
    hook.remove()
    marks.end()


def is_marked(function):
    return original(function) is not function


def test_a_module_of_the_users_is_marked_and_leaves_no_bytecode(folder, hook):
    (folder / "mine_one.py").write_text(RELU)
    module = importlib.import_module("mine_one")
    assert is_marked(module.relu)
    assert type(module.__loader__) is Loader
    assert sorted(path.name for path in folder.iterdir()) == ["mine_one.py"]
    assert module.__file__ == str(folder / "mine_one.py")
    assert inspect.getsource(module) == RELU


def test_a_bytecode_file_that_exists_is_neither_read_nor_changed(folder):
    (folder / "mine_two.py").write_text(RELU)
    module = importlib.import_module("mine_two")
    assert not is_marked(module.relu)
    (file,) = (folder / "__pycache__").iterdir()
    before = file.read_bytes(), file.stat().st_mtime_ns
    del sys.modules["mine_two"]
    marks, hook = Marks(Takeover()), Hook()
    marks.begin()
    hook.install()
    try:
        assert is_marked(importlib.import_module("mine_two").relu)
    finally:
        hook.remove()
        marks.end()
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    del sys.modules["mine_two"]
    assert not is_marked(importlib.import_module("mine_two").relu)


def test_packages_and_relative_imports(folder, hook):
    package = folder / "mine_package"
    package.mkdir()
    (package / "__init__.py").write_text("from .functions import relu\nfrom . import functions\n")
    (package / "functions.py").write_text(RELU)
    (folder / "mine_namespace").mkdir()
    (folder / "mine_namespace" / "functions.py").write_text(RELU)
    module = importlib.import_module("mine_package")
    assert module.relu is module.functions.relu and is_marked(module.relu)
    assert module.__path__ == [str(package)]
    assert is_marked(importlib.import_module("mine_namespace.functions").relu)


def test_a_star_import_binds_marked_functions(folder, hook):
    (folder / "mine_three.py").write_text(RELU)
    namespace: dict = {}
    exec("from mine_three import *", namespace)
    assert namespace["relu"] is sys.modules["mine_three"].relu and is_marked(namespace["relu"])


def test_a_module_that_is_imported_again_or_reloaded_is_marked(folder, hook):
    (folder / "mine_four.py").write_text(RELU)
    module = importlib.import_module("mine_four")
    first = module.relu
    assert importlib.import_module("mine_four").relu is first
    (folder / "mine_four.py").write_text(RELU.replace("np.maximum(0, Z)", "np.maximum(0.25 * Z, Z)"))
    importlib.reload(module)
    assert module.relu is not first and is_marked(module.relu)
    assert module.relu(-8.0)[0] == -2.0
    hook.remove()
    importlib.reload(module)
    assert not is_marked(module.relu)


def test_other_modules_are_loaded_as_ever(folder, hook):
    for name in ("colorsys", "this_module_does_not_exist", "numpy.polynomial", "fastbackprop.doubtful"):
        spec = importlib.util.find_spec(name)
        assert spec is None or type(spec.loader) is not Loader
    library = folder / "site-packages"
    library.mkdir()
    (library / "mine_installed.py").write_text(RELU)
    sys.path.insert(0, str(library))
    module = importlib.import_module("mine_installed")
    del sys.modules["mine_installed"]
    assert not is_marked(module.relu)
    with pytest.raises(ModuleNotFoundError, match="No module named 'this_module_does_not_exist'"):
        importlib.import_module("this_module_does_not_exist")


def test_a_loader_of_someone_else_stays(folder, hook):
    class Theirs(importlib.machinery.SourceFileLoader):
        pass

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "mine_special":
                return importlib.util.spec_from_loader(name, Theirs(name, str(folder / "mine_special.py")))

    (folder / "mine_special.py").write_text(RELU)
    sys.meta_path.insert(1, Finder)
    try:
        assert type(importlib.import_module("mine_special").__loader__) is Theirs
    finally:
        sys.meta_path.remove(Finder)


def test_errors_in_a_module_are_those_of_python(folder, hook):
    (folder / "mine_wrong.py").write_text("def f(:\n")
    with pytest.raises(SyntaxError) as wrong:
        importlib.import_module("mine_wrong")
    assert (wrong.value.filename, wrong.value.lineno) == (str(folder / "mine_wrong.py"), 1)
    (folder / "mine_failing.py").write_text("x = 1\n\n1 / 0\n")
    with pytest.raises(ZeroDivisionError) as failing:
        importlib.import_module("mine_failing")
    assert traceback.extract_tb(failing.value.__traceback__)[-1].lineno == 3
    assert "mine_failing" not in sys.modules


# ----------------------------------------------------------------------------------------------------------- stand-ins


@pytest.mark.parametrize("name", compat.__all__)
def test_a_missing_helper_module_is_served_and_that_is_said(folder, hook, capsys, name):
    module = importlib.import_module(name)
    stand_in = importlib.import_module(f"fastbackprop.compat.{name}")
    assert isinstance(module, types.ModuleType) and module.__name__ == name
    assert module.__all__ == stand_in.__all__
    for each in stand_in.__all__:
        assert getattr(module, each) is getattr(stand_in, each)
    line = f"fastbackprop: there is no {name}; fastbackprop.compat.{name} serves in its place\n"
    assert capsys.readouterr() == ("", line)
    assert importlib.import_module(name) is module
    assert capsys.readouterr() == ("", "")
    assert hook.served == [name]


def test_a_helper_module_that_exists_is_the_users(folder, hook, capsys):
    (folder / "dnn_utils.py").write_text(RELU)
    module = importlib.import_module("dnn_utils")
    assert is_marked(module.relu) and not hook.served
    assert capsys.readouterr() == ("", "")


def test_without_the_hook_a_missing_helper_module_is_missing(folder):
    hook = Hook()
    hook.install()
    hook.remove()
    hook.remove()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("dnn_utils")
