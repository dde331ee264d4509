"""Ctrl-C: it acts at once, and what is done is returned."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fastbackprop.kernels import jit

pytest.importorskip("joblib")
pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no signal can be timed here"),
    pytest.mark.skipif(not jit.JIT, reason="nothing is compiled"),
]
ROOT = Path(__file__).parents[3]

PROGRAM = """
    import json, signal, sys, time
    import numpy as np
    import fastbackprop as bp
    from fastbackprop.extras.sweep import alone
    rng = np.random.default_rng(0)
    X = rng.standard_normal(({n_0}, {m}))
    Y = (X[:1] > 0).astype(float)
    net = dict(layers_dims=[{n_0}, 8, 1], learning_rate=1e-4)
    long = [net | dict(num_iterations=10**6, seed=seed) for seed in range(4)]
    quick = [net | dict(num_iterations=2, seed=9)]
    bp.sweep(X, Y, quick + [dict(long[0], num_iterations=2)])  # compiles
    def interrupt(number, frame):
        begun.append(time.process_time())
        if len(begun) == 1:
            signal.setitimer(signal.ITIMER_REAL, {again})
        raise {error}
    begun, records = [], []
    signal.signal(signal.SIGALRM, interrupt)
    begin = alone.Control._begin
    def begun_and_soon_interrupted(self, plan, descent):
        begin(self, plan, descent)
        if plan.number == 2:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
    alone.Control._begin = begun_and_soon_interrupted
    try:
        records = bp.sweep(X, Y, quick + long, n_jobs=2)
    except LookupError:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    used = time.process_time() - begun[0]  # by two threads that train, until they see that they are to stop
    after = time.process_time()
    time.sleep(0.3)
    print(json.dumps([[r.status for r in records], [r.error for r in records], used, time.process_time() - after]))
"""


def interrupted(n_0=20, m=60_000, again=0, error="KeyboardInterrupt"):
    program = textwrap.dedent(PROGRAM).format(n_0=n_0, m=m, again=again, error=error)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("n_0", "m"), [(20, 60_000), (3000, 150)])
def test_ctrl_c_returns_what_is_done(n_0, m):
    statuses, errors, used, after = interrupted(n_0=n_0, m=m)
    assert statuses == ["done"] + 4 * ["interrupted"]
    assert errors[0] is None
    assert errors[1].startswith("interrupted after ")
    assert errors[1].endswith(" of 1000000 iterations")
    assert errors[-1] == "interrupted before its end"
    assert used < 2 * 0.2
    assert after < 0.1  # nothing trains on


def test_a_second_ctrl_c_is_no_other():
    statuses, *_ = interrupted(again=0.0005)
    assert statuses == ["done"] + 4 * ["interrupted"]


def test_another_exception_of_a_handler_ends_the_sweep_too():
    statuses, _, used, after = interrupted(error="LookupError")
    assert statuses == []
    assert used < 2 * 0.2
    assert after < 0.1
