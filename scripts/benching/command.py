"""Times the fast functions against the reference, both sides in turns in one process, and prints ratios with intervals.

Two commands take no group: `compare` times two commits, `publish` builds the pages of what asv has measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from fastbackprop.team import get_num_threads
from scripts.benching import calls, figures, functions, gradients, layers, matmul, scaling, sweep, training
from scripts.measuring.fairness import keep_freed_memory
from scripts.measuring.machine import facts
from scripts.publishing import publish
from scripts.revisions import compare

GROUPS = {
    "functions": functions,
    "layers": layers,
    "matmul": matmul,
    "calls": calls,
    "gradients": gradients,
    "training": training,
    "scaling": scaling,
    "sweep": sweep,
}
COMMANDS = {"compare": compare, "publish": publish}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    top.add_argument(
        "--figures",
        nargs="*",
        choices=figures.TOPICS,
        metavar="TOPIC",
        help=f"measure what scripts/figures draws, and nothing else: {', '.join(figures.TOPICS)}; all when none is named",
    )
    groups = top.add_subparsers(dest="group", metavar="GROUP or command")
    for name, module in GROUPS.items():
        description = str(module.__doc__).strip()
        group = groups.add_parser(name, help=description, description=description)
        group.add_argument("--threads", type=int, default=get_num_threads(), metavar="N", help="how many each side may use")
        group.add_argument("--repeats", type=int, metavar="N", help="how many turns a measurement takes at most")
        group.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures as JSON")
        module.add_arguments(group)  # with the group's own defaults
    for name, module in COMMANDS.items():
        description = str(module.__doc__).strip()
        module.add_arguments(groups.add_parser(name, help=description, description=description))
    return top


def main() -> None:
    top = parser()
    options = top.parse_args()
    keep_freed_memory()
    if options.figures is not None:
        figures.measure(options.figures or list(figures.TOPICS))
        return
    if options.group is None:
        top.print_help(sys.stderr)
        raise SystemExit(2)
    if options.group in COMMANDS:
        raise SystemExit(COMMANDS[options.group].run(options))
    machine = facts()
    print(*machine, sep="\n")
    measured = GROUPS[options.group].run(options)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "group": options.group, "figures": measured}, indent=1))


if __name__ == "__main__":
    main()
