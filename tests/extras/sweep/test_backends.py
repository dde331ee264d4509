"""The backend that joblib's user has chosen: the same records, from threads, processes and a cluster."""

from functools import partial

import joblib
import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop.extras.sweep import alone
from fastbackprop.extras.sweep.engine import Engine
from fastbackprop.kernels import jit
from fastbackprop.testing import assert_same_bits

from .nets import BY_DESCENT, BY_TRAIN, outcome

pytestmark = pytest.mark.skipif(not jit.JIT, reason="other processes would compute with plain Python for long")

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((6000, 30)), (rng.random((1, 30)) < 0.5).astype(float)  # 1.4 MB: joblib maps it into memory
WILD = BY_DESCENT[0] | {"learning_rate": 1e300}
CONFIGURATIONS = [
    configuration | {"layers_dims": [6000, *configuration["layers_dims"][1:]]}
    for configuration in [*BY_DESCENT[:3], WILD, *BY_TRAIN[:4]]
]


def results(records):
    return [(*outcome(record), record.status, record.error, record.configuration) for record in records]


def test_threads_that_the_user_has_chosen():
    with joblib.parallel_config(backend="threading", n_jobs=3):
        engine = Engine(None, 10)
        assert (engine.here, engine.jobs) == (True, 3)
        assert_same_bits(results(bp.sweep(X, Y, CONFIGURATIONS[:2])), results(bp.sweep(X, Y, CONFIGURATIONS[:2], n_jobs=1)))


def test_how_many_are_trained_at_once(threads):
    threads(3)
    assert (Engine(None, 10).here, Engine(None, 10).jobs, Engine(None, 2).jobs, Engine(5, 10).jobs) == (True, 3, 2, 5)
    assert Engine(-1, 10**6).jobs == joblib.cpu_count()
    with joblib.parallel_config(n_jobs=4):
        assert (Engine(None, 10).here, Engine(None, 10).jobs) == (True, 4)


def test_processes(tmp_path):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert not Engine(None, 10).here
        records = bp.sweep(X, Y, CONFIGURATIONS, validation=(X, Y), folder=tmp_path)
    assert_same_bits(results(records), results(bp.sweep(X, Y, CONFIGURATIONS, validation=(X, Y))))
    assert len(list(tmp_path.iterdir())) == len(CONFIGURATIONS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_cluster_of_two_processes():
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with (
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        assert not Engine(None, 10).here
        records = bp.sweep(X, Y, CONFIGURATIONS, validation=(X, Y))
    assert_same_bits(results(records), results(bp.sweep(X, Y, CONFIGURATIONS, validation=(X, Y))))


def test_the_last_training_has_all_threads(monkeypatch, threads):
    threads(3)
    called = []

    def counted(name, call, *arguments):
        called.append(name)
        return call(*arguments)

    for name in ("alone", "in_team"):
        monkeypatch.setattr(alone, name, partial(counted, name, getattr(alone, name)))
    bp.sweep(X, Y, CONFIGURATIONS[:3], n_jobs=2)
    assert set(called) == {"alone", "in_team"}
    assert called[-1] == "in_team"
    called.clear()
    bp.sweep(X, Y, CONFIGURATIONS[:3], n_jobs=1)  # one after the other
    assert set(called) == {"in_team"}
