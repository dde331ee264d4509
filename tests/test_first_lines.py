"""The one line for each thing that people have, as README and the guide give it, run as written."""

import functools
import os
import re
import shlex
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from .support.learner import OWN

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/guide.md")
CALLED = """
np.random.seed(3)
X = np.random.randn(4, 60)
Y = (X[:1] + np.random.randn(1, 60) > 0).astype(float)
parameters = {module}L_layer_model(X, Y, [4, 5, 1], 0.1, 210, True)
"""
FAST = "\nimport fastbackprop.takeover\nassert fastbackprop.takeover.original({0}) is not {0}\n"
SKLEARN = """
import numpy as np
X = np.random.RandomState(1).randn(400, 2)
model = MLPClassifier((8,), learning_rate_init=0.05, tol=1e-3, random_state=1).fit(X, X[:, 0] > 0)
assert type(model).__module__.startswith("fastbackprop.")
print(model.score(X, X[:, 0] > 0))
"""
TRAIN = """
import fastbackprop
import numpy as np
np.random.seed(1)
X, layers_dims = np.random.randn(2, 400), [2, 8, 2]
Y = X[0] > 0
net = {}
print(net.score(X, Y))
"""

SWEEP = """
import fastbackprop
import numpy as np
X = np.random.RandomState(1).randn(2, 400)
Y, configurations = (X[:1] > 0) * 1.0, [dict(layers_dims=[2, 8, 1], learning_rate=0.5, seed=seed) for seed in (1, 2)]
records = {}
print(min((fastbackprop.predict(X, record.parameters) == Y).mean() for record in records))
"""


def lines(page):
    """The code in the second column of the table that has a line for each thing."""
    text = (ROOT / page).read_text(encoding="utf-8")
    table = text[text.index("| what you have | the line |") :].partition("\n\n")[0]
    return [code for row in table.splitlines()[2:] for code in re.findall(r"`([^`]+)`", row.split("|")[2])]


def by_itself(folder, line):
    """The line in a program after what it needs."""
    (folder / "helper.py").write_text(OWN, encoding="utf-8")
    if line == "from fastbackprop import *":
        text = OWN + line + "\nimport fastbackprop\nassert relu is fastbackprop.relu\n" + CALLED.format(module="")
        text = text.replace(", True)", ", print_cost=True)")
    elif "dnn" in line and "compat" not in line:
        text = "import numpy as np\nimport fastbackprop\nimport helper as dnn\n" + line + FAST.format("dnn.relu")
        text += CALLED.format(module="dnn.")
    elif "sklearn_mlp" in line:
        pytest.importorskip("sklearn", reason="the line for scikit-learn's classes needs it: pip install '.[sklearn]'")
        text = line + SKLEARN
    elif "fastbackprop.train(" in line:
        text = TRAIN.format(line)
    elif "fastbackprop.sweep(" in line:
        pytest.importorskip("joblib", reason="the line for many nets needs joblib: pip install '.[sweep]'")
        text = SWEEP.format(line)
    elif "compat" in line:
        text = "import numpy as np\n" + line + "\nprint(initialize_parameters_deep([4, 5, 1])['W1'].shape)\n"
    else:
        text = "import fastbackprop\n" + OWN + line + FAST.format("relu") + CALLED.format(module="")
    (folder / "program.py").write_text(text, encoding="utf-8")
    return ran(folder, "python program.py")


def in_ipython(folder, line):
    pytest.importorskip("IPython", reason="the line for notebooks needs IPython: pip install '.[test]'")
    cells = [line, OWN, CALLED.format(module="") + FAST.format("relu")]
    (folder / "cells.py").write_text(
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        f"for cell in {cells!r}:\n    shell.run_cell(cell, store_history=True).raise_error()\n",
        encoding="utf-8",
    )
    return ran(folder, "python cells.py")


def ran(folder, command):
    (folder / "script.py").write_text(OWN + CALLED.format(module=""), encoding="utf-8")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    table = np.column_stack([X, (X[:, 0] > 0).astype(int)])
    np.savetxt(folder / "data.csv", table, delimiter=",", fmt=["%.6f"] * 3 + ["%d"])
    python, *arguments = shlex.split(command)
    assert python == "python"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done


@functools.cache
def expected():
    """What the learner's program prints by its own code."""
    done = subprocess.run([sys.executable, "-c", OWN + CALLED.format(module="")], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("line", [line for line in dict.fromkeys(chain(*map(lines, PAGES))) if line != "python script.py"])
def test_the_line_runs_as_written(line, tmp_path):
    if line.startswith("%"):
        done = in_ipython(tmp_path, line)
    elif line.startswith("python "):
        done = ran(tmp_path, line)
    else:
        done = by_itself(tmp_path, line)
    if " train " in line:
        assert "accuracy" in done.stdout.lower()
    elif "sklearn_mlp" in line or "fastbackprop.train(" in line or "fastbackprop.sweep(" in line:
        assert float(done.stdout) > 0.95
    elif "compat" in line:
        assert done.stdout == "(5, 4)\n"
    else:  # the star import's start is the learner's own here
        assert done.stdout == expected()
        assert "run" not in line.split() or "taken over" in done.stderr


def test_there_is_a_line_for_each_thing():
    assert len(lines("README.md")) >= 6
    assert set(lines("README.md")) <= set(lines("docs/guide.md")) | {"fastbackprop.patch(dnn)"}
