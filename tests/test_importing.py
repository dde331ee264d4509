"""A fork waits for a module that a function of the package imports in another thread: the child would wait for ever."""

import os
import subprocess
import sys
import textwrap

import pytest

CODE = """
    import os, signal, sys, threading, time
    import numpy as np
    import fastbackprop as bp

    class Slow:
        def find_spec(self, name, *rest):
            if name == "fastbackprop.extras.sweep.plans":
                begun.set()
                time.sleep(0.5)

    begun = threading.Event()
    sys.meta_path.insert(0, Slow())
    X = np.ones((2, 4))
    NETS = [{"layers_dims": [2, 1], "num_iterations": 1, "seed": 1}]
    other = threading.Thread(target=lambda: bp.sweep(X, X[:1], NETS))
    other.start()
    begun.wait()
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        os._exit(0 if bp.sweep(X, X[:1], NETS)[0].status == "done" else 1)
    assert os.waitpid(pid, 0)[1] == 0
    other.join()
    print("right")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_waits_for_an_import_and_the_child_has_the_module():
    pytest.importorskip("joblib")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(CODE)], capture_output=True, text=True, check=False)
    assert done.stdout == "right\n", done.stderr
