"""Times two commits in turns, and prints what changed beyond noise; the exit code is 1 where something became slower."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from scripts.measuring.machine import facts
from scripts.revisions.decision import FIRST, LOOKS, Change, Rounds, Rule, changes, table
from scripts.revisions.installed import CannotCompare, Installed, commit, git, install
from scripts.revisions.sides import Side, compile_all, measure, one_round

# The fast functions alone, at sizes that differ in what their time goes to; float32 once, whose kernels are the same sources.
SIZES, FLOAT32_SIZE = ("one", "table", "digits", "pictures", "few"), "digits"
DEFAULT = (rf"'fast'.*'({'|'.join(SIZES)})(/\d+)?', 'float64'", rf"'fast'.*'{FLOAT32_SIZE}(/\d+)?', 'float32'")
DEFAULT_HELP = f"all of the fast functions at the sizes {', '.join(SIZES)} in float64, and at {FLOAT32_SIZE} in float32"
LOOK_AGAIN = 0.25  # of the time is kept for what the first look suspects


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("revisions", nargs="+", metavar="REV", help="one or two; the second is HEAD unless it is given")
    parser.add_argument(
        "--bench",
        action="append",
        metavar="REGEX",
        help=f"the timed benchmarks of asv_benches to compare, in place of the default: {DEFAULT_HELP}",
    )
    parser.add_argument(
        "--minutes", type=float, default=17.0, metavar="N", help="how long it may measure, all installed and compiled"
    )


def run(options: argparse.Namespace) -> int:
    try:
        return compare(options)
    except CannotCompare as error:
        print(f"scripts/bench compare: {error}", file=sys.stderr)
        return 2


def compare(options: argparse.Namespace) -> int:
    if len(options.revisions) > 2:
        raise CannotCompare(f"it compares two revisions, not {len(options.revisions)}")
    names = [*options.revisions, "HEAD"][:2]
    commits = [commit(name) for name in names]
    patterns = _patterns(options.bench or DEFAULT)
    if git("status", "--porcelain", "--", "fastbackprop"):
        _tick("what is not committed is not compared")
    _tick(f"installing {names[0]} ({commits[0][:8]}) and {names[1]} ({commits[1][:8]}), a minute or two where they are new")
    first, second = install(commits)
    pair = first, second
    print(*facts(), sep="\n")
    calls, left_out = _benchmarks(pair, patterns)
    for name, reason in left_out.items():
        print(f"not compared: {name} {reason}")
    start = time.monotonic()
    found, unsure = look_again(
        partial(measure, partial(one_round, pair), tick=_tick), calls, start, start + 60 * options.minutes
    )
    if unsure:
        print(f"{len(unsure)} more looked changed, and there was no time to look again: {', '.join(unsure)}")
    if not found:
        print(f"nothing changed beyond noise from {first.name} to {second.name}")
        return 0
    print(*table(found, (first.name, second.name)), sep="\n")
    return int(any(change.slower for change in found.values()))


def look_again(
    look: Callable[[dict[str, int], Rule, float], dict[str, Rounds]],
    calls: dict[str, int],
    start: float,
    until: float,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[dict[str, Change], list[str]]:
    """The changes that every look confirms; and the names of those that there was no time to look at again.

    ``look`` measures the benchmarks of a dict like ``calls`` in a rule's rounds, until a time; all, or those that fit.
    """
    measured = look(calls, FIRST, until - LOOK_AGAIN * (until - start))
    if not measured:
        raise CannotCompare(
            f"{FIRST.fewest} rounds do not fit into the time: allow more --minutes, or choose fewer benchmarks by --bench"
        )
    found = changes(measured, FIRST)
    unsure: list[str] = []
    for number, rule in enumerate(LOOKS[1:], start=1):
        if found:
            _tick(f"measuring {len(found)} again that looked changed")
            now = clock()
            share = (until - now) / (len(LOOKS) - number)  # the last look takes all that is left
            measured = look({name: calls[name] for name in found}, rule, now + share)
            unsure += [name for name in found if name not in measured]
            found = changes(measured, rule)
    return found, unsure


def _benchmarks(pair: tuple[Installed, Installed], patterns: list[re.Pattern[str]]) -> tuple[dict[str, int], dict[str, str]]:
    """Calls a sample of all that can be timed at both revisions, compiled; and why the others cannot."""
    described = []
    for installed in pair:
        with Side(installed) as side:
            described.append(side.ask("describe"))
            if not described[-1]["benchmarks"]:
                raise CannotCompare(f"no benchmark can be imported at {installed.name}; its process said last: {side.last()}")
        if described[-1]["package"] != str(installed.folder / "fastbackprop"):
            raise CannotCompare(f"the process of {installed.name} took the package in {described[-1]['package']}")
    threads = [description["threads"] for description in described]
    if threads[0] != threads[1]:
        raise CannotCompare(f"the revisions take {threads[0]} and {threads[1]} threads: set FASTBACKPROP_NUM_THREADS")
    chosen = [[name for name in side["benchmarks"] if any(p.search(name) for p in patterns)] for side in described]
    left_out = {name: "is not at both revisions" for name in {*chosen[0]} ^ {*chosen[1]}}
    names = [name for name in chosen[1] if name not in left_out]
    _tick(f"compiling the kernels of {len(names)} benchmarks, a minute or two where they are new; {threads[0]} threads a side")
    different = [*dict.fromkeys(pair)]
    with ThreadPoolExecutor(len(different)) as pool:  # a compiler uses one core
        compiled = [*pool.map(partial(compile_all, names=names), different)]
    left_out |= {name: reason for _, failed in compiled for name, reason in failed.items()}
    calls = {name: n for name, n in compiled[0][0].items() if all(name in others for others, _ in compiled)}
    if not calls:
        raise CannotCompare("no timed benchmark is left to compare")
    return calls, left_out


def _patterns(texts: tuple[str, ...] | list[str]) -> list[re.Pattern[str]]:
    try:
        return [re.compile(text) for text in texts]
    except re.error as error:
        raise CannotCompare(f"--bench {error.pattern!r} is no regular expression: {error}") from None


def _tick(line: str) -> None:
    print(f"==> {line}", flush=True)
