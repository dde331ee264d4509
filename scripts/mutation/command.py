"""Plants at least 100 faults, one at a time, in kernels and their callers, and checks whether the tests find them.

Each is run first against quick tests with NUMBA_DISABLE_JIT=1, where nothing is compiled, then, if it survives, compiled.
Results are kept in build/mutate; a found fault is not run again while its statement stays as it is, a survivor is run again
when the tests change. Survivors that change no result are explained in scripts/mutation/explained.txt.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from queue import Empty, Queue

from scripts import ROOT
from scripts.mutation import faults
from scripts.mutation.coverage import Coverage
from scripts.mutation.faults import Fault
from scripts.mutation.results import Results, report
from scripts.mutation.rules import RULES
from scripts.mutation.trial import COMPILED_LIMIT, COMPILED_TIMEOUT, Trial, failures
from scripts.mutation.workplace import Stopped, Workplace

BUILD = ROOT / "build" / "mutate"
EACH, SEED = 8, 1


def say(message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {message}", flush=True)


def run(planted: list[Fault], results: Results, jobs: int, minutes: float | None) -> None:
    """Run the faults without a result, `jobs` at a time, each in a copy of the project."""
    end = None if minutes is None else time.monotonic() + 60 * minutes
    places = [Workplace(ROOT, BUILD / f"job-{job}") for job in range(jobs)]
    coverage = Coverage(places[0], BUILD / "coverage")
    coverage.record(say)
    for plain in (True, False):
        waiting: Queue[Fault] = Queue()
        for fault in planted:
            if results.needs_run(fault, coverage.tests_digest, plain=plain):
                waiting.put(fault)
        say(f"{waiting.qsize()} of {len(planted)} faults to run {'plain' if plain else 'compiled'}")

        def work(place: Workplace, waiting: Queue[Fault] = waiting, plain: bool = plain) -> None:
            trial = Trial(place, coverage)
            while end is None or time.monotonic() < end:
                try:
                    fault = waiting.get_nowait()
                    result = (trial.plain if plain else trial.compiled)(fault)
                except (Empty, Stopped):
                    return
                results.add(fault, result, coverage.tests_digest)
                say(f"{fault.rule}, {fault.path}, {fault.place}: {result.status} in {result.seconds:.0f} s ({result.by})")

        workers = [threading.Thread(target=work, args=(place,)) for place in places]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join()
        except KeyboardInterrupt:
            for place in places:
                place.stop()
            raise
    confirm(places[0], planted, results)


def confirm(place: Workplace, planted: list[Fault], results: Results) -> None:
    """Run the compiled tests that found a fault on the package without one; a test that fails there too found nothing."""
    finders = sorted({test for fault in planted if (test := results.compiled_finder(fault))})
    if finders:
        say(f"{len(finders)} tests that found faults in compiled code run once more without one")
        outcome = place.pytest(finders, plain=False, limit=COMPILED_LIMIT, timeout=COMPILED_TIMEOUT, first_failure=False)
        failed = failures(outcome)
        for fault in planted:
            if outcome.status is None or results.compiled_finder(fault) in failed:
                say(f"not found by {results.compiled_finder(fault)}, which fails without a fault too: {fault.shown_before}")
                results.forget(fault)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/mutate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs="?", choices=("run", "report"), default="run")
    parser.add_argument("--list", action="store_true", help="list the faults that would be run")
    parser.add_argument("--only", choices=tuple(RULES), metavar="RULE", help=f"of one rule alone: {', '.join(RULES)}")
    parser.add_argument("--minutes", type=float, help="begin no further fault after MINUTES")
    parser.add_argument("--jobs", type=int, default=1, help="how many at a time (default 1)")
    parser.add_argument("--each", type=int, default=EACH, help=f"how many of each rule (default {EACH})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the sample (default {SEED})")
    parser.add_argument("--fresh", action="store_true", help="forget the results so far")
    options = parser.parse_args()
    found = faults.candidates(ROOT)
    planted = [f for f in faults.sample(found, options.each, options.seed) if options.only in (None, f.rule)]
    if options.list:
        for fault in planted:
            print(f"{fault.path}:{fault.line}: {fault.rule}\n- {fault.shown_before}\n+ {fault.shown_after}")
        print(f"{len(planted)} faults of {len(found)} that the rules make")
        return 0
    BUILD.mkdir(parents=True, exist_ok=True)
    if options.fresh:
        (BUILD / "results.json").unlink(missing_ok=True)
    results = Results(BUILD / "results.json")
    if options.command == "run":
        run(planted, results, options.jobs, options.minutes)
    return report(ROOT, planted, results)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
