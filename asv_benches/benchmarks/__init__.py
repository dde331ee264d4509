"""The benchmarks, one module a family of functions, each run with the reference and with the fast implementation."""

import os

# Either variable can force NumPy's BLAS onto kernels of another processor, at half its speed: unfair to the reference.
# They have to go before NumPy is loaded.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
