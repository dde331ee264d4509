"""Sizes that depend on the processor: as the system reports them, or the usual ones; and kernels that work with any of them."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fastbackprop.kernels import blocking

ROOT = Path(__file__).parents[2]
USUAL = 123 * 1024
# Caches as Linux reports them: first that of instructions, which is not counted.
CACHES = [
    {"level": "1", "type": "Instruction", "size": "64K", "coherency_line_size": "256"},
    {"level": "1", "type": "Data", "size": "48K", "coherency_line_size": "128"},
    {"level": "2", "type": "Unified", "size": "2048K", "coherency_line_size": "128"},
]


def system(folder, caches):
    """A folder in which the system reports these caches of a core."""
    for i, facts in enumerate(caches):
        (folder / f"index{i}").mkdir(parents=True)
        for name, text in facts.items():
            (folder / f"index{i}" / name).write_text(f"{text}\n")
    return folder


def test_caches_that_the_system_describes(tmp_path):
    caches = system(tmp_path, CACHES)
    assert blocking._cache_bytes("1", USUAL, caches) == 48 * 1024
    assert blocking._cache_bytes("2", USUAL, caches) == 2048 * 1024
    assert blocking._cache_bytes("3", USUAL, caches) == USUAL
    assert blocking._line_bytes("aarch64", caches) == 128


UNHEEDED = ("", "0K", "0", "unknown", "-1", "3.5K", "1M", None)


@pytest.mark.parametrize("said", UNHEEDED)
@pytest.mark.parametrize(
    ("fact", "size", "line"),
    [("level", USUAL, 64), ("size", USUAL, 128), ("coherency_line_size", 48 * 1024, 64)],
)
def test_caches_that_the_system_half_describes(fact, said, size, line, tmp_path):
    """Some virtual machines do this: a missing size becomes the usual one, and none becomes 0."""
    facts = {**CACHES[1], fact: said}
    caches = system(tmp_path, [{name: text for name, text in facts.items() if text is not None}])
    assert blocking._cache_bytes("1", USUAL, caches) == size
    assert blocking._line_bytes("aarch64", caches) == line


@pytest.mark.parametrize("architecture, line", [("x86_64", 64), ("aarch64", 64), ("arm64", 128)])
def test_a_system_that_describes_nothing(architecture, line, tmp_path):
    none = tmp_path / "none"
    assert blocking._cache_bytes("1", USUAL, none) == USUAL
    assert blocking._line_bytes(architecture, none) == line


@pytest.mark.parametrize(
    ("features", "architecture", "vector"),
    [
        ({"+avx", "+avx2", "+avx512f"}, "x86_64", 64),
        ({"+avx", "+avx2", "-avx512f"}, "x86_64", 32),
        ({"-avx2"}, "x86_64", 16),
        (set(), "x86_64", 16),
        ({"+neon", "+sve"}, "aarch64", 16),
        (set(), "arm64", 16),
        (set(), "powerpc64le", 16),
    ],
)
def test_tiles_fit_the_registers(features, architecture, vector):
    """Accumulators, a row of operands and one more."""
    vector_bytes, MR, NV, inner_rows, inner_columns = blocking._tiles(features, architecture)
    assert vector_bytes == vector
    registers = 32 if vector == 64 or architecture in ("aarch64", "arm64") else 16
    outer, inner = MR * NV + NV + 1, inner_rows * inner_columns + inner_rows + 1
    assert max(outer, inner) <= registers


PROGRAM = """
    import json, sys
    from pathlib import Path
    glob = Path.glob
    folder = Path(sys.argv[1])
    Path.glob = lambda path, pattern: glob(folder if "/cpu0/cache" in path.as_posix() else path, pattern)
    from tests.kernels.support import processor
    for dtype in ("float64", "float32"):
        processor.check_layer(dtype, [processor.SIZE])
    for algorithm in ("direct", "gram"):
        processor.check_training(algorithm)
    facts = vars(processor.blocking)
    print(json.dumps([facts[name] for name in ("LINE_BYTES", "L1_BYTES", "L2_BYTES")]))
"""


@pytest.mark.parametrize("line, L1, L2", [(64, 8, 64), (128, 128, 16384), (256, 64, 32)])
def test_kernels_on_other_caches(line, L1, L2, tmp_path):
    """The NumPy twins, by the same loops: a small or an odd cache cuts the work in other pieces, of which none is empty."""
    facts = {"coherency_line_size": str(line)}
    system(tmp_path, [{"level": str(l), "type": "Data", "size": f"{size}K", **facts} for l, size in ((1, L1), (2, L2))])
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(PROGRAM), str(tmp_path)],
        cwd=ROOT, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [line, L1 * 1024, L2 * 1024]
