"""``python -m fastbackprop run``: a script runs as python runs it, but for its functions, and a report follows on stderr."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ..support import forked
from ..support.learner import OWN

ROOT = Path(__file__).parents[2]
RUN = ("-m", "fastbackprop", "run")
RELU = "import numpy as np\n\n\ndef relu(Z):\n    return np.maximum(0, Z), Z\n\n\n"
TRAIN = """
import numpy as np
from helper import *
X = np.random.default_rng(0).standard_normal((3, 50))
Y = (X[:1] > 0) * 1.0
np.random.seed(1)
parameters = L_layer_model(X, Y, [3, 4, 1], 0.1, 250, True)
"""
WARNING = "fastbackprop: warning: nothing was replaced, the script ran on its own code alone\n"


@pytest.fixture
def start(tmp_path):
    """A function that starts Python with arguments, in a folder of its own; returns what came of it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}

    def start(*arguments, prepared="", **options):
        command = [sys.executable, *map(str, arguments)]
        if prepared:  # code that runs in the child before Python does
            command = [sys.executable, "-c", f"{prepared}; import os; os.execv({command[0]!r}, {command!r})"]
        options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True, "timeout": 300} | options
        return subprocess.run(command, **options)

    return start


@pytest.fixture
def both(start, tmp_path, tmp_path_factory):
    """A function that runs a script with python and on the fast functions: it compares stdout, exit codes and what python
    writes to stderr, and returns the report that follows there.

    How a script ends, and what the report says, does not depend on what was imported before: unless the process is to be
    ``new``, it is forked.
    """

    def both(text, *arguments, script="script.py", new=True, **options):
        (tmp_path / "script.py").write_text(text, encoding="utf-8")
        plain = start(script, *arguments, **options)
        if new or not hasattr(os, "fork"):
            fast = start(*RUN, script, *arguments, **options)
        else:
            fast = forked.command(["run", script, *arguments], tmp_path, tmp_path_factory.mktemp("scratch"))
        assert fast.stdout == plain.stdout
        assert fast.returncode == plain.returncode, fast.stderr
        assert fast.stderr.startswith(plain.stderr)
        return fast.stderr[len(plain.stderr) :]

    return both


# ------------------------------------------------------------------------------------------------------ the environment

ENVIRONMENT = '''"""Of the script."""
from __future__ import annotations
import sys, __main__
def relu(Z: Nothing): return Z, Z
names = dict(globals())
names["__loader__"] = type(__loader__).__name__
print({name: value for name, value in names.items() if name not in ("__builtins__", "relu", "names")}, relu.__annotations__)
print(sys.argv, sys.path, sys.modules["__main__"], __main__.relu is relu, relu.__module__)
print(__builtins__ is sys.modules["builtins"], input(), sys.stdin.read(), sys.flags.optimize)
'''


@pytest.mark.parametrize("script", ["script.py", "./script.py", "../{folder}/script.py", "{path}/script.py", "link.py"])
def test_main_argv_path_and_stdin(both, tmp_path, script):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.py").symlink_to("script.py")
    script = script.format(folder=tmp_path.name, path=tmp_path)
    both(ENVIRONMENT, "-x", "--help", "--", "a b", "", script=script, input="a line\nthe rest")


def test_a_folder_with_a_main(start, tmp_path):
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "beside.py").write_text("print('beside')")
    (folder / "__main__.py").write_text("import sys, beside\nprint(__name__, __file__, sys.argv, sys.path[0])\n")
    fast = start(*RUN, "program", "x")
    assert fast.stdout == f"beside\n__main__ {folder}/__main__.py ['program', 'x'] {folder}\n", fast.stderr


def test_safe_path_is_kept(start, tmp_path):
    if sys.version_info < (3, 11):
        pytest.skip("this Python has no safe path")
    (tmp_path / "script.py").write_text("import sys; print(sys.path)")
    plain, fast = start("-P", "script.py"), start("-P", *RUN, "script.py")
    assert plain.stdout == fast.stdout


# ----------------------------------------------------------------------------------------------------------- exit codes

ENDINGS = {
    "end": "print('done')",
    "exit": "import sys; sys.exit()",
    "exit 3": "raise SystemExit(3)",
    "exit with words": "import sys; sys.exit('no data')",
    "exception": "def f(x):\n    return 1 / x\n\nif True:\n    f(\n        0)",
    "exception with a cause": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e",
    "exception in a context": "try:\n    {}['a']\nexcept KeyError:\n    int('b')",
    "interrupt": "raise KeyboardInterrupt",
    "syntax": "def f(:\n    pass",
    "tabs": "if True:\n        x = 1\n\ty = 2",
    "own hook": "import sys\nsys.excepthook = lambda *a: print('hooked', a[0], a[2].tb_lineno, a[2].tb_next)\n1 / 0",
    "failing hook": "import sys\ndef hook(kind, value, traceback):\n    raise SystemExit(9)\nsys.excepthook = hook\n1 / 0",
    "atexit": "import atexit\natexit.register(print, 'bye')\nraise SystemExit(4)",
    "module": "import missing_module_of_mine",
    "failing helper": "import failing",
    "wrong helper": "import wrong",
    "imported helper": "from own import nothing",
    "os._exit": "import os, sys\nsys.stdout.flush()\nos._exit(7)",
}
if sys.version_info >= (3, 11):
    ENDINGS["group"] = "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ExceptionGroup('several', [e])"


@pytest.mark.parametrize("ending", ENDINGS)
def test_it_ends_as_with_python(both, tmp_path, ending):
    (tmp_path / "failing.py").write_text("def f():\n    return 1 / 0\n\n\nf()\n")
    (tmp_path / "wrong.py").write_text("def f(:\n")
    (tmp_path / "own.py").write_text("")
    assert both(ENDINGS[ending], new=ending in ("exception", "interrupt")) == ("" if ending == "os._exit" else WARNING)


def test_a_traceback_through_functions_that_are_served_shows_the_users_frames(both, tmp_path):
    (tmp_path / "helper.py").write_text(OWN, encoding="utf-8")
    wrong = TRAIN.replace("[3, 4, 1]", "[3, 4, 'one']")
    assert "taken over" in both(wrong, new=False)
    assert "functions run on its kernels" in both(TRAIN + "\nAL, _ = L_model_forward(X.T, parameters)\n")
    both(RELU + "def main():\n    relu('text')\n\n\nmain()\n", new=False)


def test_an_error_of_the_packages_own_is_shown_with_its_frames(both):
    both("import fastbackprop as bp\nbp.linear_forward(1, 2)\n")


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("nowhere.py", 2, "can't open file '{folder}/nowhere.py': [Errno 2] No such file or directory"),
        ("empty", 1, "can't find '__main__' module in 'empty'"),
    ],
)
def test_what_is_no_script_is_one_line(start, tmp_path, script, code, words):
    (tmp_path / "empty").mkdir()
    assert start(script).returncode == code
    fast = start(*RUN, script)
    assert (fast.returncode, fast.stdout) == (code, "")
    assert fast.stderr == f"fastbackprop run: {words.format(folder=tmp_path)}\n"


def test_without_a_script_the_usage_is_shown(start):
    assert start(*RUN).returncode == 2
    shown = start(*RUN, "--help")
    assert shown.returncode == 0 and "multiprocessing's spawn" in " ".join(shown.stdout.split())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are signalled otherwise here")
def test_ctrl_c_in_a_training_ends_the_script_as_with_python(tmp_path):
    (tmp_path / "helper.py").write_text(OWN, encoding="utf-8")
    text = TRAIN + "print('trained', flush=True)\nL_layer_model(X, Y, [3, 4, 1], 1e-9, 10**9)\n"
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-u", *RUN, "script.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "trained\n":
                break
        time.sleep(1)  # by then the model's frame is there
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    lines = said.splitlines()
    assert lines[0] == "Traceback (most recent call last):" and "KeyboardInterrupt" in lines
    report = lines.index("fastbackprop: 13 of 14 functions run on its kernels")
    frames = [line.split(", ") for line in lines[:report] if line.startswith("  File ")]
    assert all(f'"{tmp_path}' in file for file, *_ in frames)
    assert [name for *_, name in frames][:2] == ["in <module>", "in L_layer_model"]


# --------------------------------------------------------------------------------------------------------------- reports


def test_the_report_follows_on_stderr(both, tmp_path):
    (tmp_path / "helper.py").write_text(OWN, encoding="utf-8")
    for ending in ("", "import sys\nsys.exit(5)", "1 / 0"):
        lines = both(TRAIN + ending, new=not ending).splitlines()
        assert lines[0] == "fastbackprop: 13 of 14 functions run on its kernels"
        assert len(lines) == 15


def test_no_bytecode_of_marked_modules_is_left(start, tmp_path):
    (tmp_path / "helper.py").write_text(OWN, encoding="utf-8")
    (tmp_path / "script.py").write_text(TRAIN)
    start(*RUN, "script.py")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["helper.py", "script.py"]


def test_a_function_of_another_kind_is_in_the_report(both):
    report = both("import functools\nrelu = functools.partial(max, 0)\nclass sigmoid: pass\n", new=False)
    assert "relu" in report and "it is of type partial, not a plain function" in report
    assert "sigmoid" in report and "it is a class" in report
    assert report.endswith(WARNING)


def test_a_missing_helper_module_is_served(start, tmp_path):
    (tmp_path / "script.py").write_text(
        "from dnn_utils_v2 import *\nimport numpy as np\nprint(relu(np.array([-1.0, 2.0]))[0])\n"
    )
    assert start("script.py").returncode == 1
    fast = start(*RUN, "script.py")
    assert (fast.returncode, fast.stdout) == (0, "[0. 2.]\n")
    assert fast.stderr.splitlines() == [
        "fastbackprop: there is no dnn_utils_v2; fastbackprop.compat.dnn_utils_v2 serves in its place",
        "fastbackprop: dnn_utils_v2 ran on its kernels",
    ]


def test_what_threads_and_functions_at_the_end_call_is_in_the_report(both, tmp_path):
    text = """
    import atexit, threading, time
    @atexit.register
    def last():
        exec("def sigmoid(Z): pass", globals())
        print(relu(np.array([-1.0, 2.0]))[0])
    def later():
        time.sleep(0.2)
        import helper
        print(helper.linear_forward(np.ones((2, 3)), np.ones((1, 2)), np.ones((1, 1)))[0])
    threading.Thread(target=later).start()
    """
    (tmp_path / "helper.py").write_text(OWN, encoding="utf-8")
    assert "14 of 15 functions run" in both(RELU + textwrap.dedent(text))


# --------------------------------------------------------------------------------------------------- pickles, processes


def test_objects_of_main_are_pickled(both):
    text = """
    import pickle
    class Net:
        size = 3
    net = Net()
    net.activation = relu
    again = pickle.loads(pickle.dumps(net))
    print(type(again) is Net, again.activation is relu)
    print(pickle.dumps([net, Net]))
    """
    both(RELU + textwrap.dedent(text))


PROCESSES = """
import multiprocessing, os
import fastbackprop.takeover
def work(Z):
    return relu(Z)[0].tolist(), fastbackprop.takeover.original(relu) is not relu
if __name__ == "__main__":
    with multiprocessing.get_context("{method}").Pool(1) as pool:
        print(pool.map(work, [np.array([-1.0, 2.0])]))
"""


@pytest.mark.parametrize(("method", "marked"), [("fork", True), ("spawn", False)])
def test_what_child_processes_see(start, tmp_path, method, marked):
    if method == "fork" and not hasattr(os, "fork"):
        pytest.skip("processes don't fork here")
    (tmp_path / "script.py").write_text(RELU + PROCESSES.format(method=method))
    fast = start(*RUN, "script.py")
    assert fast.stdout == f"[([0.0, 2.0], {marked})]\n", fast.stderr
    assert fast.stderr.count("functions run on its kernels") == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes don't fork here")
def test_a_forked_child_that_ends_as_its_parent_has_no_report(both):
    report = both(RELU + "import os, sys\nif pid := os.fork():\n    os.waitpid(pid, 0)\n")
    assert report.count("functions run on its kernels") == 1


def test_functions_are_sent_to_other_processes_with_what_they_hold(both):
    """joblib sends the functions of a script by value: those that were called already, and those that were not."""
    pytest.importorskip("joblib", reason="joblib is not installed: pip install '.[test]'")
    text = """
    from joblib import Parallel, delayed
    if __name__ == "__main__":
        for _ in range(2):
            print(Parallel(n_jobs=2)(delayed(relu)(np.array([-1.0, i])) for i in range(3)))
            relu(np.array([-1.0, 2.0]))
    """
    both(RELU + textwrap.dedent(text))
