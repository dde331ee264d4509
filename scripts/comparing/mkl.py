"""MKL's own gemm, by ctypes, from the package `mkl`."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np

_ROWS_IN_A_ROW, _AS_IT_IS = 101, 111  # CblasRowMajor, CblasNoTrans


def library() -> Path:
    """The file that chooses MKL's kernels and threads at run time; ImportError where it is not installed."""
    try:
        found = [file for file in files("mkl") or () if file.name.startswith(("libmkl_rt.", "mkl_rt."))]
    except PackageNotFoundError:
        raise ImportError("the package mkl is not installed") from None
    if not found:
        raise ImportError("the package mkl has no libmkl_rt")
    return Path(str(found[0].locate())).resolve()


def variables(threads: int) -> dict[str, str]:
    """What the environment says before the library is loaded: one thread needs no threading layer."""
    return {"MKL_THREADING_LAYER": "INTEL" if threads > 1 else "SEQUENTIAL", "MKL_NUM_THREADS": str(threads)}


class Mkl:
    """The library with that many threads; ImportError where it cannot be loaded."""

    def __init__(self, threads: int) -> None:
        os.environ.update(variables(threads))
        try:
            self._library = ctypes.CDLL(str(library()))
        except OSError as error:
            raise ImportError(f"MKL cannot be loaded: {error}") from error
        self._library.MKL_Set_Num_Threads(threads)
        if (allowed := self._library.MKL_Get_Max_Threads()) != threads:
            raise ImportError(f"MKL takes {allowed} threads, not {threads}")

    def version(self) -> str:
        text = ctypes.create_string_buffer(200)
        self._library.MKL_Get_Version_String(text, len(text))
        return text.value.decode().strip()

    def product(self, A: np.ndarray, B: np.ndarray, C: np.ndarray) -> Callable[[], object]:
        """A call that computes C = A B, of C-ordered arrays of one dtype; all that ctypes converts is converted before."""
        number, gemm = {
            "float64": (ctypes.c_double, self._library.cblas_dgemm),
            "float32": (ctypes.c_float, self._library.cblas_sgemm),
        }[C.dtype.name]
        assert {A.dtype, B.dtype} == {C.dtype} and all(x.flags.c_contiguous for x in (A, B, C))
        gemm.restype = None
        (rows, depth), columns = A.shape, B.shape[1]
        size = ctypes.c_int
        arguments = (
            *(size(_ROWS_IN_A_ROW), size(_AS_IT_IS), size(_AS_IT_IS), size(rows), size(columns), size(depth)),
            *(number(1), ctypes.c_void_p(A.ctypes.data), size(depth), ctypes.c_void_p(B.ctypes.data), size(columns)),
            *(number(0), ctypes.c_void_p(C.ctypes.data), size(columns)),
        )
        return partial(gemm, *arguments)
