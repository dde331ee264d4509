"""Two revisions' processes, timed in turns round by round."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from scripts.measuring.fairness import OPENBLAS_OVERRIDES
from scripts.measuring.timing import REST
from scripts.revisions.decision import Rounds, Rule, fit
from scripts.revisions.installed import SUITE, CannotCompare, Installed

WORKER = Path(__file__).with_name("worker.py")
SAMPLES = 3  # of each side in a round, of which the best counts: what disturbs a machine lengthens, and never shortens
SAMPLE_SECONDS = 0.03
HELPERS_REST = 0.02  # the package's helpers look for work some milliseconds longer; NumPy's, at set-up, for REST


class Failed(CannotCompare):
    """What was asked of a process raised there."""


class Side:
    """The process of one revision; the suite has it keep machine code where only the same package does."""

    def __init__(self, installed: Installed) -> None:
        self.name = installed.name
        environment = {name: value for name, value in os.environ.items() if name not in OPENBLAS_OVERRIDES}
        environment |= {
            "PYTHONPATH": str(installed.folder),
            "PYTHONSAFEPATH": "1",
            "FASTBACKPROP_QUIET": "1",
        }
        self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (until the process ends)
        command = [installed.python, str(WORKER), str(SUITE / "benchmarks")]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True
        )

    def ask(self, name: str, *arguments: object) -> Any:
        self.send(name, *arguments)
        return self.answer()

    def send(self, name: str, *arguments: object) -> None:
        """Ask without waiting for the answer."""
        assert self._process.stdin
        self._asked = name, *arguments
        with suppress(BrokenPipeError):  # it has ended, as its answer says
            print(json.dumps([name, arguments]), file=self._process.stdin, flush=True)

    def answer(self) -> Any:
        assert self._process.stdout
        answer = self._process.stdout.readline()
        if not answer:
            asked = " ".join(map(str, self._asked))
            code = self._process.wait()
            raise CannotCompare(
                f"the process of {self.name} ended with {code}, asked for: {asked}; it said last: {self.last()}"
            )
        answer = json.loads(answer)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["result"]

    def last(self) -> str:
        """The last line that it wrote, of an error in the benchmarks or the package."""
        self._said.seek(0)
        return (self._said.read().strip() or "nothing").splitlines()[-1]

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._said.close()


def compile_all(installed: Installed, names: Iterable[str]) -> tuple[dict[str, int], dict[str, str]]:
    """Call each benchmark, so that its kernels are in the disk cache; returns calls a sample, and why some cannot be timed."""
    calls, failed = {}, {}
    with Side(installed) as side:
        for name in names:
            try:
                if side.ask("prepare", name, 0):
                    calls[name] = _calls_a_sample(lambda n: side.ask("sample", n, 0))
            except Failed as error:
                failed[name] = f"fails at {installed.name}: {error}"
    return calls, failed


def _calls_a_sample(sample: Callable[[int], float]) -> int:
    calls = 1
    while (seconds := sample(calls)) < SAMPLE_SECONDS / 2:
        calls *= max(2, min(1000, round(SAMPLE_SECONDS / max(seconds, 1e-9))))
    return max(1, round(calls * SAMPLE_SECONDS / seconds))


def one_round(pair: tuple[Installed, Installed], calls: dict[str, int], swapped: bool) -> dict[str, tuple[float, float]]:
    """Best seconds of a call at both revisions, in two new processes; ``swapped`` says which one is first at each turn."""
    best = {}
    with Side(pair[swapped]) as first, Side(pair[not swapped]) as second:
        turns = [first, second]
        for name, n in calls.items():
            seconds: dict[Side, list[float]] = {first: [], second: []}
            for side in turns:  # both at once: neither is timed yet
                side.send("prepare", name, REST)
            for side in turns:
                side.answer()
            for _ in range(SAMPLES):
                for side in turns:
                    seconds[side].append(side.ask("sample", n, HELPERS_REST) / n)
                turns.reverse()
            for side in turns:
                side.ask("close")
            one, other = min(seconds[first]), min(seconds[second])
            best[name] = (other, one) if swapped else (one, other)
    return best


def measure(
    one_round: Callable[[dict[str, int], bool], dict[str, tuple[float, float]]],
    calls: dict[str, int],
    rule: Rule,
    until: float,
    tick: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Rounds]:
    """The rounds of a rule, which end about when the clock shows ``until`` at the latest.

    Where the first round shows that they would not, as on a busy machine, there are fewer rounds, then fewer benchmarks
    (`decision.fit`); others follow where these took less time than was expected. The result has those with all their rounds.
    """
    start = clock()
    first = one_round(calls, False)
    measured = {name: Rounds([before], [after]) for name, (before, after) in first.items()}
    took = clock() - start
    tick(f"round 1 of {rule.rounds}: {took:.0f} s")
    each, waiting = took / len(measured), [*measured]
    while waiting:
        rounds, kept = fit(waiting, rule, each * len(waiting), until - clock())
        if not kept:
            tick(f"too slow for {len(waiting)} of {len(measured)} benchmarks in the time")
            break
        if len(kept) < len(waiting):
            tick(f"{len(kept)} of {len(waiting)} benchmarks fit into the time, as it seems")
        for i in range(1, rounds):
            start = clock()
            for name, (before, after) in one_round({name: calls[name] for name in kept}, bool(i % 2)).items():
                measured[name].before.append(before)
                measured[name].after.append(after)
            took = clock() - start
            tick(f"round {i + 1} of {rounds}: {took:.0f} s")
        each, waiting = took / len(kept), [name for name in waiting if name not in kept]
    return {name: rounds for name, rounds in measured.items() if name not in waiting}
