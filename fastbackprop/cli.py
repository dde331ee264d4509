"""The command line: ``python -m fastbackprop COMMAND``, or ``fastbackprop COMMAND`` where the package is installed.

Each command is one function that adds its parser and sets what runs; a new one joins COMMANDS.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any


def verify(commands: Any) -> None:
    parser = commands.add_parser(
        "verify",
        help="compare the fast functions, or your own, with the reference",
        description="Compare every fast function with the reference on this machine; with --module, your own functions. "
        "The exit code is 0 when all are the same, 1 when one differs, and 2 when there is nothing to examine.",
    )
    parser.add_argument(
        "--module",
        metavar="MODULE",
        help="a module with functions of your own: its name, as in an import from here, or a path that ends in .py. "
        "It is imported; its functions then run as copies, on small probes",
    )

    def run(arguments: argparse.Namespace) -> int:
        if arguments.module is None:
            from fastbackprop.verify import run_verification

            return run_verification()
        from fastbackprop.examination.report import run_examination

        os.environ.setdefault("MPLBACKEND", "Agg")  # a module that shows figures when it is imported need not wait
        return run_examination(arguments.module)

    parser.set_defaults(run=run)


def warmup(commands: Any) -> None:
    parser = commands.add_parser(
        "warmup",
        help="compile every kernel ahead, so that no first call waits",
        description="Compile every kernel for this processor, in float64 and float32, and keep the machine code in the disk "
        "cache, from which later processes load it. The exit code is 0, or 1 where nothing can be kept.",
    )

    def run(arguments: argparse.Namespace) -> int:
        from fastbackprop.warmup import run_warmup

        return run_warmup()

    parser.set_defaults(run=run)


def _add(commands: Any, name: str, module: Any, help: str) -> None:
    """A command that a module of its own has."""
    from fastbackprop.commands import guarded

    parser = commands.add_parser(name, help=help, description=module.DESCRIPTION)
    module.add_options(parser)
    parser.set_defaults(run=guarded(name, module.run))


def train(commands: Any) -> None:
    from fastbackprop.commands import train

    _add(commands, "train", train, "train a net on the data of a file")


def sweep(commands: Any) -> None:
    from fastbackprop.commands import sweep

    _add(commands, "sweep", sweep, "train many nets on the data of a file")


def predict(commands: Any) -> None:
    from fastbackprop.commands import predict

    _add(commands, "predict", predict, "predict data by a trained model")


def compare(commands: Any) -> None:
    from fastbackprop.commands import compare

    _add(commands, "compare", compare, "time the reference against it on data")


def info(commands: Any) -> None:
    from fastbackprop.commands import info

    _add(commands, "info", info, "print versions, processor, disk cache, extras")


def run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        usage="%(prog)s [-h] script.py [argument ...]",
        help="run a script of your own on the fast functions",
        description="Run a script as `python script.py` does. Its functions, and those of modules of its own that it imports, "
        "are judged when they are first called, and replaced where the fast ones compute the same. A report at the end, on "
        "stderr, says what became of each. Processes that the script forks go on with the same functions; those that it starts "
        "afresh (multiprocessing's spawn and forkserver, subprocess) run their own code as it is.",
    )
    parser.add_argument("script", help="the script's file, or a folder with a __main__.py")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="all that follows is the script's")

    def start(arguments: argparse.Namespace) -> int:
        from fastbackprop.takeover.script import run_script

        return run_script(arguments.script, arguments.arguments)

    parser.set_defaults(run=start)


COMMANDS: tuple[Callable[[Any], None], ...] = (run, train, sweep, predict, compare, verify, warmup, info)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="fastbackprop", description="Course-style vectorized backprop, JIT-compiled.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in COMMANDS:
        add(commands)
    parsed = parser.parse_args(arguments)
    return parsed.run(parsed)
