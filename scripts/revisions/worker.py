"""The process of one revision: it does what the lines of JSON on its standard input ask, and answers each with one.

It runs in asv's environment, of which it needs `asv_runner` alone, and finds the package under test on its path.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any


def benchmarks_of(root: str) -> Iterator[tuple[str, Any, int]]:
    """Names of the timed calls in the form that asv prints, with their benchmark and the number of their parameters."""
    from asv_runner._aux import update_sys_path
    from asv_runner.benchmarks.time import TimeBenchmark
    from asv_runner.discovery import disc_benchmarks

    update_sys_path(root)
    for benchmark in disc_benchmarks(root, ignore_import_errors=True):
        if type(benchmark) is TimeBenchmark:  # not those of new processes, a subclass: they time starts
            for number, parameters in enumerate(itertools.product(*benchmark.params)):
                yield f"{benchmark.name}({', '.join(parameters)})", benchmark, number


class Worker:
    def __init__(self, root: str) -> None:
        self.known = {name: (benchmark, number) for name, benchmark, number in benchmarks_of(root)}
        self.benchmark: Any = None

    def describe(self) -> dict[str, Any]:
        import fastbackprop

        threads = getattr(fastbackprop, "get_num_threads", lambda: None)()
        return {"package": fastbackprop.__path__[0], "threads": threads, "benchmarks": list(self.known)}

    def prepare(self, name: str, rest: float) -> bool:
        """Set the benchmark up and call it once; returns False where it is skipped."""
        self.close()
        benchmark, number = self.known[name]
        benchmark.set_param_idx(number)
        if benchmark.do_setup():
            return False
        self.benchmark, self.parameters = benchmark, benchmark._current_params
        self.sample(1, 0)
        time.sleep(rest)
        return True

    def sample(self, calls: int, rest: float) -> float:
        """Seconds of that many calls in a row, after a rest and one call that wakes the threads."""
        function, parameters = self.benchmark.func, self.parameters
        if rest:
            time.sleep(rest)
            function(*parameters)
        start = time.perf_counter()
        for _ in range(calls):
            function(*parameters)
        return time.perf_counter() - start

    def close(self) -> None:
        if self.benchmark is not None:
            self.benchmark.do_teardown()
            self.benchmark = None


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a benchmark prints is no answer
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"result": getattr(worker, name)(*arguments)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
