"""All that must pass before a change lands, two cores busy throughout: run by ``scripts/test``.

The kernels are compiled beside ruff and mypy: else each of pytest's processes would compile them. What remains takes one core,
and pauses often, so that it runs beside the tests. A process of pytest that has none left takes half of the other's.
"""

import sys

from scripts.checking.beside import INTERRUPTED, beside

STEPS = (
    {
        "ruff and mypy: style, types": ("scripts.checking.style",),
        "warmup: the kernels, compiled once for all that follows": ("fastbackprop", "warmup"),
    },
    {
        "pytest: tests": ("pytest", "-n", "2", "--dist", "worksteal"),
        "wheel: built, installed in a clean environment, tried from there": ("scripts.checking.wheel",),
        "asv: the benchmarks can be found, and each runs once with its smallest parameters": ("scripts.checking.benchmarks",),
    },
)


def main() -> None:
    try:
        for step in STEPS:
            failed = beside({title: (sys.executable, "-m", *arguments) for title, arguments in step.items()})
            if failed:
                raise SystemExit(f"==> failed: {'; '.join(failed)}")
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    print("==> all checks passed")


if __name__ == "__main__":
    main()
