"""Exceptions of signal handlers, forks and exits at awkward moments: begun work is completed, and no lock stays.

The moments are held open by locks here; `scripts/storm` draws them at random, see scripts/enduring/test_storm.py.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from numba.core.errors import TypingError

import fastbackprop as bp
from fastbackprop import looping, slices
from fastbackprop.kernels import jit
from fastbackprop.kernels.jit import entry
from fastbackprop.kernels.kinds import INT, OUT
from fastbackprop.kernels.tasks import Task

ROOT = Path(__file__).parents[1]
pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no signal can be timed here"),
    pytest.mark.skipif(not jit.JIT, reason="nothing is compiled"),
]


class Interrupt(Exception):
    """The exception that the handler raises."""


@pytest.fixture
def timer():
    """A function that interrupts the main thread after some seconds."""

    def interrupt(number, frame):
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def _twice(x, n):
    x[0, 0] = 2 * n


@pytest.fixture
def held_open(monkeypatch):
    """A kernel that is not compiled yet, a lock that its compile waits for, and the threads that compiled it."""
    kernel, gate, compilers = entry(OUT, INT)(_twice), threading.Lock(), []

    def load(cache, signature, target):
        compilers.append(threading.get_ident())
        with gate:
            return None

    monkeypatch.setattr(jit.DiskCache, "load_overload", load)
    monkeypatch.setattr(jit.DiskCache, "save_overload", lambda *arguments: None)
    return kernel, gate, compilers


def call(kernel, char="d"):
    x = np.zeros((1, 1), char)
    kernel[char](x, 21)
    return x[0, 0]


# ------------------------------------------------------------------------------------------------------------- compiling


def test_an_interrupt_ends_the_wait_for_a_compile_and_not_the_compile(held_open, timer):
    kernel, gate, compilers = held_open
    with gate:
        for _ in range(20):
            timer(0.02)
            with pytest.raises(Interrupt):
                call(kernel)
        assert "d" not in kernel
    assert call(kernel) == 42
    assert len(compilers) == 1
    assert compilers[0] != threading.main_thread().ident


def test_a_kernel_that_many_wait_for_compiles_once(held_open):
    kernel, gate, compilers = held_open
    found = []
    with gate:
        threads = [threading.Thread(target=lambda: found.append(call(kernel))) for _ in range(5)]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert found == [42] * 5
    assert len(compilers) == 1


def test_a_compile_that_fails_is_tried_again(held_open, monkeypatch):
    kernel, _, compilers = held_open

    def fails(*arguments):
        raise TypingError(
            "as for a fault of the function: after others it is compiled once more, without this package's passes"
        )

    with monkeypatch.context() as patch:
        patch.setattr(jit.DiskCache, "save_overload", fails)
        for _ in range(2):
            with pytest.raises(TypingError):
                call(kernel)
    assert call(kernel) == 42
    assert len(compilers) == 3


HELD_OPEN = """
    import os, signal, sys, threading, time
    import numpy as np
    from numba.core.compiler_lock import global_compiler_lock
    from fastbackprop.kernels import jit
    from fastbackprop.kernels.jit import entry
    from fastbackprop.kernels.kinds import INT, OUT

    gate = threading.Lock()
    def load(cache, signature, target):
        gate.acquire()
        gate.release()
    jit.DiskCache.load_overload, jit.DiskCache.save_overload = load, lambda *arguments: None

    @entry(OUT, INT)
    def kernel(x, n):
        x[0, 0] = 2 * n

    def call(char="d"):
        x = np.zeros((1, 1), char)
        kernel[char](x, 21)
        return x[0, 0]

    def locks():
        return [jit._compiling, *jit._locks_of_compilers()]

    def child(work):
        pid = os.fork()
        if pid == 0:
            try:
                signal.alarm(60)  # its default action ends the process
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                work()
                os._exit(0)
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert len(locks()) == 3
"""


def run(program):
    command = [sys.executable, "-c", textwrap.dedent(HELD_OPEN) + textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert (done.returncode, done.stdout) == (0, "right\n"), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_waits_for_the_function_that_compiles_and_the_child_compiles_too():
    run("""
        gate.acquire()
        compiler = threading.Thread(target=call)
        compiler.start()
        while "d" not in kernel.tasks or not kernel.tasks["d"]._begun.locked():
            pass
        time.sleep(0.1)
        threading.Timer(0.3, gate.release).start()

        def work():
            assert "d" in kernel  # it waited
            assert call("f") == 42
            assert all(not lock._is_owned() for lock in locks())

        assert child(work) == 0
        assert call() == call("f") == 42
        assert all(not lock._is_owned() for lock in locks())
        print("right")
    """)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_waits_for_the_users_own_compiles():
    run("""
        import numba
        global_compiler_lock.acquire()
        forked = []
        forker = threading.Thread(target=lambda: forked.append(child(lambda: call())))
        forker.start()
        time.sleep(0.3)
        assert forked == []
        global_compiler_lock.release()
        forker.join()
        assert forked == [0]
        print("right")
    """)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_an_interrupt_within_the_hooks_of_a_fork_leaves_no_lock_held():
    run("""
        class Interrupt(Exception):
            pass

        interrupts = []
        def interrupt(number, frame):
            interrupts.append(number)
            if len(interrupts) == 2:  # ours and Numba's lock are held by the thread that compiles
                signal.setitimer(signal.ITIMER_REAL, 0)
            raise Interrupt

        sys.unraisablehook = lambda unraisable: None
        gate.acquire()
        threading.Thread(target=call).start()
        while "d" not in kernel.tasks or not kernel.tasks["d"]._begun.locked():
            pass
        time.sleep(0.1)
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)  # while the fork waits

        def work():
            gate.release()
            assert call("f") == call() == 42

        assert child(work) == 0
        assert len(interrupts) == 2
        gate.release()
        assert call() == 42
        for lock in locks():
            assert not lock._is_owned()
            assert lock.acquire(timeout=10)
            lock.release()
        print("right")
    """)


# ------------------------------------------------------------------------------------------------------------------- exits

DAEMON = """
    import signal, sys, threading, time
    import numpy as np
    import fastbackprop as bp
    from fastbackprop import team
    from fastbackprop.kernels.mailbox import OWNER

    X, Y = np.random.randn(30, 20_000), np.ones((1, 20_000))
    options = {"checkpoint": sys.argv[1]} if len(sys.argv) > 1 else {}
    training = threading.Thread(target=bp.L_layer_model, args=(X, Y, [30, 16, 1], 1e-9, 10**9), kwargs=options, daemon=True)
    training.start()
    bp.set_num_threads(2)
    while team._team is None or team._team.mailbox[OWNER] == 0:
        time.sleep(0.001)
    time.sleep(0.2)
    print("right")
"""


@pytest.mark.parametrize("has_checkpoint", [False, True])
def test_a_process_ends_while_a_daemon_thread_trains(has_checkpoint, tmp_path):
    """The process saves the training's progress."""
    file = tmp_path / "training.npz"
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(DAEMON), *[str(file)] * has_checkpoint]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "right\n", "")
    if has_checkpoint:
        with np.load(file) as members:
            assert json.loads(str(members["about"]))["iteration"] > 0


def test_a_training_of_very_many_iterations_takes_no_memory_for_its_costs(timer):
    """Such a training is meant to run until Ctrl-C."""
    timer(0.5)
    with pytest.raises(Interrupt):
        bp.L_layer_model(np.ones((2, 3)), np.ones((1, 3)), [2, 1], 1e-9, 10**12)
    timer(0.5)
    with pytest.raises(Interrupt):
        bp.L_layer_model(np.ones((2, 3)), np.ones((1, 3)), [2, 1], 1e-9, 10**30, algorithm="gram")


def test_a_training_that_the_end_of_the_process_stopped_begins_nothing_more(monkeypatch):
    """It ran in a daemon thread, which no exception reaches."""
    begun = []
    start = Task.start

    def count(task):
        begun.append(task)
        start(task)

    monkeypatch.setattr(Task, "start", count)
    X, Y = np.random.default_rng(0).standard_normal((30, 2000)), np.ones((1, 2000))

    def train():
        with pytest.raises(SystemExit):
            bp.L_layer_model(X, Y, [30, 16, 1], 1e-9, 10**9)

    others = set(slices.running)  # that an interrupt of another test has left behind
    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    while not slices.running.keys() - others:
        pass
    before = len(begun)
    slices.end_of_process()
    thread.join(60)
    assert not thread.is_alive()
    assert len(begun) <= before + 1


def test_the_end_of_a_process_saves_a_training_that_is_between_two_slices(monkeypatch, tmp_path):
    """Its thread may wait for its turn as long as the end takes."""
    file, held, gate = tmp_path / "training.npz", threading.Event(), threading.Event()
    length = looping.next_length

    def hold(*arguments):
        held.set()
        gate.wait(60)
        return length(*arguments)

    monkeypatch.setattr(looping, "next_length", hold)
    X, Y = np.ones((3, 5)), np.ones((1, 5))

    def train():
        with pytest.raises(SystemExit):
            bp.L_layer_model(X, Y, [3, 1], 1e-9, 10**9, checkpoint=file)

    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    assert held.wait(60)
    slices.end_of_process()
    with np.load(file) as members:
        assert json.loads(str(members["about"]))["iteration"] > 0
    gate.set()
    thread.join(60)
    assert not thread.is_alive()
    assert [path.name for path in tmp_path.iterdir()] == ["training.npz"]


def test_an_interrupt_does_not_leave_the_number_of_threads_changed(timer):
    before = bp.get_num_threads()
    for i in range(200):
        try:
            timer(1e-5 * (1 + i % 40))
            while True:
                with bp.num_threads(1 + i % 3):
                    pass
        except Interrupt:
            pass
        assert bp.get_num_threads() == before


def test_without_threads_an_interrupted_slice_is_not_said_to_be_saved(timer, tmp_path, monkeypatch):
    """The caller computes then, and the exception may come between parameters and the count of iterations."""
    X = np.random.default_rng(0).standard_normal((30, 3000))
    Y, start = (X[:1] > 0).astype(float), bp.initialize_parameters_deep([30, 8, 1])

    def train(**options):
        return bp.L_layer_model(X, Y, [30, 8, 1], 0.1, 3000, parameters=start, algorithm="direct", **options)

    def none(*arguments):
        raise RuntimeError("can't start new thread")

    with bp.num_threads(1):
        expected = train()
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        for trial in range(6):
            file = tmp_path / f"{trial}.npz"
            with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as caught:
                patch.setattr("_thread.start_new_thread", none)
                timer(0.02 + 0.01 * trial)
                train(checkpoint=file)
            assert "could not be saved" in str(caught.value) or file.exists()
            found = train(checkpoint=file)
            assert all(found[key].tobytes() == value.tobytes() for key, value in expected.items())
