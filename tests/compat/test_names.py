"""The modules' names: one table in the docs, and each module has what it says there, no more."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import fastbackprop as bp
from fastbackprop import compat

PAGE = Path(__file__).parents[2] / "docs" / "compat.md"
TEXT = PAGE.read_text(encoding="utf-8")


def tables():
    """The cells of each table of the page, row by row."""
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE):
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]


# The rows of a module's column that say something of it, by its name.
ROWS = {
    name.strip("`"): [row for row in rows if row[column]]
    for head, _, *rows in tables()
    for column, name in enumerate(head)
    if column >= 2
}
MODULES = list(ROWS)


def signatures(row):
    return re.findall(r"`([^`]*)`", row[0])


def module_named(name):
    return importlib.import_module(f"fastbackprop.compat.{name}")


def test_the_table_is_of_the_modules_that_there_are():
    assert sorted(MODULES) == compat.__all__
    assert compat.__all__ == sorted(m.name for m in pkgutil.iter_modules(compat.__path__) if not m.name.startswith("_"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_the_names_of_its_column(name):
    said = {signature.split("(")[0] for row in ROWS[name] for signature in signatures(row)}
    assert said == set(module_named(name).__all__)


@pytest.mark.parametrize("name", MODULES)
def test_a_star_import_brings_these_functions_alone(name):
    namespace: dict = {}
    exec(f"from fastbackprop.compat.{name} import *", namespace)
    del namespace["__builtins__"]
    assert sorted(namespace) == sorted(module_named(name).__all__)
    assert all(inspect.isfunction(value) for value in namespace.values())


@pytest.mark.parametrize("name", MODULES)
def test_signatures_are_those_of_the_table(name):
    for row in ROWS[name]:
        for signature in signatures(row):
            function, parameters = signature.rstrip(")").split("(")
            found = inspect.signature(getattr(module_named(name), function)).parameters.values()
            assert ", ".join(str(p.replace(annotation=p.empty)).replace("'", '"') for p in found) == parameters


SECOND_COURSE = {"init_utils", "opt_utils", "opt_utils_v1a", "reg_utils"}
# Names of the package that a helper module may fill otherwise.
OWN = {name: {"relu", "sigmoid", "compute_cost"} for name in SECOND_COURSE}
OTHERS_OWN = {"L_model_backward", "initialize_parameters_deep"}


@pytest.mark.parametrize("name", MODULES)
def test_all_others_are_the_packages_functions(name):
    module = module_named(name)
    for function in set(module.__all__) & set(bp.__all__) - OWN.get(name, OTHERS_OWN):
        assert getattr(module, function) is getattr(bp, function)


def test_the_gradients_are_the_packages_in_the_newer_module_alone():
    assert module_named("dnn_app_utils_v3").L_model_backward is bp.L_model_backward
    assert module_named("dnn_app_utils_v2").L_model_backward is not bp.L_model_backward


def test_every_function_is_documented():
    for name in MODULES:
        for function in module_named(name).__all__:
            doc = getattr(module_named(name), function).__doc__
            for section in ("Parameters", "Raises"):
                assert f"{section}\n" in doc, f"{name}.{function}: no section {section}"


@pytest.mark.parametrize("block", [inspect.cleandoc(b) for b in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)])
def test_python_of_the_page_runs(block):
    exec(compile(block, str(PAGE), "exec"), {})
