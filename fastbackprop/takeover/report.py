"""What became of each function: a small table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REPLACED, ADAPTED, TAKEN_OVER, LEFT = "replaced", "adapted", "taken over", "left"


@dataclass(frozen=True)
class Row:
    """One function of the user's: its name and module, what became of it, and how or why."""

    name: str
    module: str
    verdict: str
    how: str = ""


@dataclass(frozen=True)
class Report:
    """What became of each function; printed, it is a table.

    ``rows`` has a row for each: ``name``, ``module``, ``verdict`` ("replaced" by the fast function; "adapted": by the fast
    function in the user's form; "taken over": its training loop runs compiled; "left": the user's own code) and ``how``, a
    sentence.
    """

    rows: Sequence[Row]

    @property
    def replaced(self) -> list[Row]:
        """The rows of functions that run faster now."""
        return [row for row in self.rows if row.verdict != LEFT]

    def __str__(self) -> str:
        if not self.rows:
            return "fastbackprop: no functions of the course's names were found"
        several = len({row.module for row in self.rows}) > 1
        lines = []
        for row in self.rows:
            name = f"{row.module}.{row.name}" if several else row.name
            lines.append((name, row.verdict, row.how))
        widths = [max(len(line[i]) for line in lines) for i in (0, 1)]
        head = f"fastbackprop: {len(self.replaced)} of {len(self.rows)} functions run on its kernels"
        return "\n".join([head, *(f"  {n:<{widths[0]}}  {v:<{widths[1]}}  {how}".rstrip() for n, v, how in lines)])

    def __repr__(self) -> str:
        return str(self)
