"""Shared fixtures: real pictures where they exist, the threads, the reference made to raise or to saturate."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings

import fastbackprop
from fastbackprop import reference
from fastbackprop.kernels import jit

settings.register_profile("default", deadline=None, max_examples=50)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")

# A shell starts what runs in the background with Ctrl-C ignored; the programs that tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def nothing_compiles_behind():
    """What an interrupted call compiles finishes behind, and Numba then records warnings, which are the whole process's."""
    yield
    for entry in jit.Entry.all:
        for task in list(entry.tasks.values()):
            while not task.done:
                time.sleep(0.01)


@pytest.fixture
def threads():
    """A function that sets the number of threads until the test ends."""
    before = fastbackprop.get_num_threads()
    yield fastbackprop.set_num_threads
    fastbackprop.set_num_threads(before)


@pytest.fixture(scope="session")
def pictures():
    """``X_train (12288, 209), Y_train, X_test (12288, 50), Y_test``, as notebooks make them, and the ``folder`` of the files.

    They are read from ``train_catvnoncat.h5`` and ``test_catvnoncat.h5`` in the folder that the environment variable
    FASTBACKPROP_DATA names, else in ``shared/data`` beside the repository.
    """
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FASTBACKPROP_DATA") or default)
    files = {part: folder / f"{part}_catvnoncat.h5" for part in ("train", "test")}
    if not all(path.is_file() for path in files.values()):
        pytest.skip(f"no pictures in {folder}: set FASTBACKPROP_DATA to a folder with {files['train'].name} and its pair")
    h5py = pytest.importorskip("h5py")
    data = SimpleNamespace(folder=folder)
    for part, path in files.items():
        with h5py.File(path) as file:
            x, y = file[f"{part}_set_x"][:], file[f"{part}_set_y"][:]
        setattr(data, f"X_{part}", x.reshape(x.shape[0], -1).T / 255)
        setattr(data, f"Y_{part}", y.reshape(1, -1))
    return data


@pytest.fixture
def reference_raises(monkeypatch):
    """A context manager: inside it every function of the reference raises, under any name by which a module holds it."""
    originals = {id(getattr(reference, name)): name for name in fastbackprop.__all__}

    def stand_in(name):
        def raises(*args, **kwargs):
            raise AssertionError(f"reference.{name} was called where a kernel should have answered")

        return raises

    @contextlib.contextmanager
    def patched():
        modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "fastbackprop"]
        with monkeypatch.context() as patch:
            for module in modules:
                for attribute, value in list(vars(module).items()):
                    if id(value) in originals:
                        patch.setattr(module, attribute, stand_in(originals[id(value)]))
            yield

    return patched


@pytest.fixture
def fallbacks(caplog):
    """A function that returns the log messages so far that the reference answered."""
    caplog.set_level("DEBUG", logger="fastbackprop")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "fastbackprop" and r.levelname == "DEBUG"]


@pytest.fixture
def saturating():
    """For a test in which the reference saturates: NumPy's warnings of it, errors elsewhere, are not issued."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)
