"""The team: the same bits for any number of threads, many callers at once, and its handling across forks."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import fastbackprop as bp
from fastbackprop import team
from fastbackprop.algorithms import Direct
from fastbackprop.kernels.blocking import LINE_BYTES
from fastbackprop.kernels.mailbox import ACTIVE, HOLD, MEMBERS, OWNER, SINGLE
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
    """All results of a layer, forward and backward, by both activations."""
    A_prev, W, b = layer(shape, dtype, order)
    results = []
    for activation in ("relu", "sigmoid"):
        A, cache = bp.linear_activation_forward(A_prev, W, b, activation)
        results += [A, cache[1], *bp.linear_activation_backward(A, cache, activation)]
    return results


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


def gathered():
    """The team, at rest, after a call that it helped with."""
    everything(SHAPES[0])
    assert team._team is not None
    return team._team


def is_at_rest(crew):
    """Whether the team is free: its helpers go to sleep."""
    return crew.mailbox[OWNER] == crew.mailbox[HOLD] == crew.mailbox[ACTIVE] == 0


@pytest.fixture
def working():
    """A function that starts a training on the team, in another thread, until the test ends."""
    stops = []

    def start(crew):
        rng = np.random.default_rng(0)
        X, Y = rng.standard_normal((30, 20_000)), np.ones((1, 20_000))
        descent = Direct(X, Y, [30, 16, 8, 1], bp.initialize_parameters_deep([30, 16, 8, 1]), 1e-9)
        worker = threading.Thread(target=descent.advance, args=(10**9,), daemon=True)
        worker.start()
        stops.append((descent, worker))
        while crew.mailbox[OWNER] == 0:
            time.sleep(0.001)

    yield start
    for descent, worker in stops:
        descent.state[0] = 1
        worker.join()


def test_a_caller_that_finds_the_team_at_work_is_single_threaded(threads, working):
    threads(2)
    expected, crew = everything(SHAPES[0]), gathered()
    working(crew)
    owner = crew.mailbox[OWNER]
    for one, other in zip(expected, everything(SHAPES[0]), strict=True):
        assert_same_bits(other, one)
    assert crew.mailbox[OWNER] == owner
    assert crew.mailbox[HOLD] == 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system does not let a program choose cores")
@pytest.mark.skipif(usable_cores() < 2, reason="there is one core")
def test_helpers_stay_off_the_callers_core_and_follow_a_narrowed_affinity(threads, monkeypatch):
    threads(2)
    monkeypatch.setattr(team, "AFFINITY_SECONDS", 0)
    allowed = os.sched_getaffinity(0)
    crew = gathered()
    ids = [helper.native_id or 0 for helper in crew.helpers]
    assert all(os.sched_getaffinity(i) == allowed - {crew.kept_off[0]} for i in ids)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        everything(SHAPES[0])
        assert all(os.sched_getaffinity(i) == {min(allowed)} for i in ids)
    finally:
        os.sched_setaffinity(0, allowed)
    everything(SHAPES[0])
    assert all(os.sched_getaffinity(i) == allowed - {crew.kept_off[0]} for i in ids)


def test_where_no_thread_can_be_kept_off_a_core_the_team_works_all_the_same(threads, monkeypatch):
    """Systems other than Linux are like this."""
    threads(1)
    expected = everything(SHAPES[0])
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    threads(3)
    for one, other in zip(expected, everything(SHAPES[0]), strict=True):
        assert_same_bits(other, one)


def test_a_change_of_threads_while_the_team_is_at_work(threads, working):
    threads(2)
    crew = gathered()
    working(crew)
    threads(3)
    other = gathered()
    assert other is not crew
    assert other.members == 3
    assert bp.get_num_threads() == 3


def test_helpers_that_are_dismissed_end(threads):
    threads(3)
    helpers = gathered().helpers
    assert len(helpers) == 2
    threads(1)
    for helper in helpers:
        helper.join(10)
        assert not helper.is_alive()


def test_threads_that_cannot_start_are_done_without(threads, monkeypatch, caplog):
    """This happens within a container's limit; the threads that did start help."""
    threads(1)
    expected, start = everything(SHAPES[0]), threading.Thread.start
    started: list[threading.Thread] = []

    def limited(thread):
        if thread.name.startswith("fastbackprop-"):
            if len(started) >= 2:
                raise RuntimeError("can't start new thread")
            started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    caplog.set_level("INFO", logger="fastbackprop")
    threads(7)
    for _ in range(3):
        for one, other in zip(expected, everything(SHAPES[0]), strict=True):
            assert_same_bits(other, one)
    assert gathered().members == 3
    assert [r.getMessage() for r in caplog.records] == [
        "threads: 3 instead of 7, since no more can be started (can't start new thread)"
    ]
    threads(2)
    assert gathered().members == 1


def test_where_the_system_starts_no_thread_at_all_the_caller_does_the_work(threads, monkeypatch):
    """The caller does what has a separate thread elsewhere: a training, a change of threads, a team."""
    threads(2)
    data, start = (np.ones((3, 4)), np.ones((1, 4)), [3, 1], 0.1, 5), bp.initialize_parameters_deep([3, 1])
    expected = bp.L_layer_model(*data, parameters=start)

    def none(*arguments):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", none)
    assert_same_bits(bp.L_layer_model(*data, parameters=start), expected)
    threads(1)
    assert bp.get_num_threads() == 1


def test_a_kernel_that_raises_releases_the_team(threads):
    threads(2)
    crew = gathered()

    def fails(own, place):
        crew.mailbox[OWNER], crew.mailbox[HOLD] = (
            team._desk.token,
            1,
        )  # as a kernel leaves it that has claimed it and finds no memory
        raise MemoryError

    with pytest.raises(MemoryError):
        team.in_team(fails)
    assert is_at_rest(crew)


HANDLER = """
    import random, signal, sys, threading, time
    import numpy as np
    import fastbackprop as bp
    from fastbackprop import team
    from fastbackprop.kernels.mailbox import ACTIVE, HOLD, OWNER

    class Interrupt(Exception):
        pass

    def interrupt(number, frame):
        raise Interrupt

    def work():
        A, cache = bp.linear_activation_forward(A_prev, W, b, "relu")
        return [A, *bp.linear_activation_backward(A, cache, "relu")]

    rng, moments = np.random.default_rng(0), random.Random(0)
    A_prev, W, b = rng.standard_normal((300, 100)), rng.standard_normal((200, 300)), np.zeros((200, 1))
    bp.set_num_threads(2)
    expected = [x.tobytes() for x in work()]
    crew, interrupted = team._team, 0
    signal.signal(signal.SIGALRM, interrupt)
    for trial in range(int(sys.argv[1])):
        try:
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-6, 3e-3))
            while True:
                if [x.tobytes() for x in work()] != expected:
                    sys.exit("other numbers")
        except Interrupt:
            interrupted += 1
            assert crew.mailbox[OWNER] == 0, trial
    assert team._team is crew
    assert [x.tobytes() for x in work()] == expected
    end = time.monotonic() + 10
    while not all(crew.asleep):
        assert time.monotonic() < end, "a helper does not go to sleep"
    assert crew.mailbox[OWNER] == crew.mailbox[HOLD] == crew.mailbox[ACTIVE] == 0
    assert threading.active_count() == 2
    print(interrupted)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no signal can be timed here")
def test_an_exception_of_a_signal_handler_at_any_instruction_does_not_lose_the_team():
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(HANDLER), "500"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "500", "")


def test_num_threads_is_put_back_whatever_happens(threads):
    threads(2)
    with pytest.raises(RuntimeError), bp.num_threads(3):
        assert bp.get_num_threads() == 3
        raise RuntimeError
    assert bp.get_num_threads() == 2


def test_a_mailbox_knows_its_members_and_those_of_a_single_threaded_caller():
    for members in (1, 3):
        mailbox = team._mailbox(members)
        assert mailbox[MEMBERS] == members and mailbox[SINGLE + MEMBERS] == 1
        assert np.count_nonzero(mailbox) == 2 and mailbox.ctypes.data % LINE_BYTES == 0


VARIABLES = ("FASTBACKPROP_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("3", "5", "7"), 3),
        ((None, "5", "7"), 5),
        ((None, None, "7,2"), 7),
        (("0", "many", "2"), 2),
        (("1", None, None), 1),
        (("1000000", None, None), team.MOST_THREADS),
        ((None, None, None), min(usable_cores(), team.MOST_THREADS)),
    ],
)
def test_the_number_of_threads_that_the_environment_sets(monkeypatch, values, expected):
    for variable, value in zip(VARIABLES, values, strict=True):
        monkeypatch.delenv(variable, raising=False)
        if value is not None:
            monkeypatch.setenv(variable, value)
    assert team._default() == expected


def test_set_num_threads_returns_what_it_was(threads):
    threads(2)
    assert bp.set_num_threads(4) == 2


@pytest.mark.parametrize(
    "n, error", [(0, ValueError), (-1, ValueError), (40_000, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)]
)
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
        expected = None
        for used in ("unused", "used"):
            for method in sys.argv[1:]:
                with multiprocessing.get_context(method).Pool(2) as pool:
                    found = pool.map(work, range(3))
                assert expected is None or found == expected, (used, method)
                print(used, method, flush=True)
                last = found
            expected = [work(seed) for seed in range(3)]
            assert last == expected
"""


def test_children_work_whether_or_not_the_team_was_used_before(tmp_path):
    """One process starts children in every way, before and after its own first call."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    methods = multiprocessing.get_all_start_methods()
    done = subprocess.run([sys.executable, "-W", "error", str(program), *methods], capture_output=True, text=True, timeout=300)
    right = [f"{used} {method}" for used in ("unused", "used") for method in methods]
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, right, "")


def test_a_fork_while_the_team_is_at_work(threads):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    program = """
        import os, threading, time, warnings
        import numpy as np
        import fastbackprop as bp
        from fastbackprop import team
        from fastbackprop.kernels.mailbox import OWNER
        bp.set_num_threads(2)
        A, W, b = np.ones((300, 200)), np.ones((100, 300)), np.zeros((100, 1))
        warnings.simplefilter("ignore")  # Python 3.12 warns of a fork beside threads, and rightly
        X, Y = np.random.randn(30, 20_000), np.ones((1, 20_000))
        threading.Thread(target=bp.L_layer_model, args=(X, Y, [30, 16, 1], 1e-9, 10**9), daemon=True).start()
        while team._team is None or team._team.mailbox[OWNER] == 0:
            time.sleep(0.001)
        child = os.fork()
        if child == 0:
            Z, _ = bp.linear_forward(A, W, b)
            os._exit(0 if (Z == 300).all() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
