"""The team: the same bits for any number of threads, many callers at once, and what becomes of it across forks."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import team
from fastbackprop.resources import usable_cores
from fastbackprop.testing import assert_same_bits

# (n, n_prev, m): shared products, shared strips, shared elementwise loops, packed operands, one row, one column, dA_prev so
# large that it is streamed
SHAPES = [(200, 300, 100), (16, 30, 40_000), (3, 2, 60_000), (128, 784, 200), (1, 20_000, 60), (700, 900, 1), (20, 5300, 209)]


def layer(shape, dtype=np.float64, order="C"):
    n, n_prev, m = shape
    rng = np.random.default_rng(n + m)
    A_prev = np.asarray(rng.standard_normal((n_prev, m)), dtype, order=order)
    W, b = rng.standard_normal((n, n_prev)).astype(dtype), rng.standard_normal((n, 1)).astype(dtype)
    return A_prev, W, b


def everything(shape, dtype=np.float64, order="C"):
    """All that a layer gives, forward and backward, by both activations."""
    A_prev, W, b = layer(shape, dtype, order)
    results = []
    for activation in ("relu", "sigmoid"):
        A, cache = bp.linear_activation_forward(A_prev, W, b, activation)
        results += [A, cache[1], *bp.linear_activation_backward(A, cache, activation)]
    return results


@pytest.fixture
def threads():
    before = bp.get_num_threads()
    yield bp.set_num_threads
    bp.set_num_threads(before)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_layers_have_the_same_bits_with_any_number_of_threads(threads, shape, dtype, order):
    threads(1)
    alone = everything(shape, dtype, order)
    for n in (2, 3, 5, 7):
        threads(n)
        for one, other in zip(alone, everything(shape, dtype, order), strict=True):
            assert_same_bits(other, one)


@pytest.mark.parametrize("algorithm", ["direct", "gram"])
@pytest.mark.parametrize("sizes, m", [([30, 16, 8, 1], 2_000), ([300, 64, 32, 1], 400), ([2, 1], 50)])
def test_trainings_have_the_same_bits_with_any_number_of_threads(threads, sizes, m, algorithm):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((sizes[0], m)), rng.integers(0, 2, (1, m))
    start = bp.initialize_parameters_deep(sizes)

    def train():
        return bp.L_layer_model(X, Y, sizes, 0.01, 101, parameters=start, return_costs=True, algorithm=algorithm)

    threads(1)
    parameters, costs = train()
    for n in (2, 3, 5):
        threads(n)
        again, costs_again = train()
        assert costs_again == costs
        for key, value in parameters.items():
            assert_same_bits(again[key], value)


def test_eight_callers_at_once_on_different_shapes(threads):
    threads(2)
    shapes = [(50 + 7 * i, 120, 400 + i) for i in range(8)]
    expected = [everything(shape) for shape in shapes]
    wrong = []

    def call(i):
        for _ in range(5):
            for one, other in zip(expected[i], everything(shapes[i]), strict=True):
                if one.tobytes() != other.tobytes():
                    wrong.append(i)

    callers = [threading.Thread(target=call, args=(i,)) for i in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_a_busy_team_leaves_its_caller_alone(threads):
    threads(2)
    with team.held() as first, team.held() as second:
        assert first is not second
        assert second[team.MEMBERS] == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not let a program choose cores")
@pytest.mark.skipif(usable_cores() < 2, reason="there is one core")
def test_helpers_stay_off_the_callers_core_where_there_are_others(threads):
    threads(2)
    with team.held():
        crew = team._team
        assert crew is not None
        assert crew.callers_core in os.sched_getaffinity(0)
        for helper in crew.helpers:
            assert os.sched_getaffinity(helper.native_id or 0) == os.sched_getaffinity(0) - {crew.callers_core}


def test_a_change_of_threads_while_the_team_is_at_work(threads):
    threads(2)
    with team.held() as mailbox:
        threads(3)
        with team.held() as other:
            assert other is not mailbox
            assert other is not team.ALONE
    assert bp.get_num_threads() == 3


def test_num_threads_is_put_back_whatever_happens(threads):
    threads(2)
    with pytest.raises(RuntimeError), bp.num_threads(3):
        assert bp.get_num_threads() == 3
        raise RuntimeError
    assert bp.get_num_threads() == 2


def test_set_num_threads_returns_what_it_was(threads):
    threads(2)
    assert bp.set_num_threads(4) == 2


@pytest.mark.parametrize("n, error", [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)])
def test_a_meaningless_number_of_threads_is_refused(threads, n, error):
    before = bp.get_num_threads()
    with pytest.raises(error, match="n is "):
        bp.set_num_threads(n)
    assert bp.get_num_threads() == before


PROGRAM = """
    import multiprocessing, os, sys
    import numpy as np
    import fastbackprop as bp

    def work(seed):
        rng = np.random.default_rng(seed)
        A, W, b = rng.standard_normal((300, 200)), rng.standard_normal((100, 300)), np.zeros((100, 1))
        Z, _ = bp.linear_forward(A, W, b)
        return float(Z.sum())

    if __name__ == "__main__":
        bp.set_num_threads(2)
        used_before, method = sys.argv[1] == "used", sys.argv[2]
        expected = [work(seed) for seed in range(3)] if used_before else None
        with multiprocessing.get_context(method).Pool(2) as pool:
            found = pool.map(work, range(3))
        assert expected is None or found == expected
        assert found == [work(seed) for seed in range(3)]
        print("right")
"""


@pytest.mark.parametrize("used", ["used", "unused"])
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_children_work_whether_or_not_the_team_was_used_before(tmp_path, method, used):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program), used, method], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "right", "")


def test_a_fork_while_the_team_is_at_work(threads):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    program = """
        import os, warnings
        import numpy as np
        import fastbackprop as bp
        from fastbackprop import team
        bp.set_num_threads(2)
        A, W, b = np.ones((300, 200)), np.ones((100, 300)), np.zeros((100, 1))
        warnings.simplefilter("ignore")  # Python 3.12 warns of a fork beside threads, and rightly
        with team.held():
            child = os.fork()
            if child == 0:
                Z, _ = bp.linear_forward(A, W, b)
                os._exit(0 if (Z == 300).all() else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
