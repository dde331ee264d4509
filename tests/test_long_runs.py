"""A training that runs for long: its bar, its curve, Ctrl-C in the middle of an iteration, its memory, and the soak."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastbackprop as bp
from fastbackprop import training
from fastbackprop.testing import CASES, Size, assert_same_bits, map_arrays

ALGORITHMS = ("direct", "gram")
SIZE = Size((9, 4, 1), 6)
LAYERS = list(SIZE.layers)
X, START = CASES["L_model_forward"].make(SIZE, "float64", "read-only")
Y = np.array([[0, 1, 0, 0, 1, 1]])


def train(iterations=250, rate=0.1, **options) -> Any:
    options = {"parameters": START, "return_costs": True} | options
    return bp.L_layer_model(X, Y, LAYERS, rate, iterations, **options)


# --------------------------------------------------------------------------------------------------------------- slices


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_slices_change_no_bit(algorithm, dtype, monkeypatch, capsys):
    data, start = map_arrays(lambda x: x.astype(dtype), (X, START))

    def run(**options):
        return bp.L_layer_model(data, Y, LAYERS, 0.1, 250, parameters=start, return_costs=True, algorithm=algorithm, **options)

    whole = run()
    for seconds in (0, 1e-4):  # one iteration a slice, some
        monkeypatch.setattr(training, "SLICE_SECONDS", seconds)
        assert_same_bits(run(print_cost=True), whole)


@given(st.integers(1, 10**6), st.floats(1e-9, 100))
def test_a_slice_takes_about_as_long_as_it_should(length, seconds):
    """As long as an iteration takes now, and at most 16 times as many as before: one measurement may be of a lucky moment."""
    wanted = training.SLICE_SECONDS
    following = training._next_length(length, seconds, wanted)
    assert 1 <= following <= min(16 * length, training.MOST_ITERATIONS)
    if following > 1:
        assert following * seconds / length <= wanted * (1 + 1e-9)
    if following < min(16 * length, training.MOST_ITERATIONS):
        assert (following + 1) * seconds / length >= wanted * (1 - 1e-9)


def test_a_slice_that_took_no_time_on_the_clock_is_followed_by_a_longer_one():
    assert training._next_length(3, 0.0, training.SLICE_SECONDS) == 48


# --------------------------------------------------------------------------------------------------- the bar, the curve


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_bar_shows_iterations_and_cost(algorithm, capsys):
    pytest.importorskip("tqdm")
    shown = train(progress=True, algorithm=algorithm)
    output = capsys.readouterr()
    assert "250/250" in output.err
    assert f"cost {shown[1][-1]:.6f}" in output.err
    assert output.out == ""
    assert_same_bits(shown, train(algorithm=algorithm))


def test_the_bar_and_the_lines_together(capsys):
    pytest.importorskip("tqdm")
    train(print_cost=True)
    lines = capsys.readouterr().out
    train(print_cost=True, progress=True)
    assert capsys.readouterr().out == lines


def test_the_bar_begins_where_the_checkpoint_is(tmp_path, capsys):
    pytest.importorskip("tqdm")
    train(130, checkpoint=tmp_path / "training.npz")
    train(131, checkpoint=tmp_path / "training.npz", progress=True)
    shown = capsys.readouterr().err
    assert "130/131" in shown
    assert "131/131" in shown
    assert " 1/131" not in shown


FIRST_LOOKUPS = """
import numpy as np
import fastbackprop as bp
from fastbackprop.extras import progress
from fastbackprop.kernels import jit

happened, missing, bar = [], jit.Entry.__missing__, progress.tqdm
def recorded(entry, char):
    happened.append(entry.__name__)
    return missing(entry, char)
def shown(**options):
    happened.append("bar")
    return bar(**options)
jit.Entry.__missing__, progress.tqdm = recorded, shown
bp.set_num_threads(2)
X = np.random.default_rng(0).standard_normal((60, 2000)).astype({dtype!r})
bp.L_layer_model(X, (X[:1] > 0).astype(float), [60, 30, 1], 0.1, 30, algorithm={algorithm!r}, progress=True)
print(*happened)
"""


@pytest.mark.parametrize(("algorithm", "dtype"), [("direct", "f"), ("gram", "d")])
def test_the_clock_of_the_bar_starts_when_all_is_compiled(algorithm, dtype):
    pytest.importorskip("tqdm")
    program = FIRST_LOOKUPS.format(algorithm=algorithm, dtype=dtype)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    *lookups, last = run.stdout.split() or [run.stderr]
    assert last == "bar"
    assert f"{algorithm}_descent" in lookups


@pytest.fixture
def shown(monkeypatch):
    """The curves shown: what `plt.show` finds."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    axes: list[Any] = []
    monkeypatch.setattr(plt, "show", lambda: axes.append(plt.gca()))
    yield axes
    plt.close("all")


@pytest.mark.parametrize("dtype", [np.float64, np.longdouble])
def test_the_curve_is_that_of_the_costs(dtype, shown):
    _, costs = bp.L_layer_model(X.astype(dtype), Y, LAYERS, 0.05, 250, parameters=START, plot_cost=True, return_costs=True)
    (axes,) = shown
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), costs)
    np.testing.assert_array_equal(line.get_xdata(), range(3))
    assert axes.get_ylabel() == "cost"
    assert axes.get_xlabel() == "iterations (per hundreds)"
    assert axes.get_title() == "Learning rate = 0.05"


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


def test_what_the_reference_serves_has_no_bar():
    wide = X.astype(np.longdouble)
    if wide.dtype == X.dtype:
        pytest.skip("longdouble is float64 here")
    pytest.importorskip("tqdm")
    with pytest.raises(ValueError, match=r"progress.*float32 or float64"):
        bp.L_layer_model(wide, Y, LAYERS, progress=True)


# ------------------------------------------------------------------------------------------------------------ diverging


@pytest.mark.parametrize("options", [{}, {"print_cost": True}, {"checkpoint": "training.npz"}], ids=str)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_training_that_diverges_says_where_and_what_to_try(algorithm, options, tmp_path, monkeypatch):
    """The same iteration, and the same last finite parameters, whoever watches."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FloatingPointError, match="Try a smaller learning_rate") as caught:
        train(rate=1e200, algorithm=algorithm, **options)
    words = str(caught.value).split()
    assert words[0] == "iteration"
    assert "(learning_rate 1e+200)" in str(caught.value)
    done, last = int(words[1]), vars(caught.value)["parameters"]
    assert all(np.isfinite(value).all() for value in last.values())
    assert_same_bits(last, train(done, rate=1e200, algorithm=algorithm)[0])
    with pytest.raises(FloatingPointError, match=f"iteration {done} "):
        train(done + 1, rate=1e200, algorithm=algorithm)


# --------------------------------------------------------------------------------------------------------------- Ctrl-C

PROBLEM = """
import signal
import numpy as np
import fastbackprop as bp
layers, m = {layers}, {m}
rng = np.random.default_rng(0)
X = rng.standard_normal((layers[0], m))
Y = X[:1] > 0
def train(iterations, **options):
    np.random.seed(1)
    return bp.L_layer_model(X, Y, layers, 0.01, iterations, algorithm="{algorithm}", return_costs=True, **options)
"""


@pytest.mark.skipif(os.name != "posix", reason="a console's Ctrl-C cannot be sent to one process alone here")
@pytest.mark.parametrize(("algorithm", "layers", "m"), [("direct", [500, 400, 300, 1], 5000), ("gram", [1500, 300, 1], 1500)])
def test_ctrl_c_in_the_middle_of_an_iteration_saves_what_the_same_call_goes_on_from(algorithm, layers, m, tmp_path):
    """An iteration takes from 10 to 100 ms here: nearly all the time is spent within one."""
    path = tmp_path / "training.npz"
    problem = PROBLEM.format(layers=layers, m=m, algorithm=algorithm)
    # Where the tests run in the background, a shell has the signal ignored.
    call = f"signal.signal(signal.SIGINT, signal.default_int_handler)\ntrain(10**8, print_cost=True, checkpoint={str(path)!r})"
    program = [sys.executable, "-u", "-c", f"{problem}\n{call}"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Cost after iteration 0: ")
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGINT
    last = errors.rstrip().splitlines()[-1]
    assert last.startswith("KeyboardInterrupt: after ")
    assert last.endswith(f"of 100000000 iterations, saved in {path}: the same call resumes it from there")
    with np.load(path) as members:
        done = json.loads(str(members["about"]))["iteration"]
    assert f"after {done} of" in last
    assert done > 0
    names: dict[str, Any] = {}
    exec(problem, names)
    assert_same_bits(names["train"](done + 2, checkpoint=path), names["train"](done + 2))


# --------------------------------------------------------------------------------------------------------------- memory

MEMORY = """
def resident(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))

few = {{"d": X[:, :40].copy(), "f": X[:, :40].astype("f")}}[{char!r}]
start = {{key: value.astype({char!r}) for key, value in bp.initialize_parameters_deep(layers).items()}}
X, Y = X.astype({char!r}, copy=False), Y.astype({char!r})

def train(X, Y):
    bp.L_layer_model(X, Y, layers, 0.01, 3, parameters=start, algorithm="{algorithm}")

train(few, Y[:, :40])
open("/proc/self/clear_refs", "w").write("5")  # the peak is that of now
before = resident("VmRSS")
train(X, Y)
print(resident("VmHWM") - before)
"""


def peak(algorithm, layers, m, char="d"):
    """Bytes that a training takes beyond its data, at its peak."""
    if not os.access("/proc/self/clear_refs", os.W_OK):
        pytest.skip("this system does not tell the peak of a process's memory")
    problem = PROBLEM + MEMORY
    program = [sys.executable, "-c", problem.format(layers=layers, m=m, algorithm=algorithm, char=char)]
    return int(subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True).stdout)


@pytest.mark.parametrize("char", "df")
def test_gram_descent_holds_g_and_four_arrays_of_the_first_layer(char):
    """Whatever the dtype of the data: G and these are float64."""
    n_1, m = 16, 5000
    expected = 8 * m * m + 4 * 8 * n_1 * m
    assert 8 * m * m <= peak("gram", [2000, n_1, 1], m, char) <= 1.3 * expected


@pytest.mark.parametrize("char", "df")
def test_direct_descent_of_a_narrow_net_takes_nothing_of_the_size_of_the_data(char):
    """Not even one row of m numbers, 48 MB in float64."""
    m = 6_000_000
    assert peak("direct", [3, 3, 2, 1], m, char) < 0.5 * m * np.dtype(char).itemsize


# ----------------------------------------------------------------------------------------------------------------- soak


@pytest.mark.skipif(os.name != "posix", reason="children are forked")
def test_a_few_kills_of_the_soak():
    program = Path(__file__).parents[1] / "scripts" / "soak.py"
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, program, "--kills", "10", "--minutes", "2"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 kills" in done.stdout
