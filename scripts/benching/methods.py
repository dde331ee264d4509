"""Times products by two methods each, on one thread, over sizes about the threshold that decides between them.

Both run in turns in one process, from the same operands, for the shapes that a threshold is for. The last line of each is from
which size on the second method wins.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from fastbackprop.kernels import blocking
from fastbackprop.kernels.blocking import FAR_BYTES, HALF_PAGE, L2_BYTES, MR, NV, VECTOR_BYTES
from fastbackprop.kernels.jit import entry
from fastbackprop.kernels.kinds import FLAT, IN, NUMBER, OUT, N
from fastbackprop.kernels.matmul import INNER, OUTER, PACK_A, PACK_B, TURN, Product
from fastbackprop.kernels.matmul import multiply as multiply_by
from fastbackprop.kernels.matrix import Matrix, matrix
from fastbackprop.kernels.memory import bare
from fastbackprop.kernels.microkernel import ZERO
from fastbackprop.kernels.plan import choose_blocks, planned
from scripts.benching.thresholds import wins_from
from scripts.measuring.machine import facts
from scripts.measuring.timing import interleave, paired_ratio

REPEATS, AT_LEAST, WITHIN = 31, 0.002, 0.6
TIMES = (0.25, 0.5, 1, 2, 4)  # sizes, in units of the threshold


@entry(N, IN, IN, OUT, NUMBER, FLAT)
def product_by(method, A, B, C, one, workspace):
    """C = A B by a method, on one thread."""
    panels, out = Matrix(bare(workspace), 0, 1, 1), matrix(C)
    p = Product(A.shape[0], B.shape[1], A.shape[1], one, matrix(A), matrix(B), out, ZERO, out)
    multiply_by(method, choose_blocks(method, p.rows, p.columns, p.depth, one), p, panels)


@entry(N, IN, IN, NUMBER)
def room_by(method, A, B, one):
    """Numbers of workspace that `product_by` needs."""
    return planned(method, A.shape[0], B.shape[1], A.shape[1], one, 1).room


class Question(NamedTuple):
    """A threshold, the two methods, and the shapes (rows, columns, depth) for a size and the bytes of a number.

    ``far`` is the bytes from one row of B, or one column of A, to the next; 0 where they lie close. ``along`` says whether
    both operands lie along the depth.
    """

    name: str
    methods: dict[str, int]
    shapes: Callable[[int, int], dict[str, tuple[int, int, int]]]
    far_A: int = 0
    far_B: int = 0
    along: bool = False


def _far(columns: int, size: int) -> int:
    """Depth of a B that is larger than L2 by half."""
    return 3 * L2_BYTES // (2 * columns * size)


QUESTIONS = [
    Question(
        "READ_OFTEN", {"as it lies": OUTER, "B packed": PACK_B}, lambda rows, size: {
            f"{columns} columns": (rows, columns, _far(columns, size)) for columns in (200, 600)
        },
    ),
    Question(
        "READ_OFTEN_FAR", {"as it lies": OUTER, "B packed": PACK_B}, lambda rows, size: {
            f"{columns} columns": (rows, columns, _far(columns, size)) for columns in (256, 512)
        }, far_B=HALF_PAGE,
    ),
    Question(
        "TURNED_ROWS", {"turned": TURN | PACK_B, "B packed": PACK_B}, lambda rows, size: {
            f"{columns} columns, {depth} deep": (rows, columns, depth) for columns, depth in ((4000, 200), (12288, 209))
        }, along=True,
    ),
    Question(
        "TURNED_COLUMNS", {"inner products": INNER, "turned": TURN | PACK_B}, lambda columns, size: {
            f"{rows} rows, {depth} deep": (rows, columns, depth) for rows, depth in ((16, 200), (20, 209), (20, 569))
        }, along=True,
    ),
    Question(
        "FAR_DEPTH", {"as it lies": OUTER, "A packed": PACK_A}, lambda depth, size: {
            f"{rows} rows, {columns} columns": (rows, columns, depth) for rows, columns in ((1000, 60), (1000, 192))
        }, far_A=FAR_BYTES,
    ),
    Question(
        "SHALLOW", {"B packed": PACK_B, "inner products": INNER}, lambda depth, size: {
            f"{rows} rows, {columns} columns": (rows, columns, depth) for rows, columns in ((64, 2), (1000, 3))
        }, along=True,
    ),
]  # fmt: skip


def _laid_out(rng: np.random.Generator, shape: tuple[int, int], dtype: np.dtype[Any], far: int) -> np.ndarray:
    """Random numbers whose rows are a multiple of `far` bytes apart, if that is not 0."""
    rows, columns = shape
    width = columns if not far else -(-columns * dtype.itemsize // far) * far // dtype.itemsize
    wide = np.empty((rows, width), dtype)
    wide[:, :columns] = rng.standard_normal(shape)
    return wide[:, :columns]


def calls(question: Question, shape: tuple[int, int, int], char: str) -> Mapping[str, partial[None]]:
    """The product by either method."""
    rows, columns, depth = shape
    dtype, rng = np.dtype(char), np.random.default_rng(0)
    if question.far_A:
        A = _laid_out(rng, (depth, rows), dtype, question.far_A).T
    else:
        A = _laid_out(rng, (rows, depth), dtype, 0)
    B = (
        _laid_out(rng, (columns, depth), dtype, 0).T
        if question.along
        else _laid_out(rng, (depth, columns), dtype, question.far_B)
    )
    C, one = np.empty((rows, columns), dtype), dtype.type(1)
    found = {}
    for name, method in question.methods.items():
        workspace = np.empty(room_by[char](method, A, B, one) + 1, dtype)
        found[name] = partial(product_by[char], method, A, B, C, one, workspace)
    return found


def measure(question: Question, repeats: int) -> Iterator[dict[str, Any]]:
    """A row for each size, shape and dtype: the ratio of the first method's time to the second's."""
    threshold = getattr(blocking, question.name)
    for times in TIMES:
        for char in "df":
            for kind, shape in question.shapes(max(1, round(times * threshold)), np.dtype(char).itemsize).items():
                sides = calls(question, shape, char)
                seconds = interleave(sides, repeats, at_least=AT_LEAST, within=WITHIN)
                first, second = (seconds[name] for name in question.methods)
                yield {
                    "size": round(times * threshold),
                    "kind": kind,
                    "dtype": char,
                    "first": 1e6 * min(first),
                    "second": 1e6 * min(second),
                    "ratio": paired_ratio(first, second),
                }


def report(question: Question, rows: list[dict[str, Any]]) -> Iterator[str]:
    """The lines that are printed of a question."""
    first, second = question.methods
    yield f"\n{question.name} is {getattr(blocking, question.name)}: {first}, or {second}"
    for row in rows:
        times = f"{row['first']:10.1f} {row['second']:10.1f} us"
        yield f"{row['size']:>7}  {row['kind']:<26} {row['dtype']}  {times}   {row['ratio']}"
    won = wins_from(rows, ("ratio",))
    yield f"{second} wins from {won} on, in every shape" if won is not None else f"{second} does not win in every shape"


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/measure_thresholds methods", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, metavar="N", help="how many turns a measurement takes")
    names = sorted({question.name for question in QUESTIONS})
    parser.add_argument("--names", nargs="+", metavar="NAME", choices=names, default=names, help="all when left out")
    options = parser.parse_args()
    print(*facts(), sep="\n")
    print(f"MR {MR}, NV {NV}, vectors of {VECTOR_BYTES} bytes, L2 {L2_BYTES} bytes")
    for question in QUESTIONS:
        if question.name in options.names:
            print(*report(question, list(measure(question, options.repeats))), sep="\n", flush=True)


if __name__ == "__main__":
    main()
