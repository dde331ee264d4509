"""Where an optional dependency is missing, an error names it."""

import importlib
import sys
import types

import numpy as np
import pytest

from ..support.trainings import train


@pytest.mark.parametrize(
    ("option", "library", "module"),
    [("progress", "tqdm.auto", "progress"), ("plot_cost", "matplotlib", "plotting")],
)
def test_what_is_not_installed_is_named_with_its_extra_before_any_work(option, library, module, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, f"fastbackprop.extras.{module}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    state = np.random.get_state(legacy=False)["state"]["pos"]
    extra = {"progress": "progress", "plot_cost": "plot"}[option]
    with pytest.raises(ImportError, match=rf'{option}=True needs .*pip install "\.\[{extra}\]" in a clone'):
        train(parameters=None, print_cost=True, **{option: True})
    assert capsys.readouterr().out == ""
    assert np.random.get_state(legacy=False)["state"]["pos"] == state


def forgotten(monkeypatch):
    """Have the next import of the package's part for several processes begin afresh."""
    for name in [name for name in sys.modules if name.startswith("fastbackprop.extras.mpi")]:
        monkeypatch.delitem(sys.modules, name)


def test_what_several_processes_need_is_named_with_its_extra(monkeypatch):
    forgotten(monkeypatch)
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match=r'extras\.mpi needs mpi4py: pip install "\.\[mpi\]" in a clone'):
        importlib.import_module("fastbackprop.extras.mpi")


def test_that_there_is_no_mpi_library_is_said(monkeypatch):
    class NoLibrary(types.ModuleType):
        def __getattr__(self, name):
            raise RuntimeError("cannot load MPI library")

    forgotten(monkeypatch)
    monkeypatch.setitem(sys.modules, "mpi4py", NoLibrary("mpi4py"))
    with pytest.raises(ImportError, match="mpi4py finds no MPI library: pip install mpich"):
        importlib.import_module("fastbackprop.extras.mpi")
