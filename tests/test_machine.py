"""The lines about the machine."""

import fastbackprop as bp
from fastbackprop.machine import facts


def test_facts_name_processor_lanes_threads_blas_and_versions():
    text = "\n".join(facts())
    for word in (
        "processor",
        "bytes",
        "threads",
        "BLAS",
        "Python",
        "NumPy",
        "Numba",
        "llvmlite",
        f"fastbackprop {bp.__version__}",
    ):
        assert word in text
