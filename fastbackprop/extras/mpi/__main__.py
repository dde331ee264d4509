"""``python -m fastbackprop.extras.mpi``, under mpiexec: rank 0 speaks, others where rank 0 does not say the same."""

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence

from fastbackprop.commands import guarded
from fastbackprop.extras.mpi import command
from fastbackprop.extras.mpi.ranks import Ranks, abort
from fastbackprop.extras.mpi.together import PATIENCE_SECONDS


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    result = argparse.ArgumentParser(prog="fastbackprop.extras.mpi", description="Trainings on the ranks of mpiexec.")
    commands = result.add_subparsers(metavar="COMMAND", required=True)
    train = commands.add_parser("train", help="train a net on the data of a file", description=command.DESCRIPTION)
    command.add_options(train)
    train.set_defaults(run=guarded("mpi train", command.run))
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command on this rank; returns the exit code, the largest of all ranks."""
    ranks, said = Ranks(), io.StringIO()
    with contextlib.ExitStack() as stack:
        if ranks.rank:
            stack.enter_context(contextlib.redirect_stderr(said))
            stack.enter_context(contextlib.redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
        parsed = parser().parse_args(arguments)  # on a fault all ranks exit alike
        code: int = parsed.run(parsed)
    every = ranks.exchange(code, PATIENCE_SECONDS if code else float("inf"))
    if ranks.rank and code and (every is None or every[0] == 0):
        print(f"rank {ranks.rank}: {said.getvalue()}", end="", file=sys.stderr)
    if every is None:
        abort(code)
    return max(every or [code])


if __name__ == "__main__":
    sys.exit(main())
