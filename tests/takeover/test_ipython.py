"""``%load_ext fastbackprop`` in a real kernel: cells, imports, lines, switches, and Ctrl-C. One kernel serves most tests."""

import os
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ..support.learner import OWN

WHY = "the tests of the IPython extension need ipykernel, nbclient and nbformat: pip install '.[test]'"
pytest.importorskip("ipykernel", reason=WHY)
nbclient = pytest.importorskip("nbclient", reason=WHY)
nbformat = pytest.importorskip("nbformat", reason=WHY)
manager = pytest.importorskip("jupyter_client.manager", reason=WHY)

pytestmark = pytest.mark.filterwarnings("ignore")  # of what talks to kernels

ROOT = Path(__file__).parents[2]
LOAD = "%load_ext fastbackprop"
NUMPY = "import numpy as np\n"
RELU = "def relu(Z):\n    return np.maximum(0, Z), Z\n"
LEAKY = "def relu(Z):\n    return np.maximum(0.5 * Z, Z), Z\n"
DATA = (
    "X = np.random.default_rng(0).standard_normal((3, 50)); Y = (X[:1] > 0) * 1.0\n"
    "def total(parameters):\n    print(round(sum(float(abs(value).sum()) for value in parameters.values()), 9))\n"
)
TRAIN = "np.random.seed(1); total(L_layer_model(X, Y, [3, 4, 1], 0.1, 250, True))"
MARKED = "import fastbackprop.takeover; print([fastbackprop.takeover.original(f) is not f for f in ({},)])"


class Kernel:
    """A kernel; `cell` runs a cell and returns what it shows."""

    def __init__(self, folder):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTBACKPROP_QUIET": "1", "IPYTHONDIR": str(folder / "ipython")}
        self.manager, self.client = manager.start_new_kernel(kernel_name="python3", cwd=str(folder), env=environment)

    def cell(self, code, during=None, timeout=120):
        shown = SimpleNamespace(out="", err="", result="", error="", traceback="")

        def note(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                name = {"stdout": "out", "stderr": "err"}[content["name"]]
                setattr(shown, name, getattr(shown, name) + content["text"])
            elif message["msg_type"] == "execute_result":
                shown.result = content["data"]["text/plain"]
            elif message["msg_type"] == "error":
                shown.error, shown.traceback = content["ename"], "\n".join(content["traceback"])
            if during is not None:
                during(shown)

        self.client.execute_interactive(code, timeout=timeout, output_hook=note, store_history=True)
        return shown

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def one_kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("notebook"))
    kernel.cell("import os, sys")
    yield kernel
    kernel.stop()


@pytest.fixture
def kernel(one_kernel, tmp_path):
    """The kernel, with an empty namespace in a folder of its own, and without the extension."""
    one_kernel.cell("%reset -f")
    one_kernel.cell(
        "import os, sys\n"
        f"os.chdir({str(tmp_path)!r}); sys.path[:] = [{str(tmp_path)!r}, *(p for p in sys.path if 'pytest' not in p)]\n"
        "for name in ('helper', 'dnn_utils'):\n    sys.modules.pop(name, None)\n"
        "if 'fastbackprop' in get_ipython().extension_manager.loaded:\n"
        "    get_ipython().run_line_magic('unload_ext', 'fastbackprop')\n"
    )
    assert one_kernel.cell(NUMPY).error == ""
    yield one_kernel


@pytest.fixture
def helper(tmp_path):
    (tmp_path / "helper.py").write_text(OWN, encoding="utf-8")
    return tmp_path / "helper.py"


def test_a_cell_may_define_and_call_at_once(kernel):
    assert kernel.cell(LOAD).err == ""
    shown = kernel.cell(RELU + "print(relu(np.array([-1.0, 2.0]))[0])\n" + MARKED.format("relu"))
    assert shown.out == "[0. 2.]\n[True]\n"
    assert shown.err == "fastbackprop: relu: replaced\n"
    assert (shown.error, shown.result) == ("", "")


def test_a_cell_without_any_of_the_names_shows_nothing(kernel):
    kernel.cell(LOAD)
    kernel.cell(RELU)
    shown = kernel.cell("def other(x):\n    return 2 * x\nother(3)")
    assert (shown.err, shown.result) == ("", "6")
    shown = kernel.cell("relu(np.array([-1.0, 2.0]))[0]")
    assert (shown.err, shown.result) == ("", "array([0., 2.])")


def test_functions_of_cells_before_and_of_modules_imported_before(kernel, helper):
    kernel.cell("import helper as dnn\nfrom helper import sigmoid\n" + RELU)
    shown = kernel.cell(LOAD)
    assert shown.err.count("\n") == 1 and shown.err.startswith("fastbackprop: ")
    for part in ("relu, ", "update_parameters: replaced", "initialize_parameters_deep: yours", "L_layer_model: taken over"):
        assert part in shown.err
    assert kernel.cell(MARKED.format("relu, dnn.L_layer_model, sigmoid, sigmoid is dnn.sigmoid and sigmoid")).out == (
        "[True, True, True, True]\n"
    )


def test_an_import_further_down_cannot_undo_the_swap(kernel, helper):
    kernel.cell("import helper")
    kernel.cell(DATA + "from helper import *")
    plain = kernel.cell(TRAIN)
    kernel.cell(LOAD)
    for again in ("from helper import *", "import importlib; importlib.reload(helper)\nfrom helper import *"):
        shown = kernel.cell(again)
        assert "L_layer_model: taken over" in shown.err and shown.err.count("\n") == 1
        assert kernel.cell(MARKED.format("relu, helper.relu, L_layer_model")).out == "[True, True, True]\n"
    shown = kernel.cell(TRAIN)
    assert (shown.out, shown.err) == (plain.out, "")
    assert "Cost after iteration 200" in shown.out


def test_a_cell_that_is_run_again_is_judged_again(kernel, helper):
    kernel.cell(LOAD)
    shown = kernel.cell("from helper import *")
    assert "compute_cost" in shown.err
    assert kernel.cell(RELU).err == "fastbackprop: relu: replaced\n"
    shown = kernel.cell(LEAKY + "print(relu(np.array([-1.0, 2.0]))[0])")
    assert shown.out == "[-0.5  2. ]\n"
    assert shown.err == "fastbackprop: relu: left (%fastbackprop report says why)\n"
    forward = OWN[OWN.index("def linear_activation_forward") : OWN.index("def L_model_forward")]
    assert "linear_activation_forward: left" in kernel.cell(forward).err
    shown = kernel.cell(RELU)  # the function that calls it is another one now, too
    assert shown.err == "fastbackprop: relu, linear_activation_forward: replaced\n"


def test_a_name_that_is_bound_otherwise(kernel, tmp_path):
    kernel.cell(LOAD)
    kernel.cell(RELU)
    shown = kernel.cell(
        "import functools\n"
        "def twice(f):\n"
        "    @functools.wraps(f)\n"
        "    def g(Z):\n        A, cache = f(Z)\n        return 2 * A, cache\n"
        "    return g\n"
        "relu = twice(relu)\n"
        "print(relu(np.array([-1.0, 2.0]))[0])"
    )
    assert shown.out == "[0. 4.]\n" and "relu: left" in shown.err
    shown = kernel.cell("relu = functools.partial(max, 0)")
    assert kernel.cell("%fastbackprop report").result.count("of type partial") == 1
    (tmp_path / "program.py").write_text(NUMPY + RELU)
    assert kernel.cell("%run program.py").err == "fastbackprop: relu: replaced\n"
    assert kernel.cell(MARKED.format("relu")).out == "[True]\n"


def test_a_missing_helper_module_is_served(kernel):
    assert kernel.cell("import dnn_utils").error == "ModuleNotFoundError"
    kernel.cell(LOAD)
    shown = kernel.cell("from dnn_utils import *\nrelu(np.array([-1.0, 2.0]))[0]")
    assert shown.result == "array([0., 2.])"
    assert shown.err == "fastbackprop: there is no dnn_utils; fastbackprop.compat.dnn_utils serves in its place\n"


def test_on_off_status_report(kernel, helper):
    kernel.cell(LOAD)
    kernel.cell("from helper import *")
    on = "fastbackprop is on: 13 of 14 functions run on its kernels\n"
    off = "fastbackprop is off: all functions run their own code\n"
    kernel.cell("import sys\ndef own_code_runs():\n"
        "    seen = []\n"
        "    sys.setprofile(lambda frame, *_: seen.append(frame.f_code.co_filename))\n"
        "    relu(np.array([-1.0, 2.0]))\n"
        "    sys.setprofile(None)\n"
        "    return any(name.endswith('helper.py') for name in seen)")  # fmt: skip
    runs = "own_code_runs()"
    for command, said in (("", on), (" off", off), (" status", off), (" on", on), (" status", on)):
        assert kernel.cell(f"%fastbackprop{command}").out == said
        assert kernel.cell(runs).result == str(said is off)
    kernel.cell("%fastbackprop off")
    assert kernel.cell(LEAKY).err == ""
    assert kernel.cell("report = %fastbackprop report\nprint(type(report).__name__, len(report.rows))").out == "Report 15\n"
    shown = kernel.cell("%fastbackprop report")
    assert "L_layer_model" in shown.result and "taken over" in shown.result and shown.out == ""
    shown = kernel.cell("%fastbackprop maybe")
    assert "expected on|off|status|report" in shown.err + shown.traceback
    assert kernel.cell("%fastbackprop on").error == ""


def test_unloading_puts_everything_back(kernel, helper):
    kernel.cell("import sys, builtins\nbefore = list(sys.meta_path), len(get_ipython().ast_transformers)")
    kernel.cell(LOAD)
    kernel.cell("import helper\nfrom helper import relu\n")
    assert kernel.cell("%unload_ext fastbackprop\ndef sigmoid(Z): pass").error == ""
    assert kernel.cell(MARKED.format("relu, helper.relu, sigmoid")).out == "[False, False, False]\n"
    assert kernel.cell("before == (list(sys.meta_path), len(get_ipython().ast_transformers))").result == "True"
    assert kernel.cell("def relu(Z): pass\nimport helper").err == ""
    assert "not found" in kernel.cell("%fastbackprop status").err
    kernel.cell(LOAD)
    assert kernel.cell("%reload_ext fastbackprop").error == ""
    assert kernel.cell(RELU).err == "fastbackprop: relu: replaced\n"


def test_source_help_signature_and_errors_stay_the_users(kernel):
    kernel.cell(LOAD)
    kernel.cell('def relu(Z):\n    """My relu."""\n    return np.maximum(0, Z), Z\n')
    shown = kernel.cell(
        "import inspect\nprint(inspect.signature(relu), relu.__doc__, relu.__module__)\nprint(inspect.getsource(relu))"
    )
    assert shown.out.startswith('(Z) My relu. __main__\ndef relu(Z):\n    """My relu."""\n')
    shown = kernel.cell("relu('text')")
    assert shown.error.endswith("UFuncNoLoopError") or shown.error == "UFuncTypeError"
    assert "np.maximum(0, Z), Z" in re.sub("\x1b[^m]*m", "", shown.traceback)
    assert "takeover" not in shown.traceback


@pytest.mark.parametrize(("how", "name"), [("", "helper_two"), (" --full", "helper_three")])
def test_autoreload_brings_new_code(kernel, tmp_path, how, name):
    file = tmp_path / f"{name}.py"
    file.write_text(OWN, encoding="utf-8")
    kernel.cell("%load_ext autoreload")
    if "unrecognized arguments" in kernel.cell(f"%autoreload 2{how}").err:
        pytest.skip(f"the autoreload of this IPython has no {how}")
    kernel.cell(LOAD)
    kernel.cell(f"import {name} as dnn\nfrom {name} import relu\n" + DATA)
    train = TRAIN.replace("L_layer_model", "dnn.L_layer_model")
    assert kernel.cell("relu(np.array([-8.0, 2.0]))[0]").result == "array([0., 2.])"
    for i, slope in enumerate((0.5, 0.25)):
        file.write_text(OWN.replace("A = Z * (Z > 0)", f"A = np.maximum({slope} * Z, Z)"), encoding="utf-8")
        os.utime(file, (time.time() + 5 * (i + 1),) * 2)
        result = f"array([{-8 * slope:.0f}.,  2.])"
        shown = kernel.cell("dnn.relu(np.array([-8.0, 2.0]))[0]")
        assert shown.result == result, shown.traceback
        if how or i == 0:  # else IPython itself brings no newer code to a function that was imported by name
            assert kernel.cell("relu(np.array([-8.0, 2.0]))[0]").result == result
        fast = kernel.cell(train)
        kernel.cell("%fastbackprop off")
        assert kernel.cell(train).out == fast.out != ""
        kernel.cell("%fastbackprop on")
    kernel.cell("%autoreload 0")


def test_ctrl_c_in_a_training_leaves_everything_usable(kernel, helper):
    kernel.cell(LOAD)
    kernel.cell(DATA + "from helper import *")
    expected = kernel.cell(TRAIN)
    sent: list[float] = []

    def interrupt(shown):
        if "Cost after iteration 0" in shown.out and not sent:
            sent.append(time.monotonic())
            kernel.manager.interrupt_kernel()

    for _ in range(2):
        sent.clear()
        shown = kernel.cell("L_layer_model(X, Y, [3, 4, 1], 0.1, 10**9, True)", during=interrupt)
        assert shown.error == "KeyboardInterrupt" and sent
        assert time.monotonic() - sent[0] < 30
    assert kernel.cell(TRAIN).out == expected.out
    assert kernel.cell(RELU).err == "fastbackprop: relu: replaced\n"
    assert "is on" in kernel.cell("%fastbackprop status").out


def test_a_notebook_is_executed(tmp_path, helper):
    """nbclient runs a whole notebook, as it stands and with the one line; what its cells print is the same."""
    cells = [NUMPY + DATA, "from helper import *", RELU, TRAIN, "total(initialize_parameters_deep([3, 4, 1]))"]
    shown = []
    for first in ([], [LOAD]):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in first + cells])
        nbclient.NotebookClient(
            notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
        ).execute(env={**os.environ, "PYTHONPATH": str(ROOT), "FASTBACKPROP_QUIET": "1"})
        shown.append([{o.name: o.text for o in cell.outputs} for cell in notebook.cells[len(first) :]])
    plain, fast = shown
    assert [cell.get("stdout") for cell in plain] == [cell.get("stdout") for cell in fast]
    assert "Cost after iteration 200" in fast[3]["stdout"]
    assert [list(cell) for cell in fast] == [[], ["stderr"], ["stderr"], ["stdout"], ["stdout"]]
    assert all("stderr" not in cell for cell in plain)
