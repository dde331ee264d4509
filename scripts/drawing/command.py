"""Draws the tables and pictures of README and docs from the JSON files in docs/figures, which `scripts/bench --figures` and
`scripts/compare-peers --figures` measure.
"""

from __future__ import annotations

import argparse
import sys

from scripts.drawing import pages


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/figures", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with 1 where a table or a picture is not of these data"
    )
    options = parser.parse_args()
    every = pages.read_all()
    if not options.check:
        pages.write_pages(every)
        pages.write_pictures(every)
    found = list(pages.differences(every))
    print(*found or ["all tables and pictures show what docs/figures holds"], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
