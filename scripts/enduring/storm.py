"""A storm of interrupts, forks and exits: nothing may hang, crash, be lost, or end with other bits.

interrupts  trainings with 1, 2 or 3 interrupts, 2 us to 60 ms apart, raised by a timer's handler or by SIGINT, resumed at once
            by the same call; both algorithms and mini-batches, with a checkpoint and without
cold        the same in processes that begin with an empty disk cache, most of them interrupted while kernels compile
exits       processes that end while kernels compile
forks       processes that fork while another thread compiles; the child has to compute too
callers     eight threads that call functions and train, while their number and the team's change and the main thread is
            interrupted; in the end threads and team are as they were, and memory as after the first third
            (in runs of a minute or more)
"""

from __future__ import annotations

import _thread
import argparse
import faulthandler
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fastbackprop as bp
from fastbackprop import checkpoint, looping, team
from fastbackprop.kernels.mailbox import ACTIVE, HOLD, OWNER
from scripts import ROOT

LAYERS, EXAMPLES, RATE = [30, 16, 8, 1], 569, 0.01
ITERATIONS = {"direct": 1500, "gram": 400, "batches": 1500}  # trainings about as long as the moments at which interrupts come
MOST = 3  # interrupts in a trial
PATIENCE = 120  # seconds without an end are a hang


def problem() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((LAYERS[0], EXAMPLES))
    start = {}
    for l, (n_prev, n) in enumerate(itertools.pairwise(LAYERS), start=1):
        start[f"W{l}"], start[f"b{l}"] = rng.standard_normal((n, n_prev)) / np.sqrt(n_prev), np.zeros((n, 1))
    return X, (X[:1] > 0).astype(float), start


X, Y, START = problem()


def train(algorithm: str, iterations: int | None = None, file: Path | None = None) -> tuple[bytes, ...]:
    """The bits of the result of the call that a user would make; "batches" are mini-batches, a fortieth as many epochs."""
    iterations = iterations or ITERATIONS[algorithm]
    if algorithm == "batches":
        rule: dict[str, Any] = {
            "optimizer": bp.Adam(RATE),
            "batch_size": 64,
            "seed": 1,
            "validation": 0.2,
            "patience": iterations,
        }
        net = bp.train(X, Y, LAYERS, epochs=iterations // 40, checkpoint=file, **rule)
        return (*(value.tobytes() for value in net.parameters.values()), np.array([net.costs, net.validation_scores]).tobytes())
    trained, costs = bp.L_layer_model(
        X, Y, LAYERS, RATE, iterations, parameters=START, algorithm=algorithm, checkpoint=file, return_costs=True
    )
    return (*(value.tobytes() for value in trained.values()), np.array(costs).tobytes())


class Interrupts:
    """Interrupts after `first` seconds, `gaps` apart: raised by a timer's handler, or as SIGINT by another thread."""

    def __init__(self, first: float, gaps: list[float], real: bool) -> None:
        self.moments, self.real = [first, *gaps], real
        self.begun = self.over = False

    def begin(self) -> None:
        """Mark that interrupts may come from now on; a second call does nothing."""
        if self.begun:
            return
        self.begun = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.real:
            _thread.start_new_thread(self._send, ())  # `Thread.start` is itself no place for an interrupt
        else:
            signal.signal(signal.SIGALRM, self._raise)
            signal.setitimer(signal.ITIMER_REAL, self.moments.pop(0))

    def _send(self) -> None:
        for seconds in self.moments:
            time.sleep(seconds)
            os.kill(os.getpid(), signal.SIGINT)
        self.over = True

    def _raise(self, number: int, frame: Any) -> None:
        if self.moments:
            signal.setitimer(signal.ITIMER_REAL, self.moments.pop(0))
        else:
            self.over = True
        raise KeyboardInterrupt

    def end(self) -> None:
        """Wait until all interrupts have come."""
        while not self.over:
            time.sleep(0.001)


def drawn(moments: random.Random, longest: float) -> Interrupts:
    gaps = [10 ** moments.uniform(np.log10(2e-6), np.log10(60e-3)) for _ in range(moments.randrange(MOST))]
    return Interrupts(moments.uniform(1e-6, longest), gaps, moments.random() < 0.4)


def stubbornly(call: Callable[[], Any], caught: list[int], most: int = MOST) -> Any:
    """Call until it returns, for so many interrupts at most, which may come at any instruction of this function too."""
    if most == 0:
        return call()
    try:  # the next interrupt may come within the handler of the last: each has a handler of its own
        return stubbornly(call, caught, most - 1)
    except KeyboardInterrupt:
        caught[0] += 1
    return call()


def interrupted(algorithm: str, file: Path | None, interrupts: Interrupts) -> tuple[tuple[bytes, ...], int]:
    """Interrupt and resume a training until it is done; returns how many interrupts were seen."""
    caught = [0]
    result: list[tuple[bytes, ...]] = []

    def call() -> None:
        interrupts.begin()
        if not result:
            result.append(train(algorithm, file=file))
        interrupts.end()

    stubbornly(call, caught)
    return result[0], caught[0]


def rest_of_the_team() -> str:
    """What of the team is not at rest, in words."""
    end = time.monotonic() + 10
    while True:
        crew = team._team
        wrong = []
        if crew is not None and not (crew.mailbox[OWNER] == crew.mailbox[HOLD] == crew.mailbox[ACTIVE] == 0):
            wrong.append("the team is claimed")
        if crew is not None and not all(crew.asleep[: len(crew.helpers)]):
            wrong.append("a helper is awake")
        names = sorted(thread.name for thread in threading.enumerate())
        if len(names) != 1 + (0 if crew is None else len(crew.helpers)):
            wrong.append(f"threads: {names}")
        if not wrong or time.monotonic() > end:
            return "; ".join(wrong)
        time.sleep(0.01)


def storm_of_interrupts(trials: int, moments: random.Random) -> None:
    bp.set_num_threads(2)
    expected = {algorithm: train(algorithm) for algorithm in ("direct", "gram", "batches")}
    begun = time.perf_counter()
    train("direct")
    longest = 1.5 * (time.perf_counter() - begun)
    checkpoint.SAVE_SECONDS, looping.SLICE_SECONDS = 0.01, 0.001
    seen = [0, 0, 0, 0]
    # A folder in memory, where there is one: saving is quick there, and the interrupts fall into more of its steps.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="storm-", dir=memory) as folder:
        for trial in range(trials):
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            algorithm = ("direct", "gram", "batches")[trial % 3]
            file = Path(folder) / f"{trial}.npz" if trial % 4 < 3 else None
            found, caught = interrupted(algorithm, file, drawn(moments, longest))
            seen[min(caught, 3)] += 1
            if found != expected[algorithm]:
                sys.exit(f"storm: trial {trial}, {algorithm}, {'with' if file else 'without'} a checkpoint: other bits")
            if file is not None and sorted(Path(folder).iterdir()) != [file]:
                sys.exit(f"storm: trial {trial}: {sorted(Path(folder).iterdir())} is left")
            if file is not None:
                file.unlink()
            if trial % 50 == 0 and (wrong := rest_of_the_team()):
                sys.exit(f"storm: after trial {trial}: {wrong}")
    faulthandler.cancel_dump_traceback_later()
    if wrong := rest_of_the_team():
        sys.exit(f"storm: in the end {wrong}")
    counts = ", ".join(f"{count} saw {n}" for n, count in enumerate(seen))
    print(f"interrupts: {trials} trials, the bits of an unbroken run each time; interrupts: {counts} or more")


# ----------------------------------------------------------------------------------------------- from an empty disk cache


def one_cold() -> None:
    """One training in a separate process, interrupted while its kernels compile."""
    moments = random.Random(int(sys.argv[2]))
    faulthandler.dump_traceback_later(PATIENCE * 3, exit=True)
    algorithm = sys.argv[3]
    file = Path(sys.argv[4]) / "training.npz"
    found, caught = interrupted(algorithm, file, drawn(moments, 12))
    again = train(algorithm)
    print(caught, found == again, len(set(threading.enumerate())))
    sys.stdout.buffer.write(b"".join(found).hex().encode())


def one_exit() -> None:
    """One process that ends while a kernel compiles."""
    moments = random.Random(int(sys.argv[2]))
    threading.Thread(target=train, args=("direct", 10), daemon=True).start()
    time.sleep(moments.uniform(0, 5))


def one_fork() -> None:
    """One process that forks while another thread compiles a kernel, the package's or the user's."""
    import numba

    moments = random.Random(int(sys.argv[2]))
    faulthandler.dump_traceback_later(PATIENCE * 3, exit=True)
    own = numba.njit(lambda x: np.sort(x) + np.linalg.norm(x) if False else np.sort(x))
    # What a user's first call imports before it takes Numba's lock, no fork can wait for.
    numba.typeof(np.arange(9.0))
    numba.core.entrypoints.init_all()
    work: list[Callable[[], Any]] = [lambda: bp.sigmoid(X), lambda: train("direct", 5), lambda: own(np.arange(9.0))]
    threading.Thread(target=moments.choice(work), daemon=True).start()
    time.sleep(moments.uniform(0, 4))
    child = os.fork()
    try:
        right = bool((bp.sigmoid(np.zeros((2, 2)))[0] == 0.5).all())  # compiled in both, or on the way when the process forked
    except BaseException:
        traceback.print_exc()
        right = False
    if child == 0:
        os._exit(0 if right else 1)  # never by the interpreter's end: there faulthandler waits for its thread, which is no more
    if not right or os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        sys.exit("wrong")


def in_processes(mode: str, trials: int, moments: random.Random, judge: Callable[[int, str], str]) -> None:
    """Trials of a mode in processes that begin with an empty disk cache, two at a time."""
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:

        def begin(trial: int) -> tuple[int, subprocess.Popen[str]]:
            place = Path(folder) / str(trial)
            place.mkdir()
            command = [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "scripts.enduring.storm",
                f"one-{mode}",
                str(moments.randrange(10**9)),
            ]
            command += [("direct", "gram")[trial % 2], str(place)]
            environment = os.environ | {"NUMBA_CACHE_DIR": str(place / "cache"), "FASTBACKPROP_NUM_THREADS": "2"}
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            return trial, process

        def end(trial: int, process: subprocess.Popen[str]) -> None:
            out, errors = process.communicate(timeout=PATIENCE * 4)
            if process.returncode != 0:
                sys.exit(f"storm: {mode}, trial {trial}: status {process.returncode}\n{out}{errors}")
            if wrong := judge(trial, out):
                sys.exit(f"storm: {mode}, trial {trial}: {wrong}")

        going: list[tuple[int, subprocess.Popen[str]]] = []
        for trial in range(trials):
            going.append(begin(trial))
            if len(going) == 2:
                end(*going.pop(0))
        for one in going:
            end(*one)
    print(f"{mode}: {trials} trials, each ended as it should")


def storm_in_cold_processes(trials: int, moments: random.Random) -> None:
    expected = {algorithm: b"".join(train(algorithm)).hex() for algorithm in ("direct", "gram")}
    counts = [0] * 4

    def judge(trial: int, out: str) -> str:
        summary, found = out.split("\n", 1)
        caught, same, threads = summary.split()
        counts[min(int(caught), 3)] += 1
        if (same, threads) != ("True", "2"):
            return summary
        return "" if found == expected[("direct", "gram")[trial % 2]] else "other bits"

    in_processes("cold", trials, moments, judge)
    print("      interrupts: " + ", ".join(f"{count} saw {n}" for n, count in enumerate(counts)) + " or more")


# --------------------------------------------------------------------------------------------------------- eight threads


def resident() -> int:
    """Bytes of memory in use, 0 where the system does not report it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def storm_of_callers(minutes: float, moments: random.Random) -> None:
    rng = np.random.default_rng(1)
    shapes = [(50 + 7 * i, 120, 400 + i) for i in range(8)]
    data = [
        (rng.standard_normal((n_prev, m)), rng.standard_normal((n, n_prev)), rng.standard_normal((n, 1)))
        for n, n_prev, m in shapes
    ]

    def layer(i: int) -> bytes:
        A, cache = bp.linear_activation_forward(*data[i], "sigmoid")
        return b"".join(x.tobytes() for x in (A, *bp.linear_activation_backward(A, cache, "sigmoid")))

    expected = [layer(i) for i in range(8)]
    trained = {algorithm: train(algorithm, 60) for algorithm in ("direct", "gram")}
    wrong: list[str] = []
    calls = [0] * 8
    over = threading.Event()

    def caller(i: int) -> None:
        while not over.is_set() and not wrong:
            if layer(i) != expected[i]:
                wrong.append(f"caller {i}: other bits")
            algorithm = ("direct", "gram")[calls[i] % 2]
            if calls[i] % 5 == 0 and train(algorithm, 60) != trained[algorithm]:
                wrong.append(f"caller {i}: other bits of {algorithm} descent")
            calls[i] += 1

    def one_round(seconds: float) -> int:
        """Eight callers for some seconds, and this thread, which is interrupted; returns how often."""
        over.clear()
        callers = [threading.Thread(target=caller, args=(i,)) for i in range(7)]
        for thread in callers:
            thread.start()
        end, caught = time.monotonic() + seconds, [0]
        while time.monotonic() < end and not wrong:
            interrupts = Interrupts(moments.uniform(1e-6, 0.05), [10 ** moments.uniform(-5, -2)], False)

            def call(interrupts: Interrupts = interrupts) -> None:
                interrupts.begin()
                while not interrupts.over:
                    if layer(7) != expected[7]:
                        wrong.append("caller 7: other bits")
                    bp.set_num_threads(moments.choice((1, 2, 3, 4)))

            stubbornly(call, caught)
        over.set()
        for thread in callers:
            thread.join()
        bp.set_num_threads(2)
        return caught[0]

    faulthandler.dump_traceback_later(60 * minutes + PATIENCE, exit=True)
    before, caught, begun = 0, 0, time.monotonic()
    while (passed := time.monotonic() - begun) < 60 * minutes and not wrong:
        if not before and passed > 20 * minutes:  # until then the allocator's arenas, one a thread, fill
            before = resident()
        caught += one_round(min(10, 20 * minutes))
    faulthandler.cancel_dump_traceback_later()
    layer(0)
    if wrong or (left := rest_of_the_team()):
        sys.exit(f"storm: callers: {wrong or left}")
    grown = resident() - before
    if minutes >= 1 and grown > 64 * 2**20:  # the arenas of shorter runs are still filling
        sys.exit(f"storm: callers: {grown / 2**20:.0f} MiB more memory in use than at the beginning")
    print(f"callers: {minutes:g} minutes, {sum(calls)} calls, {caught} interrupts; memory {grown / 2**20:+.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/storm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mode", nargs="?", choices=["interrupts", "cold", "exits", "forks", "callers"], help="default: all")
    parser.add_argument("--trials", type=int, help="of the mode")
    parser.add_argument("--minutes", type=float, default=10, help="of the callers")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the moments (default: another each time)")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    moments = random.Random(options.seed)
    if options.mode in (None, "interrupts"):
        storm_of_interrupts(options.trials or 2000, moments)
    if options.mode in (None, "cold"):
        storm_in_cold_processes(options.trials or 60, moments)
    for mode in ("exits", "forks"):
        if options.mode in (None, mode):
            in_processes(mode, options.trials or 36, moments, lambda trial, out: out)
    if options.mode in (None, "callers"):
        storm_of_callers(options.minutes, moments)


if __name__ == "__main__":
    single = {"one-cold": one_cold, "one-exits": one_exit, "one-forks": one_fork}
    single.get(sys.argv[1] if len(sys.argv) > 1 else "", main)()
