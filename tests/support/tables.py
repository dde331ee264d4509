"""A small problem of two classes, and files of it in every form that the readers know."""

from pathlib import Path

import numpy as np

M, FEATURES = 40, 3
_rng = np.random.default_rng(0)
ROWS = _rng.standard_normal((M, FEATURES)) * [1, 10, 100] + [0, 5, 50]
LABELS = (ROWS @ [1, 0.1, -0.01] > 0).astype(int)
WORDS = np.where(LABELS == 1, "yes", "no")
NAMES = ["age", "height", "weight"]


def csv_text(labels=LABELS, names: list[str] | None = None, rows=ROWS, delimiter: str = ",") -> str:
    """The table as text, with its label last; `names` are a header."""
    lines = [] if names is None else [delimiter.join(names)]
    lines += [delimiter.join([*(repr(float(x)) for x in row), str(label)]) for row, label in zip(rows, labels, strict=True)]
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
